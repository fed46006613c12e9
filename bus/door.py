"""The bus door as `app` opens it: subscribes, hands each message to its handler, and answers."""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable
from typing import Any, Final

from bus.connection import BusDown, BusMessage, NatsConnection
from bus.link import BusLink
from bus.pictures import BusPictures
from bus.progress import BusProgress
from bus.requests import BusRequests, busy, refused
from bus.results import BusResults
from bus.wire import WrongMessage, written
from generation.errors import GenerationError
from generation.job import Job
from services.bundle import Services
from services.bus import BusServices
from settings.bus import BusSettings
from texts.text import _, render

log = logging.getLogger(__name__)

AT_ONCE: Final = 16  # messages that are worked on
MOST_HELD: Final = 10_000  # that wait for that; more are refused

Handler = Callable[[NatsConnection, BusMessage], Awaitable[dict[str, Any] | None]]


class BusDoor:
    """Call `start` once, before the queue starts; the loops end with all others."""

    def __init__(
        self,
        services: Services,
        own: BusServices,
        settings: BusSettings,
        make: Callable[[], NatsConnection] = NatsConnection,
    ) -> None:
        clock, generation, prefix = services.clock, services.generation, settings.subjects
        self._loops = services.loops
        self._generation = generation
        self._link = BusLink(settings, clock, self._opened, make)
        pictures = BusPictures(services.media, own)
        self._results = BusResults(generation, own, pictures, self._link, clock, subject=f"{prefix}.result")
        self._progress = BusProgress(generation, self._link, clock, subject=f"{prefix}.progress")
        requests = BusRequests(services, own, self._results, needs_key=settings.needs_key)
        self._handlers: dict[str, Handler] = {
            f"{prefix}.request": requests.draw,
            f"{prefix}.model_info": requests.model_info,
            f"{prefix}.cancel": requests.cancel,
        }
        own.state.is_up = lambda: self._link.is_up
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._at_work: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Listen from now on; the server may come later."""
        self._generation.listen(self._changed, self._progress.progressed)
        self._loops.start("bus", self._link.run)
        self._loops.start("bus_results", self._results.run)
        self._loops.start("bus_progress", self._progress.run)

    def _changed(self, job: Job) -> None:
        self._progress.changed(job)
        if job.is_terminal:
            self._results.ring()

    async def _opened(self, connection: NatsConnection) -> None:
        for subject, handler in self._handlers.items():
            await connection.subscribe(subject, self._taker(connection, handler))
        await connection.flush()

    def _taker(self, connection: NatsConnection, handler: Handler) -> Callable[[BusMessage], Awaitable[None]]:
        async def take(message: BusMessage) -> None:
            if len(self._at_work) >= MOST_HELD:
                await self._reply(connection, message, refused(busy()))
                return
            task = asyncio.create_task(self._handle(connection, handler, message), name="bus_message")
            self._at_work.add(task)
            task.add_done_callback(self._at_work.discard)

        return take

    async def _handle(self, connection: NatsConnection, handler: Handler, message: BusMessage) -> None:
        async with self._turns:
            try:
                answer = await handler(connection, message)
            except (GenerationError, WrongMessage) as error:
                answer = refused(error)
            except BusDown:
                return  # who asked hears nothing, asks again, and gets the same job
            except Exception:
                trace = secrets.token_hex(3)
                log.exception("a message crashed", extra={"action": "bus_failed", "trace": trace})
                answer = _crashed(trace)
            if answer is not None:
                await self._reply(connection, message, answer)

    async def _reply(self, connection: NatsConnection, message: BusMessage, answer: dict[str, Any]) -> None:
        if message.reply:
            try:
                await connection.publish(message.reply, await written(answer, connection.most_bytes))
            except BusDown as error:
                log.warning("an answer did not reach the bus: %s", error, extra={"action": "bus_failed"})


def _crashed(trace: str) -> dict[str, Any]:
    words = _("Easel made a mistake. Please try again."), _("Tell its owner this number: {trace}.", trace=trace)
    error, hint = map(render, words)
    return {"error": error, "hint": hint, "field": None, "code": "internal", "retry_after": None}
