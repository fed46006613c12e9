"""From a wish to what is asked of an engine: the words and numbers of a draft, and the kind of work it takes."""

import re
from dataclasses import replace
from typing import Final

from constants import MAX_BATCH_SIZE, MAX_PROMPT_CHARS, MAX_UPSCALE_FACTOR
from generation.request import Draft, GenerationRequest, Mode, Pan
from generation.wishes.wish import Operation, Wish
from lazy import dataclass, pattern

# how much of the picture is new
STRENGTHS: Final = {
    Operation.EDIT: 0.6,
    Operation.INPAINT: 0.5,
    Operation.RECOLOUR: 0.45,
    Operation.BACKGROUND: 0.65,
    Operation.VARY: 0.65,
}
SUBTLE: Final = 0.35
MUCH_NEW: Final = 0.75
ZOOM: Final = 1.5
ZOOM_A_BIT: Final = 1.25
MOST_ZOOM: Final = 3.0
UPSCALE: Final = 2.0
WIDE_4K_PX: Final = 3840
STEP_OF_SHAPE: Final = 4 / 3  # "wider": so much wider than it was
SHAPES: Final = (
    (r"phone|story|9 by 16", (9, 16)),
    (r"banner", (3, 1)),
    (r"wallpaper|widescreen|wide", (16, 9)),
    (r"square|thumbnail", (1, 1)),
    (r"portrait|vertical|tall", (2, 3)),
    (r"landscape|horizontal", (3, 2)),
)
NUMBERS: Final = {"two": 2, "three": 3, "four": 4}
_SIDES: Final = (
    (r"\b(?:left)\b", Pan.LEFT),
    (r"\bright\b", Pan.RIGHT),
    (r"\b(?:up|upwards?|top|above|over)\b", Pan.UP),
    (r"\b(?:down|downwards?|bottom|below|beneath|under|underneath)\b", Pan.DOWN),
)
_VERB: Final = pattern(
    r"^(?:(?:make|turn|convert|transform|change|render|redraw|draw|paint|edit|do|give|add|put|set|place)\s+)"
    r"(?:(?:it|this|that|everything|the\s+(?:image|picture|pic|photo))\s+)?"
    r"(?:(?:to\s+)?look\s+(?=like\b)|(?:in)?to\s+|(?:to\s+)?be\s+|as\s+(?=an?\b))?"
)
_SAME: Final = pattern(r"^(?:the\s+)?same(?:\s+(?:thing|one|picture|image|scene))?\s+(?:but\s+)?(?:as\s+)?")
_FACTOR: Final = pattern(r"(?:\bx\s?([2-8])\b|\b([2-8](?:\.\d)?)\s?[x×])")
_ZOOM_FACTOR: Final = pattern(r"\b([1-3](?:\.\d{1,2})?)\s?[x×]|\bby\s+([1-3](?:\.\d{1,2})?)\b")
_SIZE: Final = pattern(r"\b(\d{2,5})\s*(?:x|×|by)\s*(\d{2,5})\b")
_RATIO: Final = pattern(r"(?<![\d:])(\d{1,2})\s?(?::|by)\s?(\d{1,2})(?![\d:])")
_COUNT: Final = pattern(r"\b(10|[2-9]|two|three|four)\b")
_REMOVED: Final = pattern(r"\b(?:remov\w*|delete|erase|no|without|transparent|transparency|cut\s?out|isolated?|rid)\b")


@dataclass(frozen=True, kw_only=True)
class Way:
    """The carrying out of a wish: what is asked for, the mode it takes, and whether it begins with the picture.

    `mode` None: any engine that draws. `draft` None: no engine can do it.
    """

    draft: Draft | None
    mode: Mode | None = None
    takes_picture: bool = True


def way_of(wish: Wish, drawn: GenerationRequest | None, *, seed: int | None = None, has_mask: bool = False) -> Way:
    """Return how a wish for a picture is carried out.

    Args:
        wish: what was asked for.
        drawn: what the picture was drawn from; None for one of elsewhere.
        seed: of the picture.
        has_mask: a mask came with the wish.
    """
    way = _way(wish, drawn, seed, has_mask)
    if way.draft is None:
        return way
    return replace(way, draft=wish.options.over(way.draft))


def is_to_go(wish: Wish) -> bool:
    """Return whether a background is to be taken away, which leaves a picture with transparent parts."""
    return bool(_REMOVED.search(wish.words)) and "in front" not in wish.words


def is_closer(wish: Wish) -> bool:
    """Return whether less of a picture is to be seen, which cuts it."""
    return bool(re.search(r"\bzoom\s?(?:ed|ing)?\s?in\b", wish.words))


def _way(wish: Wish, drawn: GenerationRequest | None, seed: int | None, has_mask: bool) -> Way:
    match wish.operation:
        case Operation.UPSCALE:
            draft = Draft(mode=Mode.UPSCALE, upscale_factor=_upscale_factor(wish.words, drawn))
            return Way(draft=draft, mode=Mode.UPSCALE)
        case Operation.ZOOM:
            return Way(draft=None if is_closer(wish) else _zoomed(wish.words), mode=Mode.INPAINT)
        case Operation.RESIZE:
            return Way(draft=replace(_resized(wish.words, drawn), seed=seed), takes_picture=False)
        case Operation.AGAIN:
            return Way(draft=Draft(batch_size=_count(wish.words)), takes_picture=False)
        case Operation.VARY:
            strength = _vary_strength(wish.words)
            draft = Draft(mode=Mode.IMG2IMG, denoising_strength=strength, batch_size=_count(wish.words) or 1)
            return Way(draft=draft, mode=Mode.IMG2IMG)
        case Operation.BACKGROUND if is_to_go(wish):
            return Way(draft=None)
    mode = Mode.INPAINT if has_mask and wish.operation is Operation.INPAINT else Mode.IMG2IMG
    return Way(draft=_reworded(wish, drawn, mode), mode=mode)


def _reworded(wish: Wish, drawn: GenerationRequest | None, mode: Mode) -> Draft:
    """Return the words of the picture with those of the wish; what should go is kept out of it."""
    before = drawn.prompt if drawn else ""
    words = plain_change(wish.words)
    if mode is Mode.INPAINT:
        prompt = words or before
    else:
        prompt = ", ".join(filter(None, (_without(before, wish.unwanted), words)))
    unwanted = ", ".join(filter(None, (drawn.negative_prompt if drawn else "", _bare(wish.unwanted))))
    return Draft(
        prompt=prompt[:MAX_PROMPT_CHARS],
        negative_prompt=unwanted[:MAX_PROMPT_CHARS] or None,
        mode=mode,
        denoising_strength=None if mode is Mode.INPAINT else STRENGTHS.get(wish.operation, STRENGTHS[Operation.EDIT]),
        batch_size=1,
    )


def plain_change(words: str) -> str:
    """Return what a request wants to see, without the verb: "make it look like a painting" is "like a painting"."""
    shorter = _SAME.sub("", _VERB.sub("", words, count=1), count=1).strip(" ,")
    return shorter or words


def _bare(words: str) -> str:
    return re.sub(r"^(?:the|a|an|his|her|its|their|any|all|that|those|this)\s+", "", words)


def _without(prompt: str, unwanted: str) -> str:
    """Leave out of a prompt the part between commas that names what should go."""
    name = _bare(unwanted)
    parts = [part.strip() for part in prompt.split(",")]
    kept = [part for part in parts if part.casefold() not in (name, unwanted)] if name else parts
    return ", ".join(kept or parts)


def _upscale_factor(words: str, drawn: GenerationRequest | None) -> float:
    if match := _FACTOR.search(words):
        factor = float(match[1] or match[2])
    elif re.search(r"\b4k\b|\b2160p\b", words) and drawn is not None:
        factor = max(UPSCALE, round(WIDE_4K_PX / max(drawn.width, drawn.height), 2))
    else:
        factor = next((number for word, number in (("triple", 3.0), ("quadruple", 4.0)) if word in words), UPSCALE)
    return min(MAX_UPSCALE_FACTOR, factor)


def _zoomed(words: str) -> Draft:
    """Return more of the scene, on one side or all around."""
    side = next((pan for pattern, pan in _SIDES if re.search(pattern, words)), None)
    if side is not None and "sides" not in words:
        return Draft(pan=side)
    factor = _ZOOM_FACTOR.search(words)
    if factor:
        return Draft(zoom=min(MOST_ZOOM, max(1.05, float(factor[1] or factor[2]))))
    return Draft(zoom=ZOOM_A_BIT if re.search(r"\b(?:bit|little|slightly|tad)\b", words) else ZOOM)


def _resized(words: str, drawn: GenerationRequest | None) -> Draft:
    if size := _SIZE.search(words):
        return Draft(width=int(size[1]), height=int(size[2]))
    if ratio := _RATIO.search(words):
        return Draft(aspect=(int(ratio[1]), int(ratio[2])))
    step = next((step for word, step in (("wider", STEP_OF_SHAPE), ("taller", 1 / STEP_OF_SHAPE)) if word in words), 0)
    if step and drawn:
        return Draft(width=_by_eight(drawn.width * step**0.5), height=_by_eight(drawn.height / step**0.5))
    return Draft(aspect=next((shape for pattern, shape in SHAPES if re.search(rf"\b(?:{pattern})", words)), (1, 1)))


def _by_eight(side: float) -> int:
    return max(64, round(side / 8) * 8)


def _vary_strength(words: str) -> float:
    if re.search(r"\b(?:subtle|subtly|slight|slightly|bit|little|similar|tad)\b", words):
        return SUBTLE
    return MUCH_NEW if re.search(r"\b(?:strong|strongly|very|much|lot|wild)\b", words) else STRENGTHS[Operation.VARY]


def _count(words: str) -> int | None:
    match = _COUNT.search(words)
    if match is None:
        return None
    return min(MAX_BATCH_SIZE, NUMBERS.get(match[1]) or int(match[1]))
