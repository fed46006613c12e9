"""Watchers of jobs: each watcher sees the newest state, never a backlog."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Iterable
from dataclasses import field
from typing import Final

from generation.job import Job, JobStatus, JobView
from lazy import dataclass
from utils.clock import Clock

log = logging.getLogger(__name__)

PLACES_S: Final = 0.5  # a quick engine moves a line many times a second, and all who wait in it


@dataclass(eq=False)
class Watcher:
    """One open `watch`: the row it saw last, and a bell that rings when there is something newer."""

    job_id: str
    job: Job | None = None  # not read yet
    bell: asyncio.Event = field(default_factory=asyncio.Event)


class Watchers:
    """All open watches by job id, and listeners that want every change of state."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._moved: set[str] = set()  # lanes where places have moved since that was told last
        self._resting: asyncio.Task[None] | None = None  # for a moment after that
        self._by_job: dict[str, set[Watcher]] = {}
        # told of every change of a job's state: submitted, started, tried again or moved, and each kind of end
        self.on_change: list[Callable[[Job], None]] = []
        self.on_progress: list[Callable[[str], None]] = []  # a running job's id; must be quick, it may come often
        self.on_moved: list[Callable[[Collection[str]], None]] = []  # lanes where places have moved; the same

    def listen(
        self,
        changed: Callable[[Job], None],
        progressed: Callable[[str], None] | None = None,
        moved: Callable[[Collection[str]], None] | None = None,
    ) -> Callable[[], None]:
        """Let a door hear of every change, of progress and of places in line; call the result to end it."""
        self.on_change.append(changed)
        if progressed:
            self.on_progress.append(progressed)
        if moved:
            self.on_moved.append(moved)

        def end() -> None:
            self.on_change.remove(changed)
            if progressed:
                self.on_progress.remove(progressed)
            if moved:
                self.on_moved.remove(moved)

        return end

    async def watch(
        self, job_id: str, *, read: Callable[[str], Awaitable[Job | None]], view: Callable[[Job], JobView]
    ) -> AsyncGenerator[JobView, None]:
        """Yield the newest state now and after every change, coalesced; ends with the terminal one."""
        watcher = self.open(job_id)  # before the read: the row may move on behind it
        try:
            job = await read(job_id)
            watcher.job = watcher.job or job
            while watcher.job is not None:
                watcher.bell.clear()
                seen = view(watcher.job)
                yield seen
                if seen.job.is_terminal:
                    return
                await watcher.bell.wait()
        finally:
            self.close(watcher)

    def open(self, job_id: str) -> Watcher:
        watcher = Watcher(job_id)
        self._by_job.setdefault(job_id, set()).add(watcher)
        return watcher

    def close(self, watcher: Watcher) -> None:
        others = self._by_job.get(watcher.job_id)
        if others is not None:
            others.discard(watcher)
            if not others:
                del self._by_job[watcher.job_id]

    def publish(self, job: Job) -> None:
        """Notify everybody that a job has a new row."""
        for watcher in self._by_job.get(job.id, ()):
            watcher.job = job
            watcher.bell.set()
        for tell in self.on_change:
            try:
                tell(job)
            except Exception:  # a listener's fault must not stop the queue
                log.exception("a listener failed", extra={"job": job.id})

    def ring(self, job_id: str) -> None:
        """Something beside the row changed (progress, place in line)."""
        for watcher in self._by_job.get(job_id, ()):
            watcher.bell.set()
        for tell in self.on_progress:
            tell(job_id)

    def ring_queued(self, lanes: Iterable[str]) -> None:
        """Places in these lanes have moved: it is told at once, and then after each moment the newest."""
        self._moved |= set(lanes)
        if self._resting is None:
            self._tell_places()
            self._resting = asyncio.create_task(self._rest(), name="places")

    async def aclose(self) -> None:
        """Leave untold what moves from now on."""
        if self._resting is not None:
            self._resting.cancel()
            await asyncio.wait({self._resting})

    async def _rest(self) -> None:
        try:
            await self._clock.sleep(PLACES_S)
            while self._moved:
                self._tell_places()
                await self._clock.sleep(PLACES_S)
        finally:
            self._resting = None

    def _tell_places(self) -> None:
        names, self._moved = self._moved, set()
        for watchers in self._by_job.values():
            for watcher in watchers:
                job = watcher.job
                if job is not None and job.status is JobStatus.QUEUED and job.lane in names:
                    watcher.bell.set()
        for tell in self.on_moved:
            tell(names)
