"""Fields of a form (a modal) as values, each with the payload that Discord draws it from.

Source: "Component Reference" of the official documentation. What Discord bounds is cut to the bound where it is text,
and refused with `ValueError` where it is a number of choices, since then the code that made the field is wrong.
"""

from dataclasses import field
from typing import Any, Final, Literal

from cogs.cards import Choice
from cogs.plain import label
from lazy import dataclass
from texts.text import render

MAX_LABEL: Final = 45
MAX_NOTE: Final = 100
MAX_VALUE: Final = 4000
MAX_PLACEHOLDER: Final = {"text": 100, "menu": 150}
MAX_CHOSEN: Final = 25
MAX_GROUP: Final = 10  # choices that stand openly: radio buttons and checkboxes
MAX_FILES: Final = 10

SELECT, TEXT_INPUT, TEXT_DISPLAY, LABEL, UPLOAD, RADIO, CHECKS, CHECK = 3, 4, 10, 18, 19, 21, 22, 23
PICKS: Final = {"user": 5, "role": 6, "mentionable": 7, "channel": 8}

PickKind = Literal["user", "role", "mentionable", "channel"]


@dataclass(frozen=True, kw_only=True)
class FormField:
    """The common part of all fields: the `name` it is read by, a `label` above it and a `note` below that.

    One that is not required may be left empty.
    """

    name: str
    label: str
    note: str = ""
    is_required: bool = True

    def component(self) -> dict[str, Any]:
        """Return what stands under the label."""
        raise NotImplementedError

    def payload(self) -> dict[str, Any]:
        """Return the whole field as Discord takes it."""
        values: dict[str, Any] = {"type": LABEL, "label": label(self.label, MAX_LABEL)}
        if note := label(self.note, MAX_NOTE):
            values["description"] = note
        return values | {"component": self.component()}


@dataclass(frozen=True, kw_only=True)
class TextField(FormField):
    """A line to write in, or with `is_long` several; `value` is there already."""

    value: str = ""
    is_long: bool = False
    limit: int = MAX_VALUE
    least: int = 0
    example: str = ""

    def component(self) -> dict[str, Any]:
        limit = min(self.limit, MAX_VALUE)
        values: dict[str, Any] = {
            "type": TEXT_INPUT,
            "custom_id": self.name,
            "style": 2 if self.is_long else 1,
            "required": self.is_required,
            "max_length": limit,
        }
        if self.least:
            values["min_length"] = self.least
        if value := render(self.value)[:limit]:
            values["value"] = value
        if example := label(self.example, MAX_PLACEHOLDER["text"]):
            values["placeholder"] = example
        return values


@dataclass(frozen=True, kw_only=True)
class SelectField(FormField):
    """A menu of 1 to 25 choices, of which up to `most` may be chosen; those with `is_default` are."""

    choices: tuple[Choice, ...]
    most: int = 1
    placeholder: str = ""

    def __post_init__(self) -> None:
        _check_count(self, len(self.choices), 1, MAX_CHOSEN)

    def component(self) -> dict[str, Any]:
        values = _chosen(self, SELECT, min(self.most, len(self.choices)), self.placeholder)
        return values | {"options": [_option(choice) for choice in self.choices]}


@dataclass(frozen=True, kw_only=True)
class PickField(FormField):
    """A menu of the server's own users, roles or channels, of which up to `most` may be picked.

    `picked` are ids. `channel_types`: which kinds of channels are offered, by Discord's numbers; none: all.
    """

    kind: PickKind
    most: int = 1
    placeholder: str = ""
    picked: tuple[str, ...] = ()
    channel_types: tuple[int, ...] = ()

    def component(self) -> dict[str, Any]:
        values = _chosen(self, PICKS[self.kind], min(self.most, MAX_CHOSEN), self.placeholder)
        if self.picked and self.kind != "mentionable":  # which of both a default is cannot be told by its id
            values["default_values"] = [{"id": picked, "type": self.kind} for picked in self.picked[: self.most]]
        if self.channel_types:
            values["channel_types"] = list(self.channel_types)
        return values


@dataclass(frozen=True, kw_only=True)
class UploadField(FormField):
    """A place for up to `most` files."""

    most: int = 1

    def component(self) -> dict[str, Any]:
        return _chosen(self, UPLOAD, min(self.most, MAX_FILES))


@dataclass(frozen=True, kw_only=True)
class RadioField(FormField):
    """Two to ten choices that stand openly, one of which is chosen."""

    choices: tuple[Choice, ...]

    def __post_init__(self) -> None:
        _check_count(self, len(self.choices), 2, MAX_GROUP)

    def component(self) -> dict[str, Any]:
        return {
            "type": RADIO,
            "custom_id": self.name,
            "required": self.is_required,
            "options": [_option(choice) for choice in self.choices],
        }


@dataclass(frozen=True, kw_only=True)
class ChecksField(FormField):
    """One to ten choices that stand openly, of which any number is chosen."""

    choices: tuple[Choice, ...]

    def __post_init__(self) -> None:
        _check_count(self, len(self.choices), 1, MAX_GROUP)

    def component(self) -> dict[str, Any]:
        values = _chosen(self, CHECKS, len(self.choices))
        return values | {"options": [_option(choice) for choice in self.choices]}


@dataclass(frozen=True, kw_only=True)
class CheckField(FormField):
    """A single yes or no. Discord cannot require a yes."""

    is_checked: bool = False
    is_required: bool = field(default=False, init=False)

    def component(self) -> dict[str, Any]:
        return {"type": CHECK, "custom_id": self.name, "default": self.is_checked}


@dataclass(frozen=True, kw_only=True)
class FormText:
    """Words between the fields, in Discord's markdown."""

    text: str

    def payload(self) -> dict[str, Any]:
        return {"type": TEXT_DISPLAY, "content": render(self.text)[:MAX_VALUE]}


def _chosen(entry: FormField, kind: int, most: int, placeholder: str = "") -> dict[str, Any]:
    """Return what all have that several values may be chosen in."""
    values: dict[str, Any] = {
        "type": kind,
        "custom_id": entry.name,
        "required": entry.is_required,
        "min_values": int(entry.is_required),
        "max_values": most,
    }
    return values | ({"placeholder": label(placeholder, MAX_PLACEHOLDER["menu"])} if placeholder else {})


def _option(choice: Choice) -> dict[str, Any]:
    values: dict[str, Any] = {"label": label(choice.label) or "—", "value": choice.value, "default": choice.is_default}
    return values | ({"description": label(choice.description)} if choice.description else {})


def _check_count(entry: FormField, count: int, least: int, most: int) -> None:
    if not least <= count <= most:
        raise ValueError(f"{entry.name}: {count} choices, Discord takes {least} to {most}")
