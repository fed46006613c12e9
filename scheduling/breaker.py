"""A circuit breaker: a backend that keeps failing rests, longer each time, and is then tried with one job."""

from constants import BREAKER_BASE_S, BREAKER_FAILURES, BREAKER_MAX_S
from utils.clock import Clock


class CircuitBreaker:
    """Closed: jobs flow. Open: none until `retry_at`. Half open: one job decides."""

    def __init__(self, clock: Clock, *, failures: int = BREAKER_FAILURES, base_s: float = BREAKER_BASE_S) -> None:
        self._clock = clock
        self._limit = failures
        self._base_s = base_s
        self._failures = 0
        self._opened = 0  # how often it has opened since the last success
        self._open_until = 0.0
        self._is_trying = False

    @property
    def is_open(self) -> bool:
        return self._failures >= self._limit

    def wait_s(self) -> float:
        """Seconds until the next job may start; infinite while a trial job is out."""
        if not self.is_open:
            return 0.0
        if self._is_trying:
            return float("inf")
        return max(0.0, self._open_until - self._clock.monotonic())

    def started(self) -> None:
        if self.is_open:
            self._is_trying = True

    def succeeded(self) -> None:
        self._failures = self._opened = 0
        self._is_trying = False

    def released(self) -> None:
        """A trial ended without telling anything about the backend (it was cancelled): another may try."""
        self._is_trying = False

    def failed(self) -> None:
        self._is_trying = False
        self._failures += 1
        if self.is_open:
            self._opened += 1
            pause = min(BREAKER_MAX_S, self._base_s * 2 ** (self._opened - 1))
            self._open_until = self._clock.monotonic() + pause

    def close(self) -> None:
        """The backend was seen to answer: let jobs flow again at once."""
        self.succeeded()
