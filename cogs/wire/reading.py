"""Read a message in its raw form: nextcord reads neither the controls nor the files of a layout.

A message of nextcord's is completed from its raw form, so that the rest of the bot sees no difference.
"""

from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit

import nextcord

from cogs.wire.forms import UploadedFile
from cogs.wire.layout import FLAG, TEXT


def is_layout(message: nextcord.Message) -> bool:
    return bool(message.flags.value & FLAG)


def complete(message: nextcord.Message, raw: Mapping[str, Any] | None) -> nextcord.Message:
    """Put the controls and the files of a layout into a message, and return it."""
    if raw and is_layout(message):
        children = [SimpleNamespace(custom_id=custom_id) for custom_id in ids_in(raw.get("components"))]
        message.components = [SimpleNamespace(children=children)]  # type: ignore[list-item]
        message.attachments = message.attachments or list(files_in(raw.get("components")))  # type: ignore[arg-type]
    return message


async def whole(bot: nextcord.Client, message: nextcord.Message) -> nextcord.Message:
    """Return a message with all it holds, if need be asked for once more."""
    if not is_layout(message):
        return message
    return complete(message, await bot.http.get_message(message.channel.id, message.id))


def raw_target(interaction: nextcord.Interaction, message: nextcord.Message) -> Mapping[str, Any] | None:
    """Return the raw form of the message whose menu a command was chosen from."""
    data: Any = interaction.data
    messages = (data.get("resolved") or {}).get("messages") or {}
    raw: Mapping[str, Any] | None = messages.get(str(message.id))
    return raw


def files_in(components: Any) -> Iterator[UploadedFile]:
    """Yield the files that raw components show."""
    for item in components or ():
        media = [entry.get("media") or {} for entry in item.get("items") or ()] + [item.get("file") or {}]
        yield from (_file(part) for part in media if part.get("url"))
        yield from files_in(item.get("components"))


def shown_in(components: Any) -> Iterator[tuple[UploadedFile, str]]:
    """Yield the pictures of the galleries in raw components, with their words for a screen reader."""
    for item in components or ():
        for entry in item.get("items") or ():
            if (entry.get("media") or {}).get("url"):
                yield _file(entry["media"]), str(entry.get("description") or "")
        yield from shown_in(item.get("components"))


def ids_in(components: Any) -> Iterator[str]:
    """Yield the ids of all controls in the raw components of a message, however deep they lie."""
    for item in components or ():
        if custom_id := item.get("custom_id"):
            yield custom_id
        yield from ids_in(item.get("components"))


def text_in(raw: Mapping[str, Any]) -> str:
    """Return the words of a raw message of either style."""
    return raw.get("content") or "\n".join(_texts_in(raw.get("components")))


def _texts_in(components: Any) -> Iterator[str]:
    for item in components or ():
        if item.get("type") == TEXT:
            yield item.get("content") or ""
        yield from _texts_in(item.get("components"))


def _file(media: Mapping[str, Any]) -> UploadedFile:
    return UploadedFile(
        id=str(media.get("attachment_id") or media.get("id") or ""),
        filename=PurePosixPath(urlsplit(media["url"]).path).name,
        url=media["url"],
        size=0,  # not said; what is read is bounded
        content_type=str(media.get("content_type") or ""),
    )
