"""The base that everything else is built on, and what tests and benches bring in place of it."""

from collections.abc import Sequence
from typing import Final

from backends.base import ClosablePictureCheck
from backends.registry import BackendRegistry, Entry
from config import Settings
from lazy import dataclass
from scheduling.retry import RetryPolicy
from services.engines.connections import Examine
from services.pictures.media import MediaService
from services.rentals.providers import GpuProvider
from store.database import Database
from store.jobs import JobStore
from text_engines.base import TextEngine
from utils.clock import SystemClock
from utils.loops import Loops
from utils.secrets import SecretBox


@dataclass(frozen=True, kw_only=True)
class Instead:
    """Parts that tests and benches bring in place of those made from the settings."""

    clock: SystemClock | None = None
    entries: Sequence[Entry] | None = None  # the engines
    policy: RetryPolicy | None = None
    examine: Examine | None = None
    providers: Sequence[GpuProvider] | None = None
    check: ClosablePictureCheck | None = None  # of finished pictures
    text_engine: TextEngine | None = None


NOTHING: Final = Instead()


@dataclass(frozen=True, kw_only=True)
class Base:
    """The base that everything else is built on."""

    settings: Settings
    database: Database
    box: SecretBox
    registry: BackendRegistry
    jobs: JobStore
    media: MediaService
    clock: SystemClock
    loops: Loops
    check: ClosablePictureCheck | None = None  # of finished pictures, where it is wanted
    text_engine: TextEngine | None = None
    instead: Instead = NOTHING
