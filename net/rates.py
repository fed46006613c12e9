"""Published rates, kept by the caller.

Source: the servers' own limits (fixed windows per address and path).
"""

from collections import deque
from typing import Final

from lazy import dataclass
from utils.clock import Clock

RATE_MARGIN_S: Final = 0.1  # calls that leave on time may reach the server closer together


@dataclass(frozen=True)
class Rate:
    """At most `calls` in `seconds`."""

    calls: int
    seconds: float


class RateWindow:
    """Keeps published rates, for each key (a path, say) by itself.

    The servers count in fixed windows of their own clock. A window that slides with every call never holds more than a
    fixed one may, wherever that begins.
    """

    def __init__(self, clock: Clock, *rates: Rate) -> None:
        self._clock = clock
        self._rates = rates
        self._longest_s = max(rate.seconds for rate in rates) + RATE_MARGIN_S
        self._calls: dict[str, deque[float]] = {}
        self._held_until: dict[str, float] = {}

    def wait_s(self, key: str = "") -> float:
        """Seconds until the next call is allowed (0 = now). Takes nothing."""
        now = self._clock.monotonic()
        calls = self._calls.get(key, deque())
        until = self._held_until.get(key, now)
        for rate in self._rates:
            if len(calls) >= rate.calls:
                until = max(until, calls[-rate.calls] + rate.seconds + RATE_MARGIN_S)
        return max(0.0, until - now)

    async def take(self, key: str = "") -> None:
        """Wait for the next allowed moment and take it."""
        while (wait := self.wait_s(key)) > 0:
            await self._clock.sleep(wait)
        self._forget_old()
        self._calls.setdefault(key, deque()).append(self._clock.monotonic())

    def hold(self, seconds: float, key: str = "") -> None:
        """Allow nothing for so long: the server said so."""
        self._held_until[key] = max(self._held_until.get(key, 0.0), self._clock.monotonic() + seconds)

    def _forget_old(self) -> None:
        now = self._clock.monotonic()
        for key, calls in tuple(self._calls.items()):
            while calls and calls[0] < now - self._longest_s:
                calls.popleft()
            if not calls:
                del self._calls[key]
        self._held_until = {key: until for key, until in self._held_until.items() if until > now}
