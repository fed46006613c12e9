"""All lanes of one process, and which jobs wait in them: the index over the queued rows of the store."""

import heapq
from collections import Counter
from collections.abc import Callable, Iterator
from statistics import median

from constants import DEFAULT_SECONDS_PER_COST
from generation.job import Job, JobStatus, JobView, Progress
from scheduling.fair_queue import Served
from scheduling.lane import Lane, LaneSettings, LaneView, Running
from scheduling.pace import Pace
from utils.clock import Clock


class Lanes:
    """Queued, delayed and running jobs by lane. Memory only; rebuilt at start."""

    def __init__(self, clock: Clock, settings_of: Callable[[str], LaneSettings | None]) -> None:
        self._clock = clock
        self._settings_of = settings_of
        self._lanes: dict[str, Lane] = {}
        self._delayed: list[tuple[float, str, Job]] = []
        self._paces: dict[str, dict[str, tuple[float, int]]] = {}
        self._born: list[tuple[float, str]] = []  # a heap: when jobs were submitted (monotonic seconds), job id
        self._waiting: dict[str, tuple[str, str]] = {}  # job id -> user key and lane, of every queued or delayed job
        self._waiting_of: Counter[str] = Counter()
        self.running: dict[str, Job] = {}
        self.progress: dict[str, Progress] = {}

    def __iter__(self) -> Iterator[Lane]:
        return iter(tuple(self._lanes.values()))

    def get(self, name: str) -> Lane:
        """Return the lane of an engine, opened on first use."""
        lane = self._lanes.get(name)
        if lane is None:
            settings = self._settings_of(name) or LaneSettings()
            lane = Lane(name=name, clock=self._clock, settings=settings)
            lane.pace = Pace(by_model=dict(self._paces.get(name, {})), guess=self._usual_pace)
            self._lanes[name] = lane
        return lane

    def refresh(self, name: str, *, is_up: bool) -> None:
        """An engine came, went or was probed: take its settings over; one that answers may start at once."""
        lane = self._lanes.get(name)
        if lane is None:
            return
        settings = self._settings_of(name)
        if settings is not None:
            lane.refresh(settings)
        else:
            lane.paused_until = 0.0  # what waits for an engine that is gone must not wait for its return
        if is_up or settings is None:
            lane.breaker.succeeded()

    def drop_empty(self) -> None:
        """Forget the lanes of engines that are gone, once nothing is left in them."""
        for name, lane in tuple(self._lanes.items()):
            is_empty = not (lane.queue or lane.coming or lane.running)
            if is_empty and self._settings_of(name) is None:
                self._paces[name] = lane.pace.by_model
                del self._lanes[name]

    @property
    def waiting(self) -> int:
        """How many jobs are queued or delayed, in all lanes."""
        return len(self._waiting)

    def is_waiting(self, job_id: str) -> bool:
        return job_id in self._waiting

    def waiting_of(self, user_key: str) -> int:
        return self._waiting_of[user_key]

    def reserve(self, job: Job) -> None:
        """Count a job as waiting, before it has its place in line: who comes at the same time must see it."""
        if job.id not in self._waiting:
            self._waiting[job.id] = (job.user_key, job.lane)
            self._waiting_of[job.user_key] += 1
            self.get(job.lane).coming[job.id] = job.drawn.cost

    def release(self, job_id: str) -> bool:
        """Count a job as waiting no more; false if it was not (it was cancelled, say)."""
        user_key, lane = self._waiting.pop(job_id, ("", ""))
        if not lane:
            return False
        if lane in self._lanes:
            self._lanes[lane].coming.pop(job_id, None)
        self._waiting_of[user_key] -= 1
        if not self._waiting_of[user_key]:
            del self._waiting_of[user_key]
        return True

    def enqueue(self, job: Job, *, was_served: bool = False) -> None:
        """Put a queued job in line, or aside until its `not_before`."""
        self.reserve(job)
        self.get(job.lane).coming.pop(job.id, None)
        age_s = (self._clock.now() - job.created_at).total_seconds()
        heapq.heappush(self._born, (self._clock.monotonic() - age_s, job.id))
        delay = (job.not_before - self._clock.now()).total_seconds() if job.not_before else 0.0
        if delay > 0:
            heapq.heappush(self._delayed, (self._clock.monotonic() + delay, job.id, job))
        else:
            self._push(job, was_served)

    def overdue(self, limit_s: float) -> tuple[list[str], float]:
        """Return the waiting jobs submitted over `limit_s` ago, and the seconds until the next one is (inf = none)."""
        late: list[str] = []
        while self._born:
            born, job_id = self._born[0]
            left_s = born + limit_s - self._clock.monotonic()
            if job_id in self._waiting and left_s > 0:
                return late, left_s
            heapq.heappop(self._born)
            if job_id in self._waiting:
                late.append(job_id)
        return late, float("inf")

    def put_back(self, lane: Lane, served: Served) -> None:
        """Undo a pop, unless the job was cancelled in the meantime."""
        if served.job_id not in self._waiting:
            return
        lane.coming.pop(served.job_id, None)
        lane.queue.push_back(served.user_key, served.job_id, served.cost, model=served.model)

    def withdraw(self, job: Job) -> None:
        """Take a job that was cancelled or given up out of the line."""
        self.release(job.id)
        if job.lane in self._lanes:
            self._lanes[job.lane].queue.remove(job.id)

    def release_delayed(self) -> float:
        """Put delayed jobs whose time has come in line; return the seconds until the next one (inf = none)."""
        now = self._clock.monotonic()
        while self._delayed and self._delayed[0][0] <= now:
            _, job_id, job = heapq.heappop(self._delayed)
            if job_id in self._waiting:
                self._push(job, was_served=True)
        return self._delayed[0][0] - now if self._delayed else float("inf")

    def started(self, job: Job) -> None:
        lane = self.get(job.lane)
        now = self._clock.monotonic()
        # a job taken up after a restart began earlier than now
        age_s = (self._clock.now() - job.started_at).total_seconds() if job.started_at else 0.0
        run = Running(user_key=job.user_key, cost=job.drawn.cost, model=job.drawn.model, since=now - max(0.0, age_s))
        lane.started(job.id, run)
        self.running[job.id] = job

    def ended(self, job_id: str) -> tuple[Job, Lane, Running] | None:
        """Free the slot of a job; `None` if it no longer runs."""
        job = self.running.pop(job_id, None)
        if job is None:
            return None
        lane = self.get(job.lane)
        return job, lane, lane.ended(job_id)

    def users_at_limit(self, limit: int) -> set[str]:
        counts = Counter(job.user_key for job in self.running.values())
        return {user for user, count in counts.items() if count >= limit}

    def view(self, job: Job) -> JobView:
        """Say where a job stands now."""
        lane = self._lanes.get(job.lane)
        if job.status is JobStatus.RUNNING:
            return JobView(
                job=job, progress=self.progress.get(job.id), eta_s=lane.remaining_s(job.id) if lane else None
            )
        if job.status is JobStatus.QUEUED and lane and job.id in lane.queue:
            hold, hold_s = lane.held()
            position = lane.queue.position(job.id)
            return JobView(job=job, position=position, eta_s=lane.wait_for(job.id), hold=hold, hold_s=hold_s)
        return JobView(job=job)

    def views(self) -> list[LaneView]:
        return [lane.view() for lane in self._lanes.values()]

    def load_pace(self, lane: str, model: str, seconds_per_cost: float, samples: int) -> None:
        """Take over what an earlier process has learned of a lane's speed; before the lane is first used."""
        self._paces.setdefault(lane, {})[model] = (seconds_per_cost, samples)

    def take_unsaved_paces(self) -> list[tuple[str, str, float, int]]:
        """Return (lane, model, seconds per cost, samples) of what was learned since the last call."""
        return [
            (lane.name, model, *lane.pace.by_model[model])
            for lane in self._lanes.values()
            for model in lane.pace.take_unsaved()
        ]

    def _usual_pace(self) -> float:
        """Seconds per cost of a lane that has not yet learned its own: as fast as the others here."""
        learned = [lane.pace.by_model[""][0] for lane in self._lanes.values() if lane.pace.is_learned]
        return median(learned) if learned else DEFAULT_SECONDS_PER_COST

    def _push(self, job: Job, was_served: bool) -> None:
        queue = self.get(job.lane).queue
        if was_served:
            queue.push_back(job.user_key, job.id, job.drawn.cost, model=job.drawn.model)
        else:
            queue.push(job.user_key, job.id, job.drawn.cost, weight=job.weight, model=job.drawn.model)
