"""Services that the HTTP door has besides the services of every door."""

from collections.abc import Iterable
from dataclasses import field

from lazy import dataclass
from services.backups import BackupService
from services.people.access import AccessService
from services.people.links import StudioLinks
from services.people.sign_in import SignInService
from services.people.uploads import UploadQuota
from services.pictures.fetching import PictureFetcher
from services.reports.bus_state import BusState
from services.reports.discord_link import DiscordLink
from services.reports.readiness import ReadinessService
from services.reports.webhooks import WebhookService
from store.access import AccessStore
from store.database import Database
from utils.clock import Clock
from utils.secrets import SecretBox


@dataclass(frozen=True, kw_only=True)
class WebServices:
    """Access, pictures that come along, and other programs that want to hear of jobs."""

    access: AccessService
    sign_in: SignInService
    fetcher: PictureFetcher
    webhooks: WebhookService
    studio: StudioLinks
    readiness: ReadinessService
    uploads: UploadQuota
    backups: BackupService
    discord: DiscordLink = field(default_factory=DiscordLink)
    bus: BusState = field(default_factory=BusState)


def make_access(database: Database, box: SecretBox, clock: Clock, admins: Iterable[str] = ()) -> AccessService:
    """Build what knows keys, sessions and links; the command line has use for it alone."""
    return AccessService(AccessStore(database), box, clock, admins=admins)
