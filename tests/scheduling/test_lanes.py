"""The index over queued, delayed and running jobs: counts, places, expected waits, lanes that come and go."""

from datetime import timedelta

import pytest

from constants import DEFAULT_SECONDS_PER_COST
from generation.errors import BackendUnavailable, GenerationError, OutOfMemory, RateLimited
from generation.job import JobStatus, Progress
from scheduling.lane import Lane
from scheduling.lanes import Lanes, LaneSettings
from tests.fakes import FakeClock
from tests.jobs import make_job

INF = float("inf")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def settings() -> dict[str, LaneSettings]:
    return {"gpu": LaneSettings(), "other": LaneSettings(concurrency=2)}


@pytest.fixture
def lanes(clock: FakeClock, settings: dict[str, LaneSettings]) -> Lanes:
    return Lanes(clock, settings.get)


def test_waiting_jobs_are_counted_in_all_and_per_user(lanes: Lanes) -> None:
    ann, bob = make_job("ann"), make_job("bob", "other")
    for job in (ann, bob, make_job("ann")):
        lanes.enqueue(job)
    lanes.reserve(ann)  # twice is once
    assert (lanes.waiting, lanes.waiting_of("test:ann"), lanes.waiting_of("test:bob")) == (3, 2, 1)
    lanes.withdraw(ann)
    assert lanes.release(bob.id)
    assert not lanes.release(bob.id)
    assert (lanes.waiting, lanes.waiting_of("test:ann"), lanes.waiting_of("test:bob")) == (1, 1, 0)
    assert not lanes.is_waiting(ann.id)
    assert ann.id not in lanes.get("gpu").queue


async def test_a_delayed_job_stands_aside_until_its_time(lanes: Lanes, clock: FakeClock) -> None:
    job = make_job(not_before=clock.now() + timedelta(seconds=10))
    lanes.enqueue(job)
    assert (lanes.waiting, len(lanes.get("gpu").queue)) == (1, 0)
    assert lanes.release_delayed() == pytest.approx(10)
    await clock.advance(10)
    assert lanes.release_delayed() == INF
    assert lanes.get("gpu").queue.jobs() == [job.id]


async def test_a_delayed_job_that_was_cancelled_does_not_come_back(lanes: Lanes, clock: FakeClock) -> None:
    job = make_job(not_before=clock.now() + timedelta(seconds=10))
    lanes.enqueue(job)
    lanes.withdraw(job)
    await clock.advance(10)
    lanes.release_delayed()
    assert len(lanes.get("gpu").queue) == 0


def test_a_popped_job_is_put_back_unless_it_was_cancelled(lanes: Lanes) -> None:
    lane = lanes.get("gpu")
    for is_cancelled in (False, True):
        job = make_job()
        lanes.enqueue(job)
        served = lane.queue.pop()
        assert served
        if is_cancelled:
            lanes.withdraw(job)
        lanes.put_back(lane, served)
        assert (job.id in lane.queue) is not is_cancelled
        lanes.withdraw(job)


def test_a_running_job_holds_a_slot_until_it_ends(lanes: Lanes) -> None:
    job = make_job()
    lanes.started(job)
    lane = lanes.get("gpu")
    assert not lane.has_slot
    assert lanes.users_at_limit(1) == {"test:ann"}
    assert lanes.users_at_limit(2) == set()
    ended = lanes.ended(job.id)
    assert ended
    assert ended[:2] == (job, lane)
    assert lanes.ended(job.id) is None
    assert lane.has_slot


def test_a_view_says_where_a_job_stands(lanes: Lanes) -> None:
    running = make_job(status=JobStatus.RUNNING)
    lanes.started(running)
    first, second, elsewhere = make_job(), make_job(), make_job(lane="unknown")
    lanes.enqueue(first)
    lanes.enqueue(second)
    lane = lanes.get("gpu")
    lanes.progress[running.id] = Progress(fraction=0.5)
    assert lanes.view(running).progress == Progress(fraction=0.5)
    assert lanes.view(running).eta_s is None  # nothing is learned yet
    lane.pace.learn(None, running.drawn.cost, 10)
    assert lanes.view(running).eta_s == pytest.approx(10)
    view = lanes.view(second)
    assert view.position == 2
    assert view.eta_s == pytest.approx(20)
    assert lanes.view(elsewhere).position is None
    done = make_job(status=JobStatus.DONE)
    assert (lanes.view(done).position, lanes.view(done).eta_s) == (None, None)


async def test_settings_are_taken_over_and_a_probe_that_succeeds_ends_a_rest(
    lanes: Lanes, settings: dict[str, LaneSettings]
) -> None:
    lane = lanes.get("gpu")
    for number in range(3):
        lane.judge(f"job{number}", BackendUnavailable())
    settings["gpu"] = LaneSettings(concurrency=3, rate_per_s=0.1)
    lanes.refresh("gpu", is_up=False)
    assert lane.concurrency == 3
    assert lane.breaker.is_open
    lanes.refresh("gpu", is_up=True)
    assert not lane.breaker.is_open
    assert lane.hold_s() == 0
    lane.bucket.take()
    assert lane.hold_s() == pytest.approx(10)
    lanes.refresh("gpu", is_up=True)
    assert lane.hold_s() == pytest.approx(10)  # the same rate gives no new token
    lanes.refresh("unknown", is_up=True)


def test_the_lane_of_an_engine_that_is_gone_lets_go_of_its_jobs_and_is_forgotten(
    lanes: Lanes, settings: dict[str, LaneSettings]
) -> None:
    lane = lanes.get("gpu")
    job = make_job()
    lanes.enqueue(job)
    lane.pause(1000)
    lane.pace.learn(None, 1, 3)
    del settings["gpu"]
    lanes.refresh("gpu", is_up=False)
    assert lane.hold_s() == 0
    lanes.drop_empty()
    assert list(lanes) == [lane]
    lanes.withdraw(job)
    lanes.drop_empty()
    assert list(lanes) == []
    assert lanes.get("gpu").pace.seconds(None, 1) == pytest.approx(3)  # what was learned stays


def test_learned_paces_are_loaded_and_only_new_ones_are_saved(lanes: Lanes) -> None:
    lanes.load_pace("gpu", "", 2.0, 4)
    lanes.load_pace("gpu", "m", 3.0, 4)
    lane = lanes.get("gpu")
    assert lane.pace.seconds("m", 10) == pytest.approx(30)
    assert lanes.take_unsaved_paces() == []
    lane.pace.learn(None, 1, 2)
    assert [row[:2] for row in lanes.take_unsaved_paces()] == [("gpu", "")]
    assert lanes.take_unsaved_paces() == []


@pytest.mark.parametrize(
    ("error", "pause_s", "counts"),
    [
        (RateLimited(retry_after=20), 20, False),
        (RateLimited(), 1, False),
        (BackendUnavailable(), 0, True),
        (OutOfMemory(), 0, False),
        (GenerationError(), 0, False),
    ],
)
def test_only_what_speaks_against_the_engine_holds_the_lane(
    clock: FakeClock, error: GenerationError, pause_s: float, counts: bool
) -> None:
    lane = Lane(name="gpu", clock=clock)
    for number in range(3):
        assert lane.judge(f"job{number}", error) == pause_s
    assert lane.breaker.is_open is counts
    assert (lane.hold_s() > 0) is (counts or pause_s > 0)


async def test_a_shorter_pause_does_not_end_a_longer_one(clock: FakeClock) -> None:
    lane = Lane(name="gpu", clock=clock)
    lane.pause(60)
    lane.pause(1)
    assert lane.hold_s() == 60
    assert lane.view().paused_s == 60


def test_a_free_slot_means_no_wait(lanes: Lanes) -> None:
    lanes.started(make_job(lane="other"))
    other = lanes.get("other")
    assert other.wait_s() == 0
    lanes.started(make_job(lane="other"))
    assert other.wait_s() > 0


async def test_a_job_taken_up_after_a_restart_counts_from_its_real_start(lanes: Lanes, clock: FakeClock) -> None:
    job = make_job(status=JobStatus.RUNNING, started_at=clock.now() - timedelta(seconds=30))
    lanes.started(job)
    ended = lanes.ended(job.id)
    assert ended
    assert clock.monotonic() - ended[2].since == pytest.approx(30)


def test_a_job_on_its_way_counts_for_who_comes_at_the_same_time(lanes: Lanes) -> None:
    gpu = lanes.get("gpu")
    job = make_job()
    lanes.reserve(job)
    assert gpu.wait_s() > 0
    lanes.release(job.id)
    assert gpu.wait_s() == 0


def test_a_job_being_started_counts_until_it_runs_or_is_put_back(lanes: Lanes) -> None:
    gpu = lanes.get("gpu")
    job = make_job()
    lanes.enqueue(job)
    waits = [gpu.wait_s()]
    served = gpu.take(())
    assert served
    waits.append(gpu.wait_s())
    lanes.put_back(gpu, served)
    waits.append(gpu.wait_s())
    assert gpu.take(())
    lanes.release(job.id)
    lanes.started(job)
    waits.append(gpu.wait_s())
    assert len(set(waits)) == 1
    assert not gpu.coming


def test_a_lane_with_jobs_on_their_way_is_not_forgotten(lanes: Lanes, settings: dict[str, LaneSettings]) -> None:
    job = make_job()
    lanes.reserve(job)
    del settings["gpu"]
    lanes.drop_empty()
    assert [lane.name for lane in lanes] == ["gpu"]
    lanes.release(job.id)
    lanes.drop_empty()
    assert not list(lanes)


async def test_a_job_that_takes_longer_than_expected_is_no_free_slot(lanes: Lanes, clock: FakeClock) -> None:
    lanes.started(make_job())
    await clock.advance(3600)
    assert lanes.get("gpu").wait_s() > 0


def test_a_lane_that_has_learned_nothing_is_held_to_be_as_fast_as_the_others(lanes: Lanes) -> None:
    gpu, other = lanes.get("gpu"), lanes.get("other")
    assert gpu.pace.seconds(None, 1.0) == DEFAULT_SECONDS_PER_COST
    other.pace.learn(None, 1.0, 20.0)
    assert gpu.pace.seconds(None, 1.0) == 20.0
    gpu.pace.learn(None, 1.0, 4.0)
    assert gpu.pace.seconds(None, 1.0) == 4.0
