"""Services with a queue that charge: whatever happens, what was begun is fetched, and nothing is paid for twice."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from backends.queued import QueuedBackend
from generation.errors import BackendError, StoreUnavailable
from tests.backends import test_bfl_contract, test_fal_contract, test_replicate_contract
from tests.backends.queued_rig import asked, fitted, ignore, know_none
from tests.engines.bfl_server import BflServer
from tests.engines.fal_server import FalServer
from tests.engines.listener import Fault, QueuedListener
from tests.engines.replicate_server import ReplicateServer
from tests.waiting import until


@dataclass(frozen=True)
class Service:
    stand_in: type[QueuedListener]
    connect: Callable[..., QueuedBackend[Any]]
    begins: str  # the call that begins a picture, and is paid for


SERVICES = {
    "bfl": Service(BflServer, test_bfl_contract.connect, "POST /v1/flux-2-pro"),
    "fal": Service(FalServer, test_fal_contract.connect, "POST /fal-ai/flux-2"),
    "replicate": Service(ReplicateServer, test_replicate_contract.connect, "/flux-schnell/predictions"),
}
EACH = pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)


async def end_of(backend: QueuedBackend[Any], remote_id: str) -> None:
    while not (await backend.poll(remote_id)).is_finished:
        await asyncio.sleep(0.005)


@EACH
async def test_a_restart_fetches_what_was_begun(service: Service) -> None:
    async with service.stand_in() as server:
        server.hold()
        first, again = service.connect(server), service.connect(server)
        request = await fitted(first, asked(batch_size=2))
        remote_id = await first.start(request)
        await first.aclose()
        server.release()
        await end_of(again, remote_id)
        assert len((await again.fetch(remote_id, request)).images) == 2
        assert len(server.jobs) == 2
        await again.aclose()


@EACH
async def test_killed_in_the_middle_of_several_it_fetches_those_that_were_begun(service: Service) -> None:
    """The process ends between the second picture and the third: its notes are all that is left."""
    async with service.stand_in() as server:
        backend, intents = service.connect(server), list[str]()
        request = await fitted(backend, asked(batch_size=3))

        async def note(intent: str) -> None:
            intents.append(intent)
            if len(intents) == 3:
                raise StoreUnavailable

        await backend.start(request, note)
        assert len(server.jobs) == 2
        again = service.connect(server)
        await again.capabilities()
        remote_id = await again.find(intents[-1], request, know_none)
        assert remote_id
        await end_of(again, remote_id)
        result = await again.fetch(remote_id, request)
        assert ([image.seed for image in result.images], result.is_complete) == ([812, 813], False)
        assert any("not sent again" in remark for remark in result.notes)
        assert len(server.jobs) == 2
        for opened in (backend, again):
            await opened.aclose()


@EACH
async def test_killed_before_any_id_was_there_it_sends_nothing_again(service: Service) -> None:
    async with service.stand_in() as server:
        backend = service.connect(server)
        request = await fitted(backend, asked(seed=5))
        assert await backend.find("2026-11-29T10:00:00+00:00", request, know_none) is None
        assert await backend.find("", request, know_none) is None
        assert server.count("POST", "") == 0
        await backend.aclose()


@EACH
async def test_an_answer_that_breaks_off_is_no_reason_to_send_it_again(service: Service) -> None:
    async with service.stand_in() as server:
        backend = service.connect(server)
        request = await fitted(backend, asked(batch_size=2))
        server.faults.append(Fault(kind="truncate", path=service.begins))
        with pytest.raises(BackendError) as caught:
            await backend.start(request)
        assert caught.value.may_have_run
        assert server.count("POST", "") == 1
        await backend.aclose()


@EACH
async def test_cancelled_while_it_is_sent_what_can_be_is_taken_back(service: Service) -> None:
    async with service.stand_in() as server:
        server.hold()
        backend = service.connect(server)
        request = await fitted(backend, asked(batch_size=3))
        server.faults.append(Fault(kind="slow", path=service.begins))
        job = asyncio.create_task(backend.generate(request, ignore))
        await until(lambda: server.jobs)
        job.cancel()
        with pytest.raises(asyncio.CancelledError):
            await job
        assert len(server.jobs) == 1
        if backend.takes_back:
            await until(lambda: not any(run.is_running for run in server.jobs.values()))
        await backend.aclose()


@EACH
async def test_a_cost_that_nobody_tells_is_called_so(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    async with service.stand_in() as server:
        backend = service.connect(server)
        request = await fitted(backend, asked())
        monkeypatch.setattr(type(backend), "_cost", lambda *_: None)
        result = await backend.generate(request, ignore)
        assert (result.cost_usd, "what it cost is not known" in result.notes) == (0.0, True)
        await backend.aclose()
