"""The order of starts: concurrency, fairness, rates, slow and dead lanes, engines that come and go."""

import pytest

from constants import BREAKER_BASE_S, BREAKER_FAILURES
from generation.errors import BackendAuthError, BackendUnavailable, RateLimited
from generation.job import Job, JobStatus
from store.jobs import JobStore
from tests.fakes import FakeBackend
from tests.jobs import make_job, make_request
from tests.queue_rig import BOX, InlineDatabase, Rig, queue_rig, seeded

DONE, FAILED, QUEUED, RUNNING = JobStatus.DONE, JobStatus.FAILED, JobStatus.QUEUED, JobStatus.RUNNING


@pytest.mark.parametrize("concurrency", [1, 3])
async def test_no_more_run_at_once_than_the_engine_takes(concurrency: int) -> None:
    async with queue_rig(FakeBackend("gpu", hold=True), concurrency=concurrency) as rig:
        jobs = [await rig.submit(f"user{n}") for n in range(5)]
        gpu = rig.backends["gpu"]
        assert gpu.running == concurrency
        gpu.release(5)
        await rig.settle()
        assert gpu.most_running == concurrency
        assert [await rig.status(job) for job in jobs] == [DONE] * 5


async def test_a_slow_lane_does_not_hold_up_another() -> None:
    async with queue_rig(FakeBackend("slow", hold=True), FakeBackend("fast")) as rig:
        for _ in range(3):
            await rig.submit(lane="slow")
        job = await rig.submit(lane="fast")
        assert await rig.status(job) is DONE


async def test_an_engine_that_is_done_at_once_does_not_hold_up_another() -> None:
    started: list[str] = []

    def note(job: Job) -> None:
        if job.status is RUNNING:
            started.append(job.lane)

    database = InlineDatabase()
    store = JobStore(database, BOX)  # type: ignore[arg-type]
    for _ in range(20):
        await store.insert(make_job(lane="instant"))
    await store.insert(make_job(lane="gpu"))
    async with queue_rig(
        FakeBackend("instant"),
        FakeBackend("gpu"),
        database=database,
        prepare=lambda rig: rig.queue.watchers.on_change.append(note),
    ):
        assert started.count("instant") == 20
        assert started.index("gpu") <= 2


async def test_a_user_runs_only_so_many_at_once_and_others_take_the_free_slots() -> None:
    async with queue_rig(FakeBackend("gpu", hold=True), concurrency=3, max_running_per_user=2) as rig:
        ann = [await rig.submit("ann") for _ in range(4)]
        assert [await rig.status(job) for job in ann] == [RUNNING, RUNNING, QUEUED, QUEUED]
        bob = await rig.submit("bob")
        assert await rig.status(bob) is RUNNING
        rig.backends["gpu"].release()
        await rig.settle()
        assert await rig.status(ann[2]) is RUNNING


async def test_a_flood_of_one_user_does_not_hold_up_the_others() -> None:
    async with queue_rig(FakeBackend("gpu", hold=True), max_waiting=1000, max_waiting_per_user=500) as rig:
        for number in range(200):
            await rig.submit_only("flooder", **seeded(number))
        await rig.settle()
        for user in range(9):
            await rig.submit_only(f"user{user}", **seeded(1000 + user))
        rig.backends["gpu"].release(12)
        for _ in range(3):
            await rig.settle()
        firsts = {seed for seed in rig.seeds()[:12] if seed >= 1000}
        assert len(firsts) == 9


async def test_a_lane_starts_no_faster_than_its_rate() -> None:
    async with queue_rig() as rig:
        await rig.add(FakeBackend("gpu"), concurrency=10, rate_per_minute=6)
        jobs = [await rig.submit(f"user{n}") for n in range(3)]
        assert [await rig.status(job) for job in jobs] == [DONE, QUEUED, QUEUED]
        await rig.advance(9.9)
        assert await rig.status(jobs[1]) is QUEUED
        await rig.advance(0.1)
        assert [await rig.status(job) for job in jobs] == [DONE, DONE, QUEUED]
        await rig.advance(10)
        assert await rig.status(jobs[2]) is DONE


async def test_a_rate_limited_engine_rests_as_long_as_it_says_and_no_attempt_is_lost() -> None:
    gpu = FakeBackend("gpu")
    async with queue_rig(gpu, FakeBackend("other"), concurrency=2) as rig:
        gpu.fail = [RateLimited(retry_after=20)] * 3
        first, second = await rig.submit("ann"), await rig.submit("bob")
        other = await rig.submit(lane="other")
        assert await rig.status(other) is DONE
        for runs in (1, 3):
            assert [await rig.status(job) for job in (first, second)] == [QUEUED, QUEUED]
            await rig.advance(19)
            assert len(gpu.requests) == runs
            await rig.advance(1)
        rows = [await rig.row(job) for job in (first, second)]
        assert [(row.status, row.attempt) for row in rows] == [(DONE, 1), (DONE, 1)]


async def _break(rig: Rig, name: str = "gpu") -> list[JobStatus]:
    """Let a lane fail until its breaker opens; every job has only one attempt left."""
    gpu = rig.backends[name]
    gpu.fail = [BackendUnavailable() for _ in range(BREAKER_FAILURES)]
    jobs = [await rig.submit(f"user{n}", name, attempt=3) for n in range(BREAKER_FAILURES)]
    return [await rig.status(job) for job in jobs]


async def test_a_lane_that_keeps_failing_rests_and_one_job_tries_it() -> None:
    gpu = FakeBackend("gpu", hold=True)
    async with queue_rig(gpu, concurrency=2) as rig:
        gpu.release(BREAKER_FAILURES)
        assert await _break(rig) == [FAILED] * BREAKER_FAILURES
        waiting = [await rig.submit(f"later{n}") for n in range(3)]
        assert gpu.running == 0
        await rig.advance(BREAKER_BASE_S)
        assert gpu.running == 1  # though there are two slots
        gpu.release()
        await rig.settle()
        assert gpu.running == 2
        gpu.release(2)
        await rig.settle()
        assert [await rig.status(job) for job in waiting] == [DONE] * 3


async def test_a_failed_trial_doubles_the_rest() -> None:
    gpu = FakeBackend("gpu")
    async with queue_rig(gpu) as rig:
        await _break(rig)
        gpu.fail = [BackendUnavailable()]
        job = await rig.submit("later")
        await rig.advance(BREAKER_BASE_S)
        assert len(gpu.requests) == BREAKER_FAILURES + 1
        await rig.advance(BREAKER_BASE_S)
        assert await rig.status(job) is QUEUED
        await rig.advance(BREAKER_BASE_S)
        assert await rig.status(job) is DONE


async def test_jobs_waiting_for_an_engine_that_stopped_answering_move_to_another() -> None:
    gpu, other = FakeBackend("gpu", hold=True), FakeBackend("other")
    async with queue_rig(gpu, other) as rig:
        gpu.fail = [BackendUnavailable("It is away.", may_have_run=True) for _ in range(BREAKER_FAILURES)]
        for number in range(BREAKER_FAILURES):
            await rig.submit(f"user{number}", attempt=3)
        mobile = await rig.submit("ann", candidates=("gpu", "other"), **seeded(7))
        stuck = await rig.submit("bob")
        gpu.release(BREAKER_FAILURES)
        await rig.settle()
        row = await rig.row(mobile)
        assert (row.status, row.lane, row.notes) == (DONE, "other", ("moved to other: It is away",))
        assert rig.seeds("other") == [7]
        row = await rig.row(stuck)
        assert (row.status, row.lane, row.attempt) == (QUEUED, "gpu", 1)
        gpu.release()
        await rig.advance(BREAKER_BASE_S)
        assert await rig.status(stuck) is DONE


async def test_a_cancelled_trial_lets_the_next_one_try() -> None:
    gpu = FakeBackend("gpu", hold=True)
    async with queue_rig(gpu) as rig:
        gpu.release(BREAKER_FAILURES)
        await _break(rig)
        trial, following = await rig.submit("one"), await rig.submit("two")
        await rig.advance(BREAKER_BASE_S)
        await rig.queue.cancel(trial.id)
        await rig.settle()
        gpu.release()
        await rig.settle()
        assert await rig.status(following) is DONE


async def test_a_probe_that_finds_the_engine_up_ends_the_rest() -> None:
    gpu = FakeBackend("gpu")
    async with queue_rig(gpu) as rig:
        await _break(rig)
        job = await rig.submit("later")
        assert await rig.status(job) is QUEUED
        await rig.registry.refresh("gpu")
        await rig.settle()
        assert await rig.status(job) is DONE


async def test_jobs_behind_a_refused_key_are_told_at_once_or_moved() -> None:
    gpu, other = FakeBackend("gpu"), FakeBackend("other")
    async with queue_rig(gpu, other) as rig:
        gpu.fail = [BackendAuthError(), BackendAuthError()]
        stuck = await rig.submit("ann")
        moved = await rig.submit("bob", candidates=("gpu", "other"))
        row = await rig.row(stuck)
        assert row.status is FAILED
        assert row.error
        assert row.error.code == "backend_auth"
        assert (await rig.row(moved)).lane == "other"
        entry = rig.registry.get("gpu")
        assert entry
        assert isinstance(entry.error, BackendAuthError)


async def test_jobs_of_a_removed_engine_move_or_fail_and_its_lane_goes() -> None:
    gpu, other = FakeBackend("gpu", hold=True), FakeBackend("other")
    async with queue_rig(gpu, other) as rig:
        running = await rig.submit("ann")
        alone = await rig.submit("bob")
        mobile = await rig.submit("cat", candidates=("gpu", "other"))
        await rig.registry.remove("gpu")
        await rig.settle()
        assert await rig.status(running) is RUNNING
        gpu.release()
        await rig.settle()
        assert await rig.status(running) is DONE
        row = await rig.row(alone)
        assert row.error
        assert "no longer connected" in row.error.user_message
        assert (await rig.row(mobile)).lane == "other"
        assert [lane.name for lane in rig.queue._lanes.views()] == ["other"]


async def test_a_resting_lane_whose_engine_is_removed_lets_its_jobs_go() -> None:
    async with queue_rig(FakeBackend("gpu")) as rig:
        await _break(rig)
        job = await rig.submit("later")
        await rig.registry.remove("gpu")
        await rig.settle()
        assert await rig.status(job) is FAILED


async def test_settings_of_an_engine_connected_anew_hold_at_once() -> None:
    gpu = FakeBackend("gpu", hold=True)
    async with queue_rig(gpu) as rig:
        for _ in range(3):
            await rig.submit()
        assert gpu.running == 1
        await rig.add(gpu, concurrency=2, rate_per_minute=60)
        await rig.settle()
        assert gpu.running == 2
        gpu.release(2)
        await rig.settle()
        assert gpu.running == 0  # the rate holds now
        await rig.advance(1)
        assert gpu.running == 1


async def test_a_warm_model_is_used_before_a_cold_one_of_the_same_user() -> None:
    gpu = FakeBackend("gpu", hold=True)
    async with queue_rig(gpu) as rig:

        async def ask(seed: int, model: str) -> None:
            request = make_request(seed=seed, model=model)
            await rig.submit("ann", request=request, drawn=request)

        await ask(1, "one")
        await ask(2, "two")
        await ask(3, "one")
        gpu.release(3)
        await rig.settle()
        assert rig.seeds() == [1, 3, 2]


async def test_a_limit_for_all_engines_is_kept_and_each_has_its_turn() -> None:
    async with queue_rig(FakeBackend("gpu", hold=True), FakeBackend("cpu", hold=True), max_running=1) as rig:
        jobs = [await rig.submit(lane=lane) for lane in ("gpu", "gpu", "cpu")]
        assert [await rig.status(job) for job in jobs] == [RUNNING, QUEUED, QUEUED]
        rig.backends["gpu"].release(1)
        await rig.settle()
        assert [await rig.status(job) for job in jobs] == [DONE, QUEUED, RUNNING]
        rig.backends["cpu"].release(1)
        rig.backends["gpu"].release(1)
        await rig.settle()
        assert [await rig.status(job) for job in jobs] == [DONE, DONE, DONE]
