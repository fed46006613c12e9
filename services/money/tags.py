"""Prices of the buttons under a picture, for its card: asked where an engine charges, and of no other."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Final

from backends.registry import BackendRegistry, Entry
from generation.errors import GenerationError
from generation.job import Job, Origin
from generation.money import ON
from generation.request import Draft, GenerationRequest, Mode, SourceImage, draft_of
from services.drawing.choosing import Estimate
from services.drawing.continuing import ENGINES_OWN
from services.money.budgets import BudgetService

log = logging.getLogger(__name__)

OF_A_PICTURE: Final = {"vary": Mode.IMG2IMG, "zoom": Mode.INPAINT, "upscale": Mode.UPSCALE}
FACTOR: Final = 2.0  # of the button that enlarges
ZOOM: Final = 1.5
MOST_OTHERS: Final = 8  # engines that a picture can be drawn on instead
Estimator = Callable[[Draft, Origin], Awaitable[Estimate]]


class PriceTags:
    """Prices by what is done: "again", "vary", "zoom", "upscale", and "on:NAME" for the same on another engine."""

    def __init__(self, budgets: BudgetService, registry: BackendRegistry) -> None:
        self._budgets = budgets
        self._registry = registry
        self.estimate: Estimator | None = None  # tells which engine would draw, where the job's own cannot

    async def of(self, job: Job) -> Mapping[str, float]:
        """Return what going on from a job would cost; empty where no engine here charges."""
        paid = [entry for entry in self._registry.visible(job.origin.person) if entry.backend.is_paid]
        if not paid:
            return {}
        asked = {"again": self._again(job)}
        if job.result is not None and job.result.images:
            asked |= {name: self._from_picture(job, mode) for name, mode in OF_A_PICTURE.items()}
        others = [entry for entry in paid if entry.name != job.lane and entry.error is None][:MOST_OTHERS]
        asked |= {f"{ON}{entry.name}": self._on(job, entry) for entry in others}
        prices = await asyncio.gather(*asked.values())
        return {name: usd for name, usd in zip(asked, prices, strict=True) if usd}

    async def of_draft(self, draft: Draft, origin: Origin) -> float:
        """Return what a draft would cost where it would be drawn; 0: nothing, or it cannot be drawn."""
        if not any(entry.backend.is_paid for entry in self._registry.visible(origin.person)):
            return 0.0
        return await self._estimated(draft, origin) or 0.0

    async def _again(self, job: Job) -> float | None:
        entry = self._registry.get(job.lane)
        if entry is not None and entry.capabilities is not None:
            return await self._price(entry, job.drawn)
        return await self._estimated(replace(draft_of(job.request), backend=None), job.origin)

    async def _on(self, job: Job, entry: Entry) -> float | None:
        unsaid = Draft()
        without = {name: getattr(unsaid, name) for name in ENGINES_OWN}
        return await self._estimated(replace(draft_of(job.request), backend=entry.name, **without), job.origin)

    async def _from_picture(self, job: Job, mode: Mode) -> float | None:
        """Return the price at the job's own engine, or at the one that does it where that cannot."""
        entry, factor = self._registry.get(job.lane), FACTOR if mode is Mode.UPSCALE else None
        if entry is not None and entry.capabilities is not None and mode in entry.capabilities.modes:
            return await self._price(entry, replace(job.drawn, mode=mode, batch_size=1, upscale_factor=factor))
        assert job.result is not None, "else it has no picture"
        image = job.result.images[0]
        source = SourceImage(media_id=image.media_id, width=image.width, height=image.height)
        draft = Draft(prompt=job.request.prompt, mode=mode, init_image=source, upscale_factor=factor)
        if mode is Mode.INPAINT:  # its mask is made where it is drawn
            draft = replace(draft, mode=None, zoom=ZOOM)
        return await self._estimated(draft, job.origin)

    async def _price(self, entry: Entry, request: GenerationRequest) -> float | None:
        try:
            return await self._budgets.price(entry, request)
        except Exception:  # a price that cannot be read must not keep a picture from being shown
            log.exception("no price to show", extra={"backend": entry.name})
            return None

    async def _estimated(self, draft: Draft, origin: Origin) -> float | None:
        if self.estimate is None:
            return None
        try:
            found = await self.estimate(draft, origin)
        except GenerationError:  # it cannot be drawn, and a press says why
            return None
        except Exception:
            log.exception("no price to show", extra={"backend": draft.backend or ""})
            return None
        entry = self._registry.get(found.lane)
        return await self._price(entry, found.request) if entry else None
