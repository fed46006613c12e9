"""Jobs over a real socket: what happens on the way, and what is left on the server afterwards."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from backends.ai_horde.backend import AiHordeBackend
from backends.base import BackendConfig
from generation.errors import (
    BackendAuthError,
    BackendError,
    BackendUnavailable,
    CapabilityError,
    ContentBlocked,
    GenerationError,
    RateLimited,
    UnexpectedAnswer,
)
from generation.job import Progress
from generation.request import GenerationRequest, Lora, Mode, SourceImage
from generation.result import GenerationResult
from scheduling.executor import run_job
from tests.backends.test_ai_horde_contract import QUICK, connect
from tests.engines.a1111_engine import bomb
from tests.engines.horde_server import HordeServer
from tests.engines.listener import Fault, draw
from tests.jobs import make_job
from tests.waiting import until
from utils.clock import SystemClock


def request(**changes: Any) -> GenerationRequest:
    values: dict[str, Any] = {
        "prompt": "a red fox", "width": 64, "height": 64, "steps": 4, "cfg_scale": 7.0, "seed": 812,
    }  # fmt: skip
    return GenerationRequest(**(values | changes))


async def ignore(_: Progress) -> None:
    pass


@pytest.fixture
async def server() -> AsyncIterator[HordeServer]:
    async with HordeServer(has_rates=False) as made:
        yield made


@pytest.fixture
async def horde(server: HordeServer) -> AsyncIterator[AiHordeBackend]:
    backend = connect(server)
    yield backend
    await backend.aclose()


async def test_a_job_is_taken_up_by_another_process(server: HordeServer, horde: AiHordeBackend) -> None:
    server.hold()
    remote_id = await horde.start(request())
    await horde.poll(remote_id)
    await horde.aclose()
    server.release()
    other = connect(server)
    while not (await other.poll(remote_id)).is_finished:
        await asyncio.sleep(0.005)
    result = await other.fetch(remote_id, request())
    assert [image.seed for image in result.images] == [812]
    assert len(server.jobs) == 1
    await other.aclose()


async def test_cancelled_job_is_deleted_there(server: HordeServer, horde: AiHordeBackend) -> None:
    server.hold()
    remote_id = await horde.start(request())
    await horde.cancel(remote_id)
    assert server.jobs[remote_id].cancelled


async def test_a_job_cancelled_while_it_is_submitted_is_not_left_there(
    server: HordeServer, horde: AiHordeBackend
) -> None:
    server.hold()
    await horde.capabilities()
    server.faults.append(Fault("slow", "/async"))
    task = asyncio.create_task(horde.start(request()))
    await until(lambda: server.count("POST", "/async") == 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert [job.cancelled for job in server.jobs.values()] == [True]


async def test_lost_answers_on_the_way_are_asked_for_again_and_nothing_is_drawn_twice(
    server: HordeServer, horde: AiHordeBackend
) -> None:
    await horde.capabilities()
    for kind, part in (("reset", "/check/"), ("html", "/check/"), ("truncate", "/check/"), ("reset", "GET /api/v2/generate/status"), ("reset", "/transient/")):  # fmt: skip  # noqa: E501
        server.faults.append(Fault(kind, part, status=502))
    result = await horde.generate(request(), ignore)
    assert len(result.images) == 1
    assert not server.faults
    assert len(server.jobs) == 1


async def test_a_server_that_stays_away_is_given_up(server: HordeServer, horde: AiHordeBackend) -> None:
    server.hold()
    remote_id = await horde.start(request())
    server.faults += [Fault("html", "/check/", status=502) for _ in range(20)]
    for _ in range(6):
        assert not (await horde.poll(remote_id)).is_finished
    with pytest.raises(BackendUnavailable):
        await horde.poll(remote_id)


@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        (Fault("html", "/async", status=524), BackendUnavailable),
        (Fault("html", "/async", status=200), UnexpectedAnswer),
        (Fault("reset", "/async"), BackendUnavailable),
        (Fault("truncate", "/async"), UnexpectedAnswer),
        (Fault("status", "/async", status=500, body={"message": "Internal Server Error"}), BackendUnavailable),
        (Fault("status", "/async", status=429, headers={"Retry-After": "0"}), RateLimited),
        (Fault("status", "/async", status=403, body={"rc": "TimeoutIP", "message": "x"}), BackendError),
        (Fault("status", "/async", status=400, body={"rc": "CorruptPrompt", "message": "x"}), ContentBlocked),
        (Fault("status", "/async", status=401, body={"rc": "InvalidAPIKey", "message": "x"}), BackendAuthError),
        (Fault("status", "/async", status=202, body={"id": "../../x", "kudos": 1}), UnexpectedAnswer),
        (Fault("status", "/async", status=410, body={"status": "gone"}), BackendError),
    ],
)
async def test_faults_of_a_submit(
    server: HordeServer, horde: AiHordeBackend, fault: Fault, kind: type[GenerationError]
) -> None:
    await horde.capabilities()
    server.faults.append(fault)
    with pytest.raises(kind) as caught:
        await horde.generate(request(), ignore)
    text = f"{caught.value.user_message} {caught.value.hint}"
    assert not any(sign in text for sign in ("http", "127.0.0.1", "Traceback"))
    assert not server.jobs


@pytest.mark.parametrize(
    "body", [b"no picture at all", draw(64, 64, 1)[:40], bytes(3_000_000), bomb()], ids=["text", "cut", "huge", "bomb"]
)
async def test_a_file_that_is_no_picture_is_refused(server: HordeServer, horde: AiHordeBackend, body: bytes) -> None:
    server.faults.append(Fault("status", "/transient/", status=200, body=body))
    with pytest.raises(UnexpectedAnswer):
        await horde.generate(request(), ignore)


async def test_a_submit_without_an_answer_may_have_been_taken(
    server: HordeServer, horde: AiHordeBackend, monkeypatch: pytest.MonkeyPatch
) -> None:
    await horde.capabilities()
    monkeypatch.setattr("backends.ai_horde.backend.TIMEOUT", 0.05)
    server.faults.append(Fault("hang", "/async"))
    with pytest.raises(BackendUnavailable, match="in time") as caught:
        await horde.generate(request(), ignore)
    assert caught.value.may_have_run


async def test_a_picture_that_is_gone_from_the_store_is_told(server: HordeServer, horde: AiHordeBackend) -> None:
    server.faults.append(Fault("status", "/transient/", status=403, body="expired"))
    with pytest.raises(BackendUnavailable, match="no longer has it"):
        await horde.generate(request(), ignore)


async def test_the_pictures_that_came_are_kept_when_one_did_not(server: HordeServer, horde: AiHordeBackend) -> None:
    server.faults.append(Fault("status", "/transient/", status=403, body="expired"))
    result = await horde.generate(request(batch_size=3), ignore)
    assert len(result.images) == 2
    assert "1 of 3 could not be fetched" in result.notes
    assert not result.is_complete


async def test_the_pictures_that_passed_the_filter_are_shown(server: HordeServer, horde: AiHordeBackend) -> None:
    server.plans.append("censor_first")
    result = await horde.generate(request(batch_size=3), ignore)
    assert [image.seed for image in result.images] == [813, 814]
    assert "1 of 3 held back by the worker’s filter" in result.notes
    assert not result.is_complete


async def test_maintenance_that_begins_under_a_waiting_job_ends_it(server: HordeServer, horde: AiHordeBackend) -> None:
    server.hold()
    task = asyncio.create_task(horde.generate(request(), ignore))
    await until(lambda: server.count("GET", "/check/") > 1)
    server.close_for_maintenance()
    with pytest.raises(BackendUnavailable, match="maintenance"):
        await task
    with pytest.raises(BackendUnavailable, match="maintenance"):
        await horde.capabilities()


async def test_inpainting_without_a_worker_for_it_is_not_offered(server: HordeServer, horde: AiHordeBackend) -> None:
    del server.models["Deliberate Inpainting"]
    assert Mode.INPAINT not in (await horde.capabilities()).modes
    source = SourceImage.of(draw(64, 64, 1, "PNG"))
    with pytest.raises(CapabilityError, match="No worker"):
        await horde.generate(request(mode=Mode.INPAINT, init_image=source, mask_image=source), ignore)
    assert [job.cancelled for job in server.jobs.values()] == [True]


async def test_inpainting_and_img2img_are_drawn(server: HordeServer, horde: AiHordeBackend) -> None:
    source = SourceImage.of(draw(64, 64, 1, "PNG"))
    for mode in (Mode.IMG2IMG, Mode.INPAINT):
        assert (await horde.generate(request(mode=mode, init_image=source, mask_image=source), ignore)).images


async def test_more_loras_than_five_are_left_out_and_told(server: HordeServer, horde: AiHordeBackend) -> None:
    result = await horde.generate(request(loras=tuple(Lora(name=f"l{n}") for n in range(6))), ignore)
    assert "LoRA l5 left out: at most 5 at once here" in result.notes
    assert len(server.submitted[0]["params"]["loras"]) == 5


async def test_too_large_for_the_account_says_the_price(server: HordeServer, horde: AiHordeBackend) -> None:
    with pytest.raises(CapabilityError, match="138 kudos"):
        await horde.generate(request(width=2048, height=2048), ignore)


async def test_a_horde_without_workers_is_down(server: HordeServer, horde: AiHordeBackend) -> None:
    server.models.clear()
    with pytest.raises(BackendUnavailable, match="no worker"):
        await horde.capabilities()


async def test_a_retired_api_is_explained_over_the_wire() -> None:
    async with HordeServer(is_gone=True) as server:
        backend = connect(server)
        with pytest.raises(BackendError, match="retired"):
            await backend.capabilities()
        await backend.aclose()


async def test_balance_is_told_after_a_picture_with_a_key(server: HordeServer) -> None:
    backend = connect(server, key="registered")
    assert (await backend.generate(request(), ignore)).notes == ("10 kudos, 913 left",)
    await backend.aclose()


async def test_a_public_horde_cannot_send_us_to_a_private_address(server: HordeServer) -> None:
    config = BackendConfig(name="h", kind="ai_horde", label="The Horde", url="https://aihorde.net")
    backend = AiHordeBackend(config, pace=QUICK)
    response = backend._pictures.get(f"{server.url}/transient/x")
    with pytest.raises(BackendError, match="refused"):
        await response
    assert not server.requests
    await backend.aclose()


async def test_the_queue_takes_a_job_up_where_the_last_process_left_it(
    server: HordeServer, horde: AiHordeBackend
) -> None:
    remote_id = await horde.start(request())
    stored: list[str] = []

    async def load(image: SourceImage) -> SourceImage:
        return image

    async def store(reply: str) -> None:
        stored.append(reply)

    other = connect(server)
    outcome = await run_job(
        make_job(remote_id=remote_id, drawn=request()), other, timeout_s=5.0, load=load, report=ignore,
        on_remote_id=store, clock=SystemClock(),
    )  # fmt: skip
    assert isinstance(outcome, GenerationResult)
    assert (len(server.jobs), stored) == (1, [])
    await other.aclose()
