"""The cost of an answer, from the server's own count of tokens and `prices.toml`."""

from typing import Final

from backends.prices import price_for, prices_of
from text_engines.base import TokensUsed

PACKAGE: Final = "text_engines"


def cost_of(model: str, used: TokensUsed) -> float:
    """Return what an answer cost in US dollars: 0 for a model without a price, like those on your own machine."""
    price = price_for(prices_of(PACKAGE), model)
    if price is None:
        return 0.0
    cached = used.tokens_cached if "text_cached" in price.tokens else 0
    counted = {"text_in": used.tokens_in - cached, "text_cached": cached, "text_out": used.tokens_out}
    return price.for_tokens(counted)
