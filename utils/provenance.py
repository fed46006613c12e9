"""The mark that a picture was made by a machine, where other machines look for it. Blocks: call it through a thread.

IPTC's `DigitalSourceType` in the XMP of PNG, JPEG and WebP: the name of a kind, and nothing of what was asked for.
Source: cv.iptc.org/newscodes/digitalsourcetype; XMP specification part 3 (where the packet stands in each format).
"""

import re
from collections.abc import Iterable
from typing import Final

from constants import APP_NAME
from lazy import pattern
from utils.containers import JPEG_START, PNG_SIGNATURE, is_webp
from utils.image_text import jpeg_with_segment, png_with_text, webp_with_chunk
from utils.picture_texts import XMP, XMP_HEADER, texts_of

TRAINED: Final = "trainedAlgorithmicMedia"
ALGORITHMIC: Final = "algorithmicMedia"  # drawn by rules, without a model that learned from pictures
VOCABULARY: Final = "http://cv.iptc.org/newscodes/digitalsourcetype/"

_KINDS: Final = pattern(re.escape(VOCABULARY) + r"(\w{1,60})")
_END: Final = "</rdf:RDF>"
_VP8X_XMP: Final = 0x04


def source_type_of(data: bytes) -> str | None:
    """Return the kind of source that a file declares, or None."""
    found = _KINDS.search(texts_of(data).get(XMP, ""))
    return found[1] if found else None


def with_source_type(data: bytes, kind: str) -> bytes:
    """Return the same picture with its kind of source declared; one that declares some keeps its own.

    A file without a place for it, as a GIF, and one whose packet has no room for more, are returned as they are.
    """
    old = texts_of(data).get(XMP, "")
    if _KINDS.search(old):
        return data
    packet = _packet(old, kind)
    if data.startswith(PNG_SIGNATURE):
        return png_with_text(data, XMP, packet)
    if data.startswith(JPEG_START):
        return jpeg_with_segment(data, XMP_HEADER, packet.encode())
    return webp_with_chunk(data, b"XMP ", packet.encode(), _VP8X_XMP) if is_webp(data) else data


def shared_kind(originals: Iterable[bytes]) -> str | None:
    """Return the kind of source that the first one which declares any declares."""
    return next((kind for kind in map(source_type_of, originals) if kind), None)


def marked_like(copy: bytes, *originals: bytes) -> bytes:
    """Return a copy with the kind of source that its originals declare, if they do; several are on one sheet."""
    kind = shared_kind(originals)
    return with_source_type(copy, kind) if kind else copy


def _packet(old: str, kind: str) -> str:
    """Return an XMP packet, with what another program said in the old one."""
    mark = (
        '<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/" '
        f'xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:CreatorTool="{APP_NAME}">'
        f"<Iptc4xmpExt:DigitalSourceType>{VOCABULARY}{kind}</Iptc4xmpExt:DigitalSourceType></rdf:Description>"
    )
    if old.count(_END) == 1:
        return old.replace(_END, mark + _END)
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
        f'{mark}{_END}</x:xmpmeta><?xpacket end="r"?>'
    )
