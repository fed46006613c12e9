"""Files that every viewer shows and Pillow does not: taken as they are meant. Blocks: call it through `utils.threads`.

Source: ITU-T T.81, annex B (a JPEG ends with EOI, which some cameras and proxies lose); w3.org/TR/png-3, 11.3.3 (text
chunks, which no pixel depends on and Pillow unpacks up to 1 MB).
"""

import io
import struct
from collections.abc import Callable
from typing import Final

from PIL import Image

from utils.containers import PNG_SIGNATURE
from utils.picture_texts import TEXT_CHUNKS

_SOI, _SOS, _EOI = b"\xff\xd8", b"\xff\xda", b"\xff\xd9"
_PACKED_TEXTS: Final = (b"zTXt", b"iTXt")
_MORE: Final = bytes(range(1, 200))  # data that an unfinished scan would go on to read


def mended(data: bytes, check_size: Callable[[int, int], None]) -> bytes:
    """Return a file that Pillow reads; one that needs no mending, or that is beyond it, is returned as it is.

    Args:
        data: the file.
        check_size: called with width and height before any pixel is decoded; it raises where they are too many.
    """
    if data.startswith(PNG_SIGNATURE):
        return _without_texts(data)
    return _with_end(data, check_size) if data.startswith(_SOI) else data


def _without_texts(data: bytes) -> bytes:
    """Return a PNG without its texts where one of them is packed; its chunks are skipped over, not searched."""
    kept, start, offset, is_packed = [], 0, len(PNG_SIGNATURE), False
    while offset + 12 <= len(data):
        (length,) = struct.unpack_from(">I", data, offset)
        end = offset + 12 + length
        kind = data[offset + 4 : offset + 8]
        if kind in TEXT_CHUNKS and end <= len(data):
            kept.append(data[start:offset])
            start = end
        is_packed = is_packed or kind in _PACKED_TEXTS
        offset = end
    return b"".join((*kept, data[start:])) if is_packed else data


def _with_end(data: bytes, check_size: Callable[[int, int], None]) -> bytes:
    scan = data.rfind(_SOS)
    if scan < 0 or data.find(_EOI, scan) >= 0:
        return data
    bare = data.rstrip(b"\xff")
    whole = bare + _EOI
    try:
        with Image.open(io.BytesIO(whole), formats=("JPEG",)) as image:
            check_size(*image.size)
            pixels = image.tobytes()
        # a whole scan ends before what follows it; one that was cut off goes on to read that as pixels
        with Image.open(io.BytesIO(bare + _MORE + _EOI), formats=("JPEG",)) as image:
            return whole if image.tobytes() == pixels else data
    except Exception:  # decoders raise nearly anything; whoever opens the file next says what is wrong with it
        return data
