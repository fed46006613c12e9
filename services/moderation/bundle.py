"""The services of moderation in one value, put together once."""

from collections.abc import Iterable

from backends.registry import BackendRegistry
from generation.job import Origin
from generation.request import Draft
from lazy import dataclass
from queue_manager import QueueManager
from services.moderation.audit import AuditService
from services.moderation.bans import BanService
from services.moderation.caps import CapService
from services.moderation.holds import EngineHoldService
from services.moderation.homes import Homes
from services.moderation.notices import NoticeService
from services.moderation.reports import ReportService
from services.moderation.rights import Rights
from settings.people import PeopleSettings
from settings.storage import StorageSettings
from store.audit import AuditStore
from store.bans import BanStore
from store.caps import CapStore
from store.database import Database
from store.engine_holds import EngineHoldStore
from store.jobs import JobStore
from store.notices import NoticeStore
from store.reports import ReportStore
from utils.clock import Clock
from utils.loops import Loops


@dataclass(frozen=True, kw_only=True)
class Moderation:
    """The services for moderators and admins."""

    rights: Rights
    homes: Homes
    audit: AuditService
    bans: BanService
    notices: NoticeService
    caps: CapService
    reports: ReportService
    holds: EngineHoldService

    def start(self, loops: Loops) -> None:
        """Deliver notices from now on."""
        loops.start("notices", self.notices.run)

    async def check(self, draft: Draft, origin: Origin) -> None:
        """Refuse a request, before anything is done for it.

        Raises:
            Barred: who asks is banned where it comes from.
        """
        await self.bans.check(origin)

    async def prune(self) -> None:
        """Delete what is older than it is kept."""
        await self.audit.prune()
        await self.bans.prune()
        await self.caps.prune()
        await self.reports.prune()


def make_moderation(
    database: Database,
    registry: BackendRegistry,
    jobs: JobStore,
    queue: QueueManager,
    clock: Clock,
    *,
    people: PeopleSettings,
    home_ids: Iterable[str],
    storage: StorageSettings,
) -> Moderation:
    """Wire them; nothing runs yet."""
    rights, homes = Rights(people.admin_ids), Homes(home_ids)
    audit = AuditService(AuditStore(database), rights, clock, ttl_s=storage.audit_ttl_s)
    notices, ban_store = NoticeService(NoticeStore(database), clock), BanStore(database)
    bans = BanService(
        ban_store,
        queue=queue,
        jobs=jobs,
        audit=audit,
        notices=notices,
        rights=rights,
        homes=homes.of,
        clock=clock,
    )
    reports = ReportService(
        ReportStore(database),
        jobs=jobs,
        bans=bans,
        ban_store=ban_store,
        audit=audit,
        notices=notices,
        rights=rights,
        clock=clock,
        ttl_s=storage.audit_ttl_s,
    )
    caps = CapService(CapStore(database), homes=homes, rights=rights, audit=audit, clock=clock)
    holds = EngineHoldService(
        EngineHoldStore(database), registry=registry, queue=queue, jobs=jobs, audit=audit, rights=rights, clock=clock
    )
    return Moderation(
        rights=rights,
        homes=homes,
        audit=audit,
        notices=notices,
        bans=bans,
        caps=caps,
        reports=reports,
        holds=holds,
    )
