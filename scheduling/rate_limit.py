"""A token bucket: how often a lane may start a job."""

from utils.clock import Clock


class TokenBucket:
    """`rate_per_s` tokens a second, at most `burst` saved up. `rate_per_s=None` never waits."""

    def __init__(self, rate_per_s: float | None, clock: Clock, burst: float = 1.0) -> None:
        self._rate = rate_per_s
        self._clock = clock
        self._burst = max(1.0, burst)
        self._tokens = self._burst
        self._at = clock.monotonic()

    def wait_s(self) -> float:
        """Seconds until a token is there (0 = now). Takes nothing."""
        if self._rate is None:
            return 0.0
        self._fill()
        # a float that missed 1.0 by an ulp would otherwise ask for a wait of 0.0000001 s
        return 0.0 if self._tokens >= 1.0 - 1e-9 else (1.0 - self._tokens) / self._rate

    def take(self) -> bool:
        """Take one token if there is one."""
        if self.wait_s() > 0:
            return False
        if self._rate is not None:
            self._tokens = max(0.0, self._tokens - 1.0)
        return True

    def _fill(self) -> None:
        now = self._clock.monotonic()
        self._tokens = min(self._burst, self._tokens + (now - self._at) * (self._rate or 0.0))
        self._at = now
