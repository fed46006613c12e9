"""An event loop beside the main thread, which is then free to wait for typing and for Ctrl+C."""

import asyncio
from collections.abc import Coroutine
from concurrent.futures import Future, wait
from threading import Thread
from typing import Any, Self, TypeVar

T = TypeVar("T")
CTRL_C_S = 0.5  # Windows sees Ctrl+C only between waits


class LoopThread:
    """Run coroutines from the main thread, inside the `with` block."""

    def __enter__(self) -> Self:
        self.loop = asyncio.new_event_loop()
        self._thread = Thread(target=self.loop.run_forever, name="loop", daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        if left := asyncio.all_tasks(self.loop):  # of packages, which began them for themselves
            for task in left:
                task.cancel()
            self.loop.run_until_complete(asyncio.wait(left))
        self.loop.run_until_complete(self.loop.shutdown_default_executor())
        self.loop.close()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Wait for the result. Ctrl+C cancels the work, waits for its end and goes on as KeyboardInterrupt."""
        task = asyncio.run_coroutine_threadsafe(_begin(work), self.loop).result()
        ended = asyncio.run_coroutine_threadsafe(_end(task), self.loop)
        try:
            _await(ended)
        except KeyboardInterrupt:
            self.loop.call_soon_threadsafe(task.cancel)
            _await(ended)
            raise
        return task.result()


async def _begin(work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    return asyncio.create_task(work)


async def _end(task: asyncio.Task[Any]) -> None:
    await asyncio.wait({task})


def _await(future: Future[None]) -> None:
    while not wait({future}, timeout=CTRL_C_S).done:
        pass
