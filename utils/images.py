"""Pictures as files: check, clean, shrink, lay out. Everything here blocks: call it through `utils.threads`."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import field
from typing import Final, Protocol

from PIL import Image, ImageDraw, ImageFont, ImageOps

from constants import MAX_IMAGE_BYTES, MAX_INPUT_IMAGE_BYTES, PREVIEW_SIDE_PX
from lazy import dataclass
from texts.text import _
from utils.colours import is_srgb
from utils.image_text import with_parameters
from utils.metadata import without_metadata
from utils.picture_texts import read_parameters
from utils.pixels import (
    BROUGHT,
    FORMATS,
    UPLOAD_QUALITY,
    UPRIGHT,
    BadImage,
    encode,
    opaque,
    opened,
    orientation,
    plain,
    whole,
)
from utils.provenance import marked_like

__all__ = [
    "EXTENSIONS",
    "BadImage",
    "Fitted",
    "ImageInfo",
    "clean_input",
    "convert",
    "fit_bytes",
    "grid",
    "inspect",
    "is_animation",
    "preview",
    "read_parameters",
    "thumbnail",
    "with_parameters",
]

GRID_SIDE_PX: Final = 2048
GRID_GAP_PX: Final = 4
GRID_BACKGROUND: Final = (24, 24, 28)
INPUT_QUALITY: Final = 95
SMALL_QUALITY: Final = 85
WEBP_MAX_SIDE_PX: Final = 16_383
SHRINK_STEP: Final = 0.75
SMALLEST_SIDE_PX: Final = 64

EXTENSIONS: Final = {
    "image/png": "png", "image/jpeg": "jpg", "image/webp": "webp", "image/gif": "gif",
    "video/mp4": "mp4", "video/webm": "webm",
}  # fmt: skip


class Mark(Protocol):
    """Puts the marks of what a copy shows into it: of one picture, or of the several on a sheet."""

    def __call__(self, copy: bytes, *originals: bytes) -> bytes: ...


@dataclass(frozen=True, kw_only=True)
class ImageInfo:
    """The header of a file; sizes in pixels as stored, before EXIF orientation."""

    width: int
    height: int
    media_type: str
    is_animated: bool = False


@dataclass(frozen=True, kw_only=True)
class Fitted:
    """A copy within a byte limit. `is_smaller`: re-encoded, so no longer the engine's own bytes."""

    data: bytes = field(repr=False)
    media_type: str
    is_smaller: bool = False


def inspect(data: bytes, *, decode: bool = False, brought: bool = False) -> ImageInfo:
    """Check that a file is a whole PNG, JPEG, WebP or GIF of sane size.

    Args:
        data: the file.
        decode: decode every pixel. Without it a PNG is only checked by its checksums, which is 20 times faster.
        brought: by a person, so it may be of any kind that Easel reads.

    Raises:
        BadImage: it is none, is cut off, or is too large.
    """
    if len(data) > MAX_IMAGE_BYTES:
        raise BadImage(
            _(
                "This picture is too large: {mb} MB, at most {most} MB.",
                mb=_mb(len(data)),
                most=_mb(MAX_IMAGE_BYTES),
            )
        )
    with opened(data, brought=brought) as image:
        info = ImageInfo(
            width=image.width,
            height=image.height,
            media_type=BROUGHT[(image.format or "").replace("MPO", "JPEG")],
            is_animated=getattr(image, "is_animated", False),
        )
        if image.format == "PNG" and not decode:
            image.verify()
        else:
            image.load()
    return info


def clean_input(data: bytes, *, exact: bool = False) -> bytes:
    """Return somebody's picture fit for an engine: upright, first frame only, plain colours, no metadata.

    No pixel changes, except that a JPEG or WebP that has to be turned is encoded again; with `exact` it becomes a PNG,
    unless that were larger than an input picture may be.

    Raises:
        BadImage: it is no picture, is cut off, or is too large.
    """
    if len(data) > MAX_INPUT_IMAGE_BYTES:
        raise BadImage(
            _(
                "This picture is too large: {mb} MB, at most {most} MB.",
                mb=_mb(len(data)),
                most=_mb(MAX_INPUT_IMAGE_BYTES),
            )
        )
    data = whole(data)
    with opened(data, brought=True) as image:
        # a phone's JPEG may hold further pictures behind the first, which Pillow calls MPO
        is_animated = getattr(image, "is_animated", False) and image.format != "MPO"
        kind = "PNG" if is_animated else (image.format or "").replace("MPO", "JPEG")
        is_plain = image.mode in {"RGB", "RGBA", "L"} and orientation(image) == UPRIGHT and is_srgb(image)
        picture = plain(ImageOps.exif_transpose(image))
    bare = without_metadata(data) if is_plain and kind in {"JPEG", "WEBP"} else None
    if bare is not None:
        return bare
    picture.info.clear()  # Pillow writes comments and colour profiles it finds here
    if kind not in {"JPEG", "WEBP"}:
        return encode(picture, "PNG")
    made = encode(picture, "PNG") if exact else b""
    return made if made and len(made) <= MAX_INPUT_IMAGE_BYTES else encode(picture, kind, INPUT_QUALITY)


def is_animation(data: bytes) -> bool:
    """Return whether a file holds further pictures that `clean_input` leaves out; a phone's extras do not count."""
    try:
        with opened(data, brought=True) as image:
            return bool(getattr(image, "is_animated", False)) and image.format != "MPO"
    except BadImage:
        return False


def fit_bytes(data: bytes, limit: int, mark: Mark = marked_like) -> Fitted:
    """Return the picture in at most `limit` bytes: as it is, else WebP, else JPEG, else scaled down step by step.

    What does not fit beside the pixels is left out: the parameters first, then what `mark` puts in.

    Raises:
        BadImage: it cannot be read, or not even a tiny copy fits.
    """
    info = inspect(data)
    if len(data) <= limit:
        return Fitted(data=data, media_type=info.media_type)
    text = read_parameters(data) or ""
    with opened(data) as image:
        picture = plain(image)
    picture.info.clear()
    while min(picture.size) >= min(SMALLEST_SIDE_PX, info.width, info.height):
        for kind in ("WEBP", "JPEG"):
            if kind == "WEBP" and max(picture.size) > WEBP_MAX_SIDE_PX:
                continue
            bare = encode(picture, kind, UPLOAD_QUALITY)
            if len(bare) > limit:
                continue
            copies = _marked(bare, data, text, mark)
            fitting = next((copy for copy in copies if len(copy) <= limit), bare)
            return Fitted(data=fitting, media_type=FORMATS[kind], is_smaller=True)
        picture = _scaled(picture, (picture.width * SHRINK_STEP, picture.height * SHRINK_STEP))
    raise BadImage(_("This picture cannot be made small enough for {limit} bytes.", limit=limit))


def _marked(bare: bytes, data: bytes, text: str, mark: Mark) -> Iterator[bytes]:
    """Yield a copy with all that belongs into it, then with less and less."""
    yield mark(with_parameters(bare, text), data)
    yield mark(bare, data)
    yield marked_like(bare, data)


def convert(data: bytes, kind: str, mark: Mark = marked_like) -> bytes:
    """Return the picture as `PNG`, `JPEG`, `WEBP` or `GIF`, with its parameters; one that is, unchanged.

    A GIF has no place for parameters.

    Raises:
        BadImage: it cannot be decoded.
    """
    if FORMATS[kind] == inspect(data).media_type:
        return data
    with opened(data) as image:
        made = encode(plain(ImageOps.exif_transpose(image)), kind, INPUT_QUALITY)
    return mark(with_parameters(made, read_parameters(data) or ""), data)


def grid(images: list[bytes], labels: bool | Sequence[str] = True, mark: Mark = marked_like) -> bytes:
    """Lay pictures out in one JPEG of at most 2048 pixels a side, four as 2x2, numbered or named in their corners.

    Raises:
        BadImage: one of them cannot be read.
    """
    first = inspect(images[0])
    columns = _columns(len(images), first.width, first.height)
    rows = -(-len(images) // columns)
    share = min(
        1.0,
        (GRID_SIDE_PX - GRID_GAP_PX * (columns - 1)) / (columns * first.width),
        (GRID_SIDE_PX - GRID_GAP_PX * (rows - 1)) / (rows * first.height),
    )
    wide, tall = max(1, int(first.width * share)), max(1, int(first.height * share))
    sheet_size = (columns * (wide + GRID_GAP_PX) - GRID_GAP_PX, rows * (tall + GRID_GAP_PX) - GRID_GAP_PX)
    sheet = Image.new("RGB", sheet_size, GRID_BACKGROUND)
    for index, data in enumerate(images):
        x, y = index % columns * (wide + GRID_GAP_PX), index // columns * (tall + GRID_GAP_PX)
        tile = _contained(data, (wide, tall))
        sheet.paste(tile, (x + (wide - tile.width) // 2, y + (tall - tile.height) // 2))
        if labels:
            text = str(index + 1) if isinstance(labels, bool) else labels[index]
            _label(sheet, (x, y), text, (wide, tall))
    return mark(encode(sheet, "JPEG", SMALL_QUALITY), *images)


def thumbnail(data: bytes, side: int, mark: Mark = marked_like) -> bytes:
    """Return a JPEG of at most `side` x `side` pixels, never enlarged.

    Raises:
        BadImage: it cannot be read.
    """
    return mark(encode(_contained(data, (side, side), enlarge=False), "JPEG", SMALL_QUALITY), data)


def preview(data: bytes, side: int = PREVIEW_SIDE_PX) -> bytes:
    """Return a JPEG whose longer side is `side` pixels: engines' previews come in any size, some very small.

    Raises:
        BadImage: it cannot be read.
    """
    return encode(_contained(data, (side, side)), "JPEG", SMALL_QUALITY)


def _contained(data: bytes, box: tuple[int, int], *, enlarge: bool = True) -> Image.Image:
    """Decode and scale to fit into the box, keeping the shape."""
    with opened(data) as image:
        image.draft("RGB", box)  # a JPEG is decoded at a fraction of its size where that is enough
        picture = opaque(plain(ImageOps.exif_transpose(image)))
    share = min(box[0] / picture.width, box[1] / picture.height)
    if share >= 1 and not enlarge:
        return picture
    return _scaled(picture, (picture.width * share, picture.height * share))


def _scaled(image: Image.Image, size: tuple[float, float]) -> Image.Image:
    target = (max(1, round(size[0])), max(1, round(size[1])))
    if target == image.size:
        return image
    return image.resize(target, Image.Resampling.LANCZOS, reducing_gap=3.0)


def _columns(count: int, width: int, height: int) -> int:
    """Choose the number of columns that gives the largest tiles; on a tie the fullest, then the squarest sheet."""

    def merit(columns: int) -> tuple[float, int, int]:
        rows = -(-count // columns)
        tile = round(min(1 / (columns * width), 1 / (rows * height)), 9)
        return tile, -(columns * rows - count), -abs(columns - rows)

    return max(range(1, count + 1), key=merit)


def _label(sheet: Image.Image, corner: tuple[int, int], text: str, tile: tuple[int, int]) -> None:
    size = max(10.0, min(36.0, min(tile) / 16))
    font = ImageFont.load_default(size=size)
    plate = math.ceil(size * 1.5)
    x, y = corner[0] + plate // 4, corner[1] + plate // 4
    draw = ImageDraw.Draw(sheet, "RGBA")
    while len(text) > 1 and draw.textlength(text, font) + plate > tile[0]:
        text = text[:-2].rstrip() + "…" if len(text) > 2 else text[:1]
    wide = max(plate, math.ceil(draw.textlength(text, font) + plate / 2))
    draw.rounded_rectangle((x, y, x + wide, y + plate), plate * 0.25, fill=(0, 0, 0, 150))
    draw.text((x + wide / 2, y + plate / 2), text, font=font, fill=(255, 255, 255, 240), anchor="mm")


def _mb(size: int) -> str:
    return f"{size / 1024 / 1024:.1f}".removesuffix(".0")
