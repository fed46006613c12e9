"""The token bucket never lets more through than it should, over any window."""

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scheduling.rate_limit import TokenBucket
from tests.fakes import FakeClock


def test_no_rate_never_waits() -> None:
    bucket = TokenBucket(None, FakeClock())
    assert all(bucket.take() for _ in range(1000))
    assert bucket.wait_s() == 0


async def test_a_taken_token_comes_back_after_its_time() -> None:
    clock = FakeClock()
    bucket = TokenBucket(0.5, clock)
    assert bucket.take()
    assert not bucket.take()
    assert bucket.wait_s() == pytest.approx(2.0)
    await clock.advance(2.0)
    assert bucket.take()


async def test_waiting_as_long_as_it_says_is_enough() -> None:
    clock = FakeClock()
    bucket = TokenBucket(7 / 60, clock)
    for _ in range(20):
        await clock.advance(bucket.wait_s())
        assert bucket.take()


async def test_idle_time_saves_no_more_than_the_burst() -> None:
    clock = FakeClock()
    bucket = TokenBucket(1.0, clock, burst=3)
    await clock.advance(1000)
    assert sum(bucket.take() for _ in range(10)) == 3


@settings(max_examples=100, deadline=None)
@given(
    rate=st.sampled_from([0.1, 1.0, 7 / 60, 3.0]),
    burst=st.sampled_from([1.0, 4.0]),
    pauses=st.lists(st.floats(0, 20, allow_nan=False), min_size=1, max_size=40),
)
def test_never_above_the_rate_over_any_window(rate: float, burst: float, pauses: list[float]) -> None:
    async def play() -> None:
        clock = FakeClock()
        bucket = TokenBucket(rate, clock, burst=burst)
        taken: list[float] = []
        for pause in pauses:
            clock._step_to(clock.monotonic() + pause)
            while bucket.take():
                taken.append(clock.monotonic())
        for i, begin in enumerate(taken):
            for j, end in enumerate(taken[i:], i):
                assert j - i + 1 <= burst + rate * (end - begin) + 1e-6

    asyncio.run(play())
