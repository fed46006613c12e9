"""Options of slash commands that say a field of a request: their types, ranges and help are those of the table."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from inspect import Parameter, signature
from typing import Any, Final

import nextcord
from nextcord import SlashOption

from cogs.workflows.options import read_options
from constants import MAX_PROMPT_CHARS
from generation.chat_words import plain_words
from generation.fields import BY_FIELD, FIELDS, Field, Kind
from generation.prompt_syntax import parse_prompt
from generation.request import ANY_SEED, Draft, WorkflowRef

MAX_SLASH_SEED: Final = 2**53 - 1  # Discord's own numbers end there; `--seed` in the prompt takes larger ones
MAX_WORDS_CHARS: Final = 1000
MAX_PICTURES: Final = 3
_TYPES: Final[dict[Kind, type]] = {
    Kind.INTEGER: int,
    Kind.SEED: int,
    Kind.NUMBER: float,
    Kind.FACTOR: float,
    Kind.FLAG: bool,
    Kind.PICTURE: nextcord.Attachment,
    Kind.PICTURES: nextcord.Attachment,
}
_WRITTEN: Final = frozenset({Kind.SIZE, Kind.ASPECT, Kind.LORA, Kind.HIRES, Kind.NAMES})  # as in a prompt
_APART: Final = frozenset({Kind.PROMPT, Kind.PICTURE, Kind.PICTURES, Kind.OPTIONS})


def slash_option(name: str, *, is_required: bool = False, **changes: Any) -> Any:
    """Return the option for a field; `changes` are nextcord's own words for what is different here."""
    field = BY_FIELD[name]
    about: dict[str, Any] = {"description": field.sentence.rstrip("."), "required": is_required}
    if field.kind in _WRITTEN:
        about["description"] += f", e.g. {field.example}"
    elif field.kind is Kind.PROMPT:
        about["max_length"] = MAX_PROMPT_CHARS
    elif field.kind is Kind.WORDS:
        about["max_length"] = MAX_WORDS_CHARS
    elif field.kind is Kind.SEED:
        about |= {"min_value": ANY_SEED, "max_value": MAX_SLASH_SEED}
    elif field.choices:
        about["choices"] = list(field.choices)
    elif field.limits and field.kind in _TYPES:
        about |= {"min_value": field.limits.low, "max_value": field.limits.high}
    return SlashOption(**about | changes)


def with_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command that takes `**said` an option for each field that has a place among the slash options."""
    own = [each for each in signature(command).parameters.values() if each.kind is not Parameter.VAR_KEYWORD]
    options = [
        Parameter(
            name,
            Parameter.KEYWORD_ONLY,
            default=slash_option(field.name, is_required=field.kind is Kind.PROMPT),
            annotation=_TYPES.get(field.kind, str),
        )
        for field in FIELDS
        for name in _names(field)
    ]
    vars(command)["__signature__"] = signature(command).replace(parameters=[*own, *options])
    return command


def _names(field: Field) -> tuple[str, ...]:
    if field.kind is Kind.PICTURES and field.slash:
        return tuple(f"{field.slash}{number}" for number in range(2, MAX_PICTURES + 1))
    return (field.slash,) if field.slash else ()


def said_at(kind: Kind, given: Mapping[str, Any]) -> list[Any]:
    """Return what was said with the options of a kind."""
    names = [name for field in FIELDS if field.kind is kind for name in _names(field)]
    return [given[name] for name in names if given.get(name)]


def draft_of_options(given: Mapping[str, Any], names: Mapping[str, str]) -> Draft:
    """Read the options beside the prompt; `names` are what mentions stand for."""
    fields = [field for field in FIELDS if given.get(field.slash) is not None and field.kind not in _APART]
    written = " ".join(f"{field.flag} {given[field.slash]}" for field in fields if field.kind in _WRITTEN)
    values = {
        field.name: _value(field, given[field.slash], names)
        for field in fields
        if field.kind not in _WRITTEN and field.name in Draft.__dataclass_fields__
    }
    draft = replace(parse_prompt(written).draft if written else Draft(), **values)
    for options in said_at(Kind.OPTIONS, given):
        draft = draft.over(replace(read_options(options), workflow=None))
    return draft


def _value(field: Field, value: Any, names: Mapping[str, str]) -> Any:
    if field.kind is Kind.WORDS:
        return plain_words(value, names)[0]
    if field.kind is Kind.WORKFLOW:
        return WorkflowRef(name=value)
    return type(field.choices[0])(value) if field.choices else value
