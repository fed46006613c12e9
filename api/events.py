"""Server-sent events: every change of a job to everyone who may see it, each reader at a pace of its own.

A reader holds the newest event per job, never a backlog; one that falls too far behind is told to load again. What is
sent is made once per change and audience, not once per reader.
"""

import asyncio
import json
import logging
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from dataclasses import field
from typing import Any, Final

from api.views import JobViews
from generation.job import Job, JobStatus, JobView
from generation.person import Person
from generation.policy import may_see
from lazy import dataclass
from services.drawing.generation import GenerationService, LaneView
from services.engines.connections import Owner, lane_of, shown_lane
from utils.clock import Clock

log = logging.getLogger(__name__)

FLUSH_S: Final = 0.1  # changes within this time are sent as one ...
FLUSH_PER_READER_S: Final = 0.0025  # ... and a little longer for a crowd, so that it costs no more than a few
SLICE: Final = 20  # jobs written, or readers woken, before others on the loop have their turn
QUEUE_EVERY_S: Final = 1.0
PING_S: Final = 15.0
CHECK_EVERY_S: Final = 30.0  # whether a reader may still be here
MOST_PENDING: Final = 200  # jobs one slow reader may be behind
MOST_PLACES: Final = 200  # waiting jobs whose place in line is looked at when the queue is told
MOST_READERS: Final = 1000
MOST_READERS_PER_USER: Final = 20


@dataclass(eq=False)
class EventReader:
    """One open stream."""

    caller: Person
    pending: dict[str, bytes] = field(default_factory=dict)  # newest event by what it is about
    bell: asyncio.Event = field(default_factory=asyncio.Event)
    is_behind: bool = False

    def put(self, about: str, event: bytes) -> None:
        """Hold an event; `bell.set()` tells of it."""
        if len(self.pending) >= MOST_PENDING and about not in self.pending:
            self.pending.clear()
            self.is_behind = True
        if not self.is_behind:
            self.pending[about] = event

    def take(self) -> bytes:
        """Take what waits, oldest first."""
        self.bell.clear()
        events = b"".join(self.pending.values())
        self.pending.clear()
        if self.is_behind:
            self.is_behind = False
            return sse("resync", {})
        return events


class Hub:
    """Listens to the queue and feeds the readers."""

    def __init__(self, generation: GenerationService, clock: Clock, views: JobViews) -> None:
        self._generation = generation
        self._clock = clock
        self.views = views
        self.most_readers = MOST_READERS
        self._readers: set[EventReader] = set()
        self._changed: dict[str, Job] = {}
        self._active: dict[str, Job] = {}  # what runs, and what waits of those who read
        self._people: Counter[str] = Counter()  # readers by whose they are
        self._previews: dict[str, tuple[int, bytes]] = {}
        self._places: dict[str, int] = {}  # in line, as last told
        self._wake = asyncio.Event()
        self._is_closing = False
        self._lanes_said: list[tuple[str, dict[str, Any]]] = []
        self._lanes_due = False  # something changed since they were told
        self._lanes_at = float("-inf")

    async def run(self) -> None:
        """Send what changed until cancelled."""
        while True:
            wait_s = self._lanes_at + QUEUE_EVERY_S - self._clock.monotonic() if self._lanes_due else None
            with suppress(TimeoutError):
                async with asyncio.timeout(wait_s):  # wait_for of Python 3.11 may lose the cancelling that ends us
                    await self._wake.wait()
            self._wake.clear()
            try:
                await self._flush()
            except Exception:
                log.exception("could not send events", extra={"action": "api_failed"})
            await asyncio.sleep(FLUSH_S + FLUSH_PER_READER_S * len(self._readers))

    def close(self) -> None:
        """End every stream."""
        self._is_closing = True
        for reader in self._readers:
            reader.bell.set()

    def job_changed(self, job: Job) -> None:
        """A job has a new row."""
        self._changed[job.id] = job
        if job.is_terminal:
            self._active.pop(job.id, None)
            self._previews.pop(job.id, None)
            self._places.pop(job.id, None)
        elif job.status is JobStatus.RUNNING or job.user_key in self._people:
            self._active[job.id] = job
        else:  # it waits, and nobody looks who would be told its place: there may be very many such
            self._active.pop(job.id, None)
        self._wake.set()

    def job_progressed(self, job_id: str) -> None:
        """A running job is further."""
        if (job := self._active.get(job_id)) is not None:
            self._changed.setdefault(job_id, job)
            self._wake.set()

    def gone(self, job: Job) -> None:
        """The pictures of a job were deleted."""
        for reader in self._readers:
            if may_see(reader.caller, job):
                reader.put(job.id, sse("gone", {"id": job.id}))
                reader.bell.set()

    def tell(self, name: str, values: dict[str, Any], *, only_admins: bool = False) -> None:
        """Send something that is about no job, an alert for example."""
        for reader in self._readers:
            if reader.caller.is_admin or not only_admins:
                reader.put(name, sse(name, values))
                reader.bell.set()

    def preview_version(self, view: JobView) -> int | None:
        """Number the previews of a job, so that each has an address of its own."""
        preview = view.progress.preview if view.progress else None
        if preview is None:
            return None
        version, known = self._previews.get(view.job.id, (0, b""))
        if preview is not known and view.job.id in self._active:
            version += 1
            self._previews[view.job.id] = (version, preview)
        return version

    @property
    def streams(self) -> int:
        """Return how many streams are open."""
        return len(self._readers)

    def open(self, caller: Person) -> EventReader | None:
        """Begin a stream; None when there are too many already."""
        own = sum(reader.caller.user_key == caller.user_key for reader in self._readers)
        if len(self._readers) >= self.most_readers or (own >= MOST_READERS_PER_USER and caller.how != "local"):
            return None
        reader = EventReader(caller)
        self._readers.add(reader)
        self._people[caller.user_key] += 1
        return reader

    async def stream(
        self, reader: EventReader, first: list[bytes], *, is_known: Callable[[], Awaitable[bool]] | None = None
    ) -> AsyncIterator[bytes]:
        """Yield `first`, then what happens, until the reader goes away, or is known no more: a key was revoked, say."""
        checked_at = self._clock.monotonic()
        try:
            for event in first:
                yield event
            while not self._is_closing:
                if is_known and self._clock.monotonic() - checked_at >= CHECK_EVERY_S:
                    checked_at = self._clock.monotonic()
                    if not await is_known():
                        return
                try:
                    async with asyncio.timeout(PING_S):
                        await reader.bell.wait()
                except TimeoutError:
                    yield b": ping\n\n"
                    continue
                if events := reader.take():
                    yield events
        finally:
            self.leave(reader)

    def leave(self, reader: EventReader) -> None:
        """Forget a reader, and what only they look at."""
        if reader not in self._readers:
            return
        self._readers.discard(reader)
        user_key = reader.caller.user_key
        self._people[user_key] -= 1
        if not self._people[user_key]:
            del self._people[user_key]
            for job in [*self._active.values()]:
                if job.user_key == user_key and job.status is JobStatus.QUEUED:
                    del self._active[job.id]
                    self._places.pop(job.id, None)

    def job_event(self, job: Job, caller: Person) -> bytes:
        """The event for one job as this caller may see it."""
        view = self._generation.peek(job)
        if view.position and job.user_key in self._people:
            self._active.setdefault(job.id, job)
        if view.position and job.id in self._active:
            self._places[job.id] = view.position
        is_own = job.user_key == caller.user_key
        shown = self.views.job(view, is_mine=is_own, preview=self.preview_version(view))
        return sse("job", shown.model_dump(mode="json"))

    def queue_event(self, user_id: str) -> bytes:
        """The event that tells a person how busy the engines are: those for all, and your own."""
        return sse("queue", queue_json(self._generation.lanes(), user_id))

    async def _flush(self) -> None:
        changed, self._changed = self._changed, {}
        if not self._readers:
            return
        for number, job in enumerate(changed.values(), 1):
            self._send(job)
            if number % SLICE == 0:
                await asyncio.sleep(0)
        self._lanes_due = self._lanes_due or bool(changed)
        if self._lanes_due and self._clock.monotonic() - self._lanes_at >= QUEUE_EVERY_S:
            self._lanes_due = False
            self._lanes_at = self._clock.monotonic()
            self._tell_places()
            self._tell_queue()
        for number, reader in enumerate([*self._readers], 1):
            if reader.pending or reader.is_behind:
                reader.bell.set()
            if number % SLICE == 0:
                await asyncio.sleep(0)

    def _tell_queue(self) -> None:
        lanes = self._generation.lanes()
        now = [(lane.name, lane_json(lane)) for lane in lanes]
        if now == self._lanes_said:
            return
        self._lanes_said = now
        there = {lane.name for lane in lanes}
        made: dict[str, bytes] = {}
        for reader in self._readers:
            user_id = reader.caller.user_id
            has_own = lane_of(Owner(kind="user", id=user_id)) in there
            about = user_id if has_own else ""
            if about not in made:
                made[about] = sse("queue", queue_json(lanes, about))
            reader.put("queue", made[about])

    def _tell_places(self) -> None:
        """Notify people of their waiting jobs whose place others have changed by ending, moving or coming."""
        waiting = [job for job in self._active.values() if job.status is JobStatus.QUEUED]
        for job in waiting[:MOST_PLACES]:
            if self._generation.peek(job).position != self._places.get(job.id):
                self._send(job)

    def _send(self, job: Job) -> None:
        made: dict[bool, bytes] = {}
        for reader in self._readers:
            if may_see(reader.caller, job):
                is_own = job.user_key == reader.caller.user_key
                if is_own not in made:
                    made[is_own] = self.job_event(job, reader.caller)
                reader.put(job.id, made[is_own])


def sse(name: str, values: dict[str, Any]) -> bytes:
    """Write one event."""
    return f"event: {name}\ndata: {json.dumps(values, separators=(',', ':'))}\n\n".encode()


def queue_json(lanes: list[LaneView], user_id: str) -> dict[str, Any]:
    """Return how busy the engines are, other people's own ones only in the sums."""
    return {
        "waiting": sum(lane.waiting for lane in lanes),
        "running": sum(lane.running for lane in lanes),
        "engines": {lane.name: lane_json(lane) for lane in lanes if shown_lane(lane.name, user_id) == lane.name},
    }


def lane_json(lane: LaneView) -> dict[str, Any]:
    return {
        "state": lane_state(lane),
        "waiting": lane.waiting,
        "running": lane.running,
        "wait_s": round(lane.wait_s, 1),
    }


def lane_state(lane: LaneView) -> str:
    if lane.is_broken:
        return "down"
    if lane.paused_s > 0:
        return "paused"
    return "busy" if lane.running >= lane.concurrency else "up"
