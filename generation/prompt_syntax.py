"""The one prompt parser: `a red fox --steps 30 --size 768x512`, as every door understands it.

The syntax is Midjourney's, which people know: options after two dashes, values up to the next option.
`options` holds the table of names and ranges.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Any, Final

from constants import MAX_PROMPT_CHARS
from generation.errors import RequestRejected
from generation.lora_tags import take_lora_tags
from generation.options import (
    ASPECT,
    BY_NAME,
    CHOICE,
    COOL_EXAMPLES,
    FACTOR,
    FLAG,
    FOREIGN_FLAGS,
    FOREIGN_STYLES,
    HIRES,
    INTEGER,
    LORA,
    NAMES,
    NUMBER,
    OPTION_HELP,
    OPTIONS,
    RANGES,
    SEED,
    SIZE,
    TEXT,
    WORKFLOW,
    Option,
    OptionHelp,
    check_range,
    reject,
    shorten,
    validate,
)
from generation.request import ANY_SEED, Draft, GenerationRequest, HiresFix, Lora, WorkflowRef, draft_of

__all__ = ["COOL_EXAMPLES", "OPTION_HELP", "OptionHelp", "ParsedPrompt", "format_prompt", "parse_prompt", "validate"]

MAX_TEXT_CHARS: Final = 4 * MAX_PROMPT_CHARS  # prompt, negative prompt and every option together
MAX_UNKNOWN_NOTES: Final = 5
DEFAULT_UPSCALE_FACTOR: Final = 2.0

# A quotation starts a word, ends one and holds no other; inside it \" and \\ stand for " and \, and -- is only text.
# That it ends where another one begins keeps the search linear, however many quotes are left open.
_QUOTED = r"""(?<![^\s=:])["“”„](?:\\.|[^\\"“”„]|(?<![\s=:])["“”„](?![\s,.;:!?)]|$))*["“”](?=[\s,.;:!?)]|$)"""
_SINGLE_QUOTED = re.compile(r"['‘]([^'‘’]+)['’]")
_NAME = r"(?<!\S)(?P<dash>--+|[—–―]-*)(?P<name>[^\W\d_][\w-]*)(?P<sign>\s*=|:|)"
_TOKEN = re.compile(f"(?P<quoted>{_QUOTED})|{_NAME}")
_WHOLE = re.compile(_QUOTED)
_ESCAPE = re.compile(r"""\\(["“”„\\])""")
_LORA_VALUE = re.compile(r"(.+?)(?::([^:]*))?")
_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?", re.ASCII | re.IGNORECASE)

_WORD = r"\S+"
_AMOUNT = r"(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?"
_VALUE: Final[dict[str, re.Pattern[str]]] = {
    INTEGER: re.compile(_WORD),
    NUMBER: re.compile(_WORD),
    SEED: re.compile(_WORD),
    SIZE: re.compile(r"\d+\s*[xX×*]\s*\d+\b|\S+"),
    ASPECT: re.compile(r"\d+\s*[:/xX×]\s*\d+\b|\S+"),
    FACTOR: re.compile(rf"(?:[+-]?{_AMOUNT}[x×]?(?!\S))?", re.ASCII | re.IGNORECASE),
    HIRES: re.compile(rf"(?:{_AMOUNT}[x×]?(?::{_AMOUNT}%?)?(?::\d+)?(?!\S))?", re.ASCII | re.IGNORECASE),
    CHOICE: re.compile(_WORD),
    TEXT: re.compile(r".*"),
    LORA: re.compile(r".*"),
    NAMES: re.compile(r".*"),
    WORKFLOW: re.compile(r".*"),
}


@dataclass(frozen=True, kw_only=True)
class ParsedPrompt:
    """What a text says. `notes` are short remarks for the reply: options that are not known or do nothing here."""

    draft: Draft
    repeat: int = 1
    is_private: bool = False
    notes: tuple[str, ...] = ()


@dataclass
class _Reading:
    """What has been read so far."""

    words: list[str] = field(default_factory=list)
    unknown: list[tuple[str, str]] = field(default_factory=list)  # names and the words after them
    values: dict[str, Any] = field(default_factory=dict)
    loras: list[Lora] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def parse_prompt(text: str) -> ParsedPrompt:
    """Read a prompt with its options.

    Raises:
        RequestRejected: a known option has a value that cannot be, or the text is too long.
    """
    if len(text) > MAX_TEXT_CHARS:
        raise RequestRejected(
            f"The text has {len(text):,} characters; at most {MAX_PROMPT_CHARS:,} are allowed in a prompt.",
            field="prompt",
        )
    text = _clean(text)
    reading = _Reading()
    found = [token for token in _TOKEN.finditer(text) if _is_option(token)]
    starts = [token.start() for token in found]
    reading.words.append(text[: starts[0]] if starts else text)
    for token, end in zip(found, [*starts, len(text)][1:], strict=True):
        _read_option(token, text[token.end() : end].strip(), reading)
    prompt = take_lora_tags(" ".join(reading.words), reading.loras)
    notes = _notes_on_unknown(reading.unknown, is_kept=not prompt)
    if not prompt:
        # With the unknown option in front there is no telling where its value ends: better too much prompt than none.
        prompt = take_lora_tags(" ".join(words for _, words in reading.unknown), reading.loras)
    repeat = reading.values.pop("repeat", 1)
    is_private = reading.values.pop("private", False)
    draft = Draft(prompt=_unquote(prompt), loras=tuple(reading.loras), **reading.values)
    validate(draft)
    check_range("repeat", repeat)
    return ParsedPrompt(draft=draft, repeat=repeat, is_private=is_private, notes=(*notes, *reading.notes))


def format_prompt(what: Draft | GenerationRequest) -> str:
    """Write one line that `parse_prompt` reads back as the same draft; pictures and mode are not part of it."""
    draft = what if isinstance(what, Draft) else _draft_of(what)
    draft = replace(draft, negative_prompt=draft.negative_prompt or None, mode=None)
    if draft.is_source_size and not _can_be_said(draft):
        draft = replace(draft, width=None, height=None)
    draft = replace(draft, init_image=None, mask_image=None, control=(), is_source_size=None)
    if draft.workflow:  # people say its name alone
        draft = replace(draft, workflow=WorkflowRef(name=draft.workflow.name))
    if draft.hires and draft.hires.upscaler:
        draft = replace(draft, upscaler=draft.hires.upscaler, hires=replace(draft.hires, upscaler=None))
    plain = _write(draft, quoted=False)
    return plain if _reads_as(plain, draft) else _write(draft, quoted=True)


def _can_be_said(draft: Draft) -> bool:
    return all(RANGES["width"].low <= (side or 0) <= RANGES["width"].high for side in (draft.width, draft.height))


def _clean(text: str) -> str:
    """Drop control characters and lone surrogates, and make every run of white space one space."""
    kept = (" " if char.isspace() else char for char in text if char.isspace() or not _is_control(char))
    return " ".join("".join(kept).split())


def _is_control(char: str) -> bool:
    return unicodedata.category(char) in ("Cc", "Cs")


def _key(name: str) -> str:
    return name.casefold().replace("-", "_").strip("_")


def _is_option(token: re.Match[str]) -> bool:
    if token["name"] is None:
        return False
    # Phones turn -- into a long dash; but a long dash is also ordinary text, so there the name has to be known.
    key = _key(token["name"])
    return token["dash"].startswith("--") or key in BY_NAME or key in FOREIGN_FLAGS


def _notes_on_unknown(unknown: list[tuple[str, str]], *, is_kept: bool) -> list[str]:
    notes = []
    for name, words in unknown[:MAX_UNKNOWN_NOTES]:
        near = get_close_matches(_key(name), BY_NAME, n=1)
        note = f"unknown option --{shorten(name)}" + (f": did you mean --{near[0]}?" if near else " ignored")
        notes.append(note if is_kept or not words else f"{note} (left out: “{shorten(words)}”)")
    return notes


def _read_option(token: re.Match[str], rest: str, reading: _Reading) -> None:
    """Read one option; `rest` is everything between its name and the next option."""
    key = _key(token["name"])
    if key in FOREIGN_FLAGS or (key == "style" and re.match(FOREIGN_STYLES, rest)):
        _read_foreign(key, rest, reading)
    elif key in BY_NAME:
        option = BY_NAME[key]
        value, words = _take_value(option, rest, has_equals="=" in token["sign"])
        reading.words.append(words)
        _set(option, value, reading)
    else:
        reading.unknown.append((token["name"], rest))


def _read_foreign(key: str, rest: str, reading: _Reading) -> None:
    """Read a Midjourney parameter: only the image weight means something here."""
    said = re.match(FOREIGN_FLAGS.get(key, FOREIGN_STYLES), rest)
    value = said[0].strip(" ,") if said else ""
    reading.words.append(rest[said.end() :].strip() if said else rest)
    if key == "iw" and _NUMBER.fullmatch(value):
        # Midjourney: 0 ignores the picture, 1 is usual, 3 the most. 1 becomes 0.75, our own default.
        strength = round(1 - min(max(float(value), 0.0), 3.0) / 4, 2)
        reading.values.setdefault("denoising_strength", strength)
        reading.notes.append(f"--iw {value} read as --strength {strength:g}")
    else:
        note = f"--{key} ignored: a Midjourney setting that Easel does not pass on"
        reading.notes.extend([] if note in reading.notes else [note])


def _take_value(option: Option, rest: str, *, has_equals: bool) -> tuple[str, str]:
    """Split what follows an option into its value, without quotes, and words that belong to the prompt."""
    if option.kind == FLAG:
        word, _, words = rest.partition(" ")
        return (word, words) if has_equals else ("", rest)
    quoted = _WHOLE.match(rest)
    if quoted and rest[quoted.end() :][:1] in ("", " "):
        return _unquote(quoted[0]), rest[quoted.end() :].strip()
    said = _VALUE[option.kind].match(rest)
    end = said.end() if said else 0
    if option.kind in (TEXT, LORA, NAMES, WORKFLOW):
        return _unquote(rest[:end]), rest[end:].strip()
    return rest[:end].strip("\"“”',; "), rest[end:].lstrip(",; ")


def _set(option: Option, value: str, reading: _Reading) -> None:
    values = reading.values
    if option.kind == FLAG:
        values[option.field] = value.casefold() not in ("0", "no", "off", "false")
    elif option.kind == LORA:
        reading.loras.append(_lora(value))
    elif option.kind == SIZE:
        values["width"], values["height"] = _size(value)
    elif option.kind == ASPECT:
        sides = re.fullmatch(r"(\d{1,6})\s*[:/xX×]\s*(\d{1,6})", value)
        if not sides:
            raise reject(option.field, value, "width:height")
        values["aspect"] = (int(sides[1]), int(sides[2]))
    elif option.kind == HIRES:
        values["hires"] = _hires(option, value)
    elif option.kind == CHOICE:
        values[option.field] = _choice(option, value)
    elif option.kind == INTEGER:
        values[option.field] = _integer(option, value)
    elif option.kind == SEED:
        is_drawn = value.casefold() in (str(ANY_SEED), "random", "rand")
        values["seed"] = None if is_drawn else _integer(option, value)
    elif option.kind == NUMBER:
        values[option.field] = _number(option, value)
    elif option.kind == FACTOR:
        values[option.field] = _number(option, value.rstrip("xX×")) if value else DEFAULT_UPSCALE_FACTOR
    elif option.field == "negative_prompt":
        values[option.field] = ", ".join(filter(None, (values.get(option.field), value))) or None
    elif value and option.kind == WORKFLOW:
        values[option.field] = WorkflowRef(name=value)
    elif value:
        values[option.field] = (*values.get(option.field, ()), value) if option.kind == NAMES else value
    else:
        raise reject(option.field, "", "a name")


def _integer(option: Option, value: str) -> int:
    if not re.fullmatch(r"[+-]?\d{1,20}", value):
        raise reject(option.field, value, f"a whole number, {RANGES[option.field]}")
    number = int(value)
    check_range(option.field, number)
    return number


def _number(option: Option, value: str) -> float:
    text = re.sub(r"^(\d+),(\d+)$", r"\1.\2", value)  # much of the world writes 7,5
    is_percent = text.endswith("%")
    if not _NUMBER.fullmatch(text.removesuffix("%")):
        raise reject(option.field, value, f"a number, {RANGES[option.field]}")
    number = float(text.removesuffix("%")) / (100 if is_percent else 1)
    check_range(option.field, number)
    return number


def _hires(option: Option, value: str) -> HiresFix:
    """Read `factor:strength:steps`, of which any end may be missing."""
    said = [part.rstrip("xX×") for part in value.split(":")] if value else []
    hires = HiresFix(factor=_number(option, said[0])) if said else HiresFix()
    if len(said) > 1:
        hires = replace(hires, denoising_strength=_number(BY_NAME["strength"], said[1]))
    return replace(hires, steps=_integer(BY_NAME["steps"], said[2])) if len(said) > 2 else hires


def _choice(option: Option, value: str) -> str:
    found = [choice for choice in option.choices if choice == value.casefold()]
    if not found:
        raise reject(option.field, value, ", ".join(option.choices))
    return found[0]


def _size(value: str) -> tuple[int, int]:
    sides = re.fullmatch(r"(\d{1,9})(?:\s*[xX×*]\s*(\d{1,9}))?(?:px)?", value)
    size = (int(sides[1]), int(sides[2] or sides[1])) if sides else (0, 0)
    allowed = RANGES["width"]
    if not all(allowed.low <= side <= allowed.high for side in size):
        raise reject("size", value, f"width x height, {allowed} each")
    return size


def _lora(value: str) -> Lora:
    said = _LORA_VALUE.fullmatch(value)
    weight = (said[2] or "1").strip() if said else ""
    if not said or not said[1].strip() or not _NUMBER.fullmatch(weight):
        raise reject("loras", value, "name or name:weight")
    return Lora(name=said[1].strip(), weight=float(weight))


def _unquote(text: str) -> str:
    if _WHOLE.fullmatch(text):
        return " ".join(_ESCAPE.sub(r"\1", text[1:-1]).split())
    single = _SINGLE_QUOTED.fullmatch(text)
    return single[1].strip() if single else text


def _quote(text: str) -> str:
    return '"' + re.sub(r"""(["“”„\\])""", r"\\\1", text) + '"'


def _reads_as(line: str, draft: Draft) -> bool:
    try:
        return parse_prompt(line).draft == draft
    except RequestRejected:  # something in the prompt looks like an option
        return False


def _draft_of(request: GenerationRequest) -> Draft:
    draft = replace(draft_of(request), batch_size=request.batch_size if request.batch_size > 1 else None)
    return replace(draft, cfg_scale=None) if draft.cfg_scale == draft.guidance else draft


def _write(draft: Draft, *, quoted: bool) -> str:
    return " ".join(_parts(draft, _quote if quoted else str))


def _parts(draft: Draft, quote: Callable[[str], str]) -> Iterator[str]:
    if draft.prompt:
        yield quote(draft.prompt)
    has_size = draft.width is not None and draft.height is not None
    for option in OPTIONS:
        value = getattr(draft, option.field, None)
        if option.kind == SIZE:
            if has_size:
                yield f"--size {draft.width}x{draft.height}"
        elif value is None or (has_size and option.field in ("width", "height")):
            continue
        elif option.kind == LORA:
            yield from (f"--lora {quote(f'{lora.name}:{_figure(lora.weight)}')}" for lora in value)
        elif option.kind == NAMES:
            yield from (f"--{option.name} {quote(name)}" for name in value)
        elif option.kind == ASPECT:
            yield f"--{option.name} {value[0]}:{value[1]}"
        elif option.kind == HIRES:
            yield f"--{option.name} {_written(value)}"
        elif option.kind == FLAG:
            yield f"--{option.name}" if value else f"--{option.name}=no"
        elif option.kind == WORKFLOW:
            yield f"--{option.name} {quote(value.name)}"
        elif option.kind == CHOICE:
            yield f"--{option.name} {value}"
        else:
            yield f"--{option.name} {quote(value) if option.kind == TEXT else _figure(value)}"


def _written(hires: HiresFix) -> str:
    parts = [hires.factor, hires.denoising_strength, *([hires.steps] if hires.steps else [])]
    return ":".join(_figure(part) for part in parts)


def _figure(number: float) -> str:
    """Write a number as short as it can be without losing a digit."""
    if isinstance(number, int):
        return str(number)
    short = f"{number:g}"
    return short if float(short) == number else repr(number)
