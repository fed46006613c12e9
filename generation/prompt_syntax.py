"""The one prompt parser: `a red fox --steps 30 --size 768x512`, as every door understands it.

The syntax is Midjourney's, which people know: options after two dashes, values up to the next option.
`fields` holds the table of names and ranges.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field, replace
from typing import Any, Final

from constants import MAX_PROMPT_CHARS
from generation.chat_words import plain_words
from generation.errors import RequestRejected
from generation.fields import RANGES, Kind
from generation.look_codes import is_code
from generation.lora_tags import is_taggable, tag_of, take_lora_tags
from generation.option_tokens import TOKEN, is_option, key_of, misread, near_option, without_brackets
from generation.option_values import NUMBER_FORM, set_value, take_extra, take_value, unquote
from generation.option_values import quote as in_quotes
from generation.options import (
    BY_NAME,
    FOREIGN_FLAGS,
    FOREIGN_STYLES,
    GONE_FLAGS,
    OPTIONS,
    as_checked,
    check_range,
    shorten,
    validate,
)
from generation.permutations import permutations, with_plain_braces
from generation.picture_links import place_of, take_picture_links
from generation.replaced_options import REPLACED, as_fields
from generation.request import Draft, GenerationRequest, HiresFix, Lora, Mode, WorkflowRef, draft_of
from generation.several_pictures import ONE_IS_USED, not_used
from generation.wildcards import has_wildcards
from lazy import dataclass
from texts.text import _, joined

MAX_TEXT_CHARS: Final = 4 * MAX_PROMPT_CHARS  # prompt, negative prompt and every option together
MAX_UNKNOWN_NOTES: Final = 5
NO_NAMES: Final[Mapping[str, str]] = {}


@dataclass(frozen=True, kw_only=True)
class ParsedPrompt:
    """A text as read. `notes` are short remarks for the reply: options that are not known or do nothing here.

    `pictures` are addresses of what to draw from; they are there only for a door that fetches them. `others` are what
    the other choices in braces say, for a door that takes several.
    """

    draft: Draft
    others: tuple[Draft, ...] = ()
    has_wildcards: bool = False  # in words that do not stand in quotes
    pictures: tuple[str, ...] = ()
    repeat: int = 1
    is_private: bool = False
    is_spoiler: bool = False
    notes: tuple[str, ...] = ()

    @property
    def drafts(self) -> tuple[Draft, ...]:
        return (self.draft, *self.others)

    def under(self, given: Draft, *, adds_loras: bool = False) -> "ParsedPrompt":
        """Return the same with what was said beside the text laid over it; LoRAs of both hold with `adds_loras`."""
        draft, *others = (_over(given, each, adds_loras=adds_loras) for each in self.drafts)
        return replace(self, draft=draft, others=tuple(others))


@dataclass
class _Reading:
    """The state of reading so far."""

    words: list[str] = field(default_factory=list)
    unknown: list[tuple[str, str]] = field(default_factory=list)  # names and the words after them
    values: dict[str, Any] = field(default_factory=dict)
    loras: list[Lora] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    foreign: list[str] = field(default_factory=list)  # Midjourney's, that mean nothing here
    refused: list[tuple[str, str, RequestRejected]] = field(default_factory=list)  # values only a workflow may take


def parse_prompt(
    text: str,
    names: Mapping[str, str] = NO_NAMES,
    *,
    has_workflow: bool = False,
    fetches_pictures: bool = False,
    takes_several: bool = False,
) -> ParsedPrompt:
    """Read a prompt with its options. Those that are not known are the workflow's, where one is named.

    Args:
        text: as it was typed.
        names: what mentions stand for, as `plain_words` takes them.
        has_workflow: one is named elsewhere.
        fetches_pictures: whoever asks fetches the first of `pictures`; else it is said that nobody does.
        takes_several: whoever asks draws `others` too; else choices in braces are words.

    Raises:
        RequestRejected: a known option has a value that cannot be, the text is too long, or it stands for too many.
    """
    _check_length(text)
    texts = permutations(text) if takes_several else [with_plain_braces(text)]
    first, *others = [_parse(each, names, has_workflow, fetches_pictures) for each in texts]
    if not others:
        return first
    notes = [note for parsed in (first, *others) for note in parsed.notes]
    choices = _("one of {count} for the choices in braces; \\{{ is a plain brace", count=len(texts))
    return replace(
        first,
        others=tuple(other.draft for other in others),
        has_wildcards=any(parsed.has_wildcards for parsed in (first, *others)),
        is_private=any(parsed.is_private for parsed in (first, *others)),
        is_spoiler=any(parsed.is_spoiler for parsed in (first, *others)),
        notes=(choices, *dict.fromkeys(notes)),
    )


def _over(given: Draft, lower: Draft, *, adds_loras: bool) -> Draft:
    if adds_loras and lower.loras:
        given = replace(given, loras=given.loras + lower.loras)
    return as_checked(given.over(lower), given, lower)


def _check_length(text: str) -> None:
    if len(text) > MAX_TEXT_CHARS:
        raise RequestRejected(
            _(
                "The text has {count:,} characters; at most {most:,} are allowed in a prompt.",
                count=len(text),
                most=MAX_PROMPT_CHARS,
            ),
            field="prompt",
        )


def _parse(text: str, names: Mapping[str, str], has_workflow: bool, fetches_pictures: bool) -> ParsedPrompt:
    text, remarks = plain_words(text, names)
    text = without_brackets(text)
    reading = _Reading(notes=[*remarks])
    found = [token for token in TOKEN.finditer(text) if is_option(token)]
    starts = [token.start() for token in found]
    reading.words.append(text[: starts[0]] if starts else text)
    for token, end in zip(found, [*starts, len(text)][1:], strict=True):
        _read_option(token, text[token.end() : end].strip(), reading)
    reading.notes += _notes_on_foreign(reading.foreign)
    if has_workflow or "workflow" in reading.values:
        _take_options(reading)
    elif reading.refused:
        raise reading.refused[0][2]
    prompt = take_lora_tags(" ".join(reading.words), reading.loras)
    notes = _notes_on_unknown(reading.unknown, is_kept=not prompt)
    if not prompt:
        # With the unknown option in front there is no telling where its value ends: better too much prompt than none.
        prompt = take_lora_tags(" ".join(words for __, words in reading.unknown), reading.loras)
    repeat = reading.values.pop("repeat", 1)
    is_private = reading.values.pop("private", False)
    is_spoiler = reading.values.pop("spoiler", False)
    if reading.values.pop("restyle", False):
        reading.values["mode"] = Mode.RESTYLE
    pictures: tuple[str, ...] = ()
    is_quoted = unquote(prompt) != prompt
    if not is_quoted:
        prompt, pictures = take_picture_links(prompt)
        reading.notes += [*misread(prompt), *_notes_on_pictures(pictures, are_fetched=fetches_pictures)]
    draft = Draft(prompt=unquote(prompt), loras=tuple(reading.loras), **reading.values)
    validate(draft)
    check_range("repeat", repeat)
    return ParsedPrompt(
        draft=draft,
        has_wildcards=not is_quoted and has_wildcards(draft),
        pictures=pictures if fetches_pictures else (),
        repeat=repeat,
        is_private=is_private,
        is_spoiler=is_spoiler,
        notes=(*notes, *reading.notes),
    )


def _notes_on_pictures(links: tuple[str, ...], *, are_fetched: bool) -> list[str]:
    unused = links[1:] if are_fetched else links
    if not unused:
        return []
    places = ", ".join(dict.fromkeys(map(place_of, unused[:MAX_UNKNOWN_NOTES])))
    why = ONE_IS_USED if are_fetched else _("addresses of pictures are not fetched here")
    return [not_used(_("what lies at {places}", places=places), why)]


def format_prompt(what: Draft | GenerationRequest) -> str:
    """Write one line that `parse_prompt` reads back as the same draft, without its pictures and modes but restyling."""
    draft = as_fields(what if isinstance(what, Draft) else _draft_of(what))
    mode = Mode.RESTYLE if draft.mode is Mode.RESTYLE else None
    draft = replace(draft, negative_prompt=draft.negative_prompt or None, mode=mode)
    if draft.is_source_size and not _can_be_said(draft):
        draft = replace(draft, width=None, height=None)
    draft = replace(draft, init_image=None, more_images=(), mask_image=None, control=(), is_source_size=None)
    if draft.workflow:  # people say its name alone
        draft = replace(draft, workflow=WorkflowRef(name=draft.workflow.name))
    if draft.hires and draft.hires.upscaler:
        draft = replace(draft, upscaler=draft.hires.upscaler, hires=replace(draft.hires, upscaler=None))
    plain = _write(draft, quoted=False)
    return plain if _reads_as(plain, draft) else _write(draft, quoted=True)


def _can_be_said(draft: Draft) -> bool:
    return all(RANGES["width"].low <= (side or 0) <= RANGES["width"].high for side in (draft.width, draft.height))


def _notes_on_unknown(unknown: list[tuple[str, str]], *, is_kept: bool) -> list[str]:
    notes = []
    for name, words in unknown[:MAX_UNKNOWN_NOTES]:
        near = near_option(name)
        note = _("unknown option --{words}", words=shorten(name)) + (
            _(": did you mean --{near}?", near=near) if near else " ignored"
        )
        notes.append(
            note if is_kept or not words else _("{note} (left out: “{words}”)", note=note, words=shorten(words))
        )
    return notes


def _notes_on_foreign(names: list[str]) -> list[str]:
    """Return one short remark on everything of Midjourney's that does nothing here."""
    parts = []
    for are_gone in (False, True):
        flags = ", ".join(f"--{name}" for name in dict.fromkeys(names) if (name in GONE_FLAGS) is are_gone)
        if flags and are_gone:
            parts.append(_("{flags}: gone from Midjourney 8 as well", flags=flags))
        elif flags:
            parts.append(_("{flags}: Midjourney’s own, not used here", flags=flags))
    return [joined("; ", parts)] if parts else []


def _read_option(token: re.Match[str], rest: str, reading: _Reading) -> None:
    """Read one option; `rest` is everything between its name and the next option."""
    key = key_of(token["name"])
    if key in FOREIGN_FLAGS or (key == "style" and re.match(FOREIGN_STYLES, rest)):
        _read_foreign(key, rest, reading)
    elif key in BY_NAME:
        option = BY_NAME[key]
        value, words = take_value(option, rest, has_equals=token["sign"].strip() in ("=", "＝"))
        reading.words.append(words)
        try:
            set_value(option, value, reading.values, reading.loras)
        except RequestRejected as error:
            if option.name not in REPLACED and option.field != "looks":  # a workflow may have had a --look before
                raise
            reading.refused.append((option.name, value, error))
    else:
        reading.unknown.append((token["name"], rest))


def _take_options(reading: _Reading) -> None:
    """Take the options that are not Easel's own for the workflow's, which are known when it is found."""
    for name, rest in reading.unknown:
        value, words = take_extra(rest)
        reading.words.append(words)
        reading.values["options"] = (*reading.values.get("options", ()), (key_of(name), value))
    reading.unknown.clear()
    own = tuple((name, value) for name, value, __ in reading.refused)  # it may have options of such names
    if own:
        reading.values["options"] = (*reading.values.get("options", ()), *own)


def _read_foreign(key: str, rest: str, reading: _Reading) -> None:
    """Read a Midjourney parameter; those that mean nothing here are named in one note."""
    match = re.match(FOREIGN_FLAGS.get(key, FOREIGN_STYLES), rest)
    value = match[0].strip(" ,") if match else ""
    reading.words.append(rest[match.end() :].strip() if match else rest)
    if key == "hd":
        reading.values.setdefault("hires", HiresFix())
        reading.notes.append(_("--hd read as --hires {factor:g}", factor=HiresFix().factor))
    elif key == "iw" and NUMBER_FORM.fullmatch(value):
        # Midjourney: 0 ignores the picture, 1 is usual, 3 the most. 1 becomes 0.75, our own default.
        strength = round(1 - min(max(float(value), 0.0), 3.0) / 4, 2)
        reading.values.setdefault("denoising_strength", strength)
        reading.notes.append(_("--iw {value} read as --strength {strength:g}", value=value, strength=strength))
    elif key == "sref" and any(map(is_code, value.split())):
        codes = [code for code in value.split() if is_code(code)]
        reading.values["looks"] = (*reading.values.get("looks", ()), *codes)
    else:
        reading.foreign.append(key)


def _reads_as(line: str, draft: Draft) -> bool:
    try:
        parsed = parse_prompt(line, takes_several=True)
    except RequestRejected:  # something in the prompt looks like an option
        return False
    return parsed.drafts == (draft,) and not parsed.has_wildcards


def _draft_of(request: GenerationRequest) -> Draft:
    draft = replace(draft_of(request), batch_size=request.batch_size if request.batch_size > 1 else None)
    return replace(draft, cfg_scale=None) if draft.cfg_scale == draft.guidance else draft


def _write(draft: Draft, *, quoted: bool) -> str:
    return " ".join(_parts(draft, in_quotes if quoted else str))


def _parts(draft: Draft, quote: Callable[[str], str]) -> Iterator[str]:
    if draft.prompt:
        yield quote(draft.prompt)
    as_tags = any(lora.details for lora in draft.loras)  # only a tag can say those
    if as_tags:
        yield from (tag_of(lora) for lora in draft.loras if is_taggable(lora))
    has_size = draft.width is not None and draft.height is not None
    if draft.mode is Mode.RESTYLE:
        yield "--restyle"
    for option in OPTIONS:
        value = None if option.kind == Kind.EXTRA else getattr(draft, option.field, None)
        if option.kind == Kind.SIZE:
            if has_size:
                yield _("--size {width}x{height}", width=draft.width, height=draft.height)
        elif value is None or (has_size and option.field in ("width", "height")):
            continue
        elif option.kind == Kind.LORA:
            yield from (
                _("--lora {name}", name=quote(f"{lora.name}:{_figure(lora.weight)}"))
                for lora in value
                if not (as_tags and is_taggable(lora))
            )
        elif option.kind == Kind.NAMES:
            yield from (f"--{option.name} {quote(name)}" for name in value)
        elif option.kind == Kind.ASPECT:
            yield f"--{option.name} {value[0]}:{value[1]}"
        elif option.kind == Kind.HIRES:
            yield f"--{option.name} {_written(value)}"
        elif option.kind == Kind.FLAG:
            yield f"--{option.name}" if value else f"--{option.name}=no"
        elif option.kind == Kind.WORKFLOW:
            yield f"--{option.name} {quote(value.name)}"
        elif option.kind == Kind.CHOICE:
            yield f"--{option.name} {value}"
        else:
            yield f"--{option.name} {quote(value) if option.kind in (Kind.TEXT, Kind.WORDS) else _figure(value)}"
    for name, entry in draft.options:
        yield f"--{name} {entry}" if NUMBER_FORM.fullmatch(entry) else f"--{name} {in_quotes(entry)}"


def _written(hires: HiresFix) -> str:
    parts = [hires.factor, hires.denoising_strength, *([hires.steps] if hires.steps else [])]
    return ":".join(_figure(part) for part in parts)


def _figure(number: float) -> str:
    """Write a number as short as it can be without losing a digit."""
    if isinstance(number, int):
        return str(number)
    short = f"{number:g}"
    return short if float(short) == number else repr(number)
