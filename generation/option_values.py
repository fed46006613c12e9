"""The values of options: how much of what follows a name is its value, and what that says."""

import math
import re
import unicodedata
from dataclasses import replace
from fractions import Fraction
from typing import Any, Final

from generation.chat_words import QUOTED
from generation.fields import RANGES, Kind
from generation.look_codes import is_code
from generation.options import BY_NAME, PromptOption, check_range, reject
from generation.request import ANY_SEED, HiresFix, Lora, WorkflowRef
from lazy import pattern
from texts.text import _

DEFAULT_UPSCALE_FACTOR: Final = 2.0

_SINGLE_QUOTED = pattern(r"['‘]([^'‘’]+)['’]")
_WHOLE = pattern(QUOTED)
_ESCAPE = pattern(r"""\\(["“”„\\])""")
_LORA_DETAILS = pattern(r"(?::\s*\w+=[^:<>]+)+$")
_LORA_VALUE = pattern(r"(.+?)(?::([^:]*))?")
NUMBER_FORM: Final = pattern(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?", re.ASCII | re.IGNORECASE)

_BY = "xX×*ｘＸ✕✖хХ"  # the letter of several alphabets, and the symbol
_WORD = r"\S+"
_FIGURE = r"(?:[^\s,;，；、<]|[,，](?=\d))+"  # a comma ends it, but for that of 7,5
_AMOUNT = r"(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?"
_VALUE: Final[dict[str, re.Pattern[str]]] = {
    Kind.INTEGER: pattern(_FIGURE),
    Kind.NUMBER: pattern(_FIGURE),
    Kind.SEED: pattern(_FIGURE),
    Kind.SIZE: pattern(rf"\d+\s*[{_BY}]\s*\d+\b|\S+"),
    Kind.ASPECT: pattern(r"\d+\s*[:/xX×：／∶]\s*\d+\b|\S+"),
    Kind.FACTOR: pattern(rf"(?:[+-]?{_AMOUNT}[x×]?(?!\S))?", re.ASCII | re.IGNORECASE),
    Kind.HIRES: pattern(rf"(?:{_AMOUNT}[x×]?(?::{_AMOUNT}%?)?(?::\d+)?(?!\S))?", re.ASCII | re.IGNORECASE),
    Kind.EXTRA: pattern(_FIGURE),
    Kind.CHOICE: pattern(_WORD),
    Kind.TEXT: pattern(r".*"),
    Kind.WORDS: pattern(r".*"),
    Kind.LORA: pattern(r".*"),
    Kind.NAMES: pattern(r".*"),
    Kind.WORKFLOW: pattern(r".*"),
}
_LONG: Final = frozenset({Kind.TEXT, Kind.WORDS, Kind.LORA, Kind.NAMES, Kind.WORKFLOW})
_ALIKE: Final = str.maketrans(dict.fromkeys("✕✖хХ", "x") | {"∶": ":", "−": "-", "–": "-"})
_SEPARATORS: Final = ",;，、； "


def take_value(option: PromptOption, rest: str, *, has_equals: bool) -> tuple[str, str]:
    """Split what follows an option into its value, without quotes, and words that belong to the prompt."""
    if option.kind == Kind.FLAG:
        word, __, words = rest.partition(" ")
        return (word, words) if has_equals else ("", rest)
    quoted = _WHOLE.match(rest)
    if quoted and rest[quoted.end() :][:1] in ("", " "):
        return unquote(quoted[0]), rest[quoted.end() :].strip()
    match = _VALUE[option.kind].match(rest)
    end = match.end() if match else 0
    if option.kind in _LONG:
        return unquote(rest[:end]), rest[end:].strip()
    return _plain(rest[:end]), rest[end:].lstrip(_SEPARATORS)


def _plain(word: str) -> str:
    """Return a value in plain characters, without the punctuation of the sentence around it."""
    plain = unicodedata.normalize("NFKC", word).translate(_ALIKE)
    return plain.strip("\"“”',;、。` ").strip("*").rstrip(".!?)]}|")


def take_extra(rest: str) -> tuple[str, str]:
    """Split what follows the name of a workflow's option into its value and words that belong to the prompt.

    What kind of value it has is not known here: a number or a quotation ends by itself, other words at the next option.
    """
    quoted = _WHOLE.match(rest)
    if quoted and rest[quoted.end() :][:1] in ("", " "):
        return unquote(quoted[0]), rest[quoted.end() :].strip()
    word, __, words = rest.partition(" ")
    if NUMBER_FORM.fullmatch(_plain(word)):
        return _plain(word), words.strip()
    return unquote(rest.strip(" ,")), ""


def set_value(option: PromptOption, value: str, values: dict[str, Any], loras: list[Lora]) -> None:
    """Note what an option says.

    Raises:
        RequestRejected: it cannot be.
    """
    if option.kind == Kind.FLAG:
        values[option.field] = value.casefold() not in ("0", "no", "off", "false")
    elif option.kind == Kind.LORA:
        loras.append(_lora(value))
    elif option.kind == Kind.SIZE:
        values["width"], values["height"] = _size(value)
    elif option.kind == Kind.ASPECT:
        values["aspect"] = _aspect(option, value)
    elif option.kind == Kind.HIRES:
        values["hires"] = _hires(option, value)
    elif option.kind == Kind.CHOICE:
        values[option.field] = _choice(option, value)
    elif option.kind == Kind.EXTRA:
        if not NUMBER_FORM.fullmatch(value):
            raise reject(option.name, value, _("a number"))
        values["options"] = (*values.get("options", ()), (option.name, value))
    elif option.kind == Kind.INTEGER:
        values[option.field] = _integer(option, value)
    elif option.kind == Kind.SEED:
        is_drawn = value.casefold() in (str(ANY_SEED), "random", "rand")
        values["seed"] = None if is_drawn else _integer(option, value)
    elif option.kind == Kind.NUMBER:
        values[option.field] = _number(option, value)
    elif option.kind == Kind.FACTOR:
        values[option.field] = _number(option, value.rstrip("xX×")) if value else DEFAULT_UPSCALE_FACTOR
    elif option.kind == Kind.WORDS:
        values[option.field] = ", ".join(filter(None, (values.get(option.field), value))) or None
    elif option.field == "looks" and not is_code(value.partition(":")[0].casefold()):
        raise reject("looks", value, _("a code like k7f2; names of styles stand behind --style"))
    elif value and option.kind == Kind.WORKFLOW:
        values[option.field] = WorkflowRef(name=value)
    elif value:
        values[option.field] = (*values.get(option.field, ()), value) if option.kind == Kind.NAMES else value
    else:
        raise reject(option.field, "", _("a name"))


def _aspect(option: PromptOption, value: str) -> tuple[int, int]:
    """Return the sides of a shape in whole numbers: cinemas have 2.39:1."""
    sides = re.fullmatch(r"(\d{1,6}(?:[.,]\d{1,3})?)\s*[:/xX×]\s*(\d{1,6}(?:[.,]\d{1,3})?)", value)
    if not sides:
        raise reject(option.field, value, "width:height")
    shape = Fraction(sides[1].replace(",", ".")), Fraction(sides[2].replace(",", "."))
    scale = math.lcm(*(side.denominator for side in shape))
    return int(shape[0] * scale), int(shape[1] * scale)


def _integer(option: PromptOption, value: str) -> int:
    if not re.fullmatch(r"[+-]?\d{1,20}", value):
        raise reject(option.field, value, _("a whole number, {ranges}", ranges=RANGES[option.field]))
    number = int(value)
    check_range(option.field, number)
    return number


def _number(option: PromptOption, value: str) -> float:
    number = read_number(value)
    if number is None:
        raise reject(option.field, value, _("a number, {ranges}", ranges=RANGES[option.field]))
    check_range(option.field, number)
    return number


def read_number(text: str) -> float | None:
    """Return a number, also with a decimal comma or as a percentage; None if it is none."""
    text = re.sub(r"^([+-]?\d+),(\d+)$", r"\1.\2", text)  # much of the world writes 7,5
    figure = text.removesuffix("%").rstrip()
    if not NUMBER_FORM.fullmatch(figure):
        return None
    return float(figure) / (100 if text.endswith("%") else 1)


def _hires(option: PromptOption, value: str) -> HiresFix:
    """Read `factor:strength:steps`, of which any end may be missing."""
    given = [part.rstrip("xX×") for part in value.split(":")] if value else []
    hires = HiresFix(factor=_number(option, given[0])) if given else HiresFix()
    if len(given) > 1:
        hires = replace(hires, denoising_strength=_number(BY_NAME["strength"], given[1]))
    return replace(hires, steps=_integer(BY_NAME["steps"], given[2])) if len(given) > 2 else hires


def _choice(option: PromptOption, value: str) -> str:
    found = [choice for choice in option.choices if choice == value.casefold()]
    if not found:
        raise reject(option.field, value, ", ".join(option.choices))
    return found[0]


def _size(value: str) -> tuple[int, int]:
    sides = re.fullmatch(r"(\d{1,9})(?:\s*[xX×*]\s*(\d{1,9}))?(?:px)?", value)
    size = (int(sides[1]), int(sides[2] or sides[1])) if sides else (0, 0)
    allowed = RANGES["width"]
    if not all(allowed.low <= side <= allowed.high for side in size):
        raise reject("size", value, _("width x height, {allowed} each", allowed=allowed))
    return size


def _lora(value: str) -> Lora:
    details = _LORA_DETAILS.search(value)
    match = _LORA_VALUE.fullmatch(value[: details.start()] if details else value)
    weight = read_number((match[2] or "1").strip()) if match else None
    if not match or not match[1].strip() or weight is None:
        raise reject("loras", value, _("name or name:weight"))
    return Lora(name=match[1].strip(), weight=weight, details=details[0].strip(": ") if details else "")


def unquote(text: str) -> str:
    """Return a text without the quotation marks around all of it."""
    if _WHOLE.fullmatch(text):
        return " ".join(_ESCAPE.sub(r"\1", text[1:-1]).split())
    single = _SINGLE_QUOTED.fullmatch(text)
    return single[1].strip() if single else text


def quote(text: str) -> str:
    """Write a text so that nothing in it is read as more than words."""
    return '"' + re.sub(r"""(["“”„\\])""", r"\\\1", text) + '"'
