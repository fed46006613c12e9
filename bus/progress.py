"""Progress of jobs that were asked for on the bus: the newest state, at most twice a second."""

import asyncio
import logging
from typing import Final

from bus.connection import BusDown
from bus.link import BusLink
from bus.wire import progress, written
from generation.job import Job
from services.drawing.generation import GenerationService
from utils.clock import Clock

log = logging.getLogger(__name__)

EVERY_S: Final = 0.5


class BusProgress:
    """Keep `run` as one loop, and let it hear of every job."""

    def __init__(self, generation: GenerationService, link: BusLink, clock: Clock, *, subject: str) -> None:
        self._generation = generation
        self._link = link
        self._clock = clock
        self._subject = subject
        self._tokens: dict[str, str] = {}  # by job: the id its request came with
        self._moved: set[str] = set()
        self._bell = asyncio.Event()

    def changed(self, job: Job) -> None:
        """Note a change of state. Never waits."""
        if job.origin.door == "bus":
            self._tokens[job.id] = (job.origin.request_key or "").rpartition("#")[0]
            self.progressed(job.id)

    def progressed(self, job_id: str) -> None:
        """Note that a job is further. Never waits."""
        if job_id in self._tokens:
            self._moved.add(job_id)
            self._bell.set()

    async def run(self) -> None:
        """Publish how far jobs are until cancelled."""
        for job in await self._generation.active_at("bus"):  # of the last process
            self.changed(job)
        while True:
            await self._bell.wait()
            await self._link.ready()
            self._bell.clear()
            moved, self._moved = self._moved, set()
            for job_id in moved:
                await self._tell(job_id)
            await self._clock.sleep(EVERY_S)

    async def _tell(self, job_id: str) -> None:
        view, token = await self._generation.view(job_id), self._tokens.get(job_id, "")
        if view is None or view.job.is_terminal:
            self._tokens.pop(job_id, None)
        if view is None:
            return
        try:
            connection = await self._link.ready()
            data = await written(progress(view, token), connection.most_bytes)
            for name in filter(None, (job_id, token)):
                await connection.publish(f"{self._subject}.{name}", data)
        except BusDown as error:
            log.debug("progress is not told: %s", error, extra={"job": job_id})
