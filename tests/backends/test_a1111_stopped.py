"""A picture that somebody stops in the engine's own page: said, and never taken for a whole one."""

import asyncio

import httpx
import pytest

from backends.a1111.progress import Task
from generation.result import GenerationResult
from tests.backends.test_a1111_contract import connect
from tests.backends.test_a1111_jobs import FAMILIES, _ignore, request, stranger
from tests.backends.test_a1111_scheduler import scheduled
from tests.engines.a1111_server import A1111Server
from tests.waiting import until


async def press(server: A1111Server, what: str = "interrupt") -> None:
    async with httpx.AsyncClient(base_url=server.url) as page:
        await page.post(f"/sdapi/v1/{what}")


async def stopped(server: A1111Server, backend: object, after: int) -> GenerationResult:
    """Draw 20 steps, and have somebody press Interrupt after so many."""
    server.engine.hold()
    job = asyncio.create_task(backend.generate(request(steps=20), _ignore))  # type: ignore[attr-defined]
    await until(lambda: server.engine.job is not None)
    server.engine.step(after)
    await until(lambda: server.engine.job is not None and server.engine.job.step == after)
    polls = len(server.requests)
    await until(lambda: len(server.requests) > polls + 4)  # so that the step was seen
    await press(server)
    return await job


@FAMILIES
@pytest.mark.parametrize("ui", [True, False])
async def test_an_interrupted_picture_is_not_complete_and_says_where_it_stopped(family: str, ui: bool) -> None:
    async with A1111Server(family, ui=ui) as server:
        backend = connect(server)
        result = await stopped(server, backend, after=4)
        assert "stopped early at the engine, 4 of 20 steps" in result.notes
        assert not result.is_complete
        server.engine.release()
        again = await backend.generate(request(steps=20), _ignore)
        assert again.is_complete
        assert not any("stopped" in note for note in again.notes)
        await backend.aclose()


async def test_a_job_of_the_agent_scheduler_that_was_interrupted_is_not_complete() -> None:
    async with A1111Server(scheduler=True) as server:
        backend = scheduled(server)
        result = await stopped(server, backend, after=5)
        assert "stopped early at the engine, 5 of 20 steps" in result.notes
        assert not result.is_complete
        await backend.aclose()


async def test_a_skipped_picture_is_not_complete() -> None:
    async with A1111Server() as server:
        backend = connect(server)
        server.engine.hold()
        job = asyncio.create_task(backend.generate(request(steps=20), _ignore))
        await until(lambda: server.engine.job is not None)
        await press(server, "skip")
        result = await job
        assert not result.is_complete
        assert any(note.startswith("stopped early at the engine") for note in result.notes)
        await backend.aclose()


async def test_what_the_server_does_not_say_is_not_taken_for_complete() -> None:
    async with A1111Server() as server:
        backend = connect(server)
        await backend.capabilities()
        server.hidden.add("/sdapi/v1/progress")
        result = await backend.generate(request(), _ignore)
        assert not result.is_complete
        assert not any("stopped" in note for note in result.notes)
        await backend.aclose()


async def test_the_next_job_of_somebody_else_proves_nothing_of_ours() -> None:
    async with A1111Server() as server:
        backend = connect(server)
        server.engine.hold()
        ours = asyncio.create_task(backend.generate(request(steps=20), _ignore))
        await until(lambda: server.engine.job is not None)
        theirs = asyncio.create_task(stranger(server))
        await until(lambda: len(server.engine.pending) == 1)
        await press(server)  # hits ours; theirs begins at once and sets the flag back
        assert not (await ours).is_complete
        server.engine.release()
        await theirs
        await backend.aclose()


@pytest.mark.parametrize(
    ("seen", "answered_at", "is_too_soon"),
    [
        ([(0.0, 0.1), (10.0, 0.2)], 11.0, True),  # 80 s were left
        ([(0.0, 0.1), (10.0, 0.2)], 90.0, False),
        ([(0.0, 0.5), (1.0, 0.9)], 1.1, False),  # a quarter of a second was left
        ([(0.0, 0.1)], 1.0, False),  # no pace is known
        ([], 1.0, False),
    ],
)
def test_an_answer_far_too_soon_is_not_taken_for_a_whole_picture(
    seen: list[tuple[float, float]], answered_at: float, is_too_soon: bool
) -> None:
    task = Task(id="x", steps=20, has_id=True)
    for now, fraction in seen:
        task.see(fraction, now)
    assert task.came_too_soon(answered_at) is is_too_soon
