"""The cost of an answer: before it is asked for, and from the server's own count of tokens or its own figure.

Prices are those of `prices.toml`, or what the owner has set for a model that is not listed there.
"""

from typing import Final

from backends.prices import Price, price_for, prices_of
from lazy import dataclass
from text_engines.base import TokensUsed

PACKAGE: Final = "text_engines"
CHARS_PER_TOKEN: Final = 3.0
USUAL_CHARS: Final = 900  # of a task, its form and a prompt
USUAL_TOKENS_OUT: Final = 500
PICTURE_TOKENS: Final = 1500  # of a picture with 1,024 pixels at its long side


@dataclass(frozen=True, kw_only=True)
class TextPrices:
    """US dollars for a million tokens as the owner has set them; 0 for both: those of the table hold."""

    usd_in: float = 0.0
    usd_out: float = 0.0

    def cost(self, model: str, used: TokensUsed) -> float:
        """Return what an answer cost in US dollars: 0 for a model without a price, like those on your own machine."""
        if used.usd is not None:
            return used.usd
        price = self._price(model)
        if price is None:
            return 0.0
        cached = used.tokens_cached if "text_cached" in price.tokens else 0
        return price.for_tokens(
            {"text_in": used.tokens_in - cached, "text_cached": cached, "text_out": used.tokens_out}
        )

    def estimate(self, model: str, *, chars: int = USUAL_CHARS, has_picture: bool = False) -> float:
        """Return what an answer will cost, about."""
        tokens_in = round(chars / CHARS_PER_TOKEN) + (PICTURE_TOKENS if has_picture else 0)
        return self.cost(model, TokensUsed(tokens_in=tokens_in, tokens_out=USUAL_TOKENS_OUT))

    def _price(self, model: str) -> Price | None:
        if self.usd_in or self.usd_out:
            tokens = {"text_in": self.usd_in, "text_out": self.usd_out}
            return Price(name=model, as_of="", source="", tokens=tokens)
        return price_for(prices_of(PACKAGE), model)
