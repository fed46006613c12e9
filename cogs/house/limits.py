"""The limits in `/setup`: three forms, each for a role, a channel or everybody. Values only, no calls to Discord.

A form cannot know whom somebody picks in it, so it shows no numbers: the page it is opened from lists them. What is
left empty stays as it is, and a dash drops a limit.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

from cogs.cards import Button, Card, Choice, make_id
from cogs.house.forms import ACTION, CHANNEL_TYPES
from cogs.moderation.sizes import read_pixels
from cogs.moderation.text import caps as caps_text
from cogs.wire.fields import FormField, PickField, RadioField, TextField
from cogs.wire.forms import FilledForm, Form
from generation.caps import Cap
from generation.errors import RequestRejected
from generation.option_values import read_number
from texts.text import _, joined

PAGE, BACK = "limits", "rules"
DRAWING, AMOUNTS, TURNS = "limits-drawing", "limits-amounts", "limits-turns"
DROP: Final = "-"
YES, NO, AS_IT_IS = "yes", "no", "same"
MOST_CHARS: Final = 20

Changes = dict[str, float | None]


def page(caps: Sequence[Cap], guild_id: str) -> Card:
    """List the limits of a server, with the forms that change them."""

    def button(part: str, label: str, emoji: str) -> Button:
        return Button(action=ACTION, job_id=part, label=label, emoji=emoji)

    rows = (
        (
            button(DRAWING, _("Size and steps"), "📐"),
            button(AMOUNTS, _("How many"), "🔢"),
            button(TURNS, _("Priority"), "⏫"),
        ),
        (button(BACK, _("Rules"), "◀"),),
    )
    how = _("-# A form changes what you fill in, for a role, a channel or everybody; “-” drops a limit.")
    return Card(content=joined("\n", (caps_text(caps, guild_id), how)), rows=rows)


def drawing_form() -> Form:
    """The limits of one request."""
    fields = (
        *_subjects(),
        _number("pixels", _("Largest picture"), _("1024x1024, or 1.5MP; 0: any")),
        _number("steps", _("Steps of a picture"), _("30; 0: any")),
        _number("batch", _("Pictures of one request"), _("4; 0: any")),
    )
    return Form(title=_("Limits: size and steps"), custom_id=make_id(ACTION, DRAWING), fields=fields)


def amounts_form() -> Form:
    """The limits of a day, and of a moment."""
    fields = (
        *_subjects(),
        _number("daily", _("Pictures a day (UTC)"), _("50; 0: any")),
        _number("waiting", _("Requests that wait"), _("10; 0: any")),
        _number("running", _("Requests that are drawn at the same time"), _("2; 0: any")),
    )
    return Form(title=_("Limits: how many"), custom_id=make_id(ACTION, AMOUNTS), fields=fields)


def turns_form() -> Form:
    """Turns in the queue."""
    choices = tuple(
        Choice(label=label, value=value, is_default=value == AS_IT_IS)
        for value, label in ((AS_IT_IS, _("As it is")), (YES, _("They may")), (NO, _("They may not")))
    )
    fields = (
        *_subjects(),
        _number("weight", _("Turns in the queue against others"), _("2 is twice as many; usual: 1")),
        RadioField(
            name="priority",
            label=_("Go first with --priority high"),
            note=_("It goes before what others wait for."),
            choices=choices,
        ),
    )
    return Form(title=_("Limits: priority"), custom_id=make_id(ACTION, TURNS), fields=fields)


def read_drawing(filled: FilledForm) -> Changes:
    """Read that form, and refuse what is neither a size nor a number."""
    changes = _read(filled, "steps", "batch")
    typed = filled.text("pixels").strip()
    return changes | ({"pixels": None if typed == DROP else read_pixels(typed)} if typed else {})


def read_amounts(filled: FilledForm) -> Changes:
    return _read(filled, "daily", "waiting", "running")


def read_turns(filled: FilledForm) -> Changes:
    """Read that form; a choice that was not offered changes nothing."""
    may = {YES: 1.0, NO: None}
    choice = filled.choice("priority")
    return _read(filled, "weight") | ({"priority": may[choice]} if choice in may else {})


FORMS: Final[Mapping[str, Callable[[], Form]]] = {DRAWING: drawing_form, AMOUNTS: amounts_form, TURNS: turns_form}
READERS: Final[Mapping[str, Callable[[FilledForm], Changes]]] = {
    DRAWING: read_drawing,
    AMOUNTS: read_amounts,
    TURNS: read_turns,
}


def _subjects() -> tuple[FormField, FormField]:
    role = PickField(
        name="role", label=_("Whose"), note=_("None: everybody’s, or those of a channel."), kind="role",
        is_required=False,
    )  # fmt: skip
    channel = PickField(
        name="channel", label=_("Or where"), note=_("They hold for all roles there."), kind="channel",
        channel_types=CHANNEL_TYPES, is_required=False,
    )  # fmt: skip
    return role, channel


def _number(name: str, label: str, example: str) -> TextField:
    return TextField(name=name, label=label, example=example, limit=MOST_CHARS, is_required=False)


def _read(filled: FilledForm, *names: str) -> Changes:
    changes: Changes = {}
    for name in names:
        typed = filled.text(name).strip()
        if typed == DROP:
            changes[name] = None
        elif typed:
            changes[name] = _figure(name, typed)
    return changes


def _figure(name: str, typed: str) -> float:
    number = read_number(typed)
    if number is None or (name != "weight" and number != int(number)):
        raise RequestRejected(
            _("“{typed}” is no number: write one, 0 for any, or - to drop the limit.", typed=typed[:MOST_CHARS]),
            field=name,
        )
    return number
