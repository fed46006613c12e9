"""The circuit breaker: opens after failures in a row, rests longer each time, lets one job try."""

from constants import BREAKER_BASE_S, BREAKER_FAILURES, BREAKER_MAX_S
from scheduling.breaker import CircuitBreaker
from tests.fakes import FakeClock


def _opened(clock: FakeClock) -> CircuitBreaker:
    breaker = CircuitBreaker(clock)
    for number in range(BREAKER_FAILURES):
        breaker.failed(f"job{number}")
    return breaker


def test_opens_only_after_failures_in_a_row() -> None:
    breaker = CircuitBreaker(FakeClock())
    for _ in range(3):
        for number in range(BREAKER_FAILURES - 1):
            breaker.failed(f"job{number}")
        assert breaker.wait_s() == 0
        breaker.succeeded()
    assert not breaker.is_open


async def test_one_job_tries_after_the_pause_and_success_closes() -> None:
    clock = FakeClock()
    breaker = _opened(clock)
    assert breaker.wait_s() == BREAKER_BASE_S
    await clock.advance(BREAKER_BASE_S)
    assert breaker.wait_s() == 0
    breaker.started("trial")
    assert breaker.wait_s() == float("inf")
    breaker.succeeded()
    assert breaker.wait_s() == 0
    assert not breaker.is_open


async def test_each_failed_trial_doubles_the_pause_up_to_the_longest() -> None:
    clock = FakeClock()
    breaker = _opened(clock)
    pauses = []
    for number in range(8):
        pauses.append(breaker.wait_s())
        await clock.advance(breaker.wait_s())
        breaker.started(f"trial{number}")
        breaker.failed(f"trial{number}")
    assert pauses == [min(BREAKER_MAX_S, BREAKER_BASE_S * 2**n) for n in range(8)]


async def test_a_trial_that_told_nothing_lets_another_try() -> None:
    clock = FakeClock()
    breaker = _opened(clock)
    await clock.advance(BREAKER_BASE_S)
    breaker.started("trial")
    breaker.released("trial")
    assert breaker.wait_s() == 0
    assert breaker.is_open


async def test_the_end_of_another_job_does_not_end_the_trial() -> None:
    clock = FakeClock()
    breaker = _opened(clock)
    await clock.advance(BREAKER_BASE_S)
    breaker.started("trial")
    breaker.released("an older job")
    breaker.failed("an older job")
    assert breaker.wait_s() == float("inf")


def test_late_failures_of_jobs_begun_before_do_not_lengthen_the_pause() -> None:
    breaker = _opened(FakeClock())
    breaker.failed("late1")
    breaker.failed("late2")
    assert breaker.wait_s() == BREAKER_BASE_S
