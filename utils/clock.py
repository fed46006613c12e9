"""Time as a value that is handed in, so that tests can move it."""

import asyncio
import time
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """`now` is wall time (aware UTC), `monotonic` is seconds that never jump."""

    def now(self) -> datetime: ...

    def monotonic(self) -> float: ...

    async def sleep(self, seconds: float) -> None: ...


class SystemClock:
    """The real one."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


async def sleep_until(bell: asyncio.Event, clock: Clock, seconds: float) -> None:
    """Sleep until the bell rings, at most `seconds` (inf = only the bell)."""
    if seconds == float("inf"):
        await bell.wait()
    elif seconds > 0:
        tasks = {asyncio.ensure_future(bell.wait()), asyncio.ensure_future(clock.sleep(seconds))}
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
