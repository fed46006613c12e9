"""The loop beside the console ends whole: what packages began for themselves in it is cancelled, not left."""

import asyncio
import gc

from console.background import LoopThread


def test_what_is_still_at_work_at_the_end_is_cancelled() -> None:
    ended = []

    async def work() -> None:
        try:
            await asyncio.sleep(1000)
        finally:
            ended.append("cancelled")

    async def begin() -> asyncio.Task[None]:
        task = asyncio.create_task(work())
        await asyncio.sleep(0)
        return task

    with LoopThread() as loop:
        task = loop.run(begin())
    gc.collect()
    assert ended == ["cancelled"]
    assert task.cancelled()
