"""A lane's slots: how many run, and the head start of the next job where the server lines requests up."""

import pytest

from generation.errors import BackendUnavailable
from scheduling.lane import HEAD_START_S, MODEL_SWITCH_S, Lane, LaneSettings, Running
from tests.fakes import FakeClock

JOB_S = 10.0


def lane_of(clock: FakeClock, **settings: object) -> Lane:
    lane = Lane(name="gpu", clock=clock, settings=LaneSettings(**settings))
    lane.pace.learn(None, 1.0, JOB_S)
    return lane


def run_at(clock: FakeClock) -> Running:
    return Running(user_key="u", cost=1.0, model=None, since=clock.monotonic())


async def test_the_next_job_waits_for_the_last_where_the_server_does_not_line_up() -> None:
    clock = FakeClock()
    lane = lane_of(clock)
    lane.started("a", run_at(clock))
    await clock.advance(JOB_S)
    assert lane.slot_s() == float("inf")


async def test_the_next_job_is_sent_shortly_before_the_last_is_done() -> None:
    clock = FakeClock()
    lane = lane_of(clock, lines_up=True)
    lane.started("a", run_at(clock))
    assert lane.slot_s() == pytest.approx(JOB_S - HEAD_START_S)
    await clock.advance(JOB_S - HEAD_START_S)
    assert lane.slot_s() == 0


async def test_only_one_job_is_sent_ahead() -> None:
    clock = FakeClock()
    lane = lane_of(clock, lines_up=True)
    lane.started("a", run_at(clock))
    await clock.advance(JOB_S)
    lane.started("b", run_at(clock))
    await clock.advance(10 * JOB_S)
    assert lane.slot_s() == float("inf")


async def test_nothing_is_sent_ahead_before_the_pace_is_known() -> None:
    clock = FakeClock()
    lane = Lane(name="gpu", clock=clock, settings=LaneSettings(lines_up=True))
    lane.started("a", run_at(clock))
    assert lane.slot_s() == float("inf")


async def test_a_job_sent_ahead_begins_when_the_one_before_is_done() -> None:
    clock = FakeClock()
    lane = lane_of(clock, lines_up=True)
    lane.started("a", run_at(clock))
    await clock.advance(JOB_S - HEAD_START_S)
    lane.started("b", run_at(clock))
    await clock.advance(HEAD_START_S)
    lane.ended("a")
    await clock.advance(4.0)
    assert lane.remaining_s("b") == pytest.approx(JOB_S - 4.0)
    assert clock.monotonic() - lane.ended("b").since == pytest.approx(4.0)


async def test_a_lane_says_how_fast_it_is_and_since_when_it_idles() -> None:
    clock = FakeClock()
    lane = Lane(name="gpu", clock=clock)
    assert (lane.view().seconds_per_cost, lane.view().idle_s) == (None, None)
    lane.started("a", run_at(clock))
    assert lane.view().idle_s == 0
    lane.pace.learn(None, 1.0, JOB_S)
    lane.ended("a")
    await clock.advance(30)
    assert (lane.view().seconds_per_cost, lane.view().idle_s) == (JOB_S, 30)


async def test_a_model_that_must_be_loaded_first_lengthens_the_wait() -> None:
    lane = lane_of(FakeClock())
    lane.warm_model = "a"
    assert lane.wait_s("a") == lane.wait_s() == 0
    assert lane.wait_s("b") == MODEL_SWITCH_S


async def test_a_broken_lane_says_when_it_is_tried_again() -> None:
    lane = lane_of(FakeClock())
    for _ in range(3):
        lane.judge("a", BackendUnavailable())
    assert lane.view().is_broken
    assert lane.view().retry_s > 0


async def draw(lane: Lane, clock: FakeClock, job_id: str, seconds: float) -> None:
    """Let a job be drawn whose pictures are here at once."""
    await clock.advance(seconds)
    assert lane.drawn(job_id)
    lane.learn(lane.ended(job_id))


async def test_the_next_job_is_sent_earlier_by_the_way_to_the_engine() -> None:
    clock = FakeClock()
    lane = lane_of(clock, lines_up=True)
    for number in range(3):
        lane.started(f"alone {number}", run_at(clock))
        await draw(lane, clock, f"alone {number}", JOB_S + 2.0)
    lane.started("a", run_at(clock))
    assert lane.slot_s() == pytest.approx(JOB_S - HEAD_START_S - 2.0)


async def test_jobs_that_were_sent_ahead_tell_how_long_the_engine_itself_takes() -> None:
    clock = FakeClock()
    lane = Lane(name="gpu", clock=clock, settings=LaneSettings(lines_up=True))
    lane.started("a", run_at(clock))
    await clock.advance(JOB_S + 1.0)  # it found the engine idle, so that a second went by before it was there
    lane.learn(lane.running["a"])
    lane.started("b", run_at(clock))
    await draw(lane, clock, "a", 1.0)
    await draw(lane, clock, "b", JOB_S)
    assert lane.pace.seconds(None, 1.0) == pytest.approx(JOB_S)


async def test_the_engine_has_its_next_job_while_the_pictures_of_the_last_are_under_way() -> None:
    clock = FakeClock()
    lane = lane_of(clock, lines_up=True)
    lane.started("a", run_at(clock))
    assert lane.drawn("a")
    assert not lane.drawn("a"), "it was known"
    assert lane.slot_s() == 0
    lane.started("b", run_at(clock))
    assert not lane.running["b"].is_ahead
    assert lane.remaining_s("a") == 0
    assert lane.wait_s() == pytest.approx(JOB_S), "only what is drawn is waited for"
    await clock.advance(JOB_S)
    lane.started("c", run_at(clock))
    assert lane.running["c"].is_ahead, "never more than two at the engine"
    assert lane.slot_s() == float("inf")
    assert lane.view().running == 2


async def test_a_line_that_is_slower_than_the_engine_is_not_filled() -> None:
    clock = FakeClock()
    lane = lane_of(clock, lines_up=True)
    for job_id in ("a", "b"):
        lane.started(job_id, run_at(clock))
        lane.drawn(job_id)
    assert lane.slot_s() == float("inf")
    lane.ended("a")
    assert lane.slot_s() == 0


async def test_an_engine_that_lines_nothing_up_has_one_job_until_its_pictures_are_there() -> None:
    clock = FakeClock()
    lane = lane_of(clock)
    lane.started("a", run_at(clock))
    assert not lane.drawn("a")
    assert lane.slot_s() == float("inf")


async def test_a_job_that_loaded_a_model_tells_nothing_of_the_way() -> None:
    clock = FakeClock()
    lane = lane_of(clock, lines_up=True)
    lane.warm_model = "another"
    lane.started("a", run_at(clock))
    await draw(lane, clock, "a", JOB_S + 30.0)
    assert lane.way.seconds(lane.pace) == 0
