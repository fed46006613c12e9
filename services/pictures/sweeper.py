"""Deletes pictures when their time is over, and the words that go with them. One timer, no polling.

It runs at start, then at the next picture's end, and every few minutes; every hour it also deletes what a crash left
behind: pictures that no result names.

The store deletes in batches; this decides only when.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Final

from store.image_cache import ImageCache, NamedBy
from utils.clock import Clock, sleep_until

log = logging.getLogger(__name__)

SHORTEST_PAUSE_S: Final = 1.0  # pictures that end together are swept together
LONGEST_PAUSE_S: Final = 300.0  # after a change of the wall clock, or a picture stored by another process
RETRY_S: Final = 30.0
UNNAMED_EVERY_S: Final = 3600.0


class Sweeper:
    """Run it as one task; `wake` when something was stored that may end before all else."""

    def __init__(
        self, cache: ImageCache, clock: Clock, *, named_by: NamedBy, prune_words: Callable[[], Awaitable[int]]
    ) -> None:
        self._cache = cache
        self._prune_words = prune_words
        self._clock = clock
        self._named_by = named_by
        self._unnamed_at = float("-inf")  # when those were swept last
        self._bell = asyncio.Event()

    def wake(self) -> None:
        if self._cache.ttl_s < LONGEST_PAUSE_S:  # else the next look comes before the end of what was stored just now
            self._bell.set()

    async def run(self) -> None:
        """Sweep until cancelled; a store that fails is asked again later."""
        while True:
            await self._sweep()
            end = self._clock.monotonic() + await self._pause_s()
            while (left_s := end - self._clock.monotonic()) > 0:
                await sleep_until(self._bell, self._clock, left_s)
                if self._bell.is_set():  # a sweep costs more than a look at the next expiry
                    self._bell.clear()
                    end = min(end, self._clock.monotonic() + await self._pause_s())

    async def _sweep(self) -> None:
        try:
            if self._clock.monotonic() - self._unnamed_at >= UNNAMED_EVERY_S:
                if unnamed := await self._cache.sweep_unnamed(self._named_by):
                    log.info("pictures of no result deleted", extra={"action": "cache_swept", "pictures": unnamed})
                self._unnamed_at = self._clock.monotonic()
            swept = await self._cache.sweep()
        except Exception:  # whatever it is, pictures must not stay for ever because this task died of it
            log.exception("could not sweep the media store", extra={"action": "cache_swept"})
        else:
            if swept:
                log.info("expired pictures deleted", extra={"action": "cache_swept", "pictures": swept})

        try:
            await self._prune_words()
        except Exception:
            log.exception("could not delete old words", extra={"action": "words_deleted"})

    async def _pause_s(self) -> float:
        """Return the seconds until the next picture ends, within reason."""
        try:
            expiry = await self._cache.next_expiry()
        except Exception:
            log.exception("could not ask the media store", extra={"action": "cache_swept"})
            return RETRY_S
        left_s = (expiry - self._clock.now()).total_seconds() if expiry else LONGEST_PAUSE_S
        return max(SHORTEST_PAUSE_S, min(LONGEST_PAUSE_S, left_s))
