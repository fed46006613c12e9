"""Easel in this process, wired as `main` does it, on a temporary folder and connected to the local Discord."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from nextcord import BaseApplicationCommand

from app.base import Instead
from app.build import Easel as Built
from app.build import build
from app.doors import make_bot
from backends.base import Backend, BackendConfig
from backends.registry import BackendRegistry, Entry
from cogs.bot import EaselBot
from cogs.posting import ASKING
from config import Settings
from easel_sketch.backend import SketchBackend
from generation.capabilities import Capabilities
from generation.job import Job
from queue_manager import QueueManager
from scheduling.retry import RetryPolicy
from services.drawing.generation import GenerationService
from services.drawing.intakes import IntakeService
from services.engines.connections import ConnectionService
from services.pictures.media import MediaService
from services.upkeep import Upkeep
from settings.queue import QueueSettings
from store.database import Database
from store.folder import DATABASE_NAME
from store.jobs import JobStore
from tests.discord_server import Channel, DiscordServer, Interaction, Message
from tests.discord_server.user import User
from tests.store.ready import lay_cache, lay_database
from tests.waiting import until
from utils.clock import SystemClock

COMMANDS = {
    "generate", "gen", "img", "dream", "sdconnect", "sdlink", "sdtest", "sddisconnect", "sdmodels", "models",
    "queue", "cancel", "help", "upscale", "inpaint", "outpaint", "control", "describe", "pnginfo",
    "compare", "status", "setup", "workflow", "settings", "gallery", "history", "export", "forget",
    "ban", "unban", "bans", "audit", "caps", "quota", "cost", "style", "engine", "why", "versus",
    "enhance", "templates", "remix", "blend",
    "Describe", "Picture info", "Upscale 2×", "Zoom out 1.5×", "Report picture", "Draw this chat",
}  # fmt: skip
SETTINGS = Settings().changed(
    storage={"media_cache_dir": "."},
    marks={"provenance": "off"},
    safety={"allow_private": True, "allow_insecure_http": True},  # pictures behind links lie on this machine
)


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
    """The parts of one start of Easel."""

    easel: Built
    bot: EaselBot
    task: asyncio.Task[Any]

    @property
    def jobs(self) -> JobStore:
        return self.easel.jobs

    @property
    def database(self) -> Database:
        return self.easel.database

    @property
    def registry(self) -> BackendRegistry:
        return self.easel.registry

    @property
    def queue(self) -> QueueManager:
        return self.easel.queue

    @property
    def service(self) -> GenerationService:
        return self.easel.services.generation

    @property
    def media(self) -> MediaService:
        return self.easel.services.media

    @property
    def connections(self) -> ConnectionService:
        return self.easel.services.connections

    @property
    def upkeep(self) -> Upkeep:
        return self.easel.services.upkeep

    @property
    def intakes(self) -> IntakeService:
        return self.easel.services.intakes


@dataclass
class Easel:
    """Start, stop, kill and start again on the same folder."""

    server: DiscordServer
    folder: Path
    backends: Sequence[Backend] = ()
    has_fallback: bool = True
    message_content: bool = True
    limits: QueueSettings = field(default_factory=lambda: QueueSettings(grace_s=0.0))
    ping_after_s: float = 30.0
    card_style: str = "classic"
    guild_ids: tuple[int, ...] = ()
    examine: Any = None
    admins: tuple[int, ...] = ()
    providers: Any = ()
    admin_channel_id: str = ""
    check: Any = None  # of finished pictures
    money: dict[str, float] = field(default_factory=dict)  # settings of budgets
    text_engine: Any = None
    text_settings: dict[str, Any] = field(default_factory=dict)
    checks_all: bool = True  # not only where the rules of a server want it
    user_install: bool = False
    job_timeout_s: float = 30.0
    shards: int = 0
    shard_ids: tuple[int, ...] = ()
    clock: ShiftClock = field(default_factory=ShiftClock)
    running: Running | None = None

    @property
    def now(self) -> Running:
        assert self.running is not None, "not started"
        return self.running

    @property
    def bot(self) -> EaselBot:
        return self.now.bot

    async def built(self) -> Built:
        """Return Easel without a door."""
        await lay_database(self.folder / DATABASE_NAME)
        await lay_cache(self.folder)
        entries = [
            Entry(config=BackendConfig(name=each.name, kind=each.kind), backend=each, is_fallback=each.name == "sketch")
            for each in (*self.backends, *((QuickSketch(),) if self.has_fallback else ()))
        ]
        instead = Instead(
            clock=self.clock,
            entries=entries,
            policy=RetryPolicy(base_s=0.02),
            examine=self.examine,
            providers=self.providers,
            check=self.check,
            text_engine=self.text_engine,
        )
        settings = SETTINGS.changed(
            storage={"data_dir": self.folder},
            discord={
                "ping_after_s": self.ping_after_s,
                "guild_ids": self.guild_ids,
                "card_style": self.card_style,
                "admin_channel_id": self.admin_channel_id,
                "user_install": self.user_install,
                "shard_count": self.shards,
                "shard_ids": self.shard_ids,
            },
            money=self.money,
            people={"admin_ids": {str(admin) for admin in self.admins}},
            text=self.text_settings,
            filter={"is_on": self.check is not None and self.checks_all},
        )
        settings = settings.model_copy(update={"queue": self.limits.changed(job_timeout_s=self.job_timeout_s)})
        easel = await build(settings, instead)
        await easel.start()
        return easel

    async def start(self, *, is_awaited: bool = True) -> Easel:
        """Start it and wait, if wanted, until all is known on both sides."""
        easel = await self.built()
        bot = make_bot(easel, self.message_content)
        task = asyncio.create_task(bot.start(self.server.token))
        task.add_done_callback(lambda _: self.server.changed())
        self.running = Running(easel=easel, bot=bot, task=task)
        if not is_awaited:
            return self
        await self.server.wait_for(
            lambda: task.done() or (self.server.gateway.live and self.server.commands.names() >= COMMANDS), 15
        )
        if task.done():
            task.result()
        await bot.wait_until_ready()
        await until(lambda: all(bot.get_application_command(command_id) for command_id in self._offered()))
        return self

    def _offered(self) -> list[int]:
        """Return the ids of what people are offered now; a bot answers those that it has heard of."""
        scopes = self.server.commands.commands
        return [command_id for scope in (self.guild_ids or (None,)) for command_id in scopes.get(scope, {})]

    async def stop(self) -> None:
        """End in an orderly way."""
        running, self.running = self.now, None
        commands = running.bot.get_all_application_commands()
        await running.bot.close()
        _forget_servers(commands)
        running.task.cancel()  # it may be waiting for its next try to connect
        await asyncio.gather(running.task, return_exceptions=True)
        await running.queue.stop()
        await running.easel.close()

    async def kill(self) -> None:
        """End as a killed process does: nothing more is written, nobody is told."""
        running, self.running = self.now, None
        commands = running.bot.get_all_application_commands()
        await running.bot.desk.aclose()  # else it would tell people of the closed database
        await running.easel.services.loops.close()
        await running.database.close()
        await running.easel.cache.close()
        await running.bot.close()
        _forget_servers(commands)
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
            return reply if reply and reply.text != ASKING else None

        return await self.server.wait_for(answer, timeout_s)

    async def dream(self, text: str = "!dream a red fox", *, user: str = "mia", **options: Any) -> Message:
        """Return it and wait for the finished answer."""
        answer = await self.answer_to(await self.say(text, user=user, **options))
        return await self.finished(answer)

    async def finished(self, message: Message, timeout_s: float = WAIT_S) -> Message:
        return await self.server.wait_for(lambda: message if is_finished(message) else None, timeout_s)


def _forget_servers(commands: Iterable[BaseApplicationCommand]) -> None:
    """Take the servers out of nextcord's commands: bots that follow one another in a process share the objects."""
    for command in commands:
        command.guild_ids_to_rollout.clear()


def reply_to(message: Message) -> Message | None:
    return next((each for each in own(message.channel) if each.reference is message), None)


def own(channel: Channel) -> list[Message]:
    """Return the bot's messages in a channel."""
    return [message for message in channel.messages if message.author.bot]


def is_finished(message: Message) -> bool:
    """Return whether a job's message has come to its end: only then it can be deleted, or gone on from."""
    ids = [item.get("custom_id", "") for item in message.controls]
    return any(":delete:" in custom_id or ":more:" in custom_id for custom_id in ids)


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


async def more(user: User, message: Message, name: str) -> Interaction:
    """Choose in the menu under a picture."""
    return await user.select(message, "More…", [name])


def entries(message: Message) -> list[str]:
    """Return what the menu under a picture offers."""
    menu = next(item for item in message.controls if item.get("placeholder") == "More…")
    return [str(option["label"]) for option in menu["options"]]
