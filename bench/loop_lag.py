"""Measure how long the event loop was blocked: a task that sleeps 5 ms and notes how much later it woke."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

TICK_S = 0.005


@dataclass
class LoopLag:
    """Largest delay seen, in seconds."""

    worst_s: float = 0.0


@asynccontextmanager
async def watch_loop() -> AsyncIterator[LoopLag]:
    lag = LoopLag()

    async def tick() -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(TICK_S)
            lag.worst_s = max(lag.worst_s, time.perf_counter() - before - TICK_S)

    task = asyncio.create_task(tick())
    try:
        yield lag
    finally:
        task.cancel()
