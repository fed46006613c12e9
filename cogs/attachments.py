"""Files people attach: which one is meant, and its bytes by its address alone, which another process can do as well."""

import re
from typing import Final

import aiohttp
import nextcord

from constants import MAX_INPUT_IMAGE_BYTES
from generation.errors import RequestRejected

IMAGE_NAME: Final = re.compile(r"\.(png|jpe?g|jfif|webp|gif|avif|bmp|tiff?|hei[cf])$", re.IGNORECASE)
READ_TIMEOUT_S: Final = 60.0
CANNOT_READ: Final = "That picture cannot be read from Discord. Please attach it again."


def picture_in(*messages: nextcord.Message) -> nextcord.Attachment | None:
    """Return the first picture attached to the first of these messages that has one."""
    for message in messages:
        for attachment in message.attachments:
            if (attachment.content_type or "").startswith("image/") or IMAGE_NAME.search(attachment.filename):
                return attachment
    return None


def address_of(attachment: nextcord.Attachment) -> str:
    """Return where its bytes lie, for about a day.

    Raises:
        RequestRejected: it is too large.
    """
    if attachment.size > MAX_INPUT_IMAGE_BYTES:
        size, most = attachment.size / 2**20, MAX_INPUT_IMAGE_BYTES // 2**20
        raise RequestRejected(f"That picture is {size:.1f} MB; at most {most} MB work.", field="image")
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
                    raise RequestRejected(f"That picture is too large; at most {most} MB work.", field="image")
            return bytes(data)
    except (aiohttp.ClientError, TimeoutError, ConnectionError) as error:
        raise RequestRejected(CANNOT_READ, field="image") from error
