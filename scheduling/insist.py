"""Writing what must not be lost to a store that fails for a moment (disk full, file locked)."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from itertools import chain, repeat
from typing import TypeVar

from generation.errors import Unstorable
from utils.clock import Clock, sleep_until

log = logging.getLogger(__name__)

STORE_RETRIES_S = (1.0, 5.0, 30.0)  # waits before a failed write is tried again; the last one for ever

T = TypeVar("T")


async def insist(write: Callable[[], Awaitable[T]], clock: Clock, stopping: asyncio.Event) -> T:
    """Write until it succeeds.

    Raises:
        Unstorable: the change itself can never be written.
        Exception: the store's error, only when `stopping` is set: the next start decides again.
    """
    waits = chain(STORE_RETRIES_S, repeat(STORE_RETRIES_S[-1]))
    while True:
        try:
            return await write()
        except Unstorable:
            raise
        except Exception:
            if stopping.is_set():
                raise
            log.exception("could not store a change; trying again", extra={"action": "job_failed"})
        await sleep_until(stopping, clock, next(waits))
