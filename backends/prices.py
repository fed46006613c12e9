"""The prices of pictures at services that charge: a `prices.toml` in an engine's folder, with dates and sources.

A price is an estimate until the service says what it took. All are in US dollars.
"""

import tomllib
from collections.abc import Mapping
from dataclasses import field
from functools import cache
from importlib.resources import files
from typing import Any, Final, Protocol, runtime_checkable

from backends.base import Backend
from generation.prices import PriceLine
from lazy import dataclass

FILE: Final = "prices.toml"
MILLION: Final = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Price:
    """The price of one model or one call of a service.

    `picture` is by size and quality ("1024x1024 low"), by quality, or "" for any; `tokens` are for a million of a kind
    (text_in, image_in, image_out); `second` is for one of the machine's time.
    """

    name: str
    as_of: str
    source: str
    picture: Mapping[str, float] = field(default_factory=dict)
    tokens: Mapping[str, float] = field(default_factory=dict)
    second: float | None = None

    def for_picture(self, *keys: str) -> float | None:
        """Return the price under the first of several keys that has one, else the one for any picture."""
        return next((self.picture[key] for key in (*keys, "") if key in self.picture), None)

    def for_tokens(self, used: Mapping[str, int]) -> float:
        """Return what so many tokens of each kind cost."""
        return sum(count * self.tokens.get(kind, 0.0) for kind, count in used.items()) / MILLION


Prices = Mapping[str, Price]  # by the name of the model, as far as it is given: "gpt-image-2" is for "gpt-image-2-mini"


@runtime_checkable
class PricedBackend(Backend, Protocol):
    """A backend that knows what its models cost."""

    def prices(self) -> tuple[PriceLine, ...]: ...


@cache
def prices_of(package: str) -> Prices:
    """Return the prices that lie in an engine's folder. Reads a small file."""
    return read_prices(files(package).joinpath(FILE).read_text(encoding="utf-8"))


def read_prices(text: str) -> Prices:
    """Return what a `prices.toml` says.

    Raises:
        ValueError: it is no TOML, or a price lacks its date or its source.
    """
    return {name: _price(name, entry) for name, entry in tomllib.loads(text).items()}


def price_for(prices: Prices, model: str) -> Price | None:
    """Return the price of a model: its own, or that of the longest name that it begins with."""
    fitting = [name for name in prices if model == name or model.startswith((f"{name}-", f"{name}:", f"{name}@"))]
    return prices[max(fitting, key=len)] if fitting else None


def lines_of(price: Price) -> tuple[PriceLine, ...]:
    """Return all that a price says, line by line."""
    rows = [(variant, usd, "picture") for variant, usd in price.picture.items()]
    rows += [("", usd, f"million tokens ({kind})") for kind, usd in price.tokens.items()]  # no text: a unit of the API
    rows += [("", price.second, "second")] if price.second is not None else []
    return tuple(
        PriceLine(name=price.name, variant=variant, usd=usd, unit=unit, as_of=price.as_of, source=price.source)
        for variant, usd, unit in rows
    )


def _price(name: str, entry: Any) -> Price:
    if not isinstance(entry, dict) or not entry.get("as_of") or not entry.get("source"):
        raise ValueError(f"{name} needs as_of and source")
    picture = entry.get("picture", {})
    return Price(
        name=name,
        as_of=str(entry["as_of"]),
        source=str(entry["source"]),
        picture={key: float(usd) for key, usd in picture.items()}
        if isinstance(picture, dict)
        else {"": float(picture)},
        tokens={kind: float(usd) for kind, usd in entry.get("tokens", {}).items()},
        second=float(entry["second"]) if "second" in entry else None,
    )
