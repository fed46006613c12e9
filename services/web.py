"""What the HTTP door has besides the services of every door, built together."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from backends.registry import BackendRegistry
from constants import DEFAULT_MAX_UPLOAD_MB_PER_USER, DEFAULT_MEDIA_TTL_S, DISCORD_API_URL
from queue_manager import QueueManager
from services.drawing.prompts import PromptService
from services.people.access import AccessService
from services.people.links import StudioLinks
from services.people.sign_in import SignInService
from services.people.uploads import UploadQuota
from services.pictures.fetching import PictureFetcher
from services.pictures.media import MediaService
from services.reports.discord_link import DiscordLink
from services.reports.readiness import ReadinessService
from services.reports.webhooks import WebhookService
from store.access import AccessStore
from store.database import Database
from store.uploads import UploadStore
from store.webhooks import WebhookStore
from utils.clock import Clock
from utils.secrets import SecretBox
from utils.urls import UrlPolicy


@dataclass(frozen=True, kw_only=True)
class WebServices:
    """Who may come in, pictures that come along, and other programs that want to hear of jobs."""

    access: AccessService
    sign_in: SignInService
    fetcher: PictureFetcher
    webhooks: WebhookService
    studio: StudioLinks
    readiness: ReadinessService
    uploads: UploadQuota
    prompts: PromptService = field(default_factory=PromptService)
    discord: DiscordLink = field(default_factory=DiscordLink)


@dataclass(frozen=True, kw_only=True)
class WebRules:
    """The owner's settings for it. `policy` is for addresses that callers give."""

    policy: UrlPolicy
    public_url: str = ""
    guilds: tuple[int, ...] = ()  # whose members may sign in
    admins: tuple[int, ...] = ()
    client_id: str = ""
    client_secret: str = ""
    discord_api_url: str = DISCORD_API_URL
    webhook_url: str = ""
    webhook_secret: str = ""
    upload_quota_mb: int = DEFAULT_MAX_UPLOAD_MB_PER_USER  # of one person while pictures are kept; 0 is no limit
    media_ttl_s: float = DEFAULT_MEDIA_TTL_S


def make_web(
    database: Database,
    box: SecretBox,
    registry: BackendRegistry,
    queue: QueueManager,
    media: MediaService,
    clock: Clock,
    rules: WebRules,
) -> WebServices:
    """Build them; the queue's changes go to the webhooks from now on."""
    webhooks = WebhookService(
        WebhookStore(database, box),
        clock,
        job_of=queue.get,
        policy=rules.policy,
        owner_url=rules.webhook_url,
        secret=rules.webhook_secret,
        public_url=rules.public_url,
        label_of=registry.label,
    )
    queue.on_change.append(webhooks.note)
    access = make_access(database, box, clock, rules.admins)
    return WebServices(
        access=access,
        sign_in=SignInService(
            client_id=rules.client_id,
            client_secret=rules.client_secret,
            api_url=rules.discord_api_url,
            clock=clock,
            guilds=rules.guilds,
            admins=rules.admins,
        ),
        fetcher=PictureFetcher(media, rules.policy, public_url=rules.public_url),
        webhooks=webhooks,
        studio=StudioLinks(access, rules.public_url),
        readiness=ReadinessService(database, media),
        uploads=UploadQuota(UploadStore(database), clock, quota_mb=rules.upload_quota_mb, ttl_s=rules.media_ttl_s),
    )


def make_access(database: Database, box: SecretBox, clock: Clock, admins: Iterable[int] = ()) -> AccessService:
    """Build what knows keys, sessions and links; the command line has use for it alone."""
    return AccessService(AccessStore(database), box, clock, admins=map(str, admins))
