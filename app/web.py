"""Puts together what the HTTP door has besides the services of every door."""

from app.base import Base
from queue_manager import QueueManager
from services.backups import BackupService
from services.people.links import StudioLinks
from services.people.sign_in import SignInService
from services.people.uploads import UploadQuota
from services.pictures.fetching import PictureFetcher
from services.reports.readiness import ReadinessService
from services.reports.webhooks import WebhookService
from services.web import WebServices, make_access
from store.uploads import UploadStore
from store.webhooks import WebhookStore


def make_web(base: Base, queue: QueueManager) -> WebServices:
    """Wire them; the queue's changes go to the webhooks from now on."""
    settings, database, clock = base.settings, base.database, base.clock
    policy, public_url = settings.safety.links, settings.web.public_url
    webhooks = WebhookService(
        WebhookStore(database, base.box),
        clock,
        job_of=queue.get,
        policy=policy,
        settings=settings.webhooks,
        public_url=public_url,
        label_of=base.registry.label,
    )
    queue.watchers.on_change.append(webhooks.note)
    access = make_access(database, base.box, clock, settings.people.admin_ids)
    return WebServices(
        access=access,
        sign_in=SignInService(settings=settings.people, api_url=settings.discord.api_url, clock=clock),
        fetcher=PictureFetcher(base.media, policy, public_url=public_url),
        webhooks=webhooks,
        studio=StudioLinks(access, public_url),
        readiness=ReadinessService(database, base.media),
        backups=BackupService(settings.storage, clock),
        uploads=UploadQuota(UploadStore(database), clock, settings.storage),
    )
