"""A message as values: text, rows of controls, and the ids that controls carry. Turned into nextcord's objects last.

Ids are static (`e1:action:job:argument`): everything else about a press is looked up in the store, so controls work
after a restart and after weeks. Discord's limits: 5 rows, 5 buttons or 1 menu a row, id 100, label 80, 25 options.
"""

import io
from dataclasses import field
from typing import Any, Literal

import nextcord

from cogs.plain import label
from generation.errors import RequestRejected
from generation.foreign import visible
from lazy import dataclass
from texts.text import _, render

ID_PREFIX = "e1"
MORE_ACTION = "more"  # of a menu whose choices stand for buttons: `action` or `action:argument`
MORE_OF_ACTION = "more-of"  # the same for several jobs: `job:action` or `job:action:argument`
OTHER_VERSION = _("This button is from an older version and no longer works.")
Style = Literal["primary", "secondary", "success", "danger"]
_STYLES = {
    "primary": nextcord.ButtonStyle.primary,
    "secondary": nextcord.ButtonStyle.secondary,
    "success": nextcord.ButtonStyle.success,
    "danger": nextcord.ButtonStyle.danger,
}


@dataclass(frozen=True, kw_only=True)
class Button:
    """A button; an emoji-only one has an empty label."""

    action: str
    job_id: str
    label: str = ""
    emoji: str | None = None
    style: Style = "secondary"
    argument: str = ""
    is_disabled: bool = False

    @property
    def custom_id(self) -> str:
        return make_id(self.action, self.job_id, self.argument)


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One line of a menu."""

    label: str
    value: str
    emoji: str | None = None
    description: str = ""
    is_default: bool = False


@dataclass(frozen=True, kw_only=True)
class Menu:
    """A select menu of 1 to 25 choices."""

    action: str
    job_id: str
    placeholder: str
    choices: tuple[Choice, ...]
    argument: str = ""

    @property
    def custom_id(self) -> str:
        return make_id(self.action, self.job_id, self.argument)


Row = tuple[Button, ...] | Menu


@dataclass(frozen=True, kw_only=True)
class CardPicture:
    """A file to attach. `alt_text` is what a screen reader says; at most 1024 characters."""

    data: bytes = field(repr=False)
    filename: str
    alt_text: str


@dataclass(frozen=True, kw_only=True)
class Card:
    """A whole message. `pictures` are always all that the message should hold: an edit replaces them."""

    content: str
    rows: tuple[Row, ...] = ()
    pictures: tuple[CardPicture, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "content", render(self.content))


def make_id(action: str, job_id: str, argument: str = "") -> str:
    return f"{ID_PREFIX}:{action}:{job_id}" + (f":{argument}" if argument else "")


def parse_id(custom_id: str) -> tuple[str, str, str] | None:
    """Return (action, job id, argument) of one of our ids, `None` for anybody else's."""
    prefix, __, rest = custom_id.partition(":")
    if prefix != ID_PREFIX:
        return None
    action, __, rest = rest.partition(":")
    job_id, __, argument = rest.partition(":")
    return action, job_id, argument


def controls_of(message: nextcord.Message | None) -> list[tuple[str, str, str]]:
    """Return (action, job id, argument) of every control of ours in a message."""
    return [parsed for parsed in map(parse_id, ids_of(message)) if parsed is not None]


def shows_several(message: nextcord.Message | None) -> bool:
    """Return whether a message shows the pictures of several jobs, so that what is attached is none of them."""
    return any(action == MORE_OF_ACTION for action, __, __ in controls_of(message))


def check_stands_in(message: nextcord.Message | None, action: str) -> None:
    """Refuse to turn a message into something else that has no control for it: the press was forged.

    `action`: of an id of ours, or an id of another form as it stands.

    Raises:
        RequestRejected: with the words for a button that nobody knows.
    """
    if action not in ids_of(message) and not any(shown == action for shown, __, __ in controls_of(message)):
        raise RequestRejected(OTHER_VERSION)


def ids_of(message: nextcord.Message | None) -> list[str]:
    """Return the ids of all controls in a message."""
    rows = message.components if message else ()
    ids = (getattr(child, "custom_id", None) for row in rows for child in getattr(row, "children", ()))
    return [item for item in ids if item]


def to_view(rows: tuple[Row, ...]) -> nextcord.ui.View | None:
    """Build the nextcord view, stopped at once.

    Presses reach us by id through a listener: the library must neither keep a copy of every message's view in memory
    nor answer a press for us.
    """
    if not rows:
        return None
    view = nextcord.ui.View(timeout=None, auto_defer=False, prevent_update=False)
    for number, row in enumerate(rows):
        if isinstance(row, Menu):
            view.add_item(_select(row, number))
            continue
        for button in row:
            view.add_item(
                nextcord.ui.Button(
                    style=_STYLES[button.style],
                    label=label(button.label, 80) or None,
                    emoji=button.emoji,
                    custom_id=button.custom_id,
                    disabled=button.is_disabled,
                    row=number,
                )
            )
    view.stop()
    return view


def to_files(pictures: tuple[CardPicture, ...]) -> list[nextcord.File]:
    """Build fresh files: one that was sent before would send zero bytes."""
    return [
        nextcord.File(io.BytesIO(picture.data), filename=picture.filename, description=visible(picture.alt_text)[:1024])
        for picture in pictures
    ]


def _select(menu: Menu, row: int) -> nextcord.ui.StringSelect:
    options = [_option(choice) for choice in menu.choices]
    return nextcord.ui.StringSelect(
        custom_id=menu.custom_id, placeholder=label(menu.placeholder, 150), options=options, row=row
    )


def _option(choice: Choice) -> nextcord.SelectOption:
    """Make an option with what it has: nextcord 3.2 fails on an emoji that is None."""
    has = {"emoji": choice.emoji, "description": label(choice.description)}
    given: dict[str, Any] = {name: value for name, value in has.items() if value}
    return nextcord.SelectOption(
        label=label(choice.label) or "—", value=choice.value, default=choice.is_default, **given
    )
