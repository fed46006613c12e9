"""Messages about a reply in plain words: which picture is meant, how it was read, what cannot be done. Pure."""

from collections.abc import Iterable
from typing import Final

from cogs.cards import Button, Card, Choice, Menu, Row
from cogs.plain import escape
from generation.deeds import Deed
from generation.request import Draft, Mode
from generation.wishes.drafts import is_closer, is_to_go
from generation.wishes.wish import Operation, Wish
from texts.text import Text, _
from utils.text import cut

WISH: Final = "wish"  # another operation, chosen in a menu
WISH_PICK: Final = "wish-pick"  # which picture of a grid
MEANT: Final = "meant"  # "not what I meant"
UNDO: Final = "undo"
BUTTONS_OF_A_ROW: Final = 5
QUOTED_CHARS: Final = 100
NAMES: Final = {
    Operation.EDIT: _("change the picture"),
    Operation.INPAINT: _("change a part"),
    Operation.RECOLOUR: _("change the colours"),
    Operation.BACKGROUND: _("change the background"),
    Operation.VARY: _("a variation"),
    Operation.RESIZE: _("another shape"),
    Operation.ZOOM: _("show more around it"),
    Operation.UPSCALE: _("make it larger"),
    Operation.AGAIN: _("draw it again"),
}
EMOJIS: Final = {
    Operation.EDIT: "✏️",
    Operation.INPAINT: "🩹",
    Operation.RECOLOUR: "🎨",
    Operation.BACKGROUND: "🏞️",
    Operation.VARY: "🪄",
    Operation.RESIZE: "📐",
    Operation.ZOOM: "🔭",
    Operation.UPSCALE: "⬆️",
    Operation.AGAIN: "🎲",
}
NEEDED: Final = {
    Operation.EDIT: Mode.IMG2IMG,
    Operation.INPAINT: Mode.IMG2IMG,
    Operation.RECOLOUR: Mode.IMG2IMG,
    Operation.BACKGROUND: Mode.IMG2IMG,
    Operation.VARY: Mode.IMG2IMG,
    Operation.ZOOM: Mode.INPAINT,
    Operation.UPSCALE: Mode.UPSCALE,
}
DEEDS: Final = {
    Operation.VARY: Deed.VARY,
    Operation.RESIZE: Deed.SIZE,
    Operation.ZOOM: Deed.ZOOM,
    Operation.UPSCALE: Deed.UPSCALE,
    Operation.AGAIN: Deed.AGAIN,
}
UNREADABLE: Final = _("I can no longer read your message. Please write it again, in reply to the picture.")
WITHOUT_MASK: Final = _(
    "no mask, so all of it is drawn again; to keep the rest, attach a mask to your reply (white where it may change)"
)


def read_as(operation: Operation) -> str:
    """Return the remark on a picture that a reply asked for."""
    return _("read as: {operation}", operation=NAMES[operation])


def deed_of(operation: Operation, draft: Draft) -> Deed:
    """Return what is done to the picture, for the first line."""
    return Deed(draft.pan.value) if draft.pan else DEEDS.get(operation, Deed.CHANGE)


def which_card(job_id: str, count: int, source_id: str) -> Card:
    """Ask which picture of a grid is meant."""
    buttons = [
        Button(action=WISH_PICK, job_id=job_id, label=str(index + 1), argument=f"{index}-{source_id}")
        for index in range(count)
    ]
    rows = tuple(tuple(buttons[first : first + BUTTONS_OF_A_ROW]) for first in range(0, count, BUTTONS_OF_A_ROW))
    return Card(content=_("Which one? They are counted from the top left."), rows=rows)


def cannot_card(wish: Wish, job_id: str, argument: str, modes: frozenset[Mode]) -> Card:
    """Report that nothing here can do it, and offer what can be done instead."""
    return Card(content=_reason(wish), rows=_instead(job_id, argument, modes, without=wish.operation))


def meant_card(
    text: str, operation: Operation | None, parent_id: str, argument: str, child_id: str, modes: frozenset[Mode]
) -> Card:
    """Show how a reply was read, and let another operation be chosen or the picture be taken back."""
    quoted = escape(cut(text, QUOTED_CHARS))
    content: Text | str = _("What did you mean?")
    if quoted and operation is not None:
        content = _("I read “{text}” as: {operation}. What did you mean?", text=quoted, operation=NAMES[operation])
    undo = Button(action=UNDO, job_id=child_id, label=_("Undo"), emoji="↩️")
    return Card(content=content, rows=(*_instead(parent_id, argument, modes, without=operation), (undo,)))


def _reason(wish: Wish) -> str:
    if wish.operation is Operation.BACKGROUND and is_to_go(wish):
        return _("No engine here can cut a picture out of its background. “Plain white background” draws it on white.")
    if wish.operation is Operation.ZOOM and is_closer(wish):
        return _("Zooming in would only cut the picture. What I can do with it:")
    return _(
        "No engine here can do that ({operation}). Automatic1111, ComfyUI and the AI Horde can, see `/sdconnect`.",
        operation=NAMES[wish.operation],
    )


def _instead(job_id: str, argument: str, modes: frozenset[Mode], without: Operation | None) -> tuple[Row, ...]:
    choices = tuple(_choices(modes, without))
    return (Menu(action=WISH, job_id=job_id, placeholder=_("Do this instead…"), choices=choices, argument=argument),)


def _choices(modes: frozenset[Mode], without: Operation | None) -> Iterable[Choice]:
    for operation, name in NAMES.items():
        is_possible = NEEDED.get(operation) is None or NEEDED[operation] in modes
        if is_possible and operation is not without:
            yield Choice(label=name, value=operation.value, emoji=EMOJIS[operation])
