"""Pictures as programs hand them over: a link, a data: URL, base64, or the id of one that is here already."""

import base64
import binascii
import re
from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import urlsplit

from constants import MAX_INPUT_IMAGE_BYTES
from generation.errors import RequestRejected
from generation.request import SourceImage
from lazy import pattern
from net.outbound import fetch_picture
from services.pictures.media import MediaService
from texts.text import _
from utils.threads import run_in_thread
from utils.urls import UrlPolicy

MEDIA_PATH: Final = "/api/media/"
MOST_MB: Final = MAX_INPUT_IMAGE_BYTES // 1024**2
# A third more than the bytes, and room for a line break after every 64 characters and the head of a data: URL.
MAX_BASE64_CHARS: Final = MAX_INPUT_IMAGE_BYTES * 4 // 3 * 33 // 32 + 256
SHORTEST_BASE64: Final = 65  # no picture is that small, and a media id never longer: what is shorter is an id

_MEDIA_ID = pattern(r"[A-Za-z0-9_-]{1,64}")
_DATA_URL = pattern(r"data:[^,]{0,200},", re.IGNORECASE)
_URLSAFE = bytes.maketrans(b"-_", b"+/")
_HINT: Final = _("Give an https:// link, a data: URL, base64, or the id of a picture that is here.")


class PictureFetcher:
    """Takes a picture in whatever form it was given."""

    def __init__(self, media: MediaService, policy: UrlPolicy, *, public_url: str = "") -> None:
        self._media = media
        self._policy = policy
        self._public_url = public_url.rstrip("/")

    async def take(
        self, given: str, *, field: str = "imageUrl", charge: Callable[[int], Awaitable[None]] | None = None
    ) -> SourceImage:
        """Clean and store the picture that was given; works for masks too.

        Args:
            given: a link, a data: URL, base64, or the id or address of a picture that is here.
            field: what it is called in the request.
            charge: counts the bytes of one that is not here yet; may refuse them.

        Raises:
            RequestRejected: it is none, cannot be had or is too large; names `field`.
        """
        data = await self._bytes(given, field)
        if charge and self.media_id(given.strip()) is None:
            await charge(len(data))
        try:
            return await self._media.take_input(data)
        except RequestRejected as error:
            raise RequestRejected(error.user_message, field=field, detail=error.detail, hint=error.hint) from error

    async def _bytes(self, given: str, field: str) -> bytes:
        if len(given) > MAX_BASE64_CHARS:
            raise _too_large(field)
        given = given.strip()
        if not given:
            raise RequestRejected(_("{field} is empty.", field=field), field=field, hint=_HINT)
        if media_id := self.media_id(given):
            return await self._own(media_id, field)
        if head := _DATA_URL.match(given):
            if not head[0][:-1].lower().endswith(";base64"):
                raise RequestRejected(
                    _("{field} is a data: URL that is not base64.", field=field),
                    field=field,
                    hint=_("Write data:image/png;base64,..."),
                )
            return await run_in_thread(_decode, given[head.end() :], field)
        if given[:8].lower().startswith(("http://", "https://")):
            return await fetch_picture(given, policy=self._policy, field=field)
        return await run_in_thread(_decode, given, field)

    def media_id(self, given: str) -> str | None:
        """Return the id in an id or in an address of ours; None for everything else."""
        if len(given) < SHORTEST_BASE64 and _MEDIA_ID.fullmatch(given):
            return given
        base = self._public_url
        path = given[len(base) :] if base and given.startswith(f"{base}{MEDIA_PATH}") else given
        if not path.startswith(MEDIA_PATH):
            return None
        media_id = urlsplit(path).path.removeprefix(MEDIA_PATH)
        return media_id if _MEDIA_ID.fullmatch(media_id) else None

    async def _own(self, media_id: str, field: str) -> bytes:
        media = await self._media.get(media_id)
        if media is None:
            raise RequestRejected(
                _("There is no picture here with the id in {field}.", field=field), field=field, hint=_HINT
            )
        return media.data


def _decode(text: str, field: str) -> bytes:
    """Decode base64 of either alphabet, with or without padding and line breaks. Blocks."""
    try:
        packed = b"".join(text.encode("ascii").split()).translate(_URLSAFE).rstrip(b"=")
        data = base64.b64decode(packed + b"=" * (-len(packed) % 4), validate=True)
    except (UnicodeEncodeError, binascii.Error) as error:
        raise RequestRejected(
            _("{field} is neither a link nor base64.", field=field), field=field, hint=_HINT
        ) from error
    if len(data) > MAX_INPUT_IMAGE_BYTES:
        raise _too_large(field)
    return data


def _too_large(field: str) -> RequestRejected:
    return RequestRejected(
        _("The picture in {field} is too large: at most {most_mb} MB.", field=field, most_mb=MOST_MB), field=field
    )
