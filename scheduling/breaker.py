"""A circuit breaker: a backend that keeps failing rests, longer each time, and is then tried with one job."""

from constants import BREAKER_BASE_S, BREAKER_FAILURES, BREAKER_MAX_S
from utils.clock import Clock


class CircuitBreaker:
    """Closed: jobs flow. Open: none until the pause is over. Half open: one job, named by its id, decides."""

    def __init__(self, clock: Clock, *, failures: int = BREAKER_FAILURES, base_s: float = BREAKER_BASE_S) -> None:
        self._clock = clock
        self._limit = failures
        self._base_s = base_s
        self._failures = 0
        self._opened = 0  # how often it has opened since the last success
        self._open_until = 0.0
        self._trial: str | None = None

    @property
    def is_open(self) -> bool:
        return self._failures >= self._limit

    def wait_s(self) -> float:
        """Seconds until the next job may start; infinite while a trial job is out."""
        if not self.is_open:
            return 0.0
        if self._trial is not None:
            return float("inf")
        return max(0.0, self._open_until - self._clock.monotonic())

    def started(self, job_id: str) -> None:
        if self.is_open and self._trial is None:
            self._trial = job_id

    def succeeded(self) -> None:
        """The backend was seen to answer: let jobs flow again at once."""
        self._failures = self._opened = 0
        self._trial = None

    def released(self, job_id: str) -> None:
        """A job ended without telling anything about the backend: if it was the trial, another may try."""
        if self._trial == job_id:
            self._trial = None

    def failed(self, job_id: str) -> None:
        if self.is_open and self._trial != job_id:
            return  # it was on its way before the breaker opened: no news
        self._trial = None
        self._failures += 1
        if self.is_open:
            self._opened += 1
            pause = min(BREAKER_MAX_S, self._base_s * 2 ** (self._opened - 1))
            self._open_until = self._clock.monotonic() + pause
