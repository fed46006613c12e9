"""An engine that is gone: jobs keep their place for a while, move when another turns up, and survive a restart."""

from datetime import datetime, timedelta

import pytest

from generation.errors import BackendGone, BackendUnavailable
from generation.job import Hold, Job, JobStatus
from store.jobs import JobStore
from tests.fakes import FakeBackend
from tests.jobs import make_job
from tests.queue_rig import BOX, InlineDatabase, Rig, queue_rig, seeded

DONE, FAILED, QUEUED, RUNNING = JobStatus.DONE, JobStatus.FAILED, JobStatus.QUEUED, JobStatus.RUNNING
PATIENCE_S = 1800.0


def refused() -> BackendGone:
    return BackendGone("gpu is not running there.", reason="refused", hint="Start it, and check the port.")


def dead(name: str = "gpu", *, is_paid: bool = False) -> FakeBackend:
    """An engine that refuses whatever it is asked, until `revive`."""
    engine = FakeBackend(name, is_paid=is_paid)
    engine.fail = [refused() for _ in range(100)]
    engine.is_down = refused()
    return engine


async def die(rig: Rig) -> None:
    """The engine was there once: what it can do is known."""
    gpu = rig.backends["gpu"]
    gpu.fail, gpu.is_down = [refused() for _ in range(100)], refused()


async def revive(rig: Rig, name: str = "gpu") -> None:
    rig.backends[name].fail, rig.backends[name].is_down = [], None
    await rig.registry.refresh(name)
    await rig.settle()


async def test_a_job_keeps_its_place_and_is_drawn_once_when_its_engine_is_back() -> None:
    async with queue_rig(FakeBackend("gpu")) as rig:
        await die(rig)
        job, behind = await rig.submit(**seeded(1)), await rig.submit("bob", **seeded(2))
        await rig.advance(1000)
        row = await rig.row(job)
        assert (row.status, row.attempt, await rig.status(behind)) == (QUEUED, 1, QUEUED)
        assert rig.seeds() == [1], "an engine that is gone is probed, not sent jobs"
        await revive(rig)
        assert [await rig.status(item) for item in (job, behind)] == [DONE, DONE]
        assert rig.seeds() == [1, 1, 2]


async def test_the_waiting_are_told_why_since_when_and_for_how_long() -> None:
    async with queue_rig(FakeBackend("gpu")) as rig:
        await die(rig)
        went = rig.clock.now()
        job, behind = await rig.submit(), await rig.submit("bob")
        await rig.advance(60)
        late = await rig.submit("cat")
        for item, position, since in ((job, 1, went), (behind, 2, went), (late, 3, went + timedelta(seconds=60))):
            view = await rig.queue.view(item.id)
            assert view
            assert view.away
            assert (view.hold, view.position, view.away.reason) == (Hold.DOWN, position, "refused")
            assert view.eta_s is None, "nobody knows"
            assert (view.away.since, view.away.patience_s) == (since, PATIENCE_S)
        assert rig.queue.lanes()[0].is_broken


async def test_when_its_patience_ends_a_job_fails_with_the_last_error_and_a_hint() -> None:
    async with queue_rig(FakeBackend("gpu")) as rig:
        await die(rig)
        job = await rig.submit()
        await rig.advance(600)
        behind = await rig.submit("bob")
        await rig.advance(1199)
        assert await rig.status(job) is QUEUED
        await rig.advance(1)
        row = await rig.row(job)
        assert row.status is FAILED
        assert row.error
        assert (row.error.code, row.error.user_message) == ("backend_unavailable", "gpu is not running there.")
        assert row.error.hint == "It did not come back within 30 min. Start it, and check the port."
        assert await rig.status(behind) is QUEUED, "it came later, so it waits for longer"
        await rig.advance(600)
        assert await rig.status(behind) is FAILED
        assert len(rig.seeds()) == 1


async def test_a_setting_says_how_long_and_nought_is_three_attempts() -> None:
    async with queue_rig(FakeBackend("gpu"), patience_s=60) as rig:
        await die(rig)
        job = await rig.submit()
        await rig.advance(60)
        assert await rig.status(job) is FAILED
    async with queue_rig(FakeBackend("gpu"), patience_s=0) as rig:
        await die(rig)
        job = await rig.submit()
        await rig.advance(10)
        assert await rig.status(job) is FAILED
        assert len(rig.seeds()) == 3


async def test_an_engine_that_answers_that_it_failed_costs_attempts() -> None:
    gpu = FakeBackend("gpu")
    async with queue_rig(gpu) as rig:
        gpu.fail = [BackendUnavailable("gpu failed inside.", may_have_run=True) for _ in range(9)]
        job = await rig.submit()
        await rig.advance(10)
        assert await rig.status(job) is FAILED
        assert len(gpu.requests) == 3


async def test_a_job_that_brings_its_engine_down_each_time_fails_after_three_runs() -> None:
    gpu = FakeBackend("gpu")
    async with queue_rig(gpu) as rig:
        gpu.fail = [BackendGone("gpu is not answering through its proxy.", may_have_run=True) for _ in range(9)]
        job = await rig.submit()
        for _ in range(5):
            await rig.advance(10)
            await rig.registry.refresh("gpu")
            await rig.settle()
        assert await rig.status(job) is FAILED
        assert len(gpu.requests) == 3


async def test_an_engine_that_comes_and_goes_does_not_make_the_wait_longer() -> None:
    async with queue_rig(FakeBackend("gpu")) as rig:
        await die(rig)
        rig.backends["gpu"].is_down = None  # it answers probes and refuses jobs
        job = await rig.submit()
        for _ in range(31):
            await rig.advance(60)
            await rig.registry.refresh("gpu")
            await rig.settle()
        assert await rig.status(job) is FAILED


@pytest.mark.parametrize("may_have_run", [True, False])
async def test_a_paid_request_waits_only_if_it_cannot_have_run(may_have_run: bool) -> None:
    gpu = FakeBackend("gpu", is_paid=True)
    async with queue_rig(gpu) as rig:
        gpu.fail = [BackendGone(may_have_run=may_have_run)]
        job = await rig.submit()
        assert await rig.status(job) is (FAILED if may_have_run else QUEUED)
        await rig.registry.refresh("gpu")
        await rig.settle()
        assert len(gpu.requests) == (1 if may_have_run else 2)


async def test_a_waiting_job_can_be_cancelled() -> None:
    async with queue_rig(FakeBackend("gpu")) as rig:
        await die(rig)
        job = await rig.submit()
        assert await rig.queue.cancel(job.id)
        await revive(rig)
        await rig.advance(PATIENCE_S)
        assert await rig.status(job) is JobStatus.CANCELLED
        assert len(rig.seeds()) == 1


async def test_a_job_moves_to_an_engine_that_turns_up_in_the_meantime() -> None:
    async with queue_rig(FakeBackend("gpu")) as rig:
        await die(rig)
        job, pinned = await rig.submit(**seeded(1)), await rig.submit("bob", is_pinned=True, **seeded(2))
        paid = await rig.add(FakeBackend("paid", is_paid=True))
        await rig.settle()
        assert await rig.status(job) is QUEUED, "nobody asked for something that costs"
        await rig.add(FakeBackend("new"))
        await rig.settle()
        row = await rig.row(job)
        assert (row.status, row.lane, row.away_since) == (DONE, "new", None)
        assert row.notes == ("moved to new: gpu is not running there",)
        assert (await rig.status(pinned), rig.seeds("new"), paid.requests) == (QUEUED, [1], [])


async def test_a_job_goes_back_to_the_engine_that_answers_first() -> None:
    async with queue_rig(FakeBackend("gpu"), FakeBackend("other")) as rig:
        await die(rig)
        rig.backends["other"].fail = [refused() for _ in range(9)]
        job = await rig.submit(candidates=("gpu", "other"))
        row = await rig.row(job)
        assert (row.status, row.lane, row.tried) == (QUEUED, "other", ("gpu",))
        await revive(rig)
        row = await rig.row(job)
        assert (row.status, row.lane) == (DONE, "gpu")


async def test_an_engine_that_is_disconnected_is_not_waited_for() -> None:
    async with queue_rig(FakeBackend("gpu")) as rig:
        await die(rig)
        job = await rig.submit()
        await rig.registry.remove("gpu")
        await rig.settle()
        assert await rig.status(job) is FAILED


async def _left(job: Job, *, kills: int = 0) -> InlineDatabase:
    """A table as a killed process leaves it: the job waits for its engine, or was killed while it ran."""
    database = InlineDatabase()
    store = JobStore(database, BOX)  # type: ignore[arg-type]
    await store.insert(job)
    if kills:
        assert await store.claim(job.id, lane=job.lane, now=job.created_at)
        for _ in range(kills - 1):
            await store.interrupted(job.id)
    return database


async def test_after_a_restart_a_job_still_waits_and_its_patience_goes_on() -> None:
    start = datetime.fromisoformat("2026-01-01T00:00:00+00:00")
    database = await _left(make_job(away_since=start - timedelta(seconds=1700), created_at=start))
    async with queue_rig(dead(), database=database) as rig:
        [job] = await rig.jobs.active()
        view = await rig.queue.view(job.id)
        assert view
        assert view.away
        assert (job.status, view.away.since) == (QUEUED, start - timedelta(seconds=1700))
        await rig.advance(99)
        assert await rig.status(job) is QUEUED
        await rig.advance(1)
        assert await rig.status(job) is FAILED


async def test_after_a_stop_longer_than_its_patience_a_job_has_one_more_chance() -> None:
    start = datetime.fromisoformat("2026-01-01T00:00:00+00:00")
    long_ago = make_job(away_since=start - timedelta(hours=2), created_at=start)
    async with queue_rig(FakeBackend("gpu"), database=await _left(long_ago)) as rig:
        assert await rig.status(long_ago) is DONE
    async with queue_rig(dead(), database=await _left(long_ago)) as rig:
        row = await rig.row(long_ago)
        assert row.status is FAILED
        assert row.error
        assert row.error.hint.startswith("It did not come back within 30 min.")


@pytest.mark.parametrize(("kills", "status"), [(1, DONE), (3, DONE), (4, FAILED)])
async def test_a_job_that_stops_easel_each_time_is_run_again_three_times_at_most(kills: int, status: JobStatus) -> None:
    job = make_job()
    async with queue_rig(FakeBackend("gpu"), database=await _left(job, kills=kills)) as rig:
        row = await rig.row(job)
        assert (row.status, row.interruptions) == (status, kills)
        assert len(rig.seeds()) == (1 if status is DONE else 0)
        if status is FAILED:
            assert row.error
            assert row.error.user_message.startswith("Easel stopped 4 times while this was being drawn")
