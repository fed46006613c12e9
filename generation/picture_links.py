"""Addresses of pictures in a prompt: in front of the words, as Midjourney takes them. No engine sees them as words."""

import re
from typing import Final
from urllib.parse import urlsplit

from lazy import pattern
from texts.text import _

_ADDRESS: Final = r"<?(https?://[^\s<>]+)>?"  # in <> Discord shows no preview of it
_FRONT: Final = pattern(rf"{_ADDRESS}[\s,;]*", re.IGNORECASE)
_PICTURE: Final = pattern(
    r"(?<!\S)<?(https?://[^\s<>?#]+\.(?:png|jpe?g|webp|gif|avif|bmp)(?:[?#][^\s<>]*)?)>?(?=[\s,;]|$)", re.IGNORECASE
)
_SHOWN_CHARS: Final = 60


def take_picture_links(text: str) -> tuple[str, tuple[str, ...]]:
    """Return a prompt without the addresses in front of it and those that end like a picture, and all of these."""
    found: list[str] = []
    end = 0
    while front := _FRONT.match(text, end):
        found.append(front[1].rstrip(",;"))
        end = front.end()
    words = text[end:]
    found += _PICTURE.findall(words)
    return " ".join(_PICTURE.sub(" ", words).split()) if found else text, tuple(found)


def place_of(link: str) -> str:
    """Return the host of an address, to name it by: the rest may hold a secret."""
    try:
        host = urlsplit(link).hostname or _("that address")
    except ValueError:
        host = _("that address")
    return host[:_SHOWN_CHARS]
