"""A write that must not be lost is repeated until it succeeds, or the queue stops."""

import asyncio

import pytest

from scheduling.storing import STORE_RETRIES_S, retry_until_stored
from tests.fakes import FakeClock, settle


class Store:
    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.writes = 0

    async def write(self) -> str:
        self.writes += 1
        if self.writes <= self.failures:
            raise OSError("disk full")
        return "written"


async def test_it_waits_longer_each_time_and_then_as_long_as_it_takes() -> None:
    clock, store = FakeClock(), Store(failures=6)
    task = asyncio.create_task(retry_until_stored(store.write, clock, asyncio.Event()))
    waits = [*STORE_RETRIES_S, STORE_RETRIES_S[-1], STORE_RETRIES_S[-1], STORE_RETRIES_S[-1]]
    for number, wait_s in enumerate(waits, 1):
        await clock.advance(wait_s - 0.1)
        assert store.writes == number
        await clock.advance(0.1)
    assert await task == "written"


async def test_when_the_queue_stops_it_tries_once_more_and_gives_up() -> None:
    clock, store, stopping = FakeClock(), Store(failures=100), asyncio.Event()
    task = asyncio.create_task(retry_until_stored(store.write, clock, stopping))
    await settle()
    stopping.set()
    with pytest.raises(OSError, match="disk full"):
        await task
    assert store.writes == 2


async def test_a_cancelled_write_is_not_repeated() -> None:
    store = Store(failures=100)
    task = asyncio.create_task(retry_until_stored(store.write, FakeClock(), asyncio.Event()))
    await settle()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert task.cancelled()
    assert store.writes == 1
