"""Deletes pictures when their time is over: at start, then at the next picture's end. One timer, no polling.

The store deletes in batches; this decides only when.
"""

import asyncio
import logging
from typing import Final

from store.image_cache import ImageCache
from utils.clock import Clock, sleep_until

log = logging.getLogger(__name__)

SHORTEST_PAUSE_S: Final = 1.0  # pictures that end together are swept together
LONGEST_PAUSE_S: Final = 300.0  # after a change of the wall clock, or a picture stored by another process
RETRY_S: Final = 30.0


class Sweeper:
    """Run it as one task; `wake` when something was stored that may end before all else."""

    def __init__(self, cache: ImageCache, clock: Clock) -> None:
        self._cache = cache
        self._clock = clock
        self._bell = asyncio.Event()

    def wake(self) -> None:
        self._bell.set()

    async def run(self) -> None:
        """Sweep until cancelled; a store that fails is asked again later."""
        while True:
            self._bell.clear()
            await sleep_until(self._bell, self._clock, await self._sweep())

    async def _sweep(self) -> float:
        """Delete what has ended; return the seconds until there is more to do."""
        try:
            swept = await self._cache.sweep()
            expiry = await self._cache.next_expiry()
        except Exception:  # whatever it is, pictures must not stay for ever because this task died of it
            log.exception("could not sweep the media store", extra={"action": "cache_swept"})
            return RETRY_S
        if swept:
            log.info("expired pictures deleted", extra={"action": "cache_swept", "pictures": swept})
        if expiry is None:
            return LONGEST_PAUSE_S
        left_s = (expiry - self._clock.now()).total_seconds()
        return max(SHORTEST_PAUSE_S, min(LONGEST_PAUSE_S, left_s))
