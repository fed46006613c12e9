"""Put Easel together: settings in, everything it is made of out. The half of `main` that builds."""

import asyncio
import logging
import tempfile
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import field
from functools import partial
from pathlib import Path

from app.base import NOTHING, Base, Instead
from app.engines import find_engines, first_engine
from app.keys import open_signer
from app.reloading import Reloader
from app.services import make_services
from app.source import SettingsSource
from app.stored import open_store
from app.text import open_text_engine
from app.web import make_web
from backends.base import ClosablePictureCheck
from backends.kinds import picture_check, read_grades
from backends.registry import BackendRegistry
from config import Settings
from lazy import dataclass
from queue_manager import QueueManager
from services.bundle import Services
from services.moderation.notices import NoticeKind
from services.pictures.marks import Marks
from services.pictures.media import MediaService
from services.pictures.sweeper import Sweeper
from services.reports.alerts import Alert
from services.web import WebServices
from settings.storage import StorageSettings
from store.database import Database
from store.image_cache import CacheUnavailable, ImageCache
from store.jobs import JobStore
from texts.text import _
from utils.clock import SystemClock
from utils.loops import Loops
from utils.secrets import make_private_folder
from utils.threads import close_threads

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
    check: ClosablePictureCheck | None
    source: SettingsSource | None = None  # to read the settings from again
    on_settings: list[Callable[[Settings], None]] = field(default_factory=list)  # told when they were
    address: str = ""  # where the studio is open, once it is

    def studio_address(self) -> str:
        """Return where others reach the studio, without a slash at the end; empty while it is not open."""
        return self.settings.web.public_url or self.address

    async def start(self) -> None:
        """Take up what the last process left; engines are asked in the background what they can do."""
        await self.services.connections.restore()
        await self.services.moderation.holds.restore()
        await self.web.webhooks.start()
        await self.services.money.answers.settle_left()
        await self.queue.start()
        self.services.media.on_stored.append(self.sweeper.wake)
        self.services.records.alerts.on_alert += [self._post_alert, self._tell_admins]
        services, loops = self.services, self.services.loops
        services.upkeep.start(loops)
        services.records.start(loops)
        services.moderation.start(loops)
        loops.start("sweeper", self.sweeper.run)
        loops.start("cache", self.cache.watch)
        if self.web.backups.is_on:
            loops.start("backups", self.web.backups.run)
        loops.start("webhooks", self.web.webhooks.run)

    async def _post_alert(self, alert: Alert) -> None:
        values = {"kind": alert.kind, "engine": alert.engine, "message": alert.message}
        await self.web.webhooks.tell_owner("alert", {"alert": values})

    async def _tell_admins(self, alert: Alert) -> None:
        if channel_id := self.settings.discord.admin_channel_id:
            await self.services.moderation.notices.tell(
                NoticeKind.ALERT, channel_id=channel_id, about=alert.kind, message=str(alert.message)
            )

    async def close(self) -> None:
        """Close everything; stop the queue before."""
        await self.services.loops.close()
        await self.services.models.aclose()
        await self.registry.aclose()
        await self.services.wording.text.aclose()
        if self.check is not None:
            await self.check.aclose()
        await self.cache.close()
        await self.database.close()
        self.folders.close()
        close_threads()


async def build(settings: Settings, instead: Instead = NOTHING) -> Easel:
    """Open the store and wire everything; nothing runs yet.

    Raises:
        SettingsError: an engine, a key or the marks of pictures are set wrongly.
        DatabaseRefused: the data folder was used by a newer Easel, or by another build.
        PartMissing: its key or its database is missing, or another's.
    """
    clock = instead.clock or SystemClock()
    signer = await asyncio.to_thread(open_signer, settings.marks, clock.now())
    text_engine = instead.text_engine or open_text_engine(settings)
    await asyncio.to_thread(make_private_folder, settings.storage.data_dir)
    entries, findings = (instead.entries, ()) if instead.entries is not None else await find_engines(settings)
    if all(entry.fills for entry in entries):
        findings = (*findings, _("no engine yet: {first_engine}", first_engine=first_engine()))
    await asyncio.to_thread(read_grades, {entry.config.kind for entry in entries})
    database, box = await open_store(settings.storage, renews=True)
    folders = ExitStack()
    cache = await _open_cache(settings.storage, clock, folders)
    registry = BackendRegistry(clock)
    for entry in entries:
        registry.add(entry)
    is_marked = settings.marks.provenance != "off"
    marks = Marks(source_type_of=registry.source_type if is_marked else _no_mark, signer=signer)
    base = Base(
        settings=settings,
        database=database,
        box=box,
        registry=registry,
        jobs=JobStore(database, box),
        media=MediaService(cache, clock, settings.storage.media_ttl_s, registry.label, marks),
        clock=clock,
        loops=Loops(clock),
        check=await _check(settings, cache, instead),
        text_engine=text_engine,
        instead=instead,
    )
    queue, services = make_services(base)
    web = make_web(base, queue)
    services.records.forgetting.access = web.access
    services.intakes.uploads = web.uploads
    easel = Easel(
        settings=settings,
        clock=clock,
        database=database,
        cache=cache,
        jobs=base.jobs,
        registry=registry,
        queue=queue,
        services=services,
        web=web,
        sweeper=Sweeper(cache, clock, named_by=base.jobs.named_by_ended, prune_words=partial(_prune, services)),
        findings=findings,
        folders=folders,
        check=base.check,
    )
    services.reloading.take_up = Reloader(easel).reload
    return easel


async def _prune(services: Services) -> int:
    """Delete words and records whose time is over."""
    await services.moderation.prune()
    await services.money.budgets.prune()
    return await services.records.forgetting.prune()


async def _check(settings: Settings, cache: ImageCache, instead: Instead) -> ClosablePictureCheck | None:
    """Make the check of finished pictures, where it is installed: this Easel or a server may want it.

    Where all are checked, what was kept without answers no request any more.
    """
    if settings.filter.is_on:
        with suppress(CacheUnavailable):  # then it recalls nothing either
            await cache.forget_all_results()
    check = picture_check()
    made = check.make() if check and check.is_there() else None
    assert instead.check or made or not settings.filter.is_on, "the settings were refused without one"
    return instead.check or made


def _no_mark(lane: str) -> None:
    return None


async def _open_cache(settings: StorageSettings, clock: SystemClock, folders: ExitStack) -> ImageCache:
    try:
        return await ImageCache.open(settings.media_folder, clock=clock, ttl_s=settings.media_ttl_s)
    except (CacheUnavailable, OSError) as error:
        fields = {"action": "cache_failed", "error": str(error)}
        log.error("the picture cache cannot be used: pictures are kept until this process ends", extra=fields)
        folder = Path(folders.enter_context(tempfile.TemporaryDirectory(prefix="easel-", ignore_cleanup_errors=True)))
        return await ImageCache.open(folder, clock=clock, ttl_s=settings.media_ttl_s)
