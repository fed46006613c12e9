"""The options a prompt may carry, as the table of fields has them, and what no option may say.

The parser (`prompt_syntax`), `/help`, the command line and the documentation all read these.
"""

import math
from typing import Any, Final

from constants import MAX_PROMPT_CHARS
from generation.errors import RequestRejected
from generation.fields import BY_FIELD, FIELDS, RANGES, Field, Kind
from generation.look_codes import CODE
from generation.request import Draft
from lazy import dataclass
from texts.text import _

MAX_LORA_WEIGHT: Final = 10.0
MAX_ASPECT_RATIO: Final = 10.0
MAX_CONTROL_WEIGHT: Final = 2.0
MAX_CONTROL_UNITS: Final = 3  # what the web UIs show
MAX_STYLES: Final = 10
MAX_LOOKS: Final = 3


@dataclass(frozen=True, kw_only=True)
class PromptOption:
    """One option: its name, the `Draft` field it fills, what its value looks like, other names, and its help."""

    name: str
    field: str
    kind: Kind
    example: str
    meaning: str
    aliases: tuple[str, ...] = ()
    choices: tuple[str, ...] = ()
    names: str = ""  # the list of an engine's capabilities that a value is chosen from
    is_usual: bool = False


def _option(field: Field) -> PromptOption:
    name = field.option or field.name
    return PromptOption(
        name=name,
        field="options" if field.kind is Kind.EXTRA else field.name,
        kind=field.kind,
        example=f"--{name} {field.example}".strip(),
        meaning=_("{meaning}; repeatable", meaning=field.meaning) if field.is_repeated else field.meaning,
        aliases=field.aliases,
        choices=field.choices,
        names=field.names,
        is_usual=field.is_usual,
    )


OPTIONS: Final = tuple(_option(field) for field in FIELDS if field.is_option)

BY_NAME: Final[dict[str, PromptOption]] = {
    name: option for option in OPTIONS for name in (option.name, *option.aliases)
}
_BY_FIELD: Final[dict[str, PromptOption]] = {option.field: option for option in OPTIONS}

# Midjourney's parameters that have no counterpart here, and what their values look like (docs.midjourney.com).
_OLD_SWITCHES: Final = ("hq", "uplight", "upbeta", "upanime", "test", "testp", "creative", "sameseed", "vibe", "video")
_A_NUMBER = r"[+-]?[\d.]+%?,?(?!\S)|"
FOREIGN_FLAGS: Final[dict[str, str]] = {
    **dict.fromkeys(("stylize", "s", "weird", "w", "quality", "q", "exp"), _A_NUMBER),
    **dict.fromkeys(("iw", "sw", "sv", "cw", "ow", "v", "version", "niji"), _A_NUMBER),
    **dict.fromkeys(("raw", "hd", "fast", "relax", "turbo", *_OLD_SWITCHES), ""),
    **dict.fromkeys(("cref", "oref"), r"(?:(?:https?://\S+|\d+|random)(?:\s+|$))*"),
    "sref": rf"(?:(?:https?://\S+|\d+|random|{CODE})(?:\s+|$))*",
    **dict.fromkeys(("profile", "p"), r"(?:(?=\w*\d)[a-z0-9]{5,16}(?:\s+|$))*"),
}
# Those that its version 8 no longer has.
GONE_FLAGS: Final = frozenset({"cref", "cw", "weird", "w", "quality", "q", *_OLD_SWITCHES})

# `--style` is ours, but for these words; a style of such a name goes in quotes.
FOREIGN_STYLES: Final = r"(?:raw|cute|expressive|scenic|original)(?!\S)"

COOL_EXAMPLES: Final = (  # no text: prompts
    "portrait of an old sailor, weathered face, soft window light, 85mm --size 512x768 --steps 30 --negative blurry",
    "portrait of a forest witch, freckles, candle glow --size 640x832 --steps 28 --negative extra fingers, deformed",
    "studio portrait of a robot wearing a tweed suit --size 768x768 --steps 25 --negative cropped head, text",
    "headshot of an astronaut, generous headspace above the helmet --size 512x704 --steps 30 --negative cut off",
    "a fox in a raincoat, centred, lots of headspace, empty sky --size 576x768 --steps 25 --negative crowded, border",
    "vaporwave aesthetic, marble bust, palm trees, neon grid --size 768x512 --steps 30 --negative dull, grey",
    "cottagecore aesthetic kitchen, dried herbs, morning sun --size 768x576 --steps 30 --negative people, clutter",
    "dark academia aesthetic library, rain on tall windows --size 832x640 --steps 35 --negative modern furniture",
    "cyberpunk aesthetic alley, wet asphalt, paper lanterns --size 896x512 --steps 30 --negative blurry, ugly",
)


def validate(draft: Draft) -> None:
    """Check every value of `draft` against its range; a draft that was found valid is not looked at again.

    Raises:
        RequestRejected: names the field, the value and the range, with an example as hint.
    """
    if not draft.is_valid:
        _check(draft)
        object.__setattr__(draft, "is_valid", True)


def as_checked(draft: Draft, *known: Draft) -> Draft:
    """Return a draft that was made from `known`: valid if one of these is and no checked value differs."""
    if any(before.is_valid and _checked(before) == _checked(draft) for before in known):
        object.__setattr__(draft, "is_valid", True)
    return draft


def _checked(draft: Draft) -> list[object]:
    """Return all that `_check` looks at."""
    weights = [(unit.kind, unit.weight) for unit in draft.control]
    others = [draft.hires, draft.aspect, draft.loras, len(draft.styles), len(draft.looks), weights]
    return [draft.prompt, draft.negative_prompt or "", *_ranged(draft).values(), *others]


def _ranged(draft: Draft) -> dict[str, Any]:
    """Return the values that have a range; a size that is its picture's has none."""
    free = ("hires", "width", "height") if draft.is_source_size else ("hires",)
    return {name: None if name in free else getattr(draft, name, None) for name in RANGES}


def _check(draft: Draft) -> None:
    for name, text in (("prompt", draft.prompt), ("negative_prompt", draft.negative_prompt or "")):
        if len(text) > MAX_PROMPT_CHARS:
            label = name.replace("_", " ")
            raise RequestRejected(
                _(
                    "The {label} has {count:,} characters; at most {most:,} are allowed.",
                    label=label,
                    count=len(text),
                    most=MAX_PROMPT_CHARS,
                ),
                field=name,
            )
    for name, value in _ranged(draft).items():
        if value is not None:
            check_range(name, value)
    if draft.hires is not None:
        check_range("hires", draft.hires.factor)
        check_range("denoising_strength", draft.hires.denoising_strength)
        check_range("steps", draft.hires.steps or 1)
    if draft.aspect is not None:
        wide, high = draft.aspect
        if min(wide, high) < 1 or max(wide, high) > MAX_ASPECT_RATIO * min(wide, high):
            raise reject(
                "aspect",
                f"{wide}:{high}",
                _("both numbers above 0 and the shape up to {most:g}:1", most=MAX_ASPECT_RATIO),
            )
    for lora in draft.loras:
        if not (math.isfinite(lora.weight) and abs(lora.weight) <= MAX_LORA_WEIGHT):
            range_ = _("a weight of -{most:g} to {most:g}", most=MAX_LORA_WEIGHT)
            raise reject("loras", f"{lora.name}:{lora.weight:g}", range_)
    if len(draft.looks) > MAX_LOOKS:
        raise reject("looks", _("{count} looks", count=len(draft.looks)), _("up to {most}", most=MAX_LOOKS))
    if len(draft.styles) > MAX_STYLES:
        raise reject("styles", _("{count} styles", count=len(draft.styles)), _("up to {most}", most=MAX_STYLES))
    _check_control(draft)


def _check_control(draft: Draft) -> None:
    if len(draft.control) > MAX_CONTROL_UNITS:
        raise reject(
            "control",
            _("{count} pictures", count=len(draft.control)),
            _("up to {most}", most=MAX_CONTROL_UNITS),
        )
    for unit in draft.control:
        if not 0 <= unit.weight <= MAX_CONTROL_WEIGHT:
            raise reject(
                "control",
                f"{unit.kind}:{unit.weight:g}",
                _("a weight of 0 to {most:g}", most=MAX_CONTROL_WEIGHT),
            )


def check_range(name: str, value: float) -> None:
    """Raise `RequestRejected` unless `value` lies in the range of the field `name`; NaN never does."""
    allowed = RANGES[name]
    if not allowed.low <= value <= allowed.high:
        raise reject(name, f"{value:.15g}" if isinstance(value, float) else str(value), str(allowed))


def reject(field: str, value: str, allowed: str) -> RequestRejected:
    """Return the error for a bad value: what was said and what would be right."""
    option = _BY_FIELD.get(field)
    label = BY_FIELD[field].called if field in BY_FIELD else field.replace("_", " ")
    given = f"“{shorten(value)}”" if value else _("empty")
    return RequestRejected(
        _("{label:capital} cannot be {given}. Allowed: {allowed}.", label=label, given=given, allowed=allowed),
        field=field,
        hint=_("For example: {example}", example=option.example) if option else "",
    )


def shorten(text: str, limit: int = 40) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
