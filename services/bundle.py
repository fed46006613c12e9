"""The services that every front door receives, in one value."""

from lazy import dataclass
from services.drawing.compare import CompareService
from services.drawing.generation import GenerationService
from services.drawing.intakes import IntakeService
from services.drawing.local_model import LocalModels
from services.drawing.looks import LookService
from services.drawing.questions import QuestionService
from services.drawing.timelines import TimelineService
from services.drawing.versus import VersusService
from services.drawing.wildcards import WildcardService
from services.drawing.workflows import WorkflowService
from services.engines.catalog import Catalog
from services.engines.connections import ConnectionService
from services.engines.own_models import OwnModels
from services.house.bundle import House
from services.moderation.bundle import Moderation
from services.money.bundle import Money
from services.people.preferences import PreferenceService
from services.pictures.media import MediaService
from services.records import Records
from services.reloading import ReloadService
from services.upkeep import Upkeep
from services.wording.bundle import WordServices
from utils.clock import Clock
from utils.loops import Loops


@dataclass(frozen=True, kw_only=True)
class Services:
    """All of them; a door takes what it needs."""

    generation: GenerationService
    compare: CompareService
    versus: VersusService
    media: MediaService
    catalog: Catalog
    local_models: LocalModels
    models: OwnModels
    connections: ConnectionService
    intakes: IntakeService
    upkeep: Upkeep
    records: Records
    workflows: WorkflowService
    wildcards: WildcardService
    questions: QuestionService
    looks: LookService
    timelines: TimelineService
    preferences: PreferenceService
    moderation: Moderation
    money: Money
    house: House
    wording: WordServices
    reloading: ReloadService
    clock: Clock
    loops: Loops
