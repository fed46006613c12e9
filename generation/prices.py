"""The prices of pictures, as people read it."""

from lazy import dataclass


@dataclass(frozen=True, kw_only=True)
class PriceLine:
    """One price in US dollars: `unit` is "picture", "second", "credit" or "million tokens (image_out)".

    An estimate until the service says what it took; `as_of` and `source` say since when and from where it is known.
    """

    name: str
    variant: str
    usd: float
    unit: str
    as_of: str
    source: str
