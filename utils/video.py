"""Videos as files: told apart from pictures, measured, and shown as a still. Blocks: call it through `utils.threads`.

Nothing here decodes a video but PyAV (`pip install av`), where that is installed; without it a still is drawn that says
no more than that it is one. Sources: ISO/IEC 14496-12 (boxes of mp4); matroska.org/technical/elements.html (WebM).
"""

import importlib
import io
import struct
from collections.abc import Iterator
from itertools import islice
from typing import Any, Final

from PIL import Image, ImageDraw

from constants import MAX_IMAGE_PIXELS, MAX_VIDEO_BYTES
from texts.text import _
from utils.images import ImageInfo, inspect
from utils.pixels import BadImage, encode

# what calls itself by one of these is a picture, a sound or another program's video
NO_MP4: Final = frozenset({b"avif", b"avis", b"heic", b"heix", b"heim", b"mif1", b"msf1", b"M4A ", b"M4B ", b"qt  "})
MAX_PARTS: Final = 10_000  # boxes or elements of one level; a file of fragments has some thousand
EMPTY_SIZE: Final = (640, 360)  # of the still of a video that does not tell its own
STILL_SIDE_PX: Final = 1024
DARK, LIGHT = (24, 24, 28), (235, 235, 240)

_EBML, _DOCTYPE = 0x1A45DFA3, 0x4282
_SEGMENT, _TRACKS, _TRACK, _VIDEO = 0x18538067, 0x1654AE6B, 0xAE, 0xE0
_WIDTH, _HEIGHT = 0xB0, 0xBA


def is_video(data: bytes) -> bool:
    """Return whether a file is an mp4 or a WebM by its first bytes; what is within is not looked at."""
    return _media_type(data) is not None


def inspect_file(data: bytes) -> ImageInfo:
    """Check a picture or a video, whichever it is; raises as `inspect` and `inspect_video` do."""
    return inspect_video(data) if is_video(data) else inspect(data)


def picture_of(data: bytes) -> bytes:
    """Return what can be shown of a file where only pictures can: a video's still, a picture as it is."""
    return still_of(data) if is_video(data) else data


def inspect_video(data: bytes) -> ImageInfo:
    """Check that a file is a whole mp4 or WebM of sane size, and return its measures.

    Raises:
        BadImage: it is none, is cut off, shows nothing, or is too large.
    """
    media_type = _media_type(data)
    if media_type is None:
        raise BadImage(_("This file is not a video that can be shown. Use mp4 or WebM."))
    if len(data) > MAX_VIDEO_BYTES:
        most = MAX_VIDEO_BYTES // 1024**2
        raise BadImage(
            _("This video is too large: {count:.0f} MB, at most {most} MB.", count=len(data) / 1024**2, most=most)
        )
    width, height = _mp4_size(data) if media_type == "video/mp4" else _webm_size(data)
    if not width or not height:
        raise BadImage(_("This video is damaged, or shows no picture."))
    if width * height > MAX_IMAGE_PIXELS:
        raise BadImage(_("This video has too many pixels: {width}×{height}.", width=width, height=height))
    return ImageInfo(width=width, height=height, media_type=media_type, is_animated=True)


def still_of(data: bytes) -> bytes:
    """Return a video's first frame as a JPEG; a plain still of its shape where nothing here can decode it."""
    try:
        info = inspect_video(data)
    except BadImage:
        return encode(_plain_still(*EMPTY_SIZE), "JPEG")
    frame = _first_frame(data)
    return encode(frame or _plain_still(info.width, info.height), "JPEG")


def _media_type(data: bytes) -> str | None:
    if data[4:8] == b"ftyp":
        return None if data[8:12] in NO_MP4 else "video/mp4"
    if data[:4] == _EBML.to_bytes(4, "big"):
        head = next(_elements(data, 0, len(data)), None)
        for name, start, end in _elements(data, head[1], head[2]) if head else ():
            if name == _DOCTYPE:
                return "video/webm" if data[start:end].rstrip(b"\0") == b"webm" else None
    return None


def _boxes(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Yield the boxes of an mp4 with where their content begins and ends.

    Raises:
        BadImage: one ends beyond what there is.
    """
    for __ in range(MAX_PARTS):
        if start + 8 > end:
            return
        (size,) = struct.unpack_from(">I", data, start)
        kind, head = data[start + 4 : start + 8], 8
        if size == 1 and start + 16 <= end:
            (size,) = struct.unpack_from(">Q", data, start + 8)
            head = 16
        stop = end if size == 0 else start + size
        if stop > end or (size and size < head):
            raise BadImage(_("This video is damaged or cut off."))
        yield kind, start + head, stop
        start = stop


def _mp4_size(data: bytes) -> tuple[int, int]:
    found = (0, 0)
    for kind, start, end in _boxes(data, 0, len(data)):  # to the last one: it may be cut off
        if kind == b"moov" and found == (0, 0):
            found = _track_size(data, start, end)
    return found


def _track_size(data: bytes, start: int, end: int) -> tuple[int, int]:
    for kind, inner, stop in _boxes(data, start, end):
        if kind != b"trak":
            continue
        for name, begin, last in _boxes(data, inner, stop):
            if name == b"tkhd" and last - begin >= 8:
                width, height = struct.unpack_from(">II", data, last - 8)  # 16.16 fixed point, the box's last fields
                if width >> 16 and height >> 16:  # a sound has none
                    return width >> 16, height >> 16
    return 0, 0


def _elements(data: bytes, start: int, end: int) -> Iterator[tuple[int, int, int]]:
    """Yield the elements of a WebM with where their content begins and ends.

    Raises:
        BadImage: one ends beyond what there is.
    """
    for __ in range(MAX_PARTS):
        if start >= end:
            return
        name, start = _number(data, start, end, keeps_marker=True)
        size, start = _number(data, start, end, keeps_marker=False)
        stop = end if size < 0 else start + size
        if stop > end:
            raise BadImage(_("This video is damaged or cut off."))
        yield name, start, stop
        start = stop


def _number(data: bytes, start: int, end: int, *, keeps_marker: bool) -> tuple[int, int]:
    """Return a number of variable length and where it ends; -1 is a size that was not known when it was written."""
    first = data[start] if start < end else 0
    length = 9 - first.bit_length()
    if not first or start + length > end:
        raise BadImage(_("This video is damaged or cut off."))
    value = int.from_bytes(data[start : start + length], "big")
    if keeps_marker:
        return value, start + length
    value &= (1 << 7 * length) - 1
    return (-1 if value == (1 << 7 * length) - 1 else value), start + length


def _webm_size(data: bytes) -> tuple[int, int]:
    level = [(0, len(data))]
    for wanted in (_SEGMENT, _TRACKS, _TRACK, _VIDEO):
        level = [(start, end) for place in level for name, start, end in _elements(data, *place) if name == wanted]
    for place in level:
        answer = {name: int.from_bytes(data[start:end], "big") for name, start, end in _elements(data, *place)}
        if answer.get(_WIDTH) and answer.get(_HEIGHT):
            return answer[_WIDTH], answer[_HEIGHT]
    return 0, 0


def frames_of(data: bytes, most: int) -> list[Image.Image]:
    """Return at most so many frames of a video, evenly over its length.

    Raises:
        BadImage: it cannot be decoded, or nothing here can decode videos.
    """
    try:
        decoder: Any = importlib.import_module("av")
    except ImportError as error:
        raise BadImage(_("Nothing here can decode videos.")) from error
    try:
        with decoder.open(io.BytesIO(data)) as container:
            count = most > 1 and container.streams.video[0].frames  # 0: it does not tell
            every = max(1, count // most)
            decoded = islice(container.decode(video=0), 0, every * most, every)
            frames: list[Image.Image] = [frame.to_image() for frame in decoded]
    except Exception as error:  # decoders raise nearly anything on a damaged or hostile file
        raise BadImage(_("This video is damaged, or shows no picture.")) from error
    if not frames:
        raise BadImage(_("This video is damaged, or shows no picture."))
    return frames


def _first_frame(data: bytes) -> Image.Image | None:
    try:
        return frames_of(data, 1)[0]
    except BadImage:
        return None


def _plain_still(width: int, height: int) -> Image.Image:
    """Draw a dark picture of a video's shape with the sign of one that plays."""
    share = min(1.0, STILL_SIDE_PX / max(width, height))
    size = max(1, round(width * share)), max(1, round(height * share))
    image = Image.new("RGB", size, DARK)
    x, y, arm = size[0] / 2, size[1] / 2, min(size) / 6
    ImageDraw.Draw(image).polygon([(x - arm * 0.8, y - arm), (x - arm * 0.8, y + arm), (x + arm, y)], fill=LIGHT)
    return image
