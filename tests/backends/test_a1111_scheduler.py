"""Jobs by way of the extension agent-scheduler: real cancelling of waiting ones, nothing for a proxy to cut off."""

import asyncio
import json

import pytest

from backends.a1111.backend import A1111Backend
from backends.a1111.extensions.agent_scheduler import _Reply
from generation.errors import BackendError, OutOfMemory
from generation.job import Progress
from generation.request import Mode, SourceImage
from tests.backends.test_a1111_contract import connect
from tests.backends.test_a1111_jobs import _ignore, request, stranger
from tests.engines.a1111_engine import DATA, Failed, draw
from tests.engines.a1111_server import A1111Server
from tests.waiting import until

ALWAYS = {"agent_scheduler": "always"}


def scheduled(server: A1111Server) -> A1111Backend:
    return connect(server, options=ALWAYS)


async def test_pictures_seeds_and_model_come_from_the_job_list() -> None:
    async with A1111Server(scheduler=True) as server:
        backend = scheduled(server)
        result = await backend.generate(request(batch_size=2, sampler="Euler a"), _ignore)
        assert [image.seed for image in result.images] == [812, 813]
        assert (result.model, result.notes) == ("tinyA", ())
        assert server.scheduler is not None
        [row] = server.scheduler.rows.values()
        assert "force_task_id" not in row.body
        assert row.body["override_settings"]["samples_format"] == "png"
        assert not [path for _, path, _ in server.requests if path == "/sdapi/v1/txt2img"]
        await backend.aclose()


async def test_model_is_named_apart_since_the_list_takes_it_from_there() -> None:
    async with A1111Server(scheduler=True) as server:
        backend = scheduled(server)
        await backend.generate(request(model="tinyB"), _ignore)
        assert server.scheduler is not None
        [row] = server.scheduler.rows.values()
        assert row.body["checkpoint"] == "tinyB.safetensors"
        await backend.aclose()


async def test_picture_to_picture_goes_the_same_way() -> None:
    async with A1111Server(scheduler=True) as server:
        backend = scheduled(server)
        source = SourceImage.of(draw(64, 64, 1, ""))
        result = await backend.generate(request(mode=Mode.IMG2IMG, init_image=source), _ignore)
        assert len(result.images) == 1
        await backend.aclose()


async def test_waiting_job_is_taken_back_for_good_and_nobody_is_interrupted() -> None:
    async with A1111Server(scheduler=True) as server:
        first, second = scheduled(server), scheduled(server)
        server.engine.hold()
        running = asyncio.create_task(first.generate(request(), _ignore))
        await until(lambda: server.engine.job is not None)
        notes: list[str] = []

        async def report(progress: Progress) -> None:
            notes.append(progress.note)

        waiting = asyncio.create_task(second.generate(request(seed=1), report))
        await until(lambda: "next in the engine’s own queue" in notes)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        assert server.scheduler is not None
        assert len(server.scheduler.deleted) == 1
        assert server.interrupt_calls == 0
        server.engine.release()
        assert (await running).images
        assert len(server.submitted) == 1  # it never ran
        await first.aclose()
        await second.aclose()


async def test_cancelling_while_the_job_is_handed_in_still_takes_it_back() -> None:
    async with A1111Server(scheduler=True) as server:
        backend = scheduled(server)
        await backend.capabilities()
        server.engine.hold()
        job = asyncio.create_task(backend.generate(request(), _ignore))
        assert server.scheduler is not None
        rows = server.scheduler.rows
        await until(lambda: bool(rows))
        job.cancel()
        with pytest.raises(asyncio.CancelledError):
            await job
        await until(lambda: bool(server.interrupted) or not rows)
        await backend.aclose()


async def test_a_list_that_somebody_paused_is_waited_for() -> None:
    async with A1111Server(scheduler=True) as server:
        backend = scheduled(server)
        assert server.scheduler is not None
        server.scheduler.is_paused = True
        notes: list[str] = []

        async def report(progress: Progress) -> None:
            notes.append(progress.note)

        job = asyncio.create_task(backend.generate(request(), report))
        await until(lambda: "next in the engine’s own queue" in notes)
        polls = len(server.requests)
        await until(lambda: len(server.requests) > polls + 4)
        assert not job.done()
        assert server.submitted == []
        server.scheduler.go_on()
        assert (await job).images
        await backend.aclose()


async def test_failure_there_is_our_error() -> None:
    async with A1111Server(scheduler=True) as server:
        backend = scheduled(server)
        server.engine.fail_with = Failed("OutOfMemoryError", "CUDA out of memory. Tried to allocate 2 GiB")
        with pytest.raises(OutOfMemory):
            await backend.generate(request(), _ignore)
        server.engine.fail_with = Failed("RuntimeError", "boom")
        with pytest.raises(BackendError) as caught:
            await backend.generate(request(), _ignore)
        assert caught.value.user_message == "The GPU says: boom."
        await backend.aclose()


async def test_job_that_somebody_removed_there_is_reported_lost() -> None:
    async with A1111Server(scheduler=True) as server:
        backend = scheduled(server)
        server.engine.hold()
        theirs = asyncio.create_task(stranger(server))
        await until(lambda: server.engine.job is not None)
        job = asyncio.create_task(backend.generate(request(), _ignore))
        assert server.scheduler is not None
        rows = server.scheduler.rows
        await until(lambda: bool(rows))
        rows.clear()
        with pytest.raises(BackendError) as caught:
            await job
        assert caught.value.user_message == "The GPU has lost this job."
        server.engine.release()
        await theirs
        await backend.aclose()


@pytest.mark.parametrize(
    ("url", "option", "installed", "expected"),
    [
        ("https://abc-7860.proxy.runpod.net", "auto", True, True),
        ("http://192.168.0.9:7860", "auto", True, False),
        ("http://192.168.0.9:7860", "always", True, True),
        ("https://abc-7860.proxy.runpod.net", "never", True, False),
    ],
)
async def test_job_list_is_used_behind_impatient_proxies_or_by_option(
    url: str, option: str, installed: bool, expected: bool
) -> None:
    async with A1111Server(scheduler=installed) as server:
        backend = connect(server, url=url, options={"agent_scheduler": option})
        assert backend._chooses("agent_scheduler") is expected
        await backend.aclose()


async def test_server_without_the_extension_is_used_directly() -> None:
    async with A1111Server() as server:
        backend = scheduled(server)
        assert (await backend.generate(request(), _ignore)).images
        await backend.aclose()


@pytest.mark.parametrize(
    ("name", "status", "position"),
    [("task-pending", "pending", 1), ("task-done", "done", None), ("task-failed", "failed", None)],
)
def test_recorded_states_are_read(name: str, status: str, position: int | None) -> None:
    reply = json.loads((DATA / "agent_scheduler" / f"{name}.json").read_text())["response"]["json"]
    row = _Reply.model_validate(reply).data
    assert row is not None
    assert (row.status, row.position) == (status, position)


def test_recorded_refusal_with_status_200_has_no_job() -> None:
    reply = json.loads((DATA / "agent_scheduler" / "results-unknown.json").read_text())["response"]["json"]
    assert _Reply.model_validate(reply).data is None
