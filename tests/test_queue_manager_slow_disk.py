"""A disk that takes its time: which starts wait for which commit."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import store.jobs as statements
from constants import BREAKER_BASE_S, BREAKER_FAILURES
from generation.job import Job, JobStatus
from store.jobs import JobStore
from tests.fakes import FakeBackend
from tests.jobs import make_job
from tests.queue_rig import BOX, InlineDatabase, Rig, queue_rig


@asynccontextmanager
async def two_engines(
    *jobs: Job, max_running: int = 0, max_running_per_user: int = 100, concurrency: int = 1
) -> AsyncIterator[tuple[Rig, asyncio.Event]]:
    """Two engines that draw until they are let go, with jobs in line, and a disk where starts wait for the event."""
    database = InlineDatabase()
    for job in jobs:
        await JobStore(database, BOX).insert(job)  # type: ignore[arg-type]
    synced = database.holds[statements.CLAIM] = asyncio.Event()
    engines = (FakeBackend("gpu", hold=True), FakeBackend("other", hold=True))
    limits = {"max_running": max_running, "max_running_per_user": max_running_per_user}
    async with queue_rig(*engines, database=database, concurrency=concurrency, **limits) as rig:  # type: ignore[arg-type]
        try:
            yield rig, synced
        finally:
            synced.set()  # else a stop would wait for it


def at_engines(rig: Rig) -> int:
    return sum(backend.running for backend in rig.backends.values())


async def test_the_starts_of_several_engines_wait_for_one_commit_and_none_is_sent_before_it() -> None:
    async with two_engines(make_job("ann", "gpu"), make_job("bob", "other")) as (rig, synced):
        assert (rig.database.ran[statements.CLAIM], at_engines(rig)) == (2, 0)
        synced.set()
        await rig.settle()
        assert at_engines(rig) == 2


async def test_the_starts_at_one_engine_wait_for_one_commit_also_when_one_comes_while_another_waits() -> None:
    async with two_engines(make_job("ann"), make_job("bob"), make_job("cat"), concurrency=3) as (rig, synced):
        assert rig.database.ran[statements.CLAIM] == 3
        await rig.submit_only("dan", "other")
        await rig.settle()
        assert (rig.database.ran[statements.CLAIM], at_engines(rig)) == (4, 0)
        synced.set()
        await rig.settle()
        assert at_engines(rig) == 4


async def test_where_starts_have_a_rate_or_an_engine_is_tried_again_one_waits_for_the_disk_at_a_time() -> None:
    async with two_engines() as (rig, synced):
        await rig.add(FakeBackend("rated", hold=True), concurrency=3, rate_per_minute=60.0)
        await rig.submit_only("ann", "rated")
        await rig.submit_only("bob", "rated")
        await rig.settle()
        assert rig.database.ran[statements.CLAIM] == 1
        for _ in range(BREAKER_FAILURES):
            rig.queue._lanes.get("gpu").breaker.failed("an earlier one")
        await rig.clock.advance(BREAKER_BASE_S)
        await rig.submit_only("cat", "gpu")
        await rig.submit_only("dan", "gpu")
        await rig.settle()
        assert rig.database.ran[statements.CLAIM] == 2
        synced.set()
        await rig.settle()
        assert rig.backends["gpu"].running == 1


async def test_starts_that_are_not_on_the_disk_yet_count_for_the_limit_of_all_and_of_each() -> None:
    async with two_engines(make_job("ann", "gpu"), make_job("bob", "other"), max_running=1) as (rig, synced):
        assert rig.database.ran[statements.CLAIM] == 1
        synced.set()
        await rig.settle()
        assert at_engines(rig) == 1
    async with two_engines(make_job("ann", "gpu"), make_job("ann", "other"), max_running_per_user=1) as (rig, synced):
        assert rig.database.ran[statements.CLAIM] == 1
        synced.set()
        await rig.settle()
        assert at_engines(rig) == 1


async def test_a_start_that_comes_to_nothing_leaves_its_place_to_another_engine() -> None:
    gone, other = make_job("ann", "gpu"), make_job("bob", "other")
    async with two_engines(gone, other, max_running=1) as (rig, synced):
        await rig.queue.cancel(gone.id)
        synced.set()
        await rig.settle()
        assert rig.seeds("gpu") == []
        assert await rig.status(other) is JobStatus.RUNNING
