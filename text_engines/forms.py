"""The form of an answer: as a JSON schema for the server, and read back from what a model wrote.

The schema keeps to what all makers take: an object of texts, numbers, switches and lists of texts, everything required,
nothing besides. Lengths are not in it: they are cut where an answer is used.
"""

import re
from typing import Any, Final

from pydantic import BaseModel

from generation.errors import UnexpectedAnswer
from lazy import pattern
from net.calls import read_as
from text_engines.base import Form, Json
from texts.text import _

_TYPES: Final[dict[Any, Json]] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    float: {"type": "number"},
    list[str]: {"type": "array", "items": {"type": "string"}},
}
_THOUGHTS: Final = pattern(r"<(think|thinking|reasoning)>.*?</\1>", re.DOTALL | re.IGNORECASE)
_FENCE: Final = pattern(r"```(?:json)?\s*(\{.*\})\s*```", re.DOTALL)


def schema_of(form: type[BaseModel]) -> Json:
    """Return the JSON schema of a form."""
    properties = {name: _property(field.annotation, field.description) for name, field in form.model_fields.items()}
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def read_form(label: str, form: type[Form], text: str) -> Form:
    """Return what a model wrote, without its thoughts and its fence.

    Raises:
        UnexpectedAnswer: it is not of that form.
    """
    text = _THOUGHTS.sub("", text).strip()
    if match := _FENCE.search(text):
        text = match[1]
    if not text:
        raise UnexpectedAnswer(_("{label} gave an empty answer.", label=label))
    return read_as(label, form, text.encode())


def unfinished(label: str) -> UnexpectedAnswer:
    """Return the error for an answer that was cut off."""
    return UnexpectedAnswer(_("{label} came to no end within the length that an answer may have.", label=label))


def in_words(form: type[BaseModel]) -> str:
    """Return the form as a sentence, for servers that take no schema."""
    names = ", ".join(f'"{name}" ({_named(field.annotation)})' for name, field in form.model_fields.items())
    return f"Answer with one JSON object and nothing else. Its keys: {names}."  # no text: for a model


def _property(annotation: Any, description: str | None) -> Json:
    return _TYPES[annotation] | ({"description": description} if description else {})


def _named(annotation: Any) -> str:
    known = _TYPES[annotation]
    return "array of strings" if known["type"] == "array" else str(known["type"])  # no text: for a model
