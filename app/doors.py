"""Easel behind the doors that are wanted: the bot with the studio, the studio with the console, the console alone."""

import asyncio
import contextlib
import errno
import importlib
import logging
import os
import signal
import socket
import tempfile
import threading
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from api.sockets import bind_all
from app import cli
from app.assistants import make_assistants
from app.build import Easel, build
from app.bus import open_bus
from app.cli import Command, ConsoleParts
from app.source import SettingsSource
from app.stored import stored_workflows
from config import Settings
from console.background import CTRL_C_S, LoopThread
from settings.reading.problems import Problem, SettingsError
from settings.web import WebSettings
from store.folder import DATABASE_NAME
from texts.text import _
from utils.folder_lock import FolderLock
from utils.lean import nextcord_alone, uncollected
from utils.secrets import make_private_folder
from utils.signals import reload_on_signal, stop_on_signals

if TYPE_CHECKING:
    from api.door import WebDoor
    from cogs.bot import EaselBot

log = logging.getLogger("easel")

DIALLED_S: Final = 3.0  # as long the web framework waits for Discord, which may not answer


async def run_bot(settings: Settings, source: SettingsSource | None = None) -> int:
    """Start everything with Discord as a door, until a signal; a second signal ends the process at once."""
    stop = asyncio.Event()
    stop_on_signals(stop)
    easel = await build(settings)
    easel.source = source
    reload_on_signal(partial(easel.services.reloading.by_owner, log.warning), asyncio.get_running_loop())
    for finding in easel.findings:
        log.info(finding)
    log.info("engines: %s", ", ".join(entry.label for entry in easel.registry))
    opening = None
    try:
        ports = bind_web(settings.web) if settings.web.is_on else []
        await open_bus(easel)
        with uncollected():  # the line may be long, and stays
            await easel.start()
        if ports:
            opening = asyncio.create_task(_open_beside(easel, ports, stop))
        return await _discord(easel, stop)
    finally:
        if opening:
            await _close(opening)
        await easel.close()


async def _open_beside(easel: Easel, ports: list[socket.socket], stop: asyncio.Event) -> "WebDoor":
    """Open the web door once Discord was dialled: until then who comes waits, for half a second.

    A door that cannot be opened ends Easel, as it would where it is the only one.
    """
    try:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DIALLED_S):
                await easel.web.discord.is_dialled.wait()
        with uncollected():
            await asyncio.to_thread(importlib.import_module, "api.door")
        web, addresses = await open_web(easel, ports)
    except BaseException:
        for port in ports:
            port.close()
        stop.set()
        raise
    log.info("studio and API at %s", ", ".join(addresses))
    return web


async def _close(opening: "asyncio.Task[WebDoor]") -> None:
    """Close the door that was opened, or is being opened; raise what kept it from opening."""
    if not opening.done():
        opening.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        web = await opening
        await web.close()


def make_door(easel: Easel) -> "WebDoor":
    """Make the studio and the API, without a port."""
    from api.door import WebDoor  # only here: FastAPI takes half a second and 20 MB

    settings = easel.settings
    timeout_s, mcp = settings.queue.job_timeout_s, make_assistants(easel)
    door = WebDoor(easel.services, easel.web, settings.web, job_timeout_s=timeout_s, mcp=mcp)
    easel.on_settings.append(lambda changed: door.use(changed.web))
    return door


async def open_web(easel: Easel, ports: list[socket.socket] | None = None) -> tuple["WebDoor", list[str]]:
    """Serve the studio and the API; return the addresses, the main one first.

    Raises:
        PortInUse: a port that must be ours is taken.
        SettingsError: WEB_HOST is not an address of this machine.
    """
    ports = bind_web(easel.settings.web) if ports is None else ports
    door = make_door(easel)
    addresses = await door.open(ports)
    easel.address = addresses[0].rstrip("/")
    return door, addresses


def bind_web(settings: WebSettings) -> list[socket.socket]:
    """Listen where the settings say; takes no time, and answers nothing yet.

    Raises:
        PortInUse: a port that must be ours is taken.
        SettingsError: WEB_HOST is not an address of this machine.
    """
    try:
        return bind_all(settings)
    except OSError as error:
        if not isinstance(error, socket.gaierror) and error.errno != errno.EADDRNOTAVAIL:
            raise
        allowed = _("an address of this machine, like 127.0.0.1, or 0.0.0.0 to let other machines in")
        raise SettingsError(Problem(name="WEB_HOST", value=settings.host, allowed=allowed)) from error


def make_bot(easel: Easel, message_content: bool = True, shards: int = 0) -> "EaselBot":
    """Make the bot, not connected yet.

    Args:
        easel: what it is a door to.
        message_content: it may read what people write.
        shards: as many connections Discord has asked for; 0: it was not asked yet.
    """
    from cogs.sharding import bot_of  # only here: nextcord takes a third of a second and 30 MB

    settings = easel.settings
    has_studio = settings.web.is_on and settings.web.public_url
    return bot_of(
        settings.discord,
        easel.services,
        asked=shards,
        message_content=message_content,
        studio=easel.web.studio if has_studio else None,
    )


async def _discord(easel: Easel, stop: asyncio.Event) -> int:
    with nextcord_alone(), uncollected():
        from cogs.run import serve  # only here: nextcord takes a third of a second and 30 MB

    settings = easel.settings
    return await serve(
        partial(make_bot, easel),
        settings.discord,
        stop=stop,
        drain=easel.queue.stop,
        grace_s=settings.queue.grace_s,
        link=easel.web.discord,
        clock=easel.clock,
        is_only_door=not settings.web.is_on,
        loops=easel.services.loops,
    )


def run_studio(settings: Settings, command: Command, source: SettingsSource | None = None) -> int:
    """Serve the studio, with the console beside it, until the console is left or a signal comes."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    folder = settings.storage.data_dir
    make_private_folder(folder)
    with FolderLock(folder), LoopThread() as background:
        easel = background.run(build(settings))
        easel.source = source
        reload_on_signal(partial(easel.services.reloading.by_owner, cli.tell), background.loop)
        web = None
        try:
            background.run(open_bus(easel))
            background.run(easel.start())
            web, addresses = background.run(open_web(easel))
            return cli.run(command, _console(easel, background, settings, address=addresses[0]))
        finally:
            _end_in_order()
            if web:
                background.run(web.close())
            background.run(easel.queue.stop())
            background.run(easel.close())


def _console(easel: Easel, background: LoopThread, settings: Settings, *, address: str = "") -> ConsoleParts:
    return ConsoleParts(
        generation=easel.services.generation,
        media=easel.services.media,
        catalog=easel.services.catalog,
        wildcards=easel.services.wildcards,
        pictures=settings.storage.data_dir / "pictures",
        findings=easel.findings,
        run=background.run,
        address=address,
        has_token=bool(settings.discord.token.get_secret_value()),
        stay=_stay if address else None,
        bring_workflows=None if address else partial(_bring_workflows, easel, settings),
    )


async def _bring_workflows(easel: Easel, settings: Settings) -> None:
    """Take over the workflows of the data folder that are everybody's."""
    if (settings.storage.data_dir / DATABASE_NAME).exists():
        async with stored_workflows(settings) as stored:
            await easel.services.workflows.copy_from(stored)


def _end_in_order() -> None:
    """From now on Ctrl+C ends at once, and another SIGTERM (some senders send two) changes nothing."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, lambda *__: os._exit(cli.INTERRUPTED))


def _stay() -> None:
    """Wait for Ctrl+C or SIGTERM."""
    never = threading.Event()
    with contextlib.suppress(KeyboardInterrupt):
        while not never.wait(CTRL_C_S):  # in one long wait, Windows would not hear of Ctrl+C before its end
            pass


def run_console(settings: Settings, command: Command) -> int:
    """Make pictures without any other door.

    The store is a temporary one: the jobs of a bot in the data folder are not touched, and it may be running.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="easel-", ignore_cleanup_errors=True) as folder, LoopThread() as background:
        own = settings.changed(
            storage={
                "data_dir": Path(folder),
                "media_cache_dir": Path("media_cache"),
                "wildcards_path": settings.storage.wildcards_folder.absolute(),
            },
            queue={"grace_s": 0.0},
            webhooks={"url": ""},
        )
        easel = background.run(build(own))
        try:
            background.run(easel.start())
            return cli.run(command, _console(easel, background, settings))
        finally:
            background.run(easel.queue.stop())
            background.run(easel.close())
