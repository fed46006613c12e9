"""Start Easel. The only place that builds things: settings, store, engines, queue, services, then the door wanted."""

import asyncio
import logging
import os
import signal
import sqlite3
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import backends.builtin  # noqa: F401  # announces its kinds
import cli
from backends.base import BackendConfig
from backends.diagnose import diagnose, public_url
from backends.guard import policy_of
from backends.probe import probe_local
from backends.registry import BackendRegistry, Entry, known_kinds, load_plugins, make_backend
from cli import Check, Command, Studio
from config import BackendSettings, Problem, Settings, SettingsError, read_settings
from console.background import Background
from console.env_file import make_env_file
from generation.job import Job
from queue_manager import QueueManager
from scheduling.limits import QueueLimits
from scheduling.local_executor import LocalExecutor
from services.catalog import Catalog
from services.connections import ConnectionService
from services.describing import DescribingService
from services.generation import GenerationService
from services.media import MediaService
from services.sweeper import Sweeper
from services.upkeep import Upkeep, make_upkeep
from store.connections import ConnectionStore
from store.database import Database, DatabaseTooNew
from store.image_cache import CacheUnavailable, ImageCache
from store.jobs import JobStore
from store.migrations import MIGRATIONS
from store.preferences import PreferenceStore
from utils.clock import SystemClock
from utils.folder_lock import FolderInUse, FolderLock
from utils.logger import setup_logging
from utils.secrets import SecretBox, make_private_folder
from utils.signals import stop_on_signals
from utils.threads import close_threads
from utils.urls import UrlRefused, check_url

log = logging.getLogger("easel")

ENV_FILE = Path(".env")
ENV_EXAMPLE = Path(__file__).with_name(".env.example")
DATABASE_NAME = "easel.sqlite3"
KEY_NAME = "secret.key"


@dataclass(kw_only=True)
class Easel:
    """Everything that is built, in the order it is started."""

    settings: Settings
    clock: SystemClock
    database: Database
    cache: ImageCache
    registry: BackendRegistry
    queue: QueueManager
    generation: GenerationService
    media: MediaService
    catalog: Catalog
    connections: ConnectionService
    upkeep: Upkeep
    sweeper: Sweeper
    findings: tuple[str, ...]  # what was found on this machine, in words
    folders: ExitStack  # temporary ones
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def start(self) -> None:
        """Take up what the last process left; engines are asked in the background what they can do."""
        await self.connections.restore()
        await self.queue.start()
        self.media.on_stored.append(self.sweeper.wake)
        self._tasks = [asyncio.create_task(self.upkeep.run()), asyncio.create_task(self.sweeper.run())]

    async def close(self) -> None:
        """Close everything; stop the queue before."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self.registry.aclose()
        await self.cache.close()
        await self.database.close()
        self.folders.close()
        close_threads()


async def build(settings: Settings) -> Easel:
    """Open the store and wire everything; nothing runs yet.

    Raises:
        SettingsError: an engine or the key is set wrongly.
        DatabaseTooNew: the data folder was used by a newer Easel.
    """
    clock = SystemClock()
    await asyncio.to_thread(make_private_folder, settings.data_dir)
    entries, findings = await find_engines(settings)
    box = await asyncio.to_thread(_secret_box, settings)
    database = await Database.open(settings.data_dir / DATABASE_NAME, migrations=MIGRATIONS)
    folders = ExitStack()
    cache = await _open_cache(settings, clock, folders)
    jobs = JobStore(database, box)
    registry = BackendRegistry(clock)
    for entry in entries:
        registry.add(entry)

    media = MediaService(cache, clock, settings.media_ttl, registry.label)
    executor = LocalExecutor(registry.borrow, load=media.load, timeout_s=settings.job_timeout, clock=clock)
    queue = QueueManager(
        jobs=jobs, registry=registry, executor=executor, sink=media, clock=clock, limits=_limits(settings)
    )
    generation = GenerationService(
        queue=queue, jobs=jobs, registry=registry, media=media, preferences=PreferenceStore(database), clock=clock
    )
    connections = ConnectionService(
        registry,
        ConnectionStore(database, box),
        clock=clock,
        allow_private=settings.allow_private_backends,
        allow_insecure_http=settings.allow_insecure_http,
        allowed_hosts=settings.allowed_backend_hosts,
        timeout_s=settings.job_timeout,
    )
    upkeep = make_upkeep(database, registry, queue, generation, media, connections, clock, idle_s=settings.gpu_reminder)
    return Easel(
        settings=settings,
        clock=clock,
        database=database,
        cache=cache,
        registry=registry,
        queue=queue,
        generation=generation,
        media=media,
        catalog=Catalog(registry),
        connections=connections,
        upkeep=upkeep,
        sweeper=Sweeper(cache, clock),
        findings=findings,
        folders=folders,
    )


async def find_engines(settings: Settings) -> tuple[list[Entry], tuple[str, ...]]:
    """Make the engines that are set, else those that answer on this machine; sketch comes last, as the fallback."""
    load_plugins()
    findings: tuple[str, ...] = ()
    entries = [_entry(engine, settings) for engine in settings.engines]
    if not entries and settings.probe_local_ports:
        found = await probe_local()
        findings = tuple(one.message for one in found)
        for one in found:
            if one.is_usable:
                engine = BackendSettings(name=f"local{one.port}", kind=one.kind, url=one.url, label=one.title)
                entries.append(_entry(engine, settings))
    if all(entry.name != "sketch" for entry in entries):
        sketch = BackendSettings(name="sketch", kind="sketch", options=settings.sketch_options)
        entries.append(_entry(sketch, settings, is_fallback=True))
    return entries, findings


def _entry(engine: BackendSettings, settings: Settings, *, is_fallback: bool = False) -> Entry:
    prefix = engine.name.upper().replace("-", "_")
    if engine.kind not in known_kinds():
        said = engine.kind if engine.kind != engine.name else ""  # it was not said, the name stood for it
        raise SettingsError(Problem(name=f"{prefix}_KIND", value=said, right=f"one of {', '.join(known_kinds())}"))
    config = backend_config(engine, settings)
    try:
        if config.url:
            check_url(config.url, policy_of(config))
        backend = make_backend(config)
    except UrlRefused as refused:
        right = f"an address that may be used. {refused}"
        raise SettingsError(Problem(name=f"{prefix}_URL", value=engine.url, right=right)) from refused
    except ValueError as error:
        right = "values that this kind of engine can read"
        raise SettingsError(Problem(name=f"{prefix}_*", value=", ".join(engine.options), right=right)) from error
    return Entry(
        config=config,
        backend=backend,
        concurrency=engine.concurrency,
        rate_per_minute=engine.rate_per_minute,
        is_fallback=is_fallback,
    )


def backend_config(engine: BackendSettings, settings: Settings) -> BackendConfig:
    """Turn an engine's settings into what its backend receives."""
    return BackendConfig(
        name=engine.name,
        kind=engine.kind,
        url=engine.url,
        key=engine.key.get_secret_value(),
        label=engine.label,
        timeout_s=settings.job_timeout,
        allow_insecure_http=settings.allow_insecure_http,
        options=engine.options,
    )


def _limits(settings: Settings) -> QueueLimits:
    return QueueLimits(
        max_waiting=settings.max_queue_size,
        max_waiting_per_user=settings.max_waiting_per_user,
        max_running_per_user=settings.max_running_per_user,
        cooldown_s=settings.cooldown,
        max_wait_s=settings.max_wait,
        grace_s=settings.graceful_stop,
    )


def _secret_box(settings: Settings) -> SecretBox:
    key = settings.secret_key.get_secret_value()
    try:
        return SecretBox(key.encode()) if key else SecretBox.open(settings.data_dir / KEY_NAME)
    except ValueError as error:
        right = "44 signs of URL-safe base64, as Easel writes them into a new key file if there is none"
        raise SettingsError(Problem(name="SECRET_KEY" if key else KEY_NAME, value="***", right=right)) from error


async def _open_cache(settings: Settings, clock: SystemClock, folders: ExitStack) -> ImageCache:
    try:
        return await ImageCache.open(settings.media_folder, clock=clock, ttl_s=settings.media_ttl)
    except (CacheUnavailable, OSError) as error:
        fields = {"action": "cache_failed", "error": str(error)}
        log.error("the picture cache cannot be used: pictures are kept until this process ends", extra=fields)
        folder = Path(folders.enter_context(tempfile.TemporaryDirectory(prefix="easel-", ignore_cleanup_errors=True)))
        return await ImageCache.open(folder, clock=clock, ttl_s=settings.media_ttl)


async def run_bot(settings: Settings) -> int:
    """Start everything with Discord as the door, until a signal; a second signal ends the process at once."""
    stop = asyncio.Event()
    stop_on_signals(stop)
    easel = await build(settings)
    for finding in easel.findings:
        log.info(finding)
    log.info("engines: %s", ", ".join(entry.label for entry in easel.registry))
    try:
        await easel.start()
        return await _discord(easel, stop)
    finally:
        await easel.close()


async def _discord(easel: Easel, stop: asyncio.Event) -> int:
    from cogs.bot import EaselBot, Services  # only here: nextcord takes a third of a second and 30 MB
    from cogs.run import serve

    settings = easel.settings
    services = Services(
        generation=easel.generation,
        media=easel.media,
        catalog=easel.catalog,
        connections=easel.connections,
        describing=DescribingService(easel.registry),
        upkeep=easel.upkeep,
        clock=easel.clock,
    )

    def make_bot(message_content: bool) -> EaselBot:
        return EaselBot(
            services,
            prefix=settings.command_prefix,
            guild_ids=settings.discord_guild_ids,
            message_content=message_content,
            ping_after_s=settings.ping_after,
        )

    return await serve(
        make_bot,
        token=settings.discord_token.get_secret_value(),
        api_url=settings.discord_api_url,
        stop=stop,
        drain=easel.queue.stop,
    )


def run_console(settings: Settings, command: Command) -> int:
    """Make pictures without Discord.

    The store is a temporary one: the jobs of a bot in the data folder are not touched, and it may be running.
    """
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with tempfile.TemporaryDirectory(prefix="easel-", ignore_cleanup_errors=True) as folder, Background() as background:
        changes = {"data_dir": Path(folder), "media_cache_dir": Path("media_cache"), "graceful_stop": 0.0}
        easel = background.run(build(settings.model_copy(update=changes)))
        try:
            background.run(easel.start())
            return cli.run(
                command,
                Studio(
                    generation=easel.generation,
                    media=easel.media,
                    catalog=easel.catalog,
                    pictures=settings.data_dir / "pictures",
                    findings=easel.findings,
                    run=background.run,
                ),
            )
        finally:
            background.run(easel.queue.stop())
            background.run(easel.close())


async def jobs_in_store(settings: Settings) -> list[Job]:
    """Read what waits and runs in the data folder; a bot may be at work there."""
    path = settings.data_dir / DATABASE_NAME
    if not path.exists():
        return []
    database = await Database.open(path, migrations=MIGRATIONS)
    try:
        return await JobStore(database, _secret_box(settings)).active()
    finally:
        await database.close()


async def checks(settings: Settings) -> list[Check]:
    """Test what only the running parts can tell: the database, and each engine layer by layer."""
    found = [await _check_database(settings)]
    entries, findings = await find_engines(settings)
    found += [Check(name="this machine", is_ok=True, message=finding) for finding in findings]
    for entry in entries:
        if entry.config.url or public_url(entry.config.kind):
            result = await diagnose(entry.config)
            message, hint = result.message, result.hint or result.owner_hint
            found.append(Check(name=entry.label, is_ok=result.is_ok, message=message, hint=hint))
        await entry.backend.aclose()
    if all(entry.is_fallback for entry in entries):
        hint = "Set A1111_URL in .env, or start A1111 or Forge on this machine with --api."
        message = "No engine yet: pictures are drawn by rules (sketch), not by an AI model."
        found.append(Check(name="engines", is_ok=True, message=message, hint=hint))
    return found


async def _check_database(settings: Settings) -> Check:
    try:
        jobs = await jobs_in_store(settings)
    except (DatabaseTooNew, OSError, sqlite3.Error) as error:
        hint = "Is the disk full, the folder on a network drive, or this Easel older than the one before?"
        return Check(name="database", is_ok=False, message=f"It cannot be opened: {error}.", hint=hint)
    return Check(name="database", is_ok=True, message=f"It opens; {len(jobs)} jobs wait or run.")


def main(argv: Sequence[str] | None = None) -> int:
    """Read the command line and the settings, do what is asked, return the exit code."""
    command = cli.parse(sys.argv[1:] if argv is None else argv)
    if command.name in cli.WITHOUT_SETTINGS:
        return cli.run(command)
    try:
        if command.name == "start":
            make_env_file(ENV_FILE, ENV_EXAMPLE)
        settings = read_settings(ENV_FILE, os.environ)
        is_bot = command.name == "start" and bool(settings.discord_token.get_secret_value())
        level = settings.log_level if is_bot or settings.log_level == "DEBUG" else "ERROR"
        setup_logging(level, settings.log_format, settings.secrets())
        for warning in settings.warnings:
            cli.tell(warning)
        return _start(command, settings, is_bot=is_bot)
    except SettingsError as error:
        cli.tell(f"Some settings cannot be used. Change them in .env (or the environment):\n{error}")
        return cli.BAD_INPUT
    except (FolderInUse, DatabaseTooNew) as error:
        cli.tell(str(error))
    except OSError as error:
        log.debug("start failed", exc_info=error)
        cli.tell(f"Easel cannot use a file or folder it needs: {error.strerror or error} ({error.filename or '?'}).")
    except sqlite3.Error as error:
        cli.tell(f"The database in DATA_DIR cannot be used: {error}. `python main.py doctor` looks closer.")
    except KeyboardInterrupt:
        cli.tell("Cancelled.")
        return cli.INTERRUPTED
    return cli.FAILED


def _start(command: Command, settings: Settings, *, is_bot: bool) -> int:
    if is_bot:
        make_private_folder(settings.data_dir)
        with FolderLock(settings.data_dir):
            return asyncio.run(run_bot(settings))
    if command.name == "queue":
        return cli.run(command, jobs=asyncio.run(jobs_in_store(settings)))
    if command.name == "doctor":
        return cli.run(command, settings=settings, checks=asyncio.run(checks(settings)))
    return run_console(settings, command)


if __name__ == "__main__":
    sys.exit(main())
