"""Easel in this process, wired as `main` does it, on a temporary folder and connected to the local Discord."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from backends.base import Backend, BackendConfig
from backends.registry import BackendRegistry, Entry
from backends.sketch.backend import SketchBackend
from cogs.bot import EaselBot
from cogs.posting import ASKING
from generation.capabilities import Capabilities
from generation.job import Job
from queue_manager import QueueManager
from scheduling.limits import QueueLimits
from scheduling.local_executor import LocalExecutor
from scheduling.retry import RetryPolicy
from services.bundle import Services
from services.catalog import Catalog
from services.connections import ConnectionService
from services.describing import DescribingService
from services.generation import GenerationService
from services.intakes import IntakeService, make_intakes
from services.media import MediaService
from services.records import make_records
from services.styles import StyleService
from services.upkeep import Upkeep, make_upkeep
from services.workflows import WorkflowService
from store.connections import ConnectionStore
from store.database import Database
from store.image_cache import ImageCache
from store.jobs import JobStore
from store.migrations import MIGRATIONS
from store.preferences import PreferenceStore
from store.workflows import WorkflowStore
from tests.discord_server import Channel, DiscordServer, Interaction, Message
from tests.store.ready import lay_cache, lay_database
from tests.waiting import until
from utils.clock import SystemClock
from utils.secrets import SecretBox
from utils.urls import UrlPolicy

COMMANDS = {
    "generate", "gen", "img", "dream", "sdconnect", "sdlink", "sdtest", "sddisconnect", "sdmodels", "models",
    "queue", "cancel", "help", "upscale", "inpaint", "outpaint", "control", "describe", "pnginfo",
    "compare", "status", "gpu", "workflow", "forget", "Describe", "Picture info", "Upscale 2×", "Zoom out 1.5×",
}  # fmt: skip
JOB_TIMEOUT_S = 30.0
POLICY = UrlPolicy(allow_private=True)  # pictures behind links lie on this machine


class QuickSketch(SketchBackend):
    """Sketch which draws small and coarse where nobody says otherwise."""

    async def capabilities(self) -> Capabilities:
        return replace(await super().capabilities(), default_width=128, default_height=128, default_steps=4)


class ShiftClock(SystemClock):
    """The real clock, which a test may set forward."""

    def __init__(self) -> None:
        self.offset_s = 0.0

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self.offset_s)


WAIT_S = 20.0  # a busy machine is no fault; nothing waits longer than it must


@dataclass
class Running:
    """What one start of Easel holds."""

    database: Database
    cache_database: Database
    registry: BackendRegistry
    queue: QueueManager
    bot: EaselBot
    service: GenerationService
    jobs: JobStore
    media: MediaService
    task: asyncio.Task[Any]
    connections: ConnectionService
    upkeep: Upkeep
    intakes: IntakeService


@dataclass
class Easel:
    """Start, stop, kill and start again on the same folder."""

    server: DiscordServer
    folder: Path
    backends: Sequence[Backend] = ()
    message_content: bool = True
    limits: QueueLimits = field(default_factory=lambda: QueueLimits(grace_s=0.0))
    ping_after_s: float = 30.0
    guild_ids: tuple[int, ...] = ()
    examine: Any = None
    rental_rules: Any = None
    clock: ShiftClock = field(default_factory=ShiftClock)
    running: Running | None = None

    @property
    def now(self) -> Running:
        assert self.running is not None, "not started"
        return self.running

    @property
    def bot(self) -> EaselBot:
        return self.now.bot

    async def start(self) -> Easel:
        clock = self.clock
        box = await asyncio.to_thread(SecretBox.open, self.folder / "secret.key")
        await lay_database(self.folder / "easel.sqlite3")
        await lay_cache(self.folder)
        database = await Database.open(self.folder / "easel.sqlite3", migrations=MIGRATIONS)
        cache = await ImageCache.open(self.folder, clock=clock, ttl_s=24 * 3600.0)
        registry = BackendRegistry(clock)
        for backend in self.backends:
            registry.add(Entry(config=BackendConfig(name=backend.name, kind=backend.kind), backend=backend))
        sketch = BackendConfig(name="sketch", kind="sketch")
        registry.add(Entry(config=sketch, backend=QuickSketch(), is_fallback=True))
        media = MediaService(cache, clock, 24 * 3600.0, lambda lane: _label(registry, lane))
        jobs = JobStore(database, box)
        workflows = WorkflowService(registry, WorkflowStore(database), clock)
        styles = StyleService(self.folder)
        executor = LocalExecutor(
            registry.borrow, load=media.load, load_workflow=workflows.load, timeout_s=JOB_TIMEOUT_S, clock=clock
        )
        queue = QueueManager(
            jobs=jobs,
            registry=registry,
            executor=executor,
            sink=media,
            clock=clock,
            limits=self.limits,
            policy=RetryPolicy(base_s=0.02),
        )
        service = GenerationService(
            queue=queue,
            jobs=jobs,
            registry=registry,
            media=media,
            preferences=PreferenceStore(database),
            clock=clock,
            workflows=workflows,
            styles=styles,
        )
        extra = {"examine": self.examine} if self.examine else {}
        connections = ConnectionService(
            registry, ConnectionStore(database, box), clock=clock, allow_private=True, allow_insecure_http=True, **extra
        )
        await connections.restore()
        upkeep = make_upkeep(
            database, registry, queue, service, media, connections, clock, rental_rules=self.rental_rules
        )
        services = Services(
            generation=service,
            media=media,
            catalog=Catalog(registry),
            connections=connections,
            describing=DescribingService(registry),
            intakes=make_intakes(database, box, registry, service, upkeep.compare, media, clock, POLICY),
            upkeep=upkeep,
            records=make_records(database, jobs, registry, queue, service, media, connections, clock, styles=styles),
            workflows=workflows,
            clock=clock,
        )
        bot = EaselBot(
            services,
            message_content=self.message_content,
            guild_ids=self.guild_ids,
            ping_after_s=self.ping_after_s,
            guild_ready_timeout_s=0.01,
        )
        await queue.start()
        task = asyncio.create_task(bot.start(self.server.token))
        task.add_done_callback(lambda _: self.server.changed())
        self.running = Running(
            database=database,
            cache_database=cache._database,
            registry=registry,
            queue=queue,
            bot=bot,
            service=service,
            jobs=jobs,
            media=media,
            task=task,
            connections=connections,
            upkeep=upkeep,
            intakes=services.intakes,
        )
        await self.server.wait_for(
            lambda: task.done() or (self.server.gateway.live and self.server.commands.names() >= COMMANDS), 15
        )
        if task.done():
            task.result()
        await bot.wait_until_ready()
        await until(lambda: all(command.command_ids for command in bot.get_all_application_commands()))
        return self

    async def stop(self) -> None:
        """End in an orderly way."""
        running, self.running = self.now, None
        await running.bot.close()
        running.task.cancel()  # it may be waiting for its next try to connect
        await asyncio.gather(running.task, return_exceptions=True)
        await running.queue.stop()
        await running.registry.aclose()
        await running.database.close()
        await running.cache_database.close()

    async def kill(self) -> None:
        """End as a killed process does: nothing more is written, nobody is told."""
        running, self.running = self.now, None
        await running.bot.desk.aclose()  # else it would tell people of the closed database
        await running.database.close()
        await running.cache_database.close()
        await running.bot.close()
        running.task.cancel()  # it may be waiting for its next try to connect
        await asyncio.gather(running.task, return_exceptions=True)
        with contextlib.suppress(Exception):
            await running.queue.stop()
        await running.registry.aclose()

    async def job(self, job_id: str) -> Job:
        job = await self.now.jobs.get(job_id)
        assert job is not None
        return job

    async def say(self, text: str, *, user: str = "mia", **options: Any) -> Message:
        return await self.server.user(user).say(self.server.channel, text, **options)

    async def slash(self, prompt: str, *, user: str = "mia", command: str = "generate", **options: Any) -> Interaction:
        return await self.server.user(user).slash(self.server.channel, command, prompt=prompt, **options)

    async def answer_to(self, message: Message, timeout_s: float = WAIT_S) -> Message:
        """Return the bot's reply to a message as soon as it says more than that the engine is asked."""

        def answer() -> Message | None:
            reply = reply_to(message)
            return reply if reply and reply.content != ASKING else None

        return await self.server.wait_for(answer, timeout_s)

    async def dream(self, text: str = "!dream a red fox", *, user: str = "mia", **options: Any) -> Message:
        """Say it and wait for the finished answer."""
        answer = await self.answer_to(await self.say(text, user=user, **options))
        return await self.finished(answer)

    async def finished(self, message: Message, timeout_s: float = WAIT_S) -> Message:
        return await self.server.wait_for(lambda: message if is_finished(message) else None, timeout_s)


def _label(registry: BackendRegistry, lane: str) -> str:
    entry = registry.get(lane)
    return entry.label if entry else lane


def reply_to(message: Message) -> Message | None:
    return next((one for one in own(message.channel) if one.reference is message), None)


def own(channel: Channel) -> list[Message]:
    """Return the bot's messages in a channel."""
    return [message for message in channel.messages if message.author.bot]


def is_finished(message: Message) -> bool:
    """Say whether a job's message has come to its end: only then it can be deleted."""
    return any(":delete:" in item.get("custom_id", "") for item in message.controls)


def job_id(message: Message) -> str:
    """Read the job's id from a message's buttons."""
    return str(message.controls[0]["custom_id"].split(":")[2])


def labels(message: Message) -> list[list[str]]:
    """Return the buttons row by row, as people see them."""
    rows: Iterable[dict[str, Any]] = message.components
    return [
        [
            " ".join(filter(None, ((i.get("emoji") or {}).get("name"), i.get("label") or i.get("placeholder"))))
            for i in r["components"]
        ]
        for r in rows
    ]
