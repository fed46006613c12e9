"""How long the event loop is held up."""

import asyncio
import time
from collections.abc import Coroutine
from typing import Any

LAG_S = 0.1


async def longest_stretch(work: Coroutine[Any, Any, Any]) -> tuple[float, Any]:
    """Run something; return the most processor time this process took between two turns of the loop, and its result.

    Not time by the clock, which another program's work would add to. What a thread computes with Python's lock held
    counts, too.
    """
    worst, task = 0.0, asyncio.create_task(work)
    before = time.process_time()
    while not task.done():
        await asyncio.sleep(0)
        now = time.process_time()
        worst, before = max(worst, now - before), now
    return worst, task.result()
