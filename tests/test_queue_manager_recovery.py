"""After a crash, and before one: what the next start does, and what a graceful stop leaves."""

import asyncio
from datetime import timedelta

import pytest

from generation.job import Job, JobStatus
from store import jobs as statements
from store.jobs import JobStore
from tests.fakes import FakeBackend
from tests.jobs import make_job, make_request
from tests.queue_rig import BOX, InlineDatabase, queue_rig, seeded
from tests.scheduling.resumable import FakeResumableBackend

DONE, FAILED, QUEUED, RUNNING = JobStatus.DONE, JobStatus.FAILED, JobStatus.QUEUED, JobStatus.RUNNING


async def _left_by_a_crash(*jobs: Job) -> InlineDatabase:
    """A table as a killed process leaves it: the jobs are running."""
    database = InlineDatabase()
    store = JobStore(database, BOX)  # type: ignore[arg-type]
    for job in jobs:
        await store.insert(job)
        assert await store.claim(job.id, lane=job.lane, now=job.created_at)
        if job.remote_id:
            await store.set_remote_id(job.id, job.remote_id)
    return database


async def test_queued_jobs_are_taken_up_in_their_order() -> None:
    database = InlineDatabase()
    store = JobStore(database, BOX)  # type: ignore[arg-type]
    for seed in (1, 2, 3):
        await store.insert(make_job(**seeded(seed)))
    async with queue_rig(FakeBackend("gpu"), database=database) as rig:
        assert rig.seeds() == [1, 2, 3]


async def test_a_remote_job_is_polled_on_and_not_sent_again() -> None:
    job = make_job(remote_id="remote7")
    database = await _left_by_a_crash(job)
    gpu = FakeResumableBackend("gpu")
    gpu.finish()
    async with queue_rig(gpu, database=database) as rig:
        assert await rig.status(job) is DONE
        assert gpu.started == []
        assert gpu.fetched == ["remote7"]


async def test_a_remote_job_is_polled_on_though_it_was_paid_for() -> None:
    job = make_job(remote_id="remote7")
    database = await _left_by_a_crash(job)
    gpu = FakeResumableBackend("gpu", is_paid=True)
    gpu.finish()
    async with queue_rig(gpu, database=database) as rig:
        assert await rig.status(job) is DONE


async def test_a_free_job_is_run_again_with_the_same_seed_and_goes_first() -> None:
    running = [make_job(**seeded(seed)) for seed in (1, 2)]
    database = await _left_by_a_crash(*running)
    store = JobStore(database, BOX)  # type: ignore[arg-type]
    await store.insert(make_job(**seeded(3)))
    async with queue_rig(FakeBackend("gpu"), database=database) as rig:
        assert rig.seeds() == [1, 2, 3]
        row = await rig.row(running[0])
        assert (row.status, row.attempt) == (DONE, 1)
        assert set(rig.sink.discarded) == {job.id for job in running}  # kept by the last process, named by no result


async def test_a_paid_job_that_cannot_be_resumed_fails_as_interrupted() -> None:
    job = make_job()
    database = await _left_by_a_crash(job)
    gpu = FakeBackend("gpu", is_paid=True)
    async with queue_rig(gpu, database=database) as rig:
        row = await rig.row(job)
        assert row.status is FAILED
        assert row.error
        assert row.error.code == "interrupted"
        assert gpu.requests == []


async def test_a_job_of_an_engine_that_is_gone_moves_or_fails() -> None:
    mobile, stuck = make_job(lane="gone", candidates=("gone", "gpu")), make_job(lane="gone")
    database = await _left_by_a_crash(mobile, stuck)
    async with queue_rig(FakeBackend("gpu"), database=database) as rig:
        assert await rig.status(mobile) is DONE
        assert await rig.status(stuck) is FAILED


async def test_a_resumed_job_does_not_spoil_the_learned_pace() -> None:
    job = make_job(remote_id="remote7")
    database = await _left_by_a_crash(job)
    gpu = FakeResumableBackend("gpu", poll_after_s=1)

    async with queue_rig(gpu, database=database) as rig:
        await rig.advance(39)
        gpu.finish()
        await rig.advance(1)
        row = await rig.row(job)
        assert row.result
        assert row.result.seconds == pytest.approx(40)


async def test_a_retry_that_was_waiting_still_waits() -> None:
    database = InlineDatabase()
    async with queue_rig(database=database) as rig:
        start = rig.clock.now()
    store = JobStore(database, BOX)  # type: ignore[arg-type]
    job = make_job(not_before=start + timedelta(seconds=30))
    await store.insert(job)
    async with queue_rig(FakeBackend("gpu"), database=database) as rig:
        assert await rig.status(job) is QUEUED
        await rig.advance(30)
        assert await rig.status(job) is DONE


async def test_a_graceful_stop_lets_running_jobs_finish_and_starts_no_more() -> None:
    gpu = FakeBackend("gpu", hold=True)
    async with queue_rig(gpu, grace_s=5) as rig:
        running, waiting = await rig.submit(), await rig.submit()
        stopping = asyncio.create_task(rig.queue.stop())
        await rig.settle()
        gpu.release()
        await stopping
        assert await rig.status(running) is DONE
        assert await rig.status(waiting) is QUEUED


async def test_a_stop_leaves_what_is_not_finished_running_for_the_next_start() -> None:
    gpu = FakeBackend("gpu", hold=True)
    async with queue_rig(gpu) as rig:
        job = await rig.submit()
        await rig.queue.stop()
        assert await rig.status(job) is RUNNING
        assert len(gpu.cancelled) == 1
        async with queue_rig(FakeBackend("gpu"), database=rig.database) as later:
            assert await later.status(job) is DONE


async def test_a_stop_leaves_a_remote_job_running_and_the_next_start_takes_it_up() -> None:
    first, second = FakeResumableBackend("gpu", poll_after_s=1), FakeResumableBackend("gpu")
    async with queue_rig(first) as rig:
        job = await rig.submit()
        await rig.queue.stop()
        assert first.remote_cancelled == []
        second.finish()
        async with queue_rig(second, database=rig.database) as later:
            assert await later.status(job) is DONE
            assert second.fetched == ["remote1"]


async def test_a_stop_in_mid_claim_leaves_no_job_that_says_it_runs_and_never_began() -> None:
    gpu = FakeBackend("gpu", is_paid=True)
    async with queue_rig(gpu, grace_s=5) as rig:
        hold = rig.database.holds[statements.CLAIM] = asyncio.Event()
        job = await rig.submit()
        stopping = asyncio.create_task(rig.queue.stop())
        await rig.settle()
        hold.set()
        await stopping
        assert await rig.status(job) is DONE


async def test_a_stop_does_not_lose_pictures_that_are_being_stored() -> None:
    async with queue_rig(FakeBackend("gpu")) as rig:
        rig.sink.gate = asyncio.Event()
        job = await rig.submit()
        stopping = asyncio.create_task(rig.queue.stop())
        await rig.settle()
        rig.sink.gate.set()
        await stopping
        assert await rig.status(job) is DONE


async def test_a_stop_does_not_wait_for_ever_for_a_store_that_fails(caplog: pytest.LogCaptureFixture) -> None:
    async with queue_rig(FakeBackend("gpu")) as rig:
        rig.database.failures[statements.FINISH] = 1000
        job = await rig.submit()
        async with asyncio.timeout(5):
            await rig.queue.stop()
        assert await rig.status(job) is RUNNING


async def test_a_job_submitted_while_stopping_is_kept_for_the_next_start() -> None:
    async with queue_rig(FakeBackend("gpu")) as rig:
        await rig.queue.stop()
        job = await rig.submit(request=make_request(), drawn=make_request())
        assert await rig.status(job) is QUEUED


async def test_jobs_done_before_are_left_alone() -> None:
    async with queue_rig(FakeBackend("gpu")) as rig:
        job = await rig.submit()
        row = await rig.row(job)
        async with queue_rig(FakeBackend("gpu"), database=rig.database) as later:
            assert await later.row(job) == row
            assert later.backends["gpu"].requests == []
