"""Put Easel together: settings in, everything it is made of out. The half of `main` that builds."""

import asyncio
import logging
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import ExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from app.engines import find_engines as find_engines
from app.keys import bad_key, open_signer
from backends.kinds import read_grades
from backends.registry import BackendRegistry, Entry
from config import Settings
from queue_manager import QueueManager
from scheduling.limits import QueueLimits
from scheduling.local_executor import LocalExecutor
from scheduling.retry import RetryPolicy
from services.bundle import Services
from services.drawing.generation import GenerationService
from services.drawing.intakes import make_intakes
from services.drawing.styles import StyleService
from services.drawing.workflows import WorkflowService
from services.engines.catalog import Catalog
from services.engines.connections import ConnectionService, Examine
from services.engines.describing import DescribingService
from services.people.access import LOCAL_USER
from services.pictures.marks import Marks
from services.pictures.media import MediaService
from services.pictures.sweeper import Sweeper
from services.records import make_records
from services.rentals.machines import RentalRules, make_providers
from services.reports.alerts import Alert, AlertLimits
from services.upkeep import make_upkeep
from services.web import WebRules, WebServices, make_web
from store import folder as data_folder
from store.connections import ConnectionStore
from store.database import Database
from store.image_cache import CacheUnavailable, ImageCache
from store.jobs import JobStore
from store.preferences import PreferenceStore
from store.workflows import WorkflowStore
from utils.clock import SystemClock
from utils.loops import Loops
from utils.secrets import SecretBox, make_private_folder
from utils.threads import close_threads
from utils.urls import UrlPolicy

log = logging.getLogger("easel")


@dataclass(kw_only=True)
class Easel:
    """Everything that is built, in the order it is started."""

    settings: Settings
    clock: SystemClock
    database: Database
    cache: ImageCache
    jobs: JobStore
    registry: BackendRegistry
    queue: QueueManager
    services: Services
    web: WebServices
    sweeper: Sweeper
    findings: tuple[str, ...]  # what was found on this machine, in words
    folders: ExitStack  # temporary ones

    async def start(self) -> None:
        """Take up what the last process left; engines are asked in the background what they can do."""
        await self.services.connections.restore()
        await self.web.webhooks.start()
        await self.queue.start()
        self.services.media.on_stored.append(self.sweeper.wake)
        self.services.records.alerts.on_alert.append(self._post_alert)
        services, loops = self.services, self.services.loops
        services.upkeep.start(loops)
        services.records.start(loops)
        loops.start("sweeper", self.sweeper.run)
        loops.start("webhooks", self.web.webhooks.run)

    async def _post_alert(self, alert: Alert) -> None:
        told = {"kind": alert.kind, "engine": alert.lane, "message": alert.message}
        await self.web.webhooks.tell_owner("alert", {"alert": told})

    async def close(self) -> None:
        """Close everything; stop the queue before."""
        await self.services.loops.close()
        await self.registry.aclose()
        await self.cache.close()
        await self.database.close()
        self.folders.close()
        close_threads()


@dataclass(frozen=True, kw_only=True)
class Instead:
    """What tests and benches bring in place of what is made from the settings."""

    clock: SystemClock | None = None
    entries: Sequence[Entry] | None = None  # the engines
    limits: QueueLimits | None = None
    policy: RetryPolicy | None = None
    examine: Examine | None = None
    rental_rules: RentalRules | None = None


NOTHING: Final = Instead()


async def build(settings: Settings, instead: Instead = NOTHING) -> Easel:
    """Open the store and wire everything; nothing runs yet.

    Raises:
        SettingsError: an engine, a key or the marks of pictures are set wrongly.
        DatabaseRefused: the data folder was used by a newer Easel, or by another build.
        PartMissing: its key or its database is missing, or another's.
    """
    clock = instead.clock or SystemClock()
    signer = await asyncio.to_thread(open_signer, settings, clock.now())
    await asyncio.to_thread(make_private_folder, settings.data_dir)
    entries, findings = (instead.entries, ()) if instead.entries is not None else await find_engines(settings)
    await asyncio.to_thread(read_grades)
    database, box = await open_store(settings)
    folders = ExitStack()
    cache = await _open_cache(settings, clock, folders)
    registry = BackendRegistry(clock)
    for entry in entries:
        registry.add(entry)
    marks = Marks(source_type_of=registry.source_type if settings.provenance != "off" else _no_mark, signer=signer)
    media = MediaService(cache, clock, settings.media_ttl, registry.label, marks)
    jobs = JobStore(database, box)
    base = _Base(
        settings=settings,
        database=database,
        box=box,
        registry=registry,
        media=media,
        clock=clock,
        loops=Loops(clock),
        instead=instead,
    )
    queue, services = _services(base, jobs)
    web = make_web(database, box, registry, queue, media, clock, _web_rules(settings))
    services.records.forgetting.access = web.access
    services.intakes.uploads = web.uploads
    return Easel(
        settings=settings,
        clock=clock,
        database=database,
        cache=cache,
        jobs=jobs,
        registry=registry,
        queue=queue,
        services=services,
        web=web,
        sweeper=Sweeper(
            cache,
            clock,
            named_by=jobs.named_by_ended,
            prune_words=services.records.forgetting.prune,
        ),
        findings=findings,
        folders=folders,
    )


@dataclass(frozen=True, kw_only=True)
class _Base:
    """What everything else is built on."""

    settings: Settings
    database: Database
    box: SecretBox
    registry: BackendRegistry
    media: MediaService
    clock: SystemClock
    loops: Loops
    instead: Instead


def _services(base: _Base, jobs: JobStore) -> tuple[QueueManager, Services]:
    """The queue and what every door receives."""
    settings, database, box, clock = base.settings, base.database, base.box, base.clock
    registry, media = base.registry, base.media
    workflows = WorkflowService(registry, WorkflowStore(database), clock)
    styles = StyleService(settings.data_dir)
    queue = _queue(base, jobs, workflows)
    generation = GenerationService(
        queue=queue,
        jobs=jobs,
        registry=registry,
        media=media,
        preferences=PreferenceStore(database),
        clock=clock,
        workflows=workflows,
        styles=styles,
    )
    connections = _connections(settings, database, box, registry, clock, base.instead.examine)
    rules = base.instead.rental_rules or _rental_rules(settings)
    upkeep = make_upkeep(database, registry, queue, generation, media, connections, clock, rental_rules=rules)
    records = make_records(
        database,
        jobs,
        registry,
        queue,
        generation,
        media,
        connections,
        clock,
        styles=styles,
        limits=_alert_limits(settings),
        media_ttl_s=settings.media_ttl,
        words_ttl_s=settings.words_ttl,
    )
    return queue, Services(
        generation=generation,
        media=media,
        catalog=Catalog(registry),
        connections=connections,
        describing=DescribingService(registry),
        intakes=make_intakes(database, box, registry, generation, upkeep.compare, media, clock, _policy(settings)),
        upkeep=upkeep,
        records=records,
        workflows=workflows,
        clock=clock,
        loops=base.loops,
    )


def _queue(base: _Base, jobs: JobStore, workflows: WorkflowService) -> QueueManager:
    settings = base.settings
    executor = LocalExecutor(
        base.registry.borrow,
        load=base.media.load,
        load_workflow=workflows.load,
        timeout_s=settings.job_timeout,
        clock=base.clock,
    )
    return QueueManager(
        jobs=jobs,
        registry=base.registry,
        executor=executor,
        sink=base.media,
        clock=base.clock,
        limits=base.instead.limits or _limits(settings),
        policy=base.instead.policy,
        loops=base.loops,
    )


def _connections(
    settings: Settings,
    database: Database,
    box: SecretBox,
    registry: BackendRegistry,
    clock: SystemClock,
    examine: Examine | None,
) -> ConnectionService:
    return ConnectionService(
        registry,
        ConnectionStore(database, box),
        clock=clock,
        allow_private=settings.allow_private_backends,
        allow_insecure_http=settings.allow_insecure_http,
        allowed_hosts=settings.allowed_backend_hosts,
        timeout_s=settings.job_timeout,
        trusted=frozenset({LOCAL_USER, *map(str, settings.web_admins)}),
        **({"examine": examine} if examine else {}),
    )


@asynccontextmanager
async def stored_workflows(settings: Settings, *, has_engines: bool = False) -> AsyncIterator[WorkflowService]:
    """Open the workflows of the data folder by themselves; a bot may be at work there."""
    clock = SystemClock()
    registry = BackendRegistry(clock)
    for entry in (await find_engines(settings))[0] if has_engines else ():
        registry.add(entry)
    database = await data_folder.open_database(settings.data_dir, settings.media_folder, now=clock.now())
    try:
        yield WorkflowService(registry, WorkflowStore(database), clock)
    finally:
        await registry.aclose()
        await database.close()


def _policy(settings: Settings) -> UrlPolicy:
    return UrlPolicy(allow_private=settings.allow_private_backends, allow_insecure_http=settings.allow_insecure_http)


def _web_rules(settings: Settings) -> WebRules:
    return WebRules(
        policy=_policy(settings),
        public_url=settings.public_url,
        guilds=settings.web_allowed_guilds or settings.discord_guild_ids,
        admins=settings.web_admins,
        client_id=settings.discord_client_id,
        client_secret=settings.discord_client_secret.get_secret_value(),
        discord_api_url=settings.discord_api_url,
        webhook_url=settings.webhook_url,
        webhook_secret=settings.webhook_secret.get_secret_value(),
        upload_quota_mb=settings.max_upload_mb_per_user,
        media_ttl_s=settings.media_ttl,
    )


def _rental_rules(settings: Settings) -> RentalRules:
    return RentalRules(
        idle_s=settings.gpu_reminder,
        auto_stop_s=settings.gpu_auto_stop,
        admins=frozenset(map(str, settings.web_admins)),
        guilds=frozenset(map(str, settings.web_allowed_guilds or settings.discord_guild_ids)),
        providers=make_providers(settings.runpod_api_key.get_secret_value(), settings.vast_api_key.get_secret_value()),
    )


def _alert_limits(settings: Settings) -> AlertLimits:
    return AlertLimits(
        error_rate=settings.alert_error_percent / 100,
        slow_s=settings.alert_slow,
        budget_usd=settings.daily_budget_usd,
        cooldown_s=settings.alert_cooldown,
    )


def _limits(settings: Settings) -> QueueLimits:
    return QueueLimits(
        max_waiting=settings.max_queue_size,
        max_waiting_per_user=settings.max_waiting_per_user,
        max_running_per_user=settings.max_running_per_user,
        max_running=settings.max_concurrent_jobs,
        cooldown_s=settings.cooldown,
        max_wait_s=settings.max_wait,
        patience_s=settings.engine_patience,
        grace_s=settings.graceful_stop,
    )


async def open_store(settings: Settings) -> tuple[Database, SecretBox]:
    """Open the database of the data folder and the box of its secrets."""
    key, now = settings.secret_key.get_secret_value(), SystemClock().now()
    try:
        return await data_folder.open_store(settings.data_dir, settings.media_folder, key, now=now)
    except ValueError as error:
        raise bad_key() from error


async def reset_key(settings: Settings) -> int | None:
    """Give up what a lost key sealed; return how many engines were forgotten, None if the key fits."""
    key, now = settings.secret_key.get_secret_value(), SystemClock().now()
    try:
        return await data_folder.reset_key(settings.data_dir, settings.media_folder, key, now=now)
    except ValueError as error:
        raise bad_key() from error


def _no_mark(lane: str) -> None:
    return None


async def _open_cache(settings: Settings, clock: SystemClock, folders: ExitStack) -> ImageCache:
    try:
        return await ImageCache.open(settings.media_folder, clock=clock, ttl_s=settings.media_ttl)
    except (CacheUnavailable, OSError) as error:
        fields = {"action": "cache_failed", "error": str(error)}
        log.error("the picture cache cannot be used: pictures are kept until this process ends", extra=fields)
        folder = Path(folders.enter_context(tempfile.TemporaryDirectory(prefix="easel-", ignore_cleanup_errors=True)))
        return await ImageCache.open(folder, clock=clock, ttl_s=settings.media_ttl)
