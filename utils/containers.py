"""The parts that picture files are made of, taken apart without touching a pixel.

Source: w3.org/TR/png-3, 5.3 (chunks of PNG); developers.google.com/speed/webp/docs/riff_container.
"""

import struct
from collections.abc import Iterator
from typing import Final

PNG_SIGNATURE: Final = b"\x89PNG\r\n\x1a\n"
JPEG_START: Final = b"\xff\xd8"
MAX_TEXT_BYTES: Final = 1024 * 1024


def is_webp(data: bytes) -> bool:
    return data.startswith(b"RIFF") and data[8:12] == b"WEBP"


def png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the kind and the first megabyte of each chunk."""
    offset = len(PNG_SIGNATURE)
    while offset + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, offset)
        yield data[offset + 4 : offset + 8], data[offset + 8 : offset + 8 + min(length, MAX_TEXT_BYTES)]
        offset += 12 + length


def jpeg_segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield the marker and the body of what stands in front of the pixels."""
    offset = len(JPEG_START)
    while offset + 4 <= len(data) and data[offset] == 0xFF:
        marker = data[offset + 1]
        if marker == 0xFF:  # padding between segments
            offset += 1
            continue
        (length,) = struct.unpack_from(">H", data, offset + 2)
        if length < 2 or marker == 0xDA:
            return
        yield marker, data[offset + 4 : offset + 2 + length]
        offset += 2 + length


def riff_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    offset = 12
    while offset + 8 <= len(data):
        (length,) = struct.unpack_from("<I", data, offset + 4)
        yield data[offset : offset + 4], data[offset + 8 : offset + 8 + length]
        offset += 8 + length + length % 2


def riff(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)
