"""Two threads of our own for codecs and hashes, so that they never hold up the event loop.

The loop's default pool is left to name look-ups and files: a few big pictures must not make those wait.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, ParamSpec, TypeVar

THREADS: Final = 2
LARGE_BYTES: Final = 64 * 1024  # JSON of less is read sooner than a thread is woken

P = ParamSpec("P")
T = TypeVar("T")


class _Pool:
    """Made at first use, so that importing this module starts nothing."""

    def __init__(self) -> None:
        self._executor: ThreadPoolExecutor | None = None

    def get(self) -> ThreadPoolExecutor:
        if self._executor is None:
            self._executor = ThreadPoolExecutor(THREADS, thread_name_prefix="codec")
        return self._executor

    def close(self) -> None:
        executor, self._executor = self._executor, None
        if executor is not None:
            executor.shutdown(wait=False, cancel_futures=True)


_pool = _Pool()


async def run_in_thread(work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run blocking work in a codec thread and return its result."""
    return await asyncio.get_running_loop().run_in_executor(_pool.get(), lambda: work(*args, **kwargs))


async def read_apart(read: Callable[[bytes], T], data: bytes) -> T:
    """Return `read(data)`, for JSON and the like: what is large is read in a codec thread."""
    return await run_in_thread(read, data) if len(data) > LARGE_BYTES else read(data)


def close_threads() -> None:
    """Let the threads end; the next `run_in_thread` makes new ones."""
    _pool.close()
