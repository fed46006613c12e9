"""Time as a value that is handed in, so that tests can move it."""

import asyncio
import time
from contextlib import suppress
from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """`now` is wall time (aware UTC), `monotonic` is seconds that never jump."""

    def now(self) -> datetime: ...

    def monotonic(self) -> float: ...

    async def sleep(self, seconds: float) -> None: ...

    async def wait(self, bell: asyncio.Event, seconds: float) -> None:
        """Sleep until the bell rings, at most so long."""
        ...


class SystemClock:
    """The real one."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def wait(self, bell: asyncio.Event, seconds: float) -> None:
        with suppress(TimeoutError):  # a timer and no tasks: some of these waits begin a hundred times a second
            async with asyncio.timeout(seconds):
                await bell.wait()


async def sleep_until(bell: asyncio.Event, clock: Clock, seconds: float) -> None:
    """Sleep until the bell rings, at most `seconds` (inf = only the bell)."""
    if seconds == float("inf"):
        await bell.wait()
    elif seconds > 0:
        await clock.wait(bell, seconds)
