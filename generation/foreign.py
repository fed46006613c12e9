"""Values that others made up: names, messages and numbers of engines, files and labels, cleaned as they enter.

The values in `generation` clean themselves with these when they are made, so that nothing past them has to doubt
whether a text can be stored, sent as UTF-8 or shown on one line, or whether a number is one.
"""

import math
import unicodedata
from collections.abc import Callable, Iterable
from typing import Final

from constants import MAX_SEED
from lazy import pattern
from texts.text import Text, english, with_values

MAX_NAME_CHARS: Final = 300
MAX_LINE_CHARS: Final = 1000
MAX_TEXT_CHARS: Final = 4000
MAX_NAMES: Final = 20_000
MAX_MARKS: Final = 3  # accents on one letter: more only pile up over the lines above
MAX_SECONDS: Final = 366 * 24 * 3600.0
REPLACEMENT: Final = "\ufffd"
# What moves the cursor, colours or names the window of a terminal (ECMA-48).
_TERMINAL: Final = pattern(r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[@-Z\\^_]")
_JOINERS: Final = "\u200c\u200d"  # hold emoji and letters of some scripts together, but are invisible elsewhere


def encodable(text: str) -> str:
    """Return a text that can be written as UTF-8 and stored: halves of characters and NUL are replaced."""
    if text.isascii():
        return text.replace("\0", REPLACEMENT) if "\0" in text else text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").replace("\0", REPLACEMENT)


def visible(text: str) -> str:
    """Return a text without what cannot be seen or turns what is around it: controls, bidi marks, heaps of accents.

    Line breaks stay; other white space and controls become spaces.
    """
    if text.isascii() and text.isprintable():
        return text
    kept: list[str] = []
    marks = 0
    characters = _TERMINAL.sub("", encodable(text)).replace("\r\n", "\n")
    for place, character in enumerate(characters):
        kind = unicodedata.category(character)
        marks = marks + 1 if kind in ("Mn", "Me") else 0
        if character == "\n":
            kept.append(character)
        elif kind in ("Cc", "Zl", "Zp"):
            kept.append(" ")
        elif character in _JOINERS:
            around = characters[max(0, place - 1) : place + 2]
            if len(around) == 3 and not (around[0].isascii() or around[2].isascii()):
                kept.append(character)
        elif kind not in ("Cf", "Cn") and marks <= MAX_MARKS:
            kept.append(character)
    return "".join(kept)


def clean_name(name: str) -> str:
    """Return a name that can be listed; an ordinary one stays exactly as it is, since it is sent back."""
    if len(name) <= MAX_NAME_CHARS and name.isascii() and name.isprintable():
        return name
    return _cut(visible(name).replace("\n", " "), MAX_NAME_CHARS)


def clean_line(text: str, limit: int = MAX_LINE_CHARS) -> str:
    """Return a text as one line; a `Text` stays translatable, unless it is too long."""
    if isinstance(text, Text):
        return _clean_values(text, limit, clean_line)
    if len(text) <= limit and text.isascii() and text.isprintable():
        return text
    return _cut(" ".join(visible(text[: 4 * limit]).split()), limit)


def clean_text(text: str, limit: int = MAX_TEXT_CHARS) -> str:
    """Return a text of several lines; a `Text` stays translatable, unless it is too long."""
    if isinstance(text, Text):
        return _clean_values(text, limit, clean_text)
    return _cut(visible(text[: 4 * limit]).strip(), limit)


def clean_names(names: Iterable[str]) -> tuple[str, ...]:
    """Return names in their order; empty ones, those that are there twice and those past any honest list left out."""
    cleaned = dict.fromkeys(filter(None, map(clean_name, names)))
    return tuple(cleaned)[:MAX_NAMES]


def whole(value: float, low: int, high: int) -> int:
    """Return a number as a whole one within its range; what is none counts as `low`."""
    if isinstance(value, float) and not math.isfinite(value):
        return high if value > 0 else low
    return max(low, min(high, int(value)))


def finite(value: float, low: float, high: float) -> float:
    """Return a number within its range; NaN counts as `low`."""
    is_none = isinstance(value, float) and math.isnan(value)
    return low if is_none else max(low, min(high, value))


def digits(text: str, default: int) -> int:
    """Return a text of up to 20 digits as a number; of anything else, `default`."""
    return int(text) if len(text) <= 20 and text.isascii() and text.isdecimal() else default


def fold_seed(seed: float) -> int:
    """Return a seed within 64 bits; a negative one counts from the end, as torch takes it."""
    is_none = isinstance(seed, float) and not math.isfinite(seed)
    return 0 if is_none else int(seed) % (MAX_SEED + 1)


def _clean_values(text: Text, limit: int, clean: Callable[[str, int], str]) -> str:
    """Return the text with its values cleaned: what others made up stands in them, the template is ours."""
    plain = clean(english(text), limit)
    if plain == english(text):
        return text
    values = {name: clean(value, limit) if isinstance(value, str) else value for name, value in text.values.items()}
    again = with_values(text, values)
    return again if clean(english(again), limit) == english(again) else plain


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"
