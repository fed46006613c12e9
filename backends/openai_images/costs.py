"""The cost of a request, before and after.

Sources: `prices.toml`; OpenRouter's own list of prices; the usage in each answer, which is the truth.
"""

import math
from collections.abc import Mapping
from typing import Final

from backends.openai_images.answers import Endpoints, RoutedEndpoint, Usage
from backends.openai_images.client import Client
from backends.openai_images.dialects.known import FIXED_SIZES, OPENROUTER
from backends.openai_images.facts import Facts
from backends.openai_images.payload import picture_quality, size_for
from backends.prices import Price, lines_of, price_for, prices_of
from generation.errors import GenerationError
from generation.prices import PriceLine
from generation.request import GenerationRequest
from utils.clock import Clock

PACKAGE: Final = "backends.openai_images"
KEPT_S: Final = 600.0  # so long a list of prices is taken as it was told
OWN_PRICES: Final = OPENROUTER.models_path
MEGAPIXEL: Final = 1_000_000


class Costs:
    """The prices at one server."""

    def __init__(self, client: Client, options: Mapping[str, str], clock: Clock) -> None:
        self._client = client
        self._options = options
        self._clock = clock
        self._told: dict[str, tuple[float, Endpoints | None]] = {}

    async def quote(self, request: GenerationRequest, facts: Facts) -> float | None:
        """Return what a request will cost, without the words and pictures that go in; None where nobody says."""
        dialect, model = facts.dialect, facts.model_for(request.model, request.mode)
        size = size_for(request, dialect, model, lambda note: None)
        quality = picture_quality(dialect, facts, model, self._options)
        if dialect.models_path == OWN_PRICES:
            known = await self._endpoints(model)
            prices = [
                usd for endpoint in (known.endpoints if known else ()) if (usd := _at(endpoint, size)) is not None
            ]
            return max(prices) * request.batch_size if prices else None
        price = price_for(prices_of(PACKAGE), model)
        usd = _of_table(price, size, quality) if price else None
        return None if usd is None else usd * request.batch_size

    async def spent(self, usage: Usage | None, model: str, request: GenerationRequest, facts: Facts) -> float | None:
        """Return what one request cost; where its answer does not say, what it was to cost."""
        usd = usage.usd(price_for(prices_of(PACKAGE), model)) if usage else None
        return usd if usd is not None else await self.quote(request, facts)

    def lines(self, facts: Facts | None) -> tuple[PriceLine, ...]:
        """Return the prices of the models that are there."""
        names = facts.models if facts and facts.dialect.is_paid else ()
        found = {price.name: price for name in names if (price := price_for(prices_of(PACKAGE), name))}
        return tuple(line for price in found.values() for line in lines_of(price))

    async def _endpoints(self, model: str) -> Endpoints | None:
        now = self._clock.monotonic()
        known = self._told.get(model)
        if known is None or now - known[0] > KEPT_S:
            try:
                found = await self._client.endpoints(f"{OWN_PRICES}/{model}/endpoints")
            except GenerationError:
                found = None  # a price that cannot be told must not keep anybody from drawing
            known = self._told[model] = (now, found)
        return known[1]


def _at(endpoint: RoutedEndpoint, size: tuple[int, int]) -> float | None:
    """Return what one picture costs at one place; None where that depends on tokens."""
    usd = 0.0
    for entry in endpoint.pricing:
        if entry.billable != "output_image":
            continue
        if entry.cost_usd is None or entry.unit not in {"request", "image", "megapixel"}:
            return None
        usd += entry.cost_usd * (size[0] * size[1] / MEGAPIXEL if entry.unit == "megapixel" else 1)
    return usd or None


def _of_table(price: Price, size: tuple[int, int], quality: str) -> float | None:
    """Return the price of one picture; of a size without one, that of the nearest shape by the number of pixels."""
    exact = price.for_picture(f"{size[0]}x{size[1]} {quality}", quality)
    if exact is not None:
        return exact
    ratio = size[0] / size[1]
    near = min(FIXED_SIZES, key=lambda fixed: abs(math.log(fixed[0] / fixed[1] / ratio)))
    usd = price.for_picture(f"{near[0]}x{near[1]} {quality}")
    return None if usd is None else usd * size[0] * size[1] / (near[0] * near[1])
