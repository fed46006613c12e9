"""One backend's lane: who waits, who runs, and whether the next may start now."""

from dataclasses import dataclass, field

from constants import RETRY_BASE_S
from generation.errors import BackendUnavailable, GenerationError, RateLimited
from scheduling.breaker import CircuitBreaker
from scheduling.fair_queue import FairQueue
from scheduling.pace import Pace
from scheduling.rate_limit import TokenBucket
from utils.clock import Clock


@dataclass(frozen=True, kw_only=True)
class Running:
    """A started job: whose it is, when it began (monotonic seconds), and its share of the lane."""

    user_key: str
    cost: float
    model: str | None
    since: float


@dataclass(frozen=True, kw_only=True)
class LaneView:
    """A lane as `/queue` and `/status` show it. Times in seconds from now."""

    name: str
    waiting: int
    running: int
    concurrency: int
    paused_s: float
    is_broken: bool
    wait_s: float  # expected wait of a job that came now


@dataclass
class Lane:
    """Slots are reckoned from the set of running ids, never counted up and down."""

    name: str
    clock: Clock
    concurrency: int = 1
    rate_per_s: float | None = None
    queue: FairQueue = field(default_factory=FairQueue)
    running: dict[str, Running] = field(default_factory=dict)
    pace: Pace = field(default_factory=Pace)
    paused_until: float = 0.0
    warm_model: str | None = None

    def __post_init__(self) -> None:
        self.bucket = TokenBucket(self.rate_per_s, self.clock)
        self.breaker = CircuitBreaker(self.clock)

    def hold_s(self) -> float:
        """Seconds until this lane may start a job, apart from free slots; 0 = now, inf = until something happens."""
        pause = self.paused_until - self.clock.monotonic()
        return max(0.0, pause, self.breaker.wait_s(), self.bucket.wait_s())

    @property
    def has_slot(self) -> bool:
        return len(self.running) < self.concurrency

    def pause(self, seconds: float) -> None:
        self.paused_until = max(self.paused_until, self.clock.monotonic() + seconds)

    def refresh(self, concurrency: int, rate_per_s: float | None) -> None:
        """Take over changed settings."""
        self.concurrency = concurrency
        if rate_per_s != self.rate_per_s:
            self.rate_per_s = rate_per_s
            self.bucket = TokenBucket(rate_per_s, self.clock)

    def judge(self, job_id: str, error: GenerationError) -> float:
        """Take in what a failure says about the engine; return the seconds it asked us to wait (0 = none)."""
        if isinstance(error, RateLimited):
            pause_s = error.retry_after if error.retry_after is not None else RETRY_BASE_S
            self.pause(pause_s)
            self.breaker.released(job_id)
            return pause_s
        if isinstance(error, BackendUnavailable):
            self.breaker.failed(job_id)
        else:
            self.breaker.released(job_id)
        return 0.0

    def wait_for(self, job_id: str) -> float:
        """Expected seconds until a waiting job starts."""
        return self._wait(self.queue.cost_ahead(job_id))

    def wait_s(self) -> float:
        """Expected seconds until a job that came now would start (fairness may well be kinder)."""
        return self._wait(self.queue.total_cost)

    def remaining_s(self, job_id: str) -> float | None:
        """Expected seconds until a running job is done."""
        run = self.running.get(job_id)
        if run is None or not self.pace.is_learned:
            return None
        return max(0.0, self.pace.seconds(run.model, run.cost) - (self.clock.monotonic() - run.since))

    def view(self) -> LaneView:
        return LaneView(
            name=self.name,
            waiting=len(self.queue),
            running=len(self.running),
            concurrency=self.concurrency,
            paused_s=max(0.0, self.paused_until - self.clock.monotonic()),
            is_broken=self.breaker.is_open,
            wait_s=self.wait_s(),
        )

    def _wait(self, cost_ahead: float) -> float:
        now = self.clock.monotonic()
        left = sum(max(0.0, self.pace.seconds(r.model, r.cost) - (now - r.since)) for r in self.running.values())
        busy = (left + self.pace.seconds(self.warm_model, cost_ahead)) / self.concurrency
        if self.has_slot and not cost_ahead:
            busy = 0.0
        hold = self.hold_s()
        return busy + (hold if hold != float("inf") else 0.0)
