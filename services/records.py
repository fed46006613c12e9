"""Records of Easel's work: the gallery, templates, styles, figures and alerts. Put together once."""

from backends.registry import BackendRegistry
from lazy import dataclass
from queue_manager import QueueManager
from services.drawing.generation import GenerationService
from services.drawing.styles import StyleService
from services.engines.connections import ConnectionService
from services.library.gallery import GalleryService
from services.library.templates import TemplateService
from services.people.forgetting import ForgettingService
from services.pictures.media import MediaService
from services.reports.alerts import AlertService
from services.reports.statistics import StatisticsService, log_picture
from settings.alerts import AlertSettings
from settings.storage import StorageSettings
from store.database import Database
from store.gallery import GalleryStore
from store.jobs import JobStore
from store.retention import RetentionStore
from store.statistics import StatisticsStore
from store.templates import TemplateStore
from store.words import WordStore
from utils.clock import Clock
from utils.loops import Loops


@dataclass(frozen=True, kw_only=True)
class Records:
    """The services about what was drawn."""

    gallery: GalleryService
    templates: TemplateService
    styles: StyleService
    statistics: StatisticsService
    alerts: AlertService
    forgetting: ForgettingService

    def start(self, loops: Loops) -> None:
        """Catch up with the last process, and pass alerts on from now on."""
        loops.start("gallery", self.gallery.start, may_end=True)
        loops.start("alerts", self.alerts.run)


def make_records(
    database: Database,
    jobs: JobStore,
    registry: BackendRegistry,
    queue: QueueManager,
    generation: GenerationService,
    media: MediaService,
    connections: ConnectionService,
    clock: Clock,
    *,
    styles: StyleService,
    limits: AlertSettings,
    budget_usd: float = 0.0,
    storage: StorageSettings,
) -> Records:
    """Wire them; nothing runs yet."""
    statistics = StatisticsService(store=StatisticsStore(database), jobs=jobs, clock=clock, label_of=registry.label)
    gallery = GalleryService(store=GalleryStore(database), media=media, clock=clock)
    alerts = AlertService(registry=registry, statistics=statistics, clock=clock, limits=limits, budget_usd=budget_usd)
    queue.watchers.on_change += [log_picture, alerts.on_change]
    forgetting = ForgettingService(
        WordStore(database),
        queue=queue,
        jobs=jobs,
        gallery=gallery,
        connections=connections,
        clock=clock,
        settings=storage,
        retention=RetentionStore(database),
    )
    generation.on_shown_again = gallery.forget_job  # a picture of your own is in the history already
    generation.on_deleted += [gallery.forget_job, forgetting.forget_job]
    gallery.on_emptied.append(forgetting.forget_words)
    return Records(
        gallery=gallery,
        templates=TemplateService(store=TemplateStore(database), clock=clock),
        styles=styles,
        statistics=statistics,
        alerts=alerts,
        forgetting=forgetting,
    )
