"""Finish one picture of a draft: that composition, at the size and with the steps that were asked for.

Three ways, the first that the engine can go: over the draft's own picture; drawn again from its seed, as small as it
was, and enlarged by a hires fix; the same seed at full size, which may look different, and a note says so.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from constants import MAX_HIRES_FACTOR
from generation.capabilities import Capabilities
from generation.errors import GenerationError, RequestRejected
from generation.job import Job, JobView, Origin
from generation.person import Person
from generation.quick import full_size, is_unfinished
from generation.request import Draft, HiresFix, Mode, SourceImage, alone_in, draft_of
from lazy import dataclass
from services.drawing.generation import GenerationService
from services.drawing.picking import picture_of
from services.engines.catalog import Catalog
from services.pictures.media import MediaService
from store.database import Write
from texts.text import _

GONE: Final = _("the draft is no longer kept, so it is drawn from its seed")
SEED_ONLY: Final = _("the same seed at full size, not drawn over the draft: it may look different")
STRENGTH: Final = 0.5  # how much is new: the draft's shapes stay, its blur does not
NO_DRAFT: Final = _("This picture is no draft, so there is nothing to finish.")


@dataclass(frozen=True, kw_only=True)
class FinishWay:
    """The changes to a draft's request that finish it, what of that they drop, and a note where it may differ."""

    changes: Draft
    drop: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class FinishPrice:
    """The price of finishing one picture; `usd` is None where the engine does not say it."""

    usd: float | None


class Finisher:
    """Draws drafts to their end."""

    def __init__(self, generation: GenerationService, catalog: Catalog, media: MediaService) -> None:
        self._generation = generation
        self._catalog = catalog
        self._media = media

    async def finish(self, job_id: str, index: int, origin: Origin, *, also: Sequence[Write] = ()) -> JobView:
        """Submit the picture in full, as a job of its own.

        Raises:
            RequestRejected: there is no such picture, or it is no draft.
            GenerationError: as in `GenerationService.submit`.
        """
        job = await self._generation.get(job_id)
        image = picture_of(job, index)
        if not is_unfinished(job):
            raise RequestRejected(NO_DRAFT, field="picture")
        media = await self._media.get(image.media_id)
        source = await self._media.take_input(media.data) if media else None
        engine = self._catalog.engine(job.lane, origin.person)
        can = engine.capabilities if engine else None
        modes = can.modes if can else self._catalog.modes(origin.person)
        way = way_to_finish(job, index, source if Mode.IMG2IMG in modes else None, can)
        notes = (GONE, *way.notes) if media is None else way.notes
        return await self._generation.again(job_id, origin, way.changes, drop=way.drop, notes=notes, also=also)

    async def price(self, job: Job, person: Person) -> FinishPrice | None:
        """Return what finishing one of these costs; None where the engine is free, or cannot be asked."""
        engine = self._catalog.engine(job.lane, person)
        if engine is None or not engine.is_paid or not job.result or not is_unfinished(job):
            return None
        image = job.result.images[0]
        is_over = engine.capabilities is not None and Mode.IMG2IMG in engine.capabilities.modes
        picture = SourceImage(media_id=image.media_id, width=image.width, height=image.height) if is_over else None
        way = way_to_finish(job, 0, picture, engine.capabilities)
        draft = replace(way.changes.over(draft_of(job.request)), backend=job.lane)
        try:
            return FinishPrice(usd=(await self._generation.estimate(draft, job.origin)).cost_usd)
        except GenerationError:
            return FinishPrice(usd=None)


def way_to_finish(job: Job, index: int, source: SourceImage | None, can: Capabilities | None) -> FinishWay:
    """Return how a picture of a draft is finished; `source`: the picture, where an engine can draw over it."""
    width, height = full_size(job.request)
    image = picture_of(job, index)
    changes = Draft(draft=False, **alone_in(job.request, index, image.seed))
    if source is not None:
        over: dict[str, Any] = {"mode": Mode.IMG2IMG, "init_image": source, "denoising_strength": STRENGTH}
        return FinishWay(changes=replace(changes, width=width, height=height, **over), drop=("hires",))
    drawn = job.drawn
    factor = width / drawn.width
    if can is not None and can.supports_hires and 1 < factor <= MAX_HIRES_FACTOR:
        hires = HiresFix(factor=factor, steps=job.request.steps, denoising_strength=STRENGTH)
        small = replace(changes, width=drawn.width, height=drawn.height, steps=drawn.steps, hires=hires)
        return FinishWay(changes=small)
    return FinishWay(changes=changes, notes=(SEED_ONLY,))
