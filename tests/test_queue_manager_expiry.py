"""Jobs that waited for too long are given up, not drawn, and their people are told."""

from dataclasses import replace
from datetime import timedelta

from generation.job import JobStatus
from store.jobs import JobStore
from tests.fakes import FakeBackend
from tests.jobs import make_job
from tests.queue_rig import BOX, InlineDatabase, queue_rig

DAY_S = 24 * 3600.0


async def test_a_job_that_waits_for_too_long_is_given_up_with_a_reason() -> None:
    async with queue_rig(FakeBackend("gpu", hold=True), max_wait_s=60.0) as rig:
        running, waiting = make_job(), make_job()
        await rig.queue.submit(running)
        await rig.queue.submit(waiting)
        await rig.clock.advance(61)
        assert (await rig.queue.get(running.id)).status is JobStatus.RUNNING
        given_up = await rig.queue.get(waiting.id)
        assert given_up.status is JobStatus.EXPIRED
        assert "1 min" in given_up.error.user_message or "60 s" in given_up.error.user_message
        assert rig.queue.lanes()[0].waiting == 0


async def test_nothing_is_drawn_after_a_long_stop_that_nobody_waits_for_any_more() -> None:
    database = InlineDatabase()
    old, new = make_job(), make_job()
    store = JobStore(database, BOX)  # type: ignore[arg-type]
    for job, age_s in ((old, 2 * DAY_S), (new, 60.0)):
        await store.insert(_aged(job, age_s))
    gpu = FakeBackend("gpu")
    async with queue_rig(gpu, database=database) as rig:
        await rig.clock.advance(1)
        assert (await rig.queue.get(old.id)).status is JobStatus.EXPIRED
        assert (await rig.queue.get(new.id)).status is JobStatus.DONE
    assert len(gpu.requests) == 1


async def test_a_cancelled_job_does_not_expire() -> None:
    async with queue_rig(FakeBackend("gpu", hold=True), max_wait_s=60.0) as rig:
        await rig.queue.submit(make_job())
        waiting = make_job()
        await rig.queue.submit(waiting)
        await rig.queue.cancel(waiting.id)
        await rig.clock.advance(120)
        assert (await rig.queue.get(waiting.id)).status is JobStatus.CANCELLED


def _aged(job, age_s):
    return replace(job, created_at=job.created_at - timedelta(seconds=age_s))
