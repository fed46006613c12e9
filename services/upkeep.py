"""What runs beside the jobs and looks after the engines: comparisons, health, rented machines. Put together once."""

from dataclasses import dataclass

from backends.registry import BackendRegistry
from queue_manager import QueueManager
from services.drawing.compare import CompareService
from services.drawing.generation import GenerationService
from services.engines.catalog import Catalog
from services.engines.connections import ConnectionService
from services.engines.health import HealthWatch
from services.pictures.media import MediaService
from services.rentals.machines import MachineService
from services.rentals.rentals import RentalService
from settings.rentals import RentalSettings
from store.comparisons import ComparisonStore
from store.database import Database
from store.rentals import RentalStore
from utils.clock import Clock
from utils.loops import Loops


@dataclass(frozen=True, kw_only=True)
class Upkeep:
    """The services that watch over several engines at once."""

    compare: CompareService
    health: HealthWatch
    rentals: RentalService

    def start(self, loops: Loops) -> None:
        """Watch from now on."""
        loops.start("health", self.health.run)
        loops.start("rentals", self.rentals.run)


def make_upkeep(
    database: Database,
    registry: BackendRegistry,
    queue: QueueManager,
    generation: GenerationService,
    media: MediaService,
    connections: ConnectionService,
    clock: Clock,
    *,
    machines: MachineService,
    rentals: RentalSettings,
) -> Upkeep:
    """Wire them; nothing runs yet."""
    return Upkeep(
        compare=CompareService(
            generation=generation,
            media=media,
            catalog=Catalog(registry),
            store=ComparisonStore(database),
            clock=clock,
        ),
        health=HealthWatch(registry, clock),
        rentals=RentalService(
            registry=registry,
            connections=connections,
            store=RentalStore(database),
            lanes=queue.lanes,
            clock=clock,
            machines=machines,
            settings=rentals,
        ),
    )
