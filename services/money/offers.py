"""Other ways to draw what a budget refuses: a cheaper model of the same engine, engines that are free or cost less."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from backends.registry import BackendRegistry, Entry
from generation.errors import GenerationError
from generation.job import Origin
from generation.money import ROUNDING_USD, Offer
from generation.request import Draft
from services.drawing.choosing import Candidate, Chooser

MOST_OFFERS: Final = 4
MOST_TRIED: Final = 8  # engines and models: each may ask its service


class OfferService:
    """Finds them; nothing is drawn before the person chooses."""

    def __init__(self, chooser: Chooser, registry: BackendRegistry) -> None:
        self._chooser = chooser
        self._registry = registry

    async def offers(self, draft: Draft, origin: Origin, refused: Candidate, left_usd: float) -> tuple[Offer, ...]:
        """Return what would draw this with the money that is left, free engines first.

        Args:
            draft: what was asked for.
            origin: by whom, and where.
            refused: the engine that costs too much, with the request as it would get it.
            left_usd: of the budget.
        """
        cheaper = await self._models(draft, origin, refused, left_usd)
        others = [await self._on(entry, draft, origin, left_usd) for entry in self._others(origin, refused.entry)]
        found = sorted(filter(None, others), key=lambda offer: offer.usd)
        return tuple([*found[: MOST_OFFERS - len(cheaper)], *cheaper])

    def _others(self, origin: Origin, refused: Entry) -> Iterable[Entry]:
        usable = [
            entry
            for entry in self._registry.visible(origin.person)
            if entry.name != refused.name and entry.error is None and entry.capabilities and not entry.is_drained
        ]
        return usable[:MOST_TRIED]

    async def _on(
        self, entry: Entry, draft: Draft, origin: Origin, left_usd: float, model: str | None = None
    ) -> Offer | None:
        try:
            options = await self._chooser.options(replace(draft, backend=entry.name, model=model), origin)
        except GenerationError:
            return None
        usd = await self._registry.quote(entry, options[0].fitted.request)
        if usd is None or usd > left_usd + ROUNDING_USD:
            return None
        return Offer(label=model or entry.label, backend=entry.name, model=model, usd=usd)

    async def _models(self, draft: Draft, origin: Origin, refused: Candidate, left_usd: float) -> list[Offer]:
        """Return the cheapest other model of the engine that is refused, where its prices are known beforehand."""
        entry, capabilities = refused.entry, refused.entry.capabilities
        if not entry.prices or capabilities is None or capabilities.models is None:
            return []
        names = [model.name for model in capabilities.models if model.name != refused.fitted.request.model]
        offers = [await self._on(entry, draft, origin, left_usd, name) for name in names[:MOST_TRIED]]
        return sorted(filter(None, offers), key=lambda offer: offer.usd)[:1]
