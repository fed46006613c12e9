"""Cancelling at every moment of a job's life; late results are dropped."""

import asyncio

import pytest

from generation.errors import BackendUnavailable
from generation.job import JobStatus
from store import jobs as statements
from tests.fakes import FakeBackend
from tests.jobs import make_job
from tests.queue_rig import queue_rig, seeded

DONE, CANCELLED, QUEUED, RUNNING = JobStatus.DONE, JobStatus.CANCELLED, JobStatus.QUEUED, JobStatus.RUNNING


async def test_a_queued_job_is_cancelled_and_never_starts() -> None:
    async with queue_rig(FakeBackend("gpu", hold=True)) as rig:
        await rig.submit(**seeded(1))
        job = await rig.submit(**seeded(2))
        cancelled = await rig.queue.cancel(job.id)
        assert cancelled
        assert cancelled.status is CANCELLED
        rig.backends["gpu"].release(2)
        await rig.settle()
        assert rig.seeds() == [1]


async def test_a_running_job_is_cancelled_in_the_table_first_and_then_at_the_engine() -> None:
    gpu = FakeBackend("gpu", hold=True)
    async with queue_rig(gpu) as rig:
        job = await rig.submit()
        await rig.queue.cancel(job.id)
        assert await rig.status(job) is CANCELLED
        await rig.settle()
        assert len(gpu.cancelled) == 1


async def test_a_cancelled_job_frees_its_slot_once_its_engine_has_let_go() -> None:
    letting_go = asyncio.Event()

    class Slow(FakeBackend):
        async def generate(self, *args: object) -> object:
            try:
                return await super().generate(*args)  # type: ignore[arg-type]
            except asyncio.CancelledError:
                await letting_go.wait()
                raise

    gpu = Slow("gpu", hold=True)
    async with queue_rig(gpu) as rig:
        job = await rig.submit()
        following = await rig.submit()
        await rig.queue.cancel(job.id)
        await rig.settle()
        assert await rig.status(following) is QUEUED
        letting_go.set()
        await rig.settle()
        assert await rig.status(following) is RUNNING
        assert rig.queue._lanes.progress.keys() == {following.id}


async def test_cancelling_twice_or_after_the_end_says_nothing_was_done() -> None:
    async with queue_rig(FakeBackend("gpu")) as rig:
        done = await rig.submit()
        assert await rig.queue.cancel(done.id) is None
        assert await rig.status(done) is DONE
        assert await rig.queue.cancel("nobody") is None


async def test_a_result_that_comes_too_late_is_dropped() -> None:
    async with queue_rig(FakeBackend("gpu")) as rig:
        rig.sink.gate = asyncio.Event()
        job = await rig.submit()
        await rig.queue.cancel(job.id)
        rig.sink.gate.set()
        await rig.settle()
        row = await rig.row(job)
        assert (row.status, row.result) == (CANCELLED, None)
        assert len(rig.sink.discarded) == 1
        assert rig.queue._lanes.progress == {}


async def test_cancelling_while_the_claim_is_under_way_stops_the_run() -> None:
    gpu = FakeBackend("gpu", hold=True)
    async with queue_rig(gpu) as rig:
        hold = rig.database.holds[statements.CLAIM] = asyncio.Event()
        job = await rig.submit()
        assert await rig.status(job) is RUNNING
        assert await rig.queue.cancel(job.id)
        hold.set()
        await rig.settle()
        assert await rig.status(job) is CANCELLED
        assert gpu.running == 0
        following = await rig.submit()
        assert await rig.status(following) is RUNNING


async def test_cancelling_while_the_insert_is_under_way_leaves_nothing_in_line() -> None:
    gpu = FakeBackend("gpu")
    async with queue_rig(gpu, max_waiting=1) as rig:
        hold = rig.database.holds[statements.INSERT] = asyncio.Event()
        job = make_job()
        submitting = asyncio.create_task(rig.queue.submit(job))
        await rig.settle()
        assert await rig.queue.cancel(job.id)
        hold.set()
        await submitting
        await rig.settle()
        assert gpu.requests == []
        assert await rig.status(await rig.submit()) is DONE


async def test_cancelling_a_job_that_waits_for_its_retry_ends_it() -> None:
    gpu = FakeBackend("gpu")
    async with queue_rig(gpu) as rig:
        gpu.fail = [BackendUnavailable()]
        job = await rig.submit()
        await rig.queue.cancel(job.id)
        await rig.advance(60)
        assert await rig.status(job) is CANCELLED
        assert len(gpu.requests) == 1
        assert rig.queue._lanes.waiting == 0


async def test_cancelling_while_a_failure_is_being_stored_wins() -> None:
    gpu = FakeBackend("gpu")
    async with queue_rig(gpu) as rig:
        gpu.fail = [BackendUnavailable()]
        rig.database.failures[statements.REQUEUE] = 1
        job = await rig.submit()
        await rig.queue.cancel(job.id)
        await rig.advance(60)
        assert await rig.status(job) is CANCELLED
        assert rig.queue._lanes.waiting == 0


async def test_a_claim_that_fails_does_not_bring_a_cancelled_job_back() -> None:
    gpu = FakeBackend("gpu")
    async with queue_rig(gpu) as rig:
        rig.database.failures[statements.CLAIM] = 1
        job = (await rig.submit_only()).job
        await rig.queue.cancel(job.id)
        await rig.advance(60)
        assert await rig.status(job) is CANCELLED
        assert gpu.requests == []
        assert len(rig.queue._lanes.get("gpu").queue) == 0


@pytest.mark.parametrize("rounds", range(0, 40, 3))
async def test_whatever_the_moment_a_cancelled_job_is_over_and_the_next_one_runs(rounds: int) -> None:
    gpu = FakeBackend("gpu")
    async with queue_rig(gpu) as rig:
        job = make_job()
        submitting = asyncio.create_task(rig.queue.submit(job))
        for _ in range(rounds):
            await asyncio.sleep(0)
        cancelled = await rig.queue.cancel(job.id)
        await rig.settle()
        await submitting
        assert await rig.status(job) is (CANCELLED if cancelled else DONE)
        assert len(rig.sink.kept) - len(rig.sink.discarded) == (0 if cancelled else 1)
        assert await rig.status(await rig.submit()) is DONE
        assert rig.queue._lanes.waiting == 0
        assert rig.queue._lanes.running == {}
