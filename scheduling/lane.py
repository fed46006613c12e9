"""One backend's lane: who waits, who runs, and whether the next may start now."""

from collections.abc import Collection
from dataclasses import field, replace
from datetime import datetime

from constants import RETRY_BASE_S
from generation.errors import BackendGone, BackendUnavailable, GenerationError, RateLimited
from generation.job import Hold
from lazy import dataclass
from scheduling.breaker import CircuitBreaker
from scheduling.fair_queue import FairQueue, Served
from scheduling.pace import Pace
from scheduling.rate_limit import TokenBucket
from scheduling.way import EngineWay
from utils.clock import Clock

MODEL_SWITCH_S = 15.0  # about what an engine takes to load another model
OVERRUN = 0.1  # of its expected time: what a job that should be done by now is still given
HEAD_START_S = 0.5  # the next job is there this much before the last is done, at a server that lines requests up
MOST_COMING = 2  # for each job an engine draws at once: whose pictures are under way while it draws the next


@dataclass(frozen=True, kw_only=True)
class LaneSettings:
    """Limits that an engine's owner set: jobs at once, and starts per second (`None` = as fast as it goes).

    `lines_up`: the server takes a request while another is drawn and does them in order.
    """

    concurrency: int = 1
    rate_per_s: float | None = None
    lines_up: bool = False


@dataclass(frozen=True, kw_only=True)
class Running:
    """A started job: whose it is, when it began (monotonic seconds), and its share of the lane."""

    user_key: str
    cost: float
    model: str | None
    since: float
    is_ahead: bool = False  # sent before its turn, it waits in the server for the one before
    was_ahead: bool = False  # it was, and began when that one was done
    drawn_at: float | None = None  # when its engine was done with it; its pictures are under way


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
    retry_s: float = 0.0  # until the next try of an engine that kept failing
    seconds_per_cost: float | None = None  # learned from its own jobs
    idle_s: float | None = None  # since it last had a job; `None` = none yet in this process
    is_stopped: bool = False  # an admin has paused it


@dataclass(frozen=True, kw_only=True, eq=False)
class Absence:
    """An engine that is gone: since when, and the error that said so."""

    since: datetime
    error: BackendGone


@dataclass
class Lane:
    """Slots are reckoned from the set of running ids, never counted up and down."""

    name: str
    clock: Clock
    settings: LaneSettings = field(default_factory=LaneSettings)
    queue: FairQueue = field(default_factory=FairQueue)
    coming: dict[str, float] = field(default_factory=dict)  # job id -> cost: on its way into the line, or out of it
    claiming: dict[str, Served] = field(default_factory=dict)  # whose start is on its way to the disk
    running: dict[str, Running] = field(default_factory=dict)
    settling: set[str] = field(default_factory=set)  # failed ones of which it is not decided yet what becomes of them
    pace: Pace = field(default_factory=Pace)
    way: EngineWay = field(default_factory=EngineWay)
    paused_until: float = 0.0
    is_stopped: bool = False  # an admin has paused it
    absence: Absence | None = None  # while it lasts nothing starts: a probe finds out when the engine is back
    warm_model: str | None = None
    used_at: float | None = None  # when a job last began or ended (monotonic seconds)

    def __post_init__(self) -> None:
        self.bucket = TokenBucket(self.settings.rate_per_s, self.clock)
        self.breaker = CircuitBreaker(self.clock)
        self._knows_pace_alone = self.pace.is_learned  # without the way; an earlier process has learned it

    def take(self, blocked: Collection[str]) -> Served | None:
        """Take the next job of a user not in `blocked` out of the line; until it runs, it is on its way."""
        served = self.queue.pop(blocked=blocked, warm_model=self.warm_model)
        if served is not None:
            self.coming[served.job_id] = served.cost
        return served

    def hold_s(self) -> float:
        """Seconds until this lane may start a job, apart from free slots; 0 = now, inf = until something happens."""
        if self.absence or self.is_stopped:
            return float("inf")
        pause = self.paused_until - self.clock.monotonic()
        return max(0.0, pause, self.breaker.wait_s(), self.bucket.wait_s())

    def held(self) -> tuple[Hold, float]:
        """Return whether the engine's state keeps jobs waiting, and for how many seconds (0 = until a trial ends)."""
        if self.is_stopped:
            return Hold.STOPPED, 0.0
        if self.is_down:
            wait_s = self.hold_s()
            return Hold.DOWN, wait_s if wait_s != float("inf") else 0.0
        pause = self.paused_until - self.clock.monotonic()
        return (Hold.PAUSED, pause) if pause > 0 else (Hold.NONE, 0.0)

    def slot_s(self) -> float:
        """Seconds until a slot is there for the next job; inf = when a running one ends.

        Where the server lines requests up, the next one is sent before the last is expected to be done, by the time
        that it needs to get there and a moment more: while pictures travel back the engine already draws.
        """
        there = self._there
        if len(self.running) - len(there) >= MOST_COMING * self.concurrency:
            return float("inf")  # the line is slower than the engine
        if self.claiming and (self.settings.rate_per_s is not None or self.breaker.is_open):
            return float("inf")  # it is known what the next may do when that one has started
        if self.has_slot:
            return 0.0
        coming = len(there) + len(self.claiming)
        if not self.settings.lines_up or not self.pace.is_learned or coming > self.concurrency:
            return float("inf")
        if self.settling or self.queue.is_first_returned:
            return float("inf")  # the server lost it, and what runs there may be lost as well: that one goes first
        head_start_s = HEAD_START_S + self.way.seconds(self.pace)
        claimed = (self.pace.seconds(served.model, served.cost) for served in self.claiming.values())
        return max(0.0, min((*map(self._left_s, there), *claimed), default=0.0) - head_start_s)

    @property
    def is_down(self) -> bool:
        return self.absence is not None or self.breaker.is_open

    def answered(self) -> None:
        """The engine was seen to answer: let jobs flow again at once."""
        self.absence = None
        self.breaker.succeeded()

    @property
    def concurrency(self) -> int:
        return self.settings.concurrency

    @property
    def has_slot(self) -> bool:
        return len(self._there) + len(self.claiming) + len(self.settling) < self.concurrency

    @property
    def _there(self) -> list[Running]:
        """Return what the engine draws, and what waits there."""
        return [run for run in self.running.values() if run.drawn_at is None]

    def started(self, job_id: str, run: Running) -> None:
        self.running[job_id] = replace(run, is_ahead=len(self._there) + len(self.settling) >= self.concurrency)
        self.used_at = self.clock.monotonic()
        self.breaker.started(job_id)

    def ended(self, job_id: str) -> Running:
        """Free a slot; a job that was sent ahead begins now."""
        run = self.running.pop(job_id)
        self.used_at = self.clock.monotonic()
        if run.drawn_at is None:
            self._begin_next(run)
        return run

    def drawn(self, job_id: str) -> bool:
        """The engine is done with a job whose pictures are under way: free its slot there; false if it was known."""
        run = self.running.get(job_id)
        if run is None or run.drawn_at is not None or not self.settings.lines_up:
            return False
        self._begin_next(run)
        self.running[job_id] = replace(run, is_ahead=False, drawn_at=self.clock.monotonic())
        return True

    def learn(self, run: Running) -> float:
        """Take in how long a job took its engine, which was done with it now or before; return the seconds."""
        seconds = (run.drawn_at or self.clock.monotonic()) - run.since
        if run.was_ahead:
            if not self._knows_pace_alone:
                self._knows_pace_alone = True
                self.pace.forget(run.model)  # it holds the way, too
            self.pace.learn(run.model, run.cost, seconds)
        else:
            if self.settings.lines_up and run.model == self.warm_model:
                self.way.learn(run.model, run.cost, seconds)
            self.pace.learn(run.model, run.cost, max(0.0, seconds - self.way.seconds(self.pace)))
        self.warm_model = run.model
        return seconds

    def _begin_next(self, run: Running) -> None:
        """Let the job that waits in the server begin where `run` was drawn."""
        for other_id, other in self.running.items():
            if other.is_ahead and not run.is_ahead:
                now = self.clock.monotonic()
                self.running[other_id] = replace(other, is_ahead=False, was_ahead=True, since=now)
                break

    @property
    def ahead(self) -> int:
        """Return how many were sent before their turn, and wait in the server."""
        return sum(run.is_ahead for run in self.running.values())

    def pause(self, seconds: float) -> None:
        self.paused_until = max(self.paused_until, self.clock.monotonic() + seconds)

    def refresh(self, settings: LaneSettings) -> None:
        """Take over changed settings."""
        if settings.rate_per_s != self.settings.rate_per_s:
            self.bucket = TokenBucket(settings.rate_per_s, self.clock)
        self.settings = settings

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
        return self._wait(self.queue.cost_ahead(job_id), (self.queue.position(job_id) or 1) - 1)

    def wait_s(self, model: str | None = None) -> float:
        """Expected seconds until a job that came now would start (fairness may well be kinder).

        One that wants another model than the last job's waits for that to be loaded, too.
        """
        is_cold = bool(model and self.warm_model and model != self.warm_model)
        cost, jobs = self.queue.total_cost + sum(self.coming.values()), len(self.queue) + len(self.coming)
        return self._wait(cost, jobs) + (MODEL_SWITCH_S if is_cold else 0.0)

    def remaining_s(self, job_id: str) -> float | None:
        """Expected seconds until a running job is done."""
        run = self.running.get(job_id)
        if run is None or not self.pace.is_learned:
            return None
        return self._left_s(run)

    def view(self) -> LaneView:
        retry_s = self.breaker.wait_s()
        return LaneView(
            name=self.name,
            waiting=len(self.queue) + self.ahead,
            running=len(self.running) - self.ahead,
            concurrency=self.concurrency,
            paused_s=max(0.0, self.paused_until - self.clock.monotonic()),
            is_broken=self.is_down,
            wait_s=self.wait_s(),
            retry_s=retry_s if retry_s != float("inf") else 0.0,
            seconds_per_cost=self.pace.by_model[""][0] if self.pace.is_learned else None,
            idle_s=self.idle_s(),
            is_stopped=self.is_stopped,
        )

    def idle_s(self) -> float | None:
        """Seconds since it last had a job; 0 while it has one, `None` if it had none yet."""
        if self.running:
            return 0.0
        return self.clock.monotonic() - self.used_at if self.used_at is not None else None

    def _wait(self, cost_ahead: float, jobs_ahead: int) -> float:
        busy = 0.0
        there = self._there
        if len(there) + jobs_ahead >= self.concurrency:
            # one that runs for longer than expected is no free slot
            left = sum(max(self._left_s(run), OVERRUN * self._expected_s(run)) for run in there)
            busy = (left + self.pace.seconds(self.warm_model, cost_ahead)) / self.concurrency
        hold = self.hold_s()
        return busy + (hold if hold != float("inf") else 0.0)

    def _left_s(self, run: Running) -> float:
        if run.drawn_at is not None:
            return 0.0
        spent = 0.0 if run.is_ahead else self.clock.monotonic() - run.since
        return max(0.0, self._expected_s(run) - spent)

    def _expected_s(self, run: Running) -> float:
        return self.pace.seconds(run.model, run.cost)
