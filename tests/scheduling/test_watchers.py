"""Moves in a line reach those who wait in it, but not each of them: with a quick engine there are many in a second."""

import asyncio

from generation.job import JobView
from scheduling.watchers import PLACES_S
from tests.fakes import FakeBackend
from tests.queue_rig import Rig, queue_rig


async def _watched(rig: Rig, job_id: str, seen: list[JobView]) -> None:
    async for view in rig.queue.watch(job_id):
        seen.append(view)


async def test_a_place_is_told_at_once_and_then_the_newest_after_a_moment() -> None:
    async with queue_rig(FakeBackend("gpu", hold=True)) as rig:
        jobs = [await rig.submit(f"user{n}") for n in range(9)]
        seen: list[JobView] = []
        watching = asyncio.create_task(_watched(rig, jobs[8].id, seen))
        await rig.advance(PLACES_S)
        assert [view.position for view in seen] == [8]
        for job in jobs[2:7]:
            await rig.queue.cancel(job.id)
            await rig.settle()
        assert [view.position for view in seen] == [8, 7]
        await rig.advance(PLACES_S)
        assert [view.position for view in seen] == [8, 7, 3]
        await rig.advance(10 * PLACES_S)
        await rig.queue.cancel(jobs[1].id)
        await rig.settle()
        assert [view.position for view in seen] == [8, 7, 3, 2], "a line that stood still is told of at once again"
        watching.cancel()


async def test_what_happens_to_a_job_itself_is_told_at_once() -> None:
    async with queue_rig(FakeBackend("gpu", hold=True)) as rig:
        jobs = [await rig.submit(f"user{n}") for n in range(3)]
        seen: list[JobView] = []
        watching = asyncio.create_task(_watched(rig, jobs[2].id, seen))
        await rig.settle()
        for job in jobs[1:]:
            await rig.queue.cancel(job.id)
        await watching
        assert seen[-1].job.is_terminal


async def test_doors_hear_of_moved_places_as_rarely() -> None:
    async with queue_rig(FakeBackend("gpu", hold=True)) as rig:
        moves: list[set[str]] = []
        rig.queue.watchers.listen(lambda job: None, moved=lambda lanes: moves.append(set(lanes)))
        jobs = [await rig.submit(f"user{n}") for n in range(6)]
        await rig.advance(PLACES_S)
        moves.clear()
        for job in jobs[1:]:
            await rig.queue.cancel(job.id)
        await rig.advance(PLACES_S)
        assert moves == [{"gpu"}, {"gpu"}]
