"""Slips of the keyboard in the words that decide: `remvoe`, `diffrent`, `agian`. Other words stay as they are."""

from functools import lru_cache
from typing import Final

from lazy import pattern

LONG: Final = 9  # from here on two slips are mended
_KNOWN: Final = frozenset({
    "again", "another", "anime", "aspect", "background", "backdrop", "bigger", "black", "blonde", "blurry",
    "brighten", "brighter", "camera", "change", "character", "colorful", "colour", "colours", "contrast",
    "cropped", "darker", "delete", "detailed", "different", "double", "enhance", "enlarge", "erase", "expand",
    "extend", "format", "further", "grayscale", "greyscale", "instead", "isolate", "landscape", "larger",
    "lighter", "orientation", "outpaint", "portrait", "please", "purple", "realistic", "recolour", "reduce",
    "remove", "replace", "reroll", "resize", "resolution", "retry", "retouch", "saturated", "saturation", "sepia",
    "sharper", "similar", "slightly", "square", "subtle", "strong", "taller", "transparent", "upscale", "variant",
    "variants", "variation", "variations", "vertical", "horizontal", "wallpaper", "warmer", "cooler", "watercolor",
    "watercolour", "wider", "without", "yellow", "orange", "smaller", "screen", "version", "versions", "ratio",
})  # fmt: skip
# real words that are one letter away from a deciding one
_OTHERS: Final = frozenset(
    ["cooker", "darken", "different", "lightest", "places", "replaced", "shape", "wilder", "winder", "waders", "dance"]
)
_WORD: Final = pattern(r"[a-z]{5,}")  # shorter ones are too near to others


def mended(text: str) -> str:
    """Return a text in lower case with the slips in deciding words corrected."""
    return _WORD.sub(lambda match: _mended_word(match[0]), text)


@lru_cache(maxsize=2048)
def _mended_word(word: str) -> str:
    if word in _KNOWN or word in _OTHERS:
        return word
    allowed = 2 if len(word) >= LONG else 1
    near = (known for known in sorted(_KNOWN) if _is_near(word, known, allowed))
    return next(near, word)


def _is_near(word: str, known: str, allowed: int) -> bool:
    is_other_form = word.startswith(known) or known.startswith(word)
    if is_other_form or word[0] != known[0] or abs(len(word) - len(known)) > allowed:
        return False
    return _distance(word, known) <= allowed


def _distance(left: str, right: str) -> int:
    """Return how many letters were left out, added, exchanged or swapped with their neighbour."""
    before: list[int] = []
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        earlier, before, row = before, row, [i]
        for j, b in enumerate(right, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and left[i - 2] == b:
                cost = min(cost, earlier[j - 2] + 1)
            row.append(cost)
    return row[-1]
