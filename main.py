"""Start Easel. The only place that builds things: settings, store, engines, queue, services, then the door wanted."""

import sys

if not (3, 11) <= sys.version_info[:2] <= (3, 14):  # before the imports, which older ones cannot even read
    this = f"{sys.version_info[0]}.{sys.version_info[1]}"
    sys.exit(f"Easel needs Python 3.11, 3.12, 3.13 or 3.14, but this is Python {this}.")
if __name__ == "__main__":
    from utils.installation import report

    sys.excepthook = report  # what breaks the imports below, or those that come later, is one sentence

import asyncio
import contextlib
import errno
import logging
import os
import signal
import socket
import sqlite3
import tempfile
import threading
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import checkup
import cli
from backends.diagnose import diagnose
from backends.kinds import address_of, connectable
from cli import Check, Command, KeyCommand, Studio, WorkflowCommand
from config import Problem, Settings, SettingsError, read_settings
from console.background import CTRL_C_S, Background
from console.env_file import make_env_file
from generation.job import Job
from services.web import make_access
from store.database import DatabaseRefused
from store.folder import DATABASE_NAME, PartMissing, has_database
from store.jobs import JobStore
from utils.clock import SystemClock
from utils.disks import FULL, is_full, too_little
from utils.folder_lock import FolderInUse, FolderLock
from utils.logger import setup_logging
from utils.ports import PortInUse
from utils.secrets import make_private_folder
from utils.signals import stop_on_signals
from utils.text import plural
from wiring import Easel, build, find_engines, open_store, reset_key, stored_workflows

if TYPE_CHECKING:
    from api.door import WebDoor

log = logging.getLogger("easel")

ENV_FILE = Path(".env")
ENV_EXAMPLE = Path(__file__).with_name(".env.example")


async def run_bot(settings: Settings) -> int:
    """Start everything with Discord as a door, until a signal; a second signal ends the process at once."""
    stop = asyncio.Event()
    stop_on_signals(stop)
    easel = await build(settings)
    for finding in easel.findings:
        log.info(finding)
    log.info("engines: %s", ", ".join(entry.label for entry in easel.registry))
    web = None
    try:
        await easel.start()
        if settings.web:
            web, addresses = await open_web(easel)
            log.info("studio and API at %s", ", ".join(addresses))
        return await _discord(easel, stop)
    finally:
        if web:
            await web.close()
        await easel.close()


async def open_web(easel: Easel) -> tuple["WebDoor", list[str]]:
    """Serve the studio and the API; return the addresses, the main one first.

    Raises:
        PortInUse: a port that must be ours is taken.
        SettingsError: WEB_HOST is no address of this machine.
    """
    from api.context import LOOPBACK_NAMES, WebOptions  # only here: FastAPI takes half a second and 20 MB
    from api.door import Listen, WebDoor

    settings = easel.settings
    own_name = urlsplit(settings.public_url).hostname
    options = WebOptions(
        public_url=settings.public_url,
        hosts=settings.web_hosts,
        takes_addresses=settings.web_host not in LOOPBACK_NAMES,
        origins=settings.web_origins,
        is_open=own_name in (None, *LOOPBACK_NAMES) and not settings.trusted_proxies,
        trusted_proxies=settings.trusted_proxies,
        media_ttl_s=settings.media_ttl,
        job_timeout_s=settings.job_timeout,
        sign_in_url="/auth/login" if easel.web.sign_in.is_available else "",
        image_cdn_url=settings.image_cdn_url,
        bare_base64=settings.compat_base64,
        replicate_webhook_secret=settings.replicate_webhook_secret.get_secret_value(),
    )
    door = WebDoor(easel.services, easel.web, options)
    is_chosen = "port" in settings.model_fields_set
    listen = Listen(
        host=settings.web_host,
        port=settings.port,
        is_chosen=is_chosen,
        compat=settings.compat_ports,
        connections=settings.web_connections,
        connections_per_address=settings.web_connections_per_address,
    )
    try:
        return door, await door.open(listen)
    except OSError as error:
        if not isinstance(error, socket.gaierror) and error.errno != errno.EADDRNOTAVAIL:
            raise
        right = "an address of this machine, like 127.0.0.1, or 0.0.0.0 to let other machines in"
        raise SettingsError(Problem(name="WEB_HOST", value=settings.web_host, right=right)) from error


async def _discord(easel: Easel, stop: asyncio.Event) -> int:
    from cogs.bot import EaselBot  # only here: nextcord takes a third of a second and 30 MB
    from cogs.run import serve

    settings = easel.settings

    def make_bot(message_content: bool) -> EaselBot:
        return EaselBot(
            easel.services,
            prefix=settings.command_prefix,
            guild_ids=settings.discord_guild_ids,
            message_content=message_content,
            ping_after_s=settings.ping_after,
            studio=easel.web.studio if settings.web and settings.public_url else None,
        )

    return await serve(
        make_bot,
        token=settings.discord_token.get_secret_value(),
        api_url=settings.discord_api_url,
        stop=stop,
        drain=easel.queue.stop,
        grace_s=settings.graceful_stop,
        link=easel.web.discord,
        clock=easel.clock,
        is_only_door=not settings.web,
        loops=easel.services.loops,
    )


def run_studio(settings: Settings, command: Command) -> int:
    """Serve the studio, with the console beside it, until the console is left or a signal comes."""
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    make_private_folder(settings.data_dir)
    with FolderLock(settings.data_dir), Background() as background:
        easel = background.run(build(settings))
        web = None
        try:
            background.run(easel.start())
            web, addresses = background.run(open_web(easel))
            return cli.run(command, _console(easel, background, settings, address=addresses[0]))
        finally:
            _end_in_order()
            if web:
                background.run(web.close())
            background.run(easel.queue.stop())
            background.run(easel.close())


def _console(easel: Easel, background: Background, settings: Settings, *, address: str = "") -> Studio:
    return Studio(
        generation=easel.services.generation,
        media=easel.services.media,
        catalog=easel.services.catalog,
        pictures=settings.data_dir / "pictures",
        findings=easel.findings,
        run=background.run,
        address=address,
        has_token=bool(settings.discord_token.get_secret_value()),
        stay=_stay if address else None,
        bring_workflows=None if address else partial(_bring_workflows, easel, settings),
    )


async def _bring_workflows(easel: Easel, settings: Settings) -> None:
    """Take over the workflows of the data folder that are everybody's."""
    if (settings.data_dir / DATABASE_NAME).exists():
        async with stored_workflows(settings) as stored:
            await easel.services.workflows.copy_from(stored)


def _end_in_order() -> None:
    """From now on Ctrl+C ends at once, and another SIGTERM (some senders send two) changes nothing."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGINT, lambda *_: os._exit(cli.INTERRUPTED))


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
    with tempfile.TemporaryDirectory(prefix="easel-", ignore_cleanup_errors=True) as folder, Background() as background:
        changes = {
            "data_dir": Path(folder),
            "media_cache_dir": Path("media_cache"),
            "graceful_stop": 0.0,
            "webhook_url": "",
        }
        easel = background.run(build(settings.model_copy(update=changes)))
        try:
            background.run(easel.start())
            return cli.run(command, _console(easel, background, settings))
        finally:
            background.run(easel.queue.stop())
            background.run(easel.close())


async def jobs_in_store(settings: Settings) -> list[Job]:
    """Read what waits and runs in the data folder; a bot may be at work there."""
    if not await has_database(settings.data_dir, settings.media_folder, now=SystemClock().now()):
        return []
    database, box = await open_store(settings)
    try:
        return await JobStore(database, box).active()
    finally:
        await database.close()


async def manage_keys(settings: Settings, command: KeyCommand) -> int:
    """Make, list or revoke keys in the data folder; a bot may be at work there, but not at a reset."""
    if command.action == "reset":
        with FolderLock(settings.data_dir):
            return cli.tell_reset(await reset_key(settings))
    database, box = await open_store(settings)
    try:
        return await cli.manage(make_access(database, box, SystemClock()), command)
    finally:
        await database.close()


async def manage_workflows(settings: Settings, command: WorkflowCommand) -> int:
    """Add, show, correct or delete workflows in the data folder; a bot may be at work there."""
    async with stored_workflows(settings, has_engines=command.needs_engines) as workflows:
        return await cli.manage_workflows(workflows, command)


async def checks(settings: Settings) -> list[Check]:
    """Test what only the running parts can tell: the database, and each engine layer by layer."""
    found = [*await checkup.look_around(settings), await _check_database(settings)]
    entries, findings = await find_engines(settings)
    found += [Check(name="this machine", is_ok=True, message=finding) for finding in findings]
    for entry in entries:
        if address_of(entry.config):
            result = await diagnose(entry.config)
            message, hint = result.message, result.hint or result.owner_hint
            found.append(Check(name=entry.label, is_ok=result.is_ok, message=message, hint=hint))
        await entry.backend.aclose()
    if all(entry.is_fallback for entry in entries):
        kind = connectable()[0]
        hint = (
            f"Set {kind.name.upper()}_URL in .env, or start {kind.title} on this machine. {kind.api_off_hint}".strip()
        )
        message = "No engine yet: pictures are drawn by rules, not by an AI model."
        found.append(Check(name="engines", is_ok=True, message=message, hint=hint))
    return found


async def _check_database(settings: Settings) -> Check:
    try:
        jobs = await jobs_in_store(settings)
    except PartMissing as missing:
        return checkup.lost(missing)
    except SettingsError as error:
        wrong = ", ".join(problem.name for problem in error.problems)
        return Check(name="database", is_ok=False, message=f"It cannot be read before {wrong} is right.")
    except DatabaseRefused as error:
        return Check(name="database", is_ok=False, message=str(error))
    except (OSError, sqlite3.Error) as error:
        hint = (
            "Is the disk full, or the folder on a network drive? "
            f"If the file is damaged, put {DATABASE_NAME} back from your backup."
        )
        return Check(name="database", is_ok=False, message=f"It cannot be opened: {error}.", hint=hint)
    return Check(name="database", is_ok=True, message=f"It opens; {plural(len(jobs), 'job')} waiting or running.")


def main(argv: Sequence[str] | None = None) -> int:
    """Read the command line and the settings, do what is asked, return the exit code."""
    command = cli.parse(sys.argv[1:] if argv is None else argv)
    if command.name in cli.WITHOUT_SETTINGS:
        return cli.run(command)
    try:
        if command.name == "start":
            make_env_file(ENV_FILE, ENV_EXAMPLE)
        settings = read_settings(ENV_FILE, os.environ)
        settings = settings.model_copy(update={"web": settings.web and not command.no_web})
        has_token = bool(settings.discord_token.get_secret_value())
        is_bot = command.name == "start" and has_token and not command.no_discord
        level = settings.log_level if is_bot or settings.log_level == "DEBUG" else "ERROR"
        setup_logging(level, settings.log_format, settings.secrets())
        for warning in settings.warnings:
            cli.tell(warning)
        if command.name == "start":
            _warn_of_full_disk(settings, is_bot=is_bot)
        return _start(command, settings, is_bot=is_bot)
    except SettingsError as error:
        cli.tell(f"Some settings cannot be used. Change them in .env (or the environment):\n{error}")
        return cli.BAD_INPUT
    except (FolderInUse, DatabaseRefused, PartMissing, PortInUse) as error:
        cli.tell(str(error))
    except (OSError, sqlite3.Error) as error:
        log.debug("start failed", exc_info=error)
        cli.tell(_why(error))
    except KeyboardInterrupt:
        cli.tell("Cancelled.")
        return cli.INTERRUPTED
    return cli.FAILED


def _why(error: OSError | sqlite3.Error) -> str:
    if is_full(error):
        return FULL.format(folder="DATA_DIR", state="is full")
    if isinstance(error, sqlite3.Error):
        return f"The database in DATA_DIR cannot be used: {error}. `python main.py doctor` looks closer."
    return f"Easel cannot use a file or folder it needs: {error.strerror or error} ({error.filename or '?'})."


def _warn_of_full_disk(settings: Settings, *, is_bot: bool) -> None:
    warning = too_little(settings.data_dir) or too_little(settings.media_folder)
    if warning and is_bot:
        log.error(warning)
    elif warning:
        cli.tell(warning)


def _start(command: Command, settings: Settings, *, is_bot: bool) -> int:
    if is_bot:
        make_private_folder(settings.data_dir)
        with FolderLock(settings.data_dir):
            return asyncio.run(run_bot(settings))
    if command.name == "queue":
        return cli.run(command, jobs=asyncio.run(jobs_in_store(settings)))
    if command.workflow:
        return asyncio.run(manage_workflows(settings, command.workflow))
    if command.key:
        return asyncio.run(manage_keys(settings, command.key))
    if command.name == "doctor":
        return cli.run(command, settings=settings, checks=asyncio.run(checks(settings)))
    if command.name == "start" and settings.web:
        return run_studio(settings, command)
    return run_console(settings, command)


if __name__ == "__main__":
    sys.exit(main())
