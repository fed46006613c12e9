"""Metadata taken out of JPEG and WebP files without touching a pixel.

Source: ITU-T T.81, annex B (markers of JPEG); developers.google.com/speed/webp/docs/riff_container. A file in another
form gives None, and is encoded again instead.
"""

import struct
from typing import Final

from utils.containers import JPEG_START, is_webp, riff, riff_chunks

_EOI: Final = 0xD9
_SOS: Final = 0xDA
_JFIF, _ADOBE = 0xE0, 0xEE  # how the colours are meant
_COMMENT: Final = 0xFE
_IN_A_SCAN: Final = frozenset({0x00, *range(0xD0, 0xD8)})  # an escaped 0xFF, restart marks
_PIXEL_CHUNKS: Final = frozenset({b"VP8 ", b"VP8L", b"ALPH"})
_VP8X_ALPHA: Final = 0x10


def without_metadata(data: bytes) -> bytes | None:
    """Return a JPEG or a still WebP with its pixels' data alone; None where it cannot be taken apart."""
    if data.startswith(JPEG_START):
        return _bare_jpeg(data)
    return _bare_webp(data) if is_webp(data) else None


def _bare_jpeg(data: bytes) -> bytes | None:
    kept, offset = [JPEG_START], len(JPEG_START)
    while offset + 4 <= len(data) and data[offset] == 0xFF:
        marker = data[offset + 1]
        if marker == 0xFF:  # padding between segments
            offset += 1
            continue
        (length,) = struct.unpack_from(">H", data, offset + 2)
        end = offset + 2 + length
        if marker == _SOS:
            end = _scan_end(data, end)
        is_application = 0xE0 <= marker <= 0xEF and marker not in (_JFIF, _ADOBE)
        if not is_application and marker != _COMMENT:
            kept.append(data[offset:end])
        offset = end
        if data[offset : offset + 2] == bytes((0xFF, _EOI)):
            return b"".join((*kept, data[offset : offset + 2]))
    return None


def _scan_end(data: bytes, offset: int) -> int:
    """Return where the next marker stands that is no part of a scan's data."""
    while (offset := data.find(b"\xff", offset)) >= 0 and offset + 1 < len(data):
        if data[offset + 1] not in _IN_A_SCAN:
            return offset
        offset += 2
    return len(data)


def _bare_webp(data: bytes) -> bytes | None:
    chunks = list(riff_chunks(data))
    pixels = [(kind, body) for kind, body in chunks if kind in _PIXEL_CHUNKS]
    if len([kind for kind, _ in pixels if kind != b"ALPH"]) != 1:
        return None
    if chunks[0][0] == b"VP8X":
        header = bytearray(chunks[0][1])
        header[0] &= _VP8X_ALPHA
        pixels = [(b"VP8X", bytes(header)), *pixels]
    body = b"WEBP" + b"".join(riff(*chunk) for chunk in pixels)
    return b"RIFF" + struct.pack("<I", len(body)) + body
