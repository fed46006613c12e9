"""Generation parameters put into picture files without touching a pixel.

PNG: a `parameters` text chunk (w3.org/TR/png-3, 11.3.3). JPEG and WebP: EXIF UserComment, "UNICODE" and UTF-16-BE,
as Automatic1111 writes it. WebP container: developers.google.com/speed/webp/docs/riff_container.
"""

import io
import struct
import zlib
from collections.abc import Iterator
from typing import Final

from PIL import Image

from utils.containers import JPEG_START, MAX_TEXT_BYTES, PNG_SIGNATURE, is_webp, riff, riff_chunks
from utils.picture_texts import EXIF_IFD, TEXT_CHUNKS, USER_COMMENT, read_exif, read_parameters

KEYWORD: Final = b"parameters"
_AFTER_IHDR: Final = len(PNG_SIGNATURE) + 25
_EXIF_HEADER: Final = b"Exif\0\0"
_UNICODE: Final = b"UNICODE\0"
_MAX_SEGMENT_BYTES: Final = 65_533
_VP8X_ALPHA, _VP8X_EXIF = 0x10, 0x08


def with_parameters(data: bytes, text: str) -> bytes:
    """Return the same picture with `text` as its parameters; one that has some keeps its own."""
    if not text or read_parameters(data) is not None:
        return data
    if data.startswith(PNG_SIGNATURE):
        return data[:_AFTER_IHDR] + _text_chunk(text) + data[_AFTER_IHDR:]
    if data.startswith(JPEG_START):
        return jpeg_with_segment(data, _EXIF_HEADER, _exif(data, text))
    if is_webp(data):
        return webp_with_chunk(data, b"EXIF", _exif(data, text), _VP8X_EXIF)
    return data


def with_texts_of(data: bytes, original: bytes) -> bytes:
    """Return a PNG with every text that the original carries: all chunks of a PNG, the parameters of another file."""
    if not original.startswith(PNG_SIGNATURE):
        return with_parameters(data, read_parameters(original) or "")
    texts = b"".join(_raw_texts(original))
    return data[:_AFTER_IHDR] + texts + data[_AFTER_IHDR:]


def _text_chunk(text: str) -> bytes:
    """Build tEXt where Latin-1 is enough, else iTXt, as Pillow and so Automatic1111 do."""
    text = text.replace("\0", "")
    try:
        kind, body = b"tEXt", KEYWORD + b"\0" + text.encode("latin-1")
    except UnicodeEncodeError:
        kind, body = b"iTXt", KEYWORD + b"\0\0\0\0\0" + text.encode()
    return _chunk(kind, body)


def _raw_texts(data: bytes) -> Iterator[bytes]:
    offset = len(PNG_SIGNATURE)
    while offset + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, offset)
        end = offset + 12 + length
        if data[offset + 4 : offset + 8] in TEXT_CHUNKS and length <= MAX_TEXT_BYTES and end <= len(data):
            yield data[offset:end]
        offset = end


def _exif(data: bytes, text: str) -> bytes:
    """Return the file's own EXIF block with the text added, without the "Exif" header."""
    comment = _UNICODE + text.encode("utf-16-be", "replace")
    exif = read_exif(data)
    exif.get_ifd(EXIF_IFD)[USER_COMMENT] = comment
    try:
        return exif.tobytes().removeprefix(_EXIF_HEADER)
    except Exception:  # tags that Pillow reads but cannot write: a block with the text alone replaces them
        exif = Image.Exif()
        exif.get_ifd(EXIF_IFD)[USER_COMMENT] = comment
        return exif.tobytes().removeprefix(_EXIF_HEADER)


def jpeg_with_segment(data: bytes, header: bytes, body: bytes) -> bytes:
    """Return a JPEG with one APP1 segment of this header; one that is too long for a segment changes nothing."""
    segment = header + body
    if len(segment) > _MAX_SEGMENT_BYTES:
        return data
    head, offset = data[:2], 2
    while data[offset : offset + 1] == b"\xff" and 0xE0 <= (data[offset + 1 : offset + 2] or b"\0")[0] <= 0xE1:
        if offset + 4 > len(data):
            return data
        (length,) = struct.unpack_from(">H", data, offset + 2)
        if length < 2:
            break
        if not data[offset + 4 :].startswith(header):  # what the old one says is already in the new one
            head += data[offset : offset + 2 + length]
        offset += 2 + length
    return head + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + data[offset:]


def webp_with_chunk(data: bytes, name: bytes, body: bytes, flag: int) -> bytes:
    """Return a WebP with one chunk of this name, at its end; `flag` is the bit of the header that announces it."""
    chunks = [(kind, old) for kind, old in riff_chunks(data) if kind != name]
    if not chunks:
        return data
    if chunks[0][0] == b"VP8X":
        header = bytearray(chunks.pop(0)[1])
        header[0] |= flag
    else:  # a simple file becomes an extended one: flags, three reserved bytes, width - 1, height - 1
        with Image.open(io.BytesIO(data), formats=("WEBP",)) as image:
            flags = flag | (_VP8X_ALPHA if image.mode == "RGBA" else 0)
            sides = [(side - 1).to_bytes(3, "little") for side in image.size]
        header = bytearray(bytes([flags, 0, 0, 0]) + b"".join(sides))
    whole = b"WEBP" + b"".join(riff(*chunk) for chunk in [(b"VP8X", bytes(header)), *chunks, (name, body)])
    return b"RIFF" + struct.pack("<I", len(whole)) + whole


def png_with_text(data: bytes, keyword: str, text: str) -> bytes:
    """Return a PNG with one international text of this keyword, in front of its pixels."""
    if len(data) < _AFTER_IHDR:
        return data
    head = keyword.encode("latin-1") + b"\0"
    kept, start, offset = [], _AFTER_IHDR, _AFTER_IHDR
    while offset + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, offset)
        end = offset + 12 + length
        if data[offset + 4 : offset + 8] in TEXT_CHUNKS and data.startswith(head, offset + 8) and end <= len(data):
            kept.append(data[start:offset])
            start = end
        offset = end
    chunk = _chunk(b"iTXt", head + b"\0\0\0\0" + text.encode())
    return b"".join((data[:_AFTER_IHDR], chunk, *kept, data[start:]))


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
