"""Sizes as they are typed for a limit."""

from typing import Final

from generation.errors import RequestRejected
from lazy import pattern
from texts.text import _

_SIZE: Final = pattern(r"(\d{1,5})\s*[x×*]\s*(\d{1,5})")
_MEGAPIXELS: Final = pattern(r"(\d{1,3}(?:[.,]\d{1,2})?)\s*mp?")


def read_pixels(typed: str) -> int:
    """Read the largest picture: `1024x1024`, `1.5MP`, or `0` for any.

    Raises:
        RequestRejected: it is none of them.
    """
    text = typed.strip().casefold()
    if match := _SIZE.fullmatch(text):
        return int(match[1]) * int(match[2])
    if match := _MEGAPIXELS.fullmatch(text):
        return round(float(match[1].replace(",", ".")) * 1_000_000)
    if text == "0":
        return 0
    raise RequestRejected(
        _("“{typed}” is no size: write 1024x1024, 1.5MP, or 0 for any.", typed=typed[:20]), field="size"
    )
