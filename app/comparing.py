"""Puts together what shows pictures side by side: comparisons of engines, and votes on two prompts."""

from app.base import Base
from services.drawing.compare import CompareService
from services.drawing.generation import GenerationService
from services.drawing.versus import VersusService
from services.engines.catalog import Catalog
from services.moderation.removal import PictureRemoval
from store.ballots import BallotStore
from store.comparisons import ComparisonStore


def make_comparing(base: Base, generation: GenerationService, catalog: Catalog) -> tuple[CompareService, VersusService]:
    """Wire them; nothing runs yet."""
    store, clock = ComparisonStore(base.database), base.clock
    compare = CompareService(generation=generation, media=base.media, catalog=catalog, store=store, clock=clock)
    ballots = BallotStore(base.database)
    return compare, VersusService(generation=generation, comparisons=store, store=ballots, clock=clock)


def end_votes_on_removed(
    generation: GenerationService, removal: PictureRemoval, versus: VersusService
) -> PictureRemoval:
    """Let a vote end with a picture of it, whoever takes that away; return the removal."""
    generation.on_deleted.append(versus.forget_job)
    removal.on_removed.append(versus.forget_job)
    return removal
