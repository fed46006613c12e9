"""Files people attach: which one is meant, and its bytes by its address alone, which another process can do as well."""

import re
from collections.abc import Collection
from typing import Final

import aiohttp
import nextcord

from constants import MAX_INPUT_IMAGE_BYTES
from generation.errors import RequestRejected
from generation.several_pictures import ONE_IS_USED, joined, named, not_used
from lazy import pattern
from texts.text import _

IMAGE_NAME: Final = pattern(r"\.(png|jpe?g|jfif|webp|gif|avif|bmp|tiff?|hei[cf])$", re.IGNORECASE)
READ_TIMEOUT_S: Final = 60.0
NO_PICTURE: Final = _("only pictures are")
CANNOT_READ: Final = _("That picture cannot be read from Discord. Please attach it again.")


def picture_in(*messages: nextcord.Message) -> nextcord.Attachment | None:
    """Return the first picture attached to the first of these messages that has one."""
    return next((picture for message in messages for picture in pictures_in(message)), None)


def pictures_in(message: nextcord.Message) -> list[nextcord.Attachment]:
    """Return the pictures attached to a message, in order."""
    return [attachment for attachment in message.attachments if _is_picture(attachment)]


def unused_in(
    message: nextcord.Message, used: Collection[nextcord.Attachment] = (), why: str = ONE_IS_USED
) -> tuple[str, ...]:
    """Return a remark on what else is attached to a message, if there is any.

    Args:
        message: what somebody wrote.
        used: the pictures that may be drawn from.
        why: the reason for which a picture is not.
    """
    unused = [attachment for attachment in message.attachments if attachment.id not in [other.id for other in used]]
    pictures = [item for item in unused if _is_picture(item)]
    others = [item for item in unused if item not in pictures]
    listed = ((others, NO_PICTURE), (pictures, why))
    notes = [not_used(named([file.filename for file in files]), reason) for files, reason in listed if files]
    return joined(tuple(notes))


def _is_picture(attachment: nextcord.Attachment) -> bool:
    return (attachment.content_type or "").startswith("image/") or bool(IMAGE_NAME.search(attachment.filename))


def address_of(attachment: nextcord.Attachment) -> str:
    """Return where its bytes lie, for about a day.

    Raises:
        RequestRejected: it is too large.
    """
    if attachment.size > MAX_INPUT_IMAGE_BYTES:
        size, most = attachment.size / 2**20, MAX_INPUT_IMAGE_BYTES // 2**20
        raise RequestRejected(
            _("That picture is {size:.1f} MB; at most {most} MB work.", size=size, most=most), field="image"
        )
    return attachment.url


async def read_file(address: str) -> bytes:
    """Return a file as it was uploaded.

    Raises:
        RequestRejected: it is too large or cannot be read.
    """
    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=READ_TIMEOUT_S)) as session,
            session.get(address) as answer,
        ):
            answer.raise_for_status()
            data = bytearray()
            async for chunk in answer.content.iter_chunked(2**16):
                data += chunk
                if len(data) > MAX_INPUT_IMAGE_BYTES:
                    most = MAX_INPUT_IMAGE_BYTES // 2**20
                    raise RequestRejected(
                        _("That picture is too large; at most {most} MB work.", most=most), field="image"
                    )
            return bytes(data)
    except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
        raise RequestRejected(CANNOT_READ, field="image") from error
