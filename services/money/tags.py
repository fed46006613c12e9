"""Prices of the buttons under a picture, for its card: asked where the engine charges, and of no other."""

import asyncio
import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Final

from backends.registry import BackendRegistry, Entry
from generation.job import Job
from generation.request import GenerationRequest, Mode
from services.money.budgets import BudgetService

log = logging.getLogger(__name__)

OF_A_PICTURE: Final = {"vary": Mode.IMG2IMG, "zoom": Mode.INPAINT, "upscale": Mode.UPSCALE}
FACTOR: Final = 2.0  # of the button that enlarges


class PriceTags:
    """Prices by what is done: "again", "vary", "zoom", "upscale"."""

    def __init__(self, budgets: BudgetService, registry: BackendRegistry) -> None:
        self._budgets = budgets
        self._registry = registry

    async def of(self, job: Job) -> Mapping[str, float]:
        """Return what going on from a job would cost at its engine; empty where that is free or gone."""
        entry = self._registry.get(job.lane)
        if entry is None or not entry.backend.is_paid or entry.capabilities is None:
            return {}
        requests = {"again": job.drawn}
        if job.result is not None and job.result.images:
            requests |= {
                name: _from_picture(job.drawn, mode)
                for name, mode in OF_A_PICTURE.items()
                if mode in entry.capabilities.modes
            }
        prices = await asyncio.gather(*(self._price(entry, request) for request in requests.values()))
        return {name: usd for name, usd in zip(requests, prices, strict=True) if usd}

    async def _price(self, entry: Entry, request: GenerationRequest) -> float | None:
        try:
            return await self._budgets.price(entry, request)
        except Exception:  # a price that cannot be read must not keep a picture from being shown
            log.exception("no price to show", extra={"backend": entry.name})
            return None


def _from_picture(request: GenerationRequest, mode: Mode) -> GenerationRequest:
    factor = FACTOR if mode is Mode.UPSCALE else None
    return replace(request, mode=mode, batch_size=1, upscale_factor=factor)
