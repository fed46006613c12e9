"""Marks that say that a machine made a picture: in XMP, and signed (C2PA) where the owner has a certificate for it.

A signature that cannot be had never costs a picture: it goes out with its XMP alone, and the log says so.
"""

import asyncio
import logging
from collections.abc import Callable
from typing import Final

from generation.request import FROM_PICTURE_ALONE, GenerationRequest, Mode
from lazy import dataclass
from texts.text import _
from utils.content_credentials import How, NotSigned, PictureSigner
from utils.pixels import BadImage
from utils.provenance import TRAINED, marked_like, shared_kind
from utils.threads import run_in_thread
from utils.video import is_video

log = logging.getLogger(__name__)

TIMESTAMP_WAIT_S: Final = 10.0


@dataclass(frozen=True, kw_only=True)
class Marks:
    """The marks of pictures as the owner has chosen them."""

    source_type_of: Callable[[str], str | None] = lambda lane: TRAINED  # IPTC's kind for an engine; None: no mark
    signer: PictureSigner | None = None
    timestamp_wait_s: float = TIMESTAMP_WAIT_S

    async def signed(self, data: bytes, kind: str | None, request: GenerationRequest, engine_file: bytes) -> bytes:
        """Return a new picture signed, or as it is where that is not wanted or cannot be; videos are not signed.

        Args:
            data: the picture with all its other marks.
            kind: what its XMP declares.
            request: what was drawn; only its mode and whether a picture went in are told.
            engine_file: what the engine gave.
        """
        signer, how = self.signer, _how(request)
        if signer is None or kind is None or is_video(data):
            return data
        if signer.timestamp_url:
            stamped = asyncio.to_thread(  # not in a codec thread: the authority may take its time
                signer.sign_new, data, kind, how, engine_file=engine_file, with_timestamp=True
            )
            try:
                return await asyncio.wait_for(stamped, self.timestamp_wait_s)
            except (NotSigned, BadImage, TimeoutError) as error:
                _warn(_("a picture is signed without a time stamp"), error)
        try:
            return await run_in_thread(signer.sign_new, data, kind, how, engine_file=engine_file)
        except (NotSigned, BadImage) as error:
            _warn(_("a picture could not be signed; its XMP alone marks it"), error)
            return data

    def copied(self, copy: bytes, *originals: bytes) -> bytes:
        """Return a copy with the marks of what it shows, signed where that was meant to be. Blocks."""
        marked, kind = marked_like(copy, *originals), shared_kind(originals)
        if self.signer is None or kind is None:
            return marked
        try:
            return self.signer.sign_copy(marked, originals, kind)
        except (NotSigned, BadImage) as error:
            _warn(_("a copy could not be signed; its XMP alone marks it"), error)
            return marked


def _how(request: GenerationRequest) -> How:
    if request.mode is Mode.INPAINT or request.mode in FROM_PICTURE_ALONE:
        return How.EDITED
    return How.FOLLOWED if request.guide else How.CREATED


def _warn(message: str, error: Exception) -> None:
    log.warning(message, extra={"action": "sign_failed", "error": str(error) or type(error).__name__})
