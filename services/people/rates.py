"""Rates of use, counted in this process, or in whatever store several processes share."""

from collections import OrderedDict
from typing import Final, Protocol

from scheduling.rate_limit import TokenBucket
from utils.clock import Clock

MOST_NAMES: Final = 4096


class Rates(Protocol):
    """Counts uses by name. Another store takes the place of `MemoryRates` in `AccessService`."""

    async def take(self, name: str, per_minute: float) -> float:
        """Use it once and return 0, or return after how many seconds that may be done again."""
        ...

    def forget(self, name: str) -> None: ...


class MemoryRates:
    """A restart forgets a minute at most. A minute's worth may come at once."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._buckets: OrderedDict[str, TokenBucket] = OrderedDict()

    async def take(self, name: str, per_minute: float) -> float:
        bucket = self._buckets.get(name)
        if bucket is None:
            bucket = self._buckets[name] = TokenBucket(per_minute / 60, self._clock, burst=per_minute)
            if len(self._buckets) > MOST_NAMES:
                self._buckets.popitem(last=False)
        return 0.0 if bucket.take() else bucket.wait_s()

    def forget(self, name: str) -> None:
        self._buckets.pop(name, None)
