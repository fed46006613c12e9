"""Ends of jobs, told on the bus: an answer to who asked here, and an event for everybody, of jobs of any door.

What is to be told is committed with the job's end and forgotten when the server has it, so neither a crash of Easel nor
of the server loses any. What was sent and not noted as sent comes again, with the same `Nats-Msg-Id`.
"""

import asyncio
import logging
from collections import defaultdict
from typing import Any, Final

from bus.connection import BusDown, NatsConnection
from bus.link import BusLink
from bus.pictures import BusPictures
from bus.wire import ended, failure, figures, written
from generation.job import Job
from services.bus import BusServices
from services.drawing.generation import GenerationService
from utils.clock import Clock, sleep_until

log = logging.getLogger(__name__)

AT_ONCE: Final = 16
AGAIN_S: Final = 0.5  # after the bus was lost
LOOK_EVERY_S: Final = 600.0
MOST_WAITERS: Final = 16  # for one job: who asked again before it was done


class BusResults:
    """Keep `run` as one loop."""

    def __init__(
        self,
        generation: GenerationService,
        own: BusServices,
        pictures: BusPictures,
        link: BusLink,
        clock: Clock,
        *,
        subject: str,
    ) -> None:
        self._generation = generation
        self._own = own
        self._pictures = pictures
        self._link = link
        self._clock = clock
        self._subject = subject
        self._bell = asyncio.Event()
        self._waiters: defaultdict[str, list[str]] = defaultdict(list)  # where else an answer is awaited, by job

    def ring(self) -> None:
        """Look into the outbox: something has ended."""
        self._bell.set()

    def await_too(self, job_id: str, reply: str) -> None:
        """Answer there, too: the same was asked again before it was done."""
        waiters = self._waiters[job_id]
        if reply not in waiters and len(waiters) < MOST_WAITERS:
            waiters.append(reply)

    async def run(self) -> None:
        """Publish what has ended until cancelled."""
        await self._own.outbox.prune()
        while True:
            self._bell.clear()
            connection = await self._link.ready()
            try:
                if await self._tell_due(connection):
                    continue
            except BusDown:
                await self._clock.sleep(AGAIN_S)
                continue
            await sleep_until(self._bell, self._clock, LOOK_EVERY_S)

    async def _tell_due(self, connection: NatsConnection) -> bool:
        """Publish the first jobs that are due; return whether there may be more."""
        due = await self._own.outbox.due(0, AT_ONCE)
        for __, job in due:
            if job is not None:
                await self._tell(connection, job)
        if due:
            await connection.flush()
            await self._own.outbox.told(number for number, __ in due)
        for __, job in due:
            self._waiters.pop(job.id if job else "", None)
        return bool(due)

    async def _tell(self, connection: NatsConnection, job: Job) -> None:
        """Send what a job's end means to whom.

        Raises:
            BusDown: the connection was lost; nothing else, since one job must not hold up the others.
        """
        try:
            picture = await self._picture(connection, job)
            for reply in dict.fromkeys((self._inbox(job), *self._waiters.get(job.id, ()))):
                if reply:
                    await self.answer(connection, job, reply, picture)
            event = await written(self._event(job, picture), connection.most_bytes)
            await connection.publish(self._subject, event, f"{job.id}.{job.status}")
        except BusDown:
            raise
        except Exception:
            log.exception("an end could not be told on the bus", extra={"action": "bus_failed", "job": job.id})

    async def answer(
        self, connection: NatsConnection, job: Job, reply: str, picture: dict[str, Any] | None = None
    ) -> None:
        """Answer one request whose job has ended.

        Raises:
            BusDown: the connection was lost.
        """
        if picture is None:
            picture = await self._picture(connection, job)
        values = figures(job, job.result.images[0]) | picture if job.result and picture else failure(job)
        await connection.publish(reply, await written(values, connection.most_bytes), f"{job.id}.reply")

    async def _picture(self, connection: NatsConnection, job: Job) -> dict[str, Any]:
        """Return the fields of a job's first picture, empty where it has none."""
        if not (job.result and job.result.images):
            return {}
        return await self._pictures.packed(connection, job.result.images[0])

    def _event(self, job: Job, picture: dict[str, Any]) -> dict[str, Any]:
        engine = job.result.backend if job.result else self._generation.label(job.lane)
        values = ended(job, engine)
        if job.origin.private or not (job.result and picture):
            return values
        others = [
            {"seed": image.seed, "width": image.width, "height": image.height, "url": self._own.link(image.media_id)}
            for image in job.result.images
        ]
        return values | figures(job, job.result.images[0]) | picture | {"images": others}

    def _inbox(self, job: Job) -> str:
        return job.origin.reply_token if job.origin.door == "bus" else ""  # elsewhere it is Discord's
