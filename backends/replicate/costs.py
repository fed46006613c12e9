"""The cost of predictions, before and after: by the picture, or by the seconds that the answer reports."""

from collections.abc import Sequence
from typing import Final

from backends.polling import PolledState
from backends.prices import lines_of, price_for, prices_of
from generation.prices import PriceLine

PACKAGE: Final = "backends.replicate"


def quote_for(slug: str, pictures: int) -> float | None:
    """Return what so many pictures will cost in US dollars; None where nobody says."""
    price = price_for(prices_of(PACKAGE), slug)
    usd = price.for_picture() if price else None
    return None if usd is None else usd * pictures


def cost_of(slug: str, ends: Sequence[PolledState]) -> float | None:
    """Return what predictions have cost; None where that is not known."""
    drawn = [end for end in ends if end.files]
    price = price_for(prices_of(PACKAGE), slug)
    seconds = sum(end.seconds for end in drawn)
    if price and price.second is not None and seconds:
        return price.second * seconds
    return quote_for(slug, len(drawn))


def prices_for(slugs: Sequence[str]) -> tuple[PriceLine, ...]:
    """Return the prices of the models that are there."""
    found = {price.name: price for slug in slugs if (price := price_for(prices_of(PACKAGE), slug))}
    return tuple(line for price in found.values() for line in lines_of(price))
