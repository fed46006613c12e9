"""Services that run beside the jobs and look after the engines: health, rented machines. Put together once."""

from backends.registry import BackendRegistry
from lazy import dataclass
from queue_manager import QueueManager
from services.engines.connections import ConnectionService
from services.engines.health import HealthWatch
from services.rentals.machines import MachineService
from services.rentals.rentals import RentalService
from settings.rentals import RentalSettings
from store.database import Database
from store.rentals import RentalStore
from utils.clock import Clock
from utils.loops import Loops


@dataclass(frozen=True, kw_only=True)
class Upkeep:
    """The services that watch over several engines at once."""

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
    connections: ConnectionService,
    clock: Clock,
    *,
    machines: MachineService,
    rentals: RentalSettings,
) -> Upkeep:
    """Wire them; nothing runs yet."""
    return Upkeep(
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
