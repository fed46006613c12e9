"""Spends a channel's small edit budget well: finished pictures first, and of progress only the newest.

Discord allows about 5 edits in 5 s per channel (per token for interactions). A library that obeys the headers queues
edits first in, first out, so a finished picture would wait behind stale progress. Here at most one progress edit is
sent per gap, the newest state of the message that waited longest, and a slot per window stays free for a final.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import field
from functools import partial
from typing import Any

from lazy import dataclass
from utils.clock import Clock, sleep_until
from utils.loops import Loops

log = logging.getLogger(__name__)

LOOP = "edits"
GAP_S = 1.25  # 5 edits in 5 s, one of them kept for a final
MAX_GAP_S = 10.0
GLOBAL_GAP_S = 1 / 25  # half of Discord's 50 requests a second is left for everything else
Send = Callable[[], Awaitable[Any]]


@dataclass
class _Bucket:
    finals: deque[tuple[Send, asyncio.Future[Any]]] = field(default_factory=deque)
    latest: dict[str, Send] = field(default_factory=dict)  # message key -> newest edit, in the order they began waiting
    bell: asyncio.Event = field(default_factory=asyncio.Event)
    last: float = float("-inf")
    gap_s: float = GAP_S


class Spender:
    """One short-lived loop per busy bucket (a channel id or an interaction token)."""

    def __init__(self, clock: Clock, loops: Loops) -> None:
        self._clock = clock
        self._loops = loops
        self._buckets: dict[str, _Bucket] = {}
        self._last_progress = float("-inf")

    def offer(self, bucket_key: str, message_key: str, send: Send) -> None:
        """Send this progress edit when there is room; a newer one for the same message replaces it."""
        bucket = self._open(bucket_key)
        bucket.latest[message_key] = send
        bucket.bell.set()

    async def final(self, bucket_key: str, message_key: str, send: Send) -> Any:
        """Send an edit that must arrive, before any progress; return or raise what `send` does."""
        bucket = self._open(bucket_key)
        bucket.latest.pop(message_key, None)
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        bucket.finals.append((send, future))
        bucket.bell.set()
        return await future

    async def aclose(self) -> None:
        for key, bucket in list(self._buckets.items()):
            await self._loops.cancel(LOOP, part=key)
            for _, future in bucket.finals:
                future.cancel()
        self._buckets.clear()

    def _open(self, key: str) -> _Bucket:
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = _Bucket()
            self._loops.start(LOOP, partial(self._spend, key, bucket), part=key, may_end=True)
        return bucket

    async def _spend(self, key: str, bucket: _Bucket) -> None:
        """Send what waits until nothing has for a while; if this dies, what waits is sent when it runs again."""
        while True:
            bucket.bell.clear()
            if bucket.finals:
                await self._send_final(bucket)
            elif bucket.latest:
                wait_s = self._wait_s(bucket)
                if wait_s > 0:
                    await sleep_until(bucket.bell, self._clock, wait_s)
                else:
                    await self._send_progress(bucket)
            elif self._clock.monotonic() - bucket.last > MAX_GAP_S:
                del self._buckets[key]  # idle long enough for its budget to be whole again: nothing to remember
                return
            else:
                await sleep_until(bucket.bell, self._clock, MAX_GAP_S)

    def _wait_s(self, bucket: _Bucket) -> float:
        now = self._clock.monotonic()
        return max(bucket.last + bucket.gap_s - now, self._last_progress + GLOBAL_GAP_S - now)

    async def _send_final(self, bucket: _Bucket) -> None:
        send, future = bucket.finals.popleft()
        try:
            result = await send()
        except asyncio.CancelledError:
            future.cancel()
            raise
        except Exception as error:
            if not future.cancelled():
                future.set_exception(error)
        else:
            if not future.cancelled():
                future.set_result(result)
        bucket.last = self._clock.monotonic()

    async def _send_progress(self, bucket: _Bucket) -> None:
        message_key = next(iter(bucket.latest))
        send = bucket.latest.pop(message_key)
        began = self._last_progress = self._clock.monotonic()
        try:
            await send()
        except Exception as error:  # a lost progress edit costs nothing: the next one or the final shows the state
            log.debug("progress edit failed: %s", type(error).__name__)
        bucket.last = self._clock.monotonic()
        # an edit that took longer than the gap was held back by a rate limit: slow down, then recover
        if bucket.last - began > bucket.gap_s:
            bucket.gap_s = min(MAX_GAP_S, bucket.gap_s * 2)
        else:
            bucket.gap_s = max(GAP_S, bucket.gap_s * 0.9)
