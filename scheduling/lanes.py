"""All lanes of one process, and which jobs wait in them: the index over the queued rows of the store."""

import heapq
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import count
from statistics import median
from typing import Final

from constants import DEFAULT_ENGINE_PATIENCE_S, DEFAULT_SECONDS_PER_COST
from generation.errors import BackendGone
from generation.job import Away, Job, JobStatus, JobView, Progress, Ticket, ticket_of
from scheduling.fair_queue import Served
from scheduling.lane import Absence, Lane, LaneSettings, LaneView, Running
from scheduling.pace import Pace
from utils.clock import Clock

# What waits for an engine that was removed does not wait for the job that still runs there: it moves or fails at once.
REMOVED: Final = LaneSettings(concurrency=1_000_000)


def _gone_since(ticket: Ticket, absence: Absence) -> datetime:
    """Return when the engine went away, as far as this job is concerned."""
    return ticket.away_since or max(ticket.created_at, absence.since)


class Lanes:
    """Queued, delayed and running jobs by lane. Memory only; rebuilt at start."""

    def __init__(
        self,
        clock: Clock,
        settings_of: Callable[[str], LaneSettings | None],
        *,
        patience_s: float = DEFAULT_ENGINE_PATIENCE_S,
    ) -> None:
        self._clock = clock
        self.patience_s = patience_s  # how long a job waits for an engine that is gone
        self._settings_of = settings_of
        self._lanes: dict[str, Lane] = {}
        self._delayed: list[tuple[float, str, Ticket]] = []
        self._paces: dict[str, dict[str, tuple[float, int]]] = {}
        self._born: list[tuple[float, str]] = []  # a heap: when jobs were submitted (monotonic seconds), job id
        self._patience: list[tuple[float, int, str, Absence]] = []  # a heap: when it ends (monotonic seconds), for whom
        self._order = count()
        self._waiting: dict[str, Ticket] = {}  # queued or delayed jobs
        self._waiting_of: Counter[str] = Counter()
        self._stopped: set[str] = set()  # lanes that an admin has paused
        self.running: dict[str, Job] = {}
        self.progress: dict[str, Progress] = {}

    def __iter__(self) -> Iterator[Lane]:
        return iter(tuple(self._lanes.values()))

    def get(self, name: str) -> Lane:
        """Return the lane of an engine, opened on first use."""
        lane = self._lanes.get(name)
        if lane is None:
            settings = self._settings_of(name) or LaneSettings()
            pace = Pace(by_model=dict(self._paces.get(name, {})), guess=self._usual_pace)
            is_stopped = name in self._stopped
            lane = Lane(name=name, clock=self._clock, settings=settings, pace=pace, is_stopped=is_stopped)
            self._lanes[name] = lane
        return lane

    def refresh(self, name: str, *, is_up: bool) -> bool:
        """An engine came, went or was probed: take its settings over; one that answers may start at once.

        True if it was gone and is back.
        """
        lane = self._lanes.get(name)
        if lane is None:
            return False
        was_away = lane.absence is not None
        settings = self._settings_of(name)
        lane.refresh(settings or REMOVED)
        if settings is None:
            lane.paused_until = 0.0  # what waits for an engine that is gone must not wait for its return
        if is_up or settings is None:
            lane.answered()
        return was_away and is_up

    def set_stopped(self, name: str, *, is_stopped: bool) -> None:
        """Let a lane start nothing more, or go on."""
        (self._stopped.add if is_stopped else self._stopped.discard)(name)
        self.get(name).is_stopped = is_stopped

    def drop_empty(self) -> None:
        """Forget the lanes of engines that are gone, once nothing is left in them."""
        for name, lane in tuple(self._lanes.items()):
            is_empty = not (lane.queue or lane.coming or lane.running)
            if is_empty and self._settings_of(name) is None:
                self._paces[name] = lane.pace.by_model
                del self._lanes[name]

    @property
    def waiting(self) -> int:
        """Return how many jobs are queued or delayed, in all lanes."""
        return len(self._waiting)

    def is_waiting(self, job_id: str) -> bool:
        return job_id in self._waiting

    def waiting_of(self, user_key: str) -> int:
        return self._waiting_of[user_key]

    def reserve(self, job: Job) -> None:
        """Count a job as waiting, before it has its place in line: who comes at the same time must see it."""
        if job.id not in self._waiting:
            self._waiting[job.id] = ticket_of(job)
            self._waiting_of[job.user_key] += 1
            self.get(job.lane).coming[job.id] = job.drawn.cost

    def release(self, job_id: str) -> bool:
        """Count a job as waiting no more; false if it was not (it was cancelled, say)."""
        waited = self._waiting.pop(job_id, None)
        if waited is None:
            return False
        if waited.lane in self._lanes:
            self._lanes[waited.lane].coming.pop(job_id, None)
        self._waiting_of[waited.user_key] -= 1
        if not self._waiting_of[waited.user_key]:
            del self._waiting_of[waited.user_key]
        return True

    def enqueue(self, job: Job, *, was_served: bool = False) -> None:
        """Put a queued job in line, or aside until its `not_before`."""
        self.reserve(job)
        self.get(job.lane).coming.pop(job.id, None)
        age_s = (self._clock.now() - job.created_at).total_seconds()
        heapq.heappush(self._born, (self._clock.monotonic() - age_s, job.id))
        ticket = ticket_of(job)
        if not self._is_put_aside(ticket):
            self._push(ticket, was_served)
        if absence := self.get(job.lane).absence:
            self._wait_for(job.id, absence)

    def take_up(self, tickets: Sequence[Ticket]) -> None:
        """Put the jobs that an earlier process left in line, oldest first: all at once, as there may be very many."""
        behind_s = self._clock.monotonic() - self._clock.now().timestamp()
        self._waiting = {ticket.id: ticket for ticket in tickets}
        self._waiting_of = Counter([ticket.user_key for ticket in tickets])
        self._born = [(behind_s + ticket.created_at.timestamp(), ticket.id) for ticket in tickets]
        heapq.heapify(self._born)
        in_line: dict[str, list[Ticket]] = defaultdict(list)
        for ticket in tickets:
            if ticket.not_before is None or not self._is_put_aside(ticket):
                in_line[ticket.lane].append(ticket)
        for name, waiting in in_line.items():
            self.get(name).queue.push_all(waiting)

    def _is_put_aside(self, ticket: Ticket) -> bool:
        """Keep a job whose `not_before` is still to come out of the line until then."""
        delay = (ticket.not_before - self._clock.now()).total_seconds() if ticket.not_before else 0.0
        if delay > 0:
            heapq.heappush(self._delayed, (self._clock.monotonic() + delay, ticket.id, ticket))
        return delay > 0

    def next_in(self, name: str, most: int) -> list[str]:
        """Return the ids of those who are next in a lane."""
        lane = self._lanes.get(name)
        return lane.queue.jobs(most) if lane else []

    def gone(self, job: Job, error: BackendGone) -> None:
        """The engine that a job was sent to is gone: what waits for it keeps its place while patience lasts."""
        lane = self.get(job.lane)
        lane.breaker.released(job.id)
        if lane.absence is None:
            lane.absence = Absence(since=job.away_since or self._clock.now(), error=error)
            for job_id, waiting in self._waiting.items():
                if waiting.lane == lane.name:
                    self._wait_for(job_id, lane.absence)

    def impatient(self) -> tuple[list[tuple[str, BackendGone]], float]:
        """Return who has waited long enough for an engine that is gone, and the seconds until the next one has."""
        late: dict[str, BackendGone] = {}
        while self._patience:
            ends_at, _, job_id, absence = self._patience[0]
            waiting = self._waiting.get(job_id)
            if waiting is not None and self.get(waiting.lane).absence is absence:
                if (left_s := ends_at - self._clock.monotonic()) > 0:
                    return list(late.items()), left_s
                late[job_id] = absence.error
            heapq.heappop(self._patience)
        return list(late.items()), float("inf")

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
        lane.queue.push_back(served.user_key, served.job_id, served.cost, model=served.model, priority=served.priority)

    def withdraw(self, job: Job) -> None:
        """Take a job that was cancelled or given up out of the line."""
        self.release(job.id)
        if job.lane in self._lanes:
            self._lanes[job.lane].queue.remove(job.id)

    def to_front(self, job_id: str) -> str | None:
        """Put a waiting job before its user's others; the name of its lane, `None` if nothing was moved."""
        waiting = self._waiting.get(job_id)
        lane = self._lanes.get(waiting.lane) if waiting else None
        return lane.name if lane and lane.queue.to_front(job_id) else None

    def release_delayed(self) -> float:
        """Put delayed jobs whose time has come in line; return the seconds until the next one (inf = none)."""
        now = self._clock.monotonic()
        while self._delayed and self._delayed[0][0] <= now:
            _, job_id, ticket = heapq.heappop(self._delayed)
            if job_id in self._waiting:
                self._push(ticket, was_served=True)
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

    def drawn(self, job_id: str) -> bool:
        """The engine is done with a job whose pictures are under way; true if its slot is free now."""
        job = self.running.get(job_id)
        return job is not None and self.get(job.lane).drawn(job_id)

    def users_at_limit(self, limit: int) -> set[str]:
        """Return whose running jobs are as many as they may have: `limit`, or fewer where a job of theirs says so."""
        counts: Counter[str] = Counter()
        most: dict[str, int] = {}
        for job in self.running.values():
            counts[job.user_key] += 1
            most[job.user_key] = min(most.get(job.user_key, limit), job.origin.at_once or limit)
        return {user for user, count in counts.items() if count >= most[user]}

    def view(self, job: Job) -> JobView:
        """Return where a job stands now."""
        lane = self._lanes.get(job.lane)
        if job.status is JobStatus.RUNNING:
            return JobView(
                job=job, progress=self.progress.get(job.id), eta_s=lane.remaining_s(job.id) if lane else None
            )
        if job.status is JobStatus.QUEUED and lane and job.id in lane.queue:
            hold, hold_s = lane.held()
            return JobView(
                job=job,
                position=lane.queue.position(job.id),
                eta_s=lane.wait_for(job.id) if lane.absence is None else None,
                hold=hold,
                hold_s=hold_s,
                away=self._away(job.id, lane),
            )
        return JobView(job=job)

    def views(self, names: Iterable[str] = ()) -> list[LaneView]:
        """Return how the lanes stand, those of these names too that nothing was ever sent to."""
        for name in names:
            self.get(name)
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

    def _away(self, job_id: str, lane: Lane) -> Away | None:
        if lane.absence is None:
            return None
        since = _gone_since(self._waiting[job_id], lane.absence)
        return Away(reason=lane.absence.error.reason, since=since, patience_s=self.patience_s)

    def _wait_for(self, job_id: str, absence: Absence) -> None:
        """Note when a job's patience with its engine ends."""
        waited_s = (self._clock.now() - _gone_since(self._waiting[job_id], absence)).total_seconds()
        ends_at = self._clock.monotonic() + self.patience_s - waited_s
        heapq.heappush(self._patience, (ends_at, next(self._order), job_id, absence))

    def _push(self, ticket: Ticket, was_served: bool) -> None:
        queue = self.get(ticket.lane).queue
        if was_served:
            queue.push_back(ticket.user_key, ticket.id, ticket.cost, model=ticket.model, priority=ticket.priority)
        else:
            queue.push(
                ticket.user_key,
                ticket.id,
                ticket.cost,
                weight=ticket.weight,
                model=ticket.model,
                priority=ticket.priority,
            )
