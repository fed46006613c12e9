"""The pace of a lane: learned per model, smoothed, borrowed by models it does not know yet."""

import pytest

from constants import DEFAULT_SECONDS_PER_COST
from scheduling.pace import Pace


def test_an_unlearned_lane_guesses() -> None:
    pace = Pace()
    assert not pace.is_learned
    assert pace.seconds("m", 10) == 10 * DEFAULT_SECONDS_PER_COST


def test_the_first_job_sets_the_pace() -> None:
    pace = Pace()
    pace.learn("m", cost=10, seconds=20)
    assert pace.is_learned
    assert pace.seconds("m", 5) == pytest.approx(10)


def test_few_jobs_are_averaged_and_later_ones_smoothed() -> None:
    pace = Pace()
    for seconds in (10, 30):
        pace.learn("m", cost=10, seconds=seconds)
    assert pace.seconds("m", 10) == pytest.approx(20)
    for _ in range(50):
        pace.learn("m", cost=10, seconds=50)
    assert pace.seconds("m", 10) == pytest.approx(50, rel=0.01)


def test_models_are_learned_apart_and_unknown_ones_borrow_the_whole_lanes_pace() -> None:
    pace = Pace()
    pace.learn("fast", cost=10, seconds=10)
    pace.learn("slow", cost=10, seconds=90)
    assert pace.seconds("fast", 10) == pytest.approx(10)
    assert pace.seconds("slow", 10) == pytest.approx(90)
    assert 10 < pace.seconds("new", 10) < 90


def test_the_engines_own_choice_of_model_is_learned_once() -> None:
    pace = Pace()
    pace.learn(None, cost=1, seconds=2)
    assert pace.by_model == {"": (2.0, 1)}


def test_a_tiny_job_does_not_make_large_ones_seem_endless() -> None:
    pace = Pace()
    pace.learn("m", cost=0.01, seconds=0.2)
    assert pace.seconds("m", 5) == pytest.approx(1)


def test_only_what_is_new_is_handed_out_for_saving() -> None:
    pace = Pace(by_model={"old": (1.0, 5)})
    pace.learn("m", cost=1, seconds=2)
    assert pace.take_unsaved() == ["", "m"]
    assert pace.take_unsaved() == []
