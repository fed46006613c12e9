"""The styles of messages: classic, with content and rows of controls, or as a layout. One card gives either.

A new message is drawn as `CARD_STYLE` says. One that is there stays what it is, so an edit that Discord refuses for the
other style is sent in that, and the message is known from then on.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any, Final, Literal

import nextcord

from cogs.cards import Card, CardPicture, to_files, to_view
from cogs.wire.layout import Layout, layout_of, new_layout
from cogs.wire.reading import is_layout, shown_in

CardStyle = Literal["classic", "v2"]
INVALID_FORM: Final = 50035
MOST_KNOWN: Final = 5000


class MessageStyles:
    """Draws cards as new messages and as edits of those that are there."""

    def __init__(self, style: CardStyle = "classic") -> None:
        self.is_v2 = style == "v2"
        self._known: dict[str, bool] = {}  # by the id of a message: whether it is a layout
        self._shown: dict[str, tuple[CardPicture, ...]] = {}  # files that an edit without any keeps

    def new(self, card: Card) -> dict[str, Any]:
        """Return the arguments that send a card as a new message."""
        if not self.is_v2:
            return new_message(card)
        return new_layout(card) | ({"files": to_files(card.pictures)} if card.pictures else {})

    def note(self, message: nextcord.Message, card: Card | None = None) -> str:
        """Remember how a message is drawn, and what it shows where we have just sent it; return its id."""
        self._remember(str(message.id), as_layout=is_layout(message))
        if card is not None:
            self._show(str(message.id), card)
        return str(message.id)

    def is_unread(self, message_id: str, card: Card, *, keeps_files: bool) -> bool:
        """Return whether an edit would drop the files of a layout, since only an earlier process knows them."""
        may_be_layout = self.is_v2 and self._known.get(message_id) is not False
        return may_be_layout and keeps_files and not card.pictures and message_id not in self._shown

    def note_files(self, message_id: str, components: Any) -> None:
        """Remember which files a layout shows; it has to name them again when it is edited."""
        self._shown[message_id] = tuple(
            CardPicture(data=b"", filename=file.filename, alt_text=words) for file, words in shown_in(components)
        )

    async def edit(
        self, message_id: str, send: Callable[..., Awaitable[Any]], card: Card, *, keeps_files: bool = False
    ) -> Any:
        """Edit a message by `send`, in the style that it has; its id is empty where only its token is known.

        Raises:
            nextcord.HTTPException: Discord refuses it in either style.
        """
        known = self._known.get(message_id)
        as_layout = self.is_v2 if known is None else known
        try:
            message = await send(**self._edit_of(message_id, card, as_layout=as_layout, keeps_files=keeps_files))
        except nextcord.HTTPException as error:
            if known is not None or error.status != 400 or error.code != INVALID_FORM:
                raise
            as_layout = not as_layout
            message = await send(**self._edit_of(message_id, card, as_layout=as_layout, keeps_files=keeps_files))
        message_id = message_id or str(message.id)
        self._remember(message_id, as_layout=as_layout)
        if as_layout and (card.pictures or not keeps_files):
            self._show(message_id, card)
        return message

    def _show(self, message_id: str, card: Card) -> None:
        self._shown[message_id] = tuple(replace(picture, data=b"") for picture in card.pictures)

    def _remember(self, message_id: str, *, as_layout: bool) -> None:
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
            self._shown.clear()
        self._known[message_id] = as_layout

    def _edit_of(self, message_id: str, card: Card, *, as_layout: bool, keeps_files: bool) -> dict[str, Any]:
        if not as_layout:
            return edit_of(card, keeps_files=keeps_files)
        shown = card.pictures or (self._shown.get(message_id, ()) if keeps_files else ())
        values: dict[str, Any] = {"view": Layout(layout_of(card, shown))}
        if card.pictures or not keeps_files:
            values["attachments"] = []
        if card.pictures:
            values["files"] = to_files(card.pictures)
        return values


def new_message(card: Card) -> dict[str, Any]:
    """Return the arguments that send a card as a new message in the classic style."""
    values: dict[str, Any] = {"content": card.content}
    if card.pictures:
        values["files"] = to_files(card.pictures)
    if view := to_view(card.rows):
        values["view"] = view
    return values


def edit_of(card: Card, *, keeps_files: bool = False) -> dict[str, Any]:
    """Return the arguments that turn an existing message of the classic style into a card.

    Args:
        card: what the message should be.
        keeps_files: leave earlier files there if the card brings none; otherwise what is not in the card goes away.
    """
    values: dict[str, Any] = {"content": card.content, "view": to_view(card.rows)}
    if card.pictures or not keeps_files:
        values["attachments"] = []
    if card.pictures:
        values["files"] = to_files(card.pictures)
    return values
