"""Submitting, limits, running to the end, watching, the expected wait."""

import asyncio

import pytest

from generation.errors import BackendUnavailable, LimitReached
from generation.job import Job, JobStatus, JobView, Progress
from scheduling.watchers import PLACES_S
from store import jobs as statements
from tests.fakes import FakeBackend
from tests.jobs import make_job
from tests.queue_rig import Rig, queue_rig, seeded


async def test_a_job_is_on_the_disk_before_the_caller_hears_of_it() -> None:
    async with queue_rig(FakeBackend("gpu", hold=True)) as rig:
        view = await rig.submit_only()
        assert rig.database.ran[statements.INSERT] == 1
        assert (await rig.row(view.job)).request == view.job.request
        assert (view.job.status, view.position) == (JobStatus.QUEUED, 1)


async def test_a_job_runs_to_its_end_and_keeps_its_pictures() -> None:
    async with queue_rig(FakeBackend("gpu")) as rig:
        row = await rig.row(await rig.submit(**seeded(5)))
        assert row.status is JobStatus.DONE
        assert row.result
        assert [image.seed for image in row.result.images] == [5]
        assert row.started_at
        assert row.finished_at
        assert rig.sink.kept == [row.id]


async def test_a_full_queue_refuses_and_says_so() -> None:
    async with queue_rig(FakeBackend("gpu", hold=True), max_waiting=3) as rig:
        for user in "abcd":  # one runs, three wait
            await rig.submit(user)
        with pytest.raises(LimitReached, match="The queue is full: 3 of 3") as refusal:
            await rig.submit("e")
        assert refusal.value.retry_after
        rig.backends["gpu"].release()
        await rig.settle()
        await rig.submit("e")


async def test_a_users_share_is_limited_and_others_get_in() -> None:
    async with queue_rig(FakeBackend("gpu", hold=True), max_waiting_per_user=2) as rig:
        await rig.submit("runs already")
        for _ in range(2):
            await rig.submit("ann")
        with pytest.raises(LimitReached, match="You have 2 pictures waiting; the maximum is 2"):
            await rig.submit("ann")
        await rig.submit("bob")


async def test_parallel_submits_cannot_pass_the_limit_together() -> None:
    async with queue_rig(FakeBackend("gpu", hold=True), max_waiting_per_user=2) as rig:
        answers = await asyncio.gather(*(rig.submit_only("ann") for _ in range(5)), return_exceptions=True)
        assert sum(isinstance(answer, JobView) for answer in answers) == 2
        assert sum(isinstance(answer, LimitReached) for answer in answers) == 3


async def test_a_cancelled_job_gives_its_place_back() -> None:
    async with queue_rig(FakeBackend("gpu", hold=True), max_waiting_per_user=1) as rig:
        await rig.submit("runs already")
        job = await rig.submit("ann")
        await rig.queue.cancel(job.id)
        await rig.submit("ann")


async def test_a_store_that_refuses_a_job_gives_its_place_back(caplog: pytest.LogCaptureFixture) -> None:
    async with queue_rig(FakeBackend("gpu", hold=True), max_waiting=1) as rig:
        rig.database.failures[statements.INSERT] = 1
        with pytest.raises(Exception, match="disk is full"):
            await rig.submit()
        await rig.submit()


async def test_what_comes_together_is_refused_together() -> None:
    async with queue_rig(FakeBackend("gpu", hold=True), max_waiting_per_user=3) as rig:
        rig.queue.check_limits("test:ann", "gpu", more=3)
        with pytest.raises(LimitReached):
            rig.queue.check_limits("test:ann", "gpu", more=4)


async def test_the_cooldown_counts_per_user() -> None:
    async with queue_rig(cooldown_s=10) as rig:
        rig.queue.check_limits("ann", "gpu")
        with pytest.raises(LimitReached, match="ask again in 10 s"):
            rig.queue.check_limits("ann", "gpu")
        rig.queue.check_limits("bob", "gpu")
        await rig.advance(10)
        rig.queue.check_limits("ann", "gpu")


async def test_a_repeat_is_one_request_to_the_cooldown() -> None:
    async with queue_rig(cooldown_s=10) as rig:
        rig.queue.check_limits("ann", "gpu", more=3)
        with pytest.raises(LimitReached):
            rig.queue.check_limits("ann", "gpu")


async def test_the_cooldown_forgets_users_of_long_ago() -> None:
    async with queue_rig(cooldown_s=1) as rig:
        for number in range(3000):
            rig.queue.check_limits(f"user{number}", "gpu")
            rig.clock._step_to(rig.clock.monotonic() + 0.1)
        assert len(rig.queue._cooldown._asked) <= 1000


async def test_a_caller_who_goes_away_in_mid_submit_leaves_a_job_that_runs() -> None:
    async with queue_rig(FakeBackend("gpu")) as rig:
        rig.database.holds[statements.INSERT] = asyncio.Event()
        job = make_job()
        caller = asyncio.create_task(rig.queue.submit(job))
        await rig.settle()
        caller.cancel()
        await asyncio.gather(caller, return_exceptions=True)
        rig.database.holds.pop(statements.INSERT).set()
        await rig.settle()
        assert await rig.status(job) is JobStatus.DONE


async def _watch(rig: Rig, job_id: str, seen: list[JobView]) -> None:
    async for view in rig.queue.watch(job_id):
        seen.append(view)


async def test_a_watcher_sees_every_state_to_the_end() -> None:
    async with queue_rig(FakeBackend("gpu", hold=True)) as rig:
        first, second = await rig.submit(), await rig.submit()
        seen: list[JobView] = []
        task = asyncio.create_task(_watch(rig, second.id, seen))
        await rig.settle()
        assert (seen[-1].job.status, seen[-1].position) == (JobStatus.QUEUED, 1)
        rig.backends["gpu"].release()
        await rig.settle()
        assert seen[-1].job.status is JobStatus.RUNNING
        assert seen[-1].progress
        assert seen[-1].progress.fraction == 0.5
        rig.backends["gpu"].release()
        await task
        assert seen[-1].job.status is JobStatus.DONE
        assert await rig.status(first) is JobStatus.DONE
        assert rig.queue.watchers._by_job == {}


async def test_progress_is_coalesced_the_newest_wins() -> None:
    async with queue_rig(FakeBackend("gpu", hold=True)) as rig:
        job = await rig.submit()
        watching = rig.queue.watch(job.id)
        await anext(watching)
        for step in range(50):
            await rig.queue.on_progress(job.id, Progress(fraction=step / 50, step=step))
        view = await anext(watching)
        assert view.progress
        assert view.progress.step == 49
        waiting = asyncio.create_task(anext(watching))
        await rig.settle()
        assert not waiting.done()
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)


async def test_progress_of_a_job_that_is_over_is_dropped() -> None:
    async with queue_rig(FakeBackend("gpu")) as rig:
        job = await rig.submit()
        await rig.queue.on_progress(job.id, Progress(fraction=0.9))
        assert rig.queue._lanes.progress == {}


async def test_places_in_line_are_told_when_they_move() -> None:
    async with queue_rig(FakeBackend("gpu", hold=True)) as rig:
        jobs = [await rig.submit(f"user{n}") for n in range(4)]
        watching = rig.queue.watch(jobs[3].id)
        assert (await anext(watching)).position == 3
        rig.backends["gpu"].release()
        await rig.advance(PLACES_S)
        assert (await anext(watching)).position == 2
        await rig.queue.cancel(jobs[2].id)
        await rig.advance(PLACES_S)
        assert (await anext(watching)).position == 1
        await watching.aclose()  # type: ignore[attr-defined]


async def test_watching_a_job_that_has_ended_gives_its_end_and_unknown_ones_nothing() -> None:
    async with queue_rig(FakeBackend("gpu")) as rig:
        job = await rig.submit()
        assert [view.job.status async for view in rig.queue.watch(job.id)] == [JobStatus.DONE]
        assert [view async for view in rig.queue.watch("nobody")] == []


async def test_the_expected_wait_is_learned_from_finished_jobs() -> None:
    async with queue_rig(FakeBackend("gpu", hold=True)) as rig:
        for _ in range(3):
            await rig.submit()
        await rig.advance(30)
        rig.backends["gpu"].release()
        await rig.settle()
        waiting = await rig.submit()
        view = await rig.queue.view(waiting.id)
        assert view
        assert view.eta_s == pytest.approx(60)  # one runs, one is before it, 30 s each
        await rig.advance(10)
        assert rig.queue.wait_s("gpu") == pytest.approx(80)


async def test_what_was_learned_outlives_the_process() -> None:
    async with queue_rig(FakeBackend("gpu", hold=True)) as rig:
        job = await rig.submit()
        await rig.advance(30)
        rig.backends["gpu"].release()
        await rig.settle()
        await rig.queue.stop()
        (pace,) = await rig.jobs.load_pace()
        assert (pace.lane, pace.model, pace.samples) == ("gpu", "", 1)
        assert pace.seconds_per_cost == pytest.approx(30 / job.drawn.cost)
        async with queue_rig(FakeBackend("gpu", hold=True), database=rig.database) as later:
            running = await later.submit()
            view = await later.queue.view(running.id)
            assert view
            assert view.eta_s == pytest.approx(30)


async def test_lanes_are_shown_with_what_waits_and_runs() -> None:
    async with queue_rig(FakeBackend("gpu", hold=True), FakeBackend("idle")) as rig:
        for _ in range(3):
            await rig.submit()
        lanes = {lane.name: (lane.running, lane.waiting) for lane in rig.queue.lanes()}
        assert lanes == {"gpu": (1, 2), "idle": (0, 0)}


async def test_listeners_hear_of_every_change_of_state_and_break_nothing() -> None:
    gpu = FakeBackend("gpu", hold=True)
    heard: dict[str, list[str]] = {}

    def listen(job: Job) -> None:
        heard.setdefault(job.id, []).append(job.status.value)
        raise ValueError("a bug in a listener")

    async with queue_rig(gpu, max_wait_s=60.0, prepare=lambda rig: rig.queue.watchers.on_change.append(listen)) as rig:
        gpu.fail = [BackendUnavailable()]
        retried, cancelled = await rig.submit(), await rig.submit()
        await rig.queue.cancel(cancelled.id)
        gpu.release()
        await rig.advance(1)
        gpu.release()
        await rig.settle()
        running, expired = await rig.submit(), await rig.submit()
        await rig.advance(60)
        assert heard[retried.id] == ["queued", "running", "queued", "running", "done"]
        assert heard[cancelled.id] == ["queued", "cancelled"]
        assert (heard[running.id], heard[expired.id]) == (["queued", "running"], ["queued", "expired"])


async def test_a_waiting_job_is_put_before_its_users_others() -> None:
    gpu = FakeBackend("gpu", hold=True)
    async with queue_rig(gpu) as rig:
        jobs = [await rig.submit(**seeded(seed)) for seed in (1, 2, 3)]
        assert rig.queue.to_front(jobs[2].id)
        assert not rig.queue.to_front(jobs[2].id)
        assert not rig.queue.to_front(jobs[0].id), "it runs already"
        gpu.release(3)
        await rig.settle()
        assert rig.seeds() == [1, 3, 2]
