"""A card as a layout (Components V2): a container with the first line, the pictures, the rest and the controls.

Source: "Component Reference" of the official documentation, and what the service does beside it: all texts together may
have 4,000 characters, and 10,170 bytes less 12 for each of them (more is an HTTP 500). A message is a layout from its
first sending to its end: the flag can be neither taken off nor set by an edit that nextcord knows, and "thinking…"
cannot carry it.
"""

from collections.abc import Sequence
from pathlib import PurePath
from typing import Any, Final

import nextcord

from cogs.cards import Button, Card, CardPicture, Menu, Row
from cogs.plain import label
from generation.foreign import visible

FLAG: Final = 1 << 15
MAX_CHARS: Final = 4000
MAX_BYTES: Final = 10_170
BYTES_OF_A_TEXT: Final = 12
MAX_ALT_CHARS: Final = 1024
MAX_MEDIA: Final = 10
SPOILER: Final = "SPOILER_"

ROW, BUTTON, SELECT, TEXT, GALLERY, FILE, CONTAINER = 1, 2, 3, 10, 12, 13, 17
_STYLES: Final = {"primary": 1, "secondary": 2, "success": 3, "danger": 4}
_MEDIA: Final = frozenset({".png", ".jpg", ".jpeg", ".webp", ".gif", ".avif", ".mp4", ".webm", ".mov"})


def layout_of(card: Card, pictures: Sequence[CardPicture]) -> list[dict[str, Any]]:
    """Return the components of a message that shows `card`; `pictures` are what it holds: new files or earlier ones."""
    media = [picture for picture in pictures if PurePath(picture.filename).suffix.lower() in _MEDIA][:MAX_MEDIA]
    head, __, rest = card.content.partition("\n") if media else (card.content, "", "")
    texts = bounded([head, rest])
    parts = [_text(texts[0]), _gallery(media), _text(texts[1])]
    parts += [_file(picture) for picture in pictures if picture not in media]
    parts += [_row(row) for row in card.rows]
    filled = [part for part in parts if part]
    return [{"type": CONTAINER, "components": filled}] if filled else []


def bounded(texts: Sequence[str]) -> list[str]:
    """Cut texts to what one message takes, the last of them first."""
    chars, room = MAX_CHARS, MAX_BYTES - BYTES_OF_A_TEXT * len(texts)
    taken = []
    for text in texts:
        taken.append(_cut(text, chars, room))
        chars -= len(taken[-1])
        room -= len(taken[-1].encode())
    return taken


class Layout(nextcord.ui.View):
    """A layout on its way through nextcord, which sends what it is given and keeps nothing of it."""

    def __init__(self, components: list[dict[str, Any]]) -> None:
        super().__init__(timeout=None, auto_defer=False, prevent_update=False)
        self._payload = components
        self.stop()

    def to_components(self) -> list[Any]:
        return self._payload


def new_layout(card: Card) -> dict[str, Any]:
    """Return the arguments besides files that send a card as a new layout."""
    flags = nextcord.MessageFlags()
    flags.value = FLAG
    return {"view": Layout(layout_of(card, card.pictures)), "flags": flags}


def _cut(text: str, chars: int, size: int) -> str:
    if len(text) <= chars and len(text.encode()) <= size:
        return text
    kept = text[: max(0, chars - 1)].encode()[: max(0, size - len("…".encode()))]
    return kept.decode(errors="ignore") + "…" if kept else ""


def _text(text: str) -> dict[str, Any]:
    return {"type": TEXT, "content": text} if text.strip() else {}


def _gallery(media: Sequence[CardPicture]) -> dict[str, Any]:
    return {"type": GALLERY, "items": [_item(picture) for picture in media]} if media else {}


def _item(picture: CardPicture) -> dict[str, Any]:
    values: dict[str, Any] = {"media": {"url": f"attachment://{picture.filename}"}}
    if alt_text := visible(picture.alt_text)[:MAX_ALT_CHARS]:
        values["description"] = alt_text
    return values | ({"spoiler": True} if picture.filename.startswith(SPOILER) else {})


def _file(picture: CardPicture) -> dict[str, Any]:
    return {"type": FILE, "file": {"url": f"attachment://{picture.filename}"}}


def _row(row: Row) -> dict[str, Any]:
    items = [_select(row)] if isinstance(row, Menu) else [_button(button) for button in row]
    return {"type": ROW, "components": items}


def _button(button: Button) -> dict[str, Any]:
    values: dict[str, Any] = {"type": BUTTON, "style": _STYLES[button.style], "custom_id": button.custom_id}
    if words := label(button.label, 80):
        values["label"] = words
    if button.emoji:
        values["emoji"] = {"name": button.emoji}
    return values | ({"disabled": True} if button.is_disabled else {})


def _select(menu: Menu) -> dict[str, Any]:
    options = []
    for choice in menu.choices:
        option: dict[str, Any] = {"label": label(choice.label) or "—", "value": choice.value}
        option |= {"description": label(choice.description)} if choice.description else {}
        option |= {"emoji": {"name": choice.emoji}} if choice.emoji else {}
        options.append(option | ({"default": True} if choice.is_default else {}))
    placeholder = label(menu.placeholder, 150)
    return {"type": SELECT, "custom_id": menu.custom_id, "placeholder": placeholder, "options": options}
