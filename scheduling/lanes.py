"""All lanes of one process, and which jobs wait in them: the index over the queued rows of the store."""

import heapq
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from generation.job import Job, JobStatus, JobView, Progress
from scheduling.fair_queue import Served
from scheduling.lane import Lane, LaneView, Running
from scheduling.pace import Pace
from utils.clock import Clock


@dataclass(frozen=True, kw_only=True)
class LaneSettings:
    """What an engine's owner set: jobs at once, and starts per second (`None` = as fast as it goes)."""

    concurrency: int = 1
    rate_per_s: float | None = None


class Lanes:
    """Queued, delayed and running jobs by lane. Memory only; rebuilt at start."""

    def __init__(self, clock: Clock, settings_of: Callable[[str], LaneSettings | None]) -> None:
        self._clock = clock
        self._settings_of = settings_of
        self._lanes: dict[str, Lane] = {}
        self._delayed: list[tuple[float, str, Job]] = []
        self._paces: dict[str, dict[str, tuple[float, int]]] = {}
        self.waiting: dict[str, str] = {}  # job id -> user key, of every queued or delayed job
        self.running: dict[str, Job] = {}

    def __iter__(self) -> Iterator[Lane]:
        return iter(tuple(self._lanes.values()))

    def get(self, name: str) -> Lane:
        """Return the lane of an engine, opened on first use."""
        lane = self._lanes.get(name)
        if lane is None:
            settings = self._settings_of(name) or LaneSettings()
            lane = Lane(name=name, clock=self._clock, concurrency=settings.concurrency, rate_per_s=settings.rate_per_s)
            lane.pace = Pace(by_model=dict(self._paces.get(name, {})))
            self._lanes[name] = lane
        return lane

    def refresh(self, name: str, *, is_up: bool) -> None:
        """An engine came, went or was probed: take its settings over; one that answers may start at once."""
        lane = self._lanes.get(name)
        if lane is None:
            return
        settings = self._settings_of(name)
        if settings is None:
            if not lane.queue and not lane.running:
                del self._lanes[name]
            return
        lane.concurrency = settings.concurrency
        if is_up:
            lane.breaker.close()

    def enqueue(self, job: Job, *, was_served: bool = False) -> None:
        """Put a queued job in line, or aside until its `not_before`."""
        self.waiting[job.id] = job.user_key
        delay = (job.not_before - self._clock.now()).total_seconds() if job.not_before else 0.0
        if delay > 0:
            heapq.heappush(self._delayed, (self._clock.monotonic() + delay, job.id, job))
        else:
            self._push(job, was_served)

    def put_back(self, lane: Lane, served: Served) -> None:
        lane.queue.push_back(served.user_key, served.job_id, served.cost, model=served.model)

    def withdraw(self, job: Job) -> None:
        """Take a cancelled job out of the line."""
        self.waiting.pop(job.id, None)
        if job.lane in self._lanes:
            self._lanes[job.lane].queue.remove(job.id)

    def release_delayed(self) -> float:
        """Put jobs whose time has come in line; return the seconds until the next one (inf = none)."""
        now = self._clock.monotonic()
        while self._delayed and self._delayed[0][0] <= now:
            _, job_id, job = heapq.heappop(self._delayed)
            if job_id in self.waiting:
                self._push(job, was_served=True)
        return self._delayed[0][0] - now if self._delayed else float("inf")

    def started(self, job: Job) -> None:
        lane = self.get(job.lane)
        lane.running[job.id] = Running(
            user_key=job.user_key, cost=job.drawn.cost, model=job.drawn.model, since=self._clock.monotonic()
        )
        lane.breaker.started()
        self.running[job.id] = job

    def ended(self, job_id: str) -> tuple[Job, Lane, Running] | None:
        """Free the slot of a job; `None` if it no longer runs."""
        job = self.running.pop(job_id, None)
        if job is None:
            return None
        lane = self.get(job.lane)
        return job, lane, lane.running.pop(job_id)

    def users_at_limit(self, limit: int) -> set[str]:
        counts = Counter(job.user_key for job in self.running.values())
        return {user for user, count in counts.items() if count >= limit}

    def waiting_of(self, user_key: str) -> int:
        return sum(1 for user in self.waiting.values() if user == user_key)

    def view(self, job: Job, progress: Progress | None) -> JobView:
        """Say where a job stands now."""
        lane = self._lanes.get(job.lane)
        if job.status is JobStatus.RUNNING:
            return JobView(job=job, progress=progress, eta_s=lane.remaining_s(job.id) if lane else None)
        if job.status is JobStatus.QUEUED and lane and job.id in lane.queue:
            return JobView(job=job, position=lane.queue.position(job.id), eta_s=lane.wait_for(job.id))
        return JobView(job=job)

    def views(self) -> list[LaneView]:
        return [lane.view() for lane in self._lanes.values()]

    def load_paces(self, paces: dict[str, dict[str, tuple[float, int]]]) -> None:
        self._paces = paces

    def _push(self, job: Job, was_served: bool) -> None:
        queue = self.get(job.lane).queue
        if was_served:
            queue.push_back(job.user_key, job.id, job.drawn.cost, model=job.drawn.model)
        else:
            queue.push(job.user_key, job.id, job.drawn.cost, weight=job.weight, model=job.drawn.model)
