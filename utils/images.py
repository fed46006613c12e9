"""Pictures as files: check, clean, shrink, lay out. Everything here blocks: call it through `utils.threads`.

What it speaks to is Pillow. JPEG is never saved with `optimize` or `progressive`: both hold Python's global lock.
"""

import io
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from PIL import Image, ImageDraw, ImageFilter, ImageFont, ImageOps, UnidentifiedImageError

from constants import MAX_IMAGE_BYTES, MAX_IMAGE_PIXELS, MAX_INPUT_IMAGE_BYTES, PREVIEW_SIDE_PX
from utils.image_text import read_parameters, with_parameters

__all__ = [
    "EXTENSIONS",
    "BadImage",
    "Fitted",
    "ImageInfo",
    "clean_input",
    "convert",
    "extend_canvas",
    "fit_bytes",
    "grid",
    "inspect",
    "preview",
    "read_parameters",
    "thumbnail",
    "with_parameters",
]

GRID_SIDE_PX: Final = 2048
GRID_GAP_PX: Final = 4
GRID_BACKGROUND: Final = (24, 24, 28)
UPLOAD_QUALITY: Final = 90
INPUT_QUALITY: Final = 95
SMALL_QUALITY: Final = 85
WEBP_METHOD: Final = 2  # half the time of the default 4 for the same size
WEBP_MAX_SIDE_PX: Final = 16_383
SHRINK_STEP: Final = 0.75
SMALLEST_SIDE_PX: Final = 64
CANVAS_MAX_PIXELS: Final = 1536 * 1536  # as PNG never above the limit of an input picture
CANVAS_GRID_PX: Final = 64  # what the pickiest engines want
CANVAS_OVERLAP: Final = 1 / 32  # of the picture's shorter side is drawn anew, so that no seam shows

EXTENSIONS: Final = {"image/png": "png", "image/jpeg": "jpg", "image/webp": "webp", "image/gif": "gif"}
_FORMATS: Final = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp", "GIF": "image/gif"}


class BadImage(ValueError):
    """A file that is no picture we take; the message is a sentence for people."""


@dataclass(frozen=True, kw_only=True)
class ImageInfo:
    """What a file says it is; sizes in pixels as stored, before EXIF orientation."""

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


def inspect(data: bytes, *, decode: bool = False) -> ImageInfo:
    """Check that a file is a whole PNG, JPEG, WebP or GIF of sane size.

    Args:
        data: the file.
        decode: decode every pixel. Without it a PNG is only checked by its checksums, which is 20 times faster.

    Raises:
        BadImage: it is none, is cut off, or is too large.
    """
    if len(data) > MAX_IMAGE_BYTES:
        raise BadImage(f"This picture is too large: {_mb(len(data))} MB, at most {_mb(MAX_IMAGE_BYTES)} MB.")
    with _opened(data) as image:
        info = ImageInfo(
            width=image.width,
            height=image.height,
            media_type=_FORMATS[image.format or ""],
            is_animated=getattr(image, "is_animated", False),
        )
        if image.format == "PNG" and not decode:
            image.verify()
        else:
            image.load()
    return info


def clean_input(data: bytes) -> bytes:
    """Return somebody's picture fit for an engine: upright, first frame only, plain colours, no metadata.

    Raises:
        BadImage: it is no picture, is cut off, or is too large.
    """
    if len(data) > MAX_INPUT_IMAGE_BYTES:
        raise BadImage(f"This picture is too large: {_mb(len(data))} MB, at most {_mb(MAX_INPUT_IMAGE_BYTES)} MB.")
    with _opened(data) as image:
        kind = image.format if not getattr(image, "is_animated", False) else "PNG"
        plain = _plain(ImageOps.exif_transpose(image))
    plain.info.clear()  # Pillow writes comments and colour profiles it finds here
    if kind == "JPEG":
        return _encode(plain, "JPEG", INPUT_QUALITY)
    if kind == "WEBP":
        return _encode(plain, "WEBP", INPUT_QUALITY)
    return _encode(plain, "PNG")


def extend_canvas(
    data: bytes, *, left: float = 0, top: float = 0, right: float = 0, bottom: float = 0, grows: bool = True
) -> tuple[bytes, bytes]:
    """Put a picture on a larger canvas, to be drawn on at the edges.

    Args:
        data: the file.
        left: what is added there, as a part of the picture's own width.
        top: the same, of its height.
        right: the same, of its width.
        bottom: the same, of its height.
        grows: whether the canvas has more pixels than the picture; otherwise the picture is shrunk.

    Returns:
        Two PNGs of one size, sides multiples of 64: the canvas, its edges the picture's own drawn out and blurred, and
        a mask that is white where it is new and a little beyond.

    Raises:
        BadImage: it cannot be read.
    """
    with _opened(data) as image:
        picture = _opaque(_plain(ImageOps.exif_transpose(image)))
    wide, tall = 1 + left + right, 1 + top + bottom
    width, height = picture.width * wide, picture.height * tall
    most = CANVAS_MAX_PIXELS if grows else min(CANVAS_MAX_PIXELS, picture.width * picture.height)
    share = min(1.0, math.sqrt(most / (width * height)))
    width, height = (max(1, round(side * share / CANVAS_GRID_PX)) * CANVAS_GRID_PX for side in (width, height))
    picture = ImageOps.fit(picture, (max(1, round(width / wide)), max(1, round(height / tall))))
    x, y = round(picture.width * left), round(picture.height * top)
    canvas = _drawn_out(picture, (width, height), (x, y))
    canvas = canvas.filter(ImageFilter.GaussianBlur(max(4, min(width, height) / 48)))
    canvas.paste(picture, (x, y))
    mask = Image.new("L", (width, height), 255)
    seam = max(8, round(min(picture.size) * CANVAS_OVERLAP))
    kept = (
        x + (seam if left else 0),
        y + (seam if top else 0),
        (x + picture.width - seam) if right else width,
        (y + picture.height - seam) if bottom else height,
    )
    mask.paste(0, (*kept[:2], max(kept[0], kept[2]), max(kept[1], kept[3])))
    return _encode(canvas, "PNG"), _encode(mask, "PNG")


def _drawn_out(picture: Image.Image, size: tuple[int, int], corner: tuple[int, int]) -> Image.Image:
    """Return a canvas with the picture at `corner` and its outermost pixels drawn out to the edges."""
    x, y = corner
    band = Image.new("RGB", (size[0], picture.height))
    for edge, start, end in ((0, 0, x), (picture.width - 1, x + picture.width, size[0])):
        if end > start:
            strip = picture.crop((edge, 0, edge + 1, picture.height))
            band.paste(strip.resize((end - start, picture.height)), (start, 0))
    band.paste(picture, (x, 0))
    canvas = Image.new("RGB", size)
    for edge, start, end in ((0, 0, y), (picture.height - 1, y + picture.height, size[1])):
        if end > start:
            canvas.paste(band.crop((0, edge, size[0], edge + 1)).resize((size[0], end - start)), (0, start))
    canvas.paste(band, (0, y))
    return canvas


def fit_bytes(data: bytes, limit: int) -> Fitted:
    """Return the picture in at most `limit` bytes: as it is, else WebP, else JPEG, else scaled down step by step.

    Raises:
        BadImage: it cannot be read, or not even a tiny copy fits.
    """
    info = inspect(data)
    if len(data) <= limit:
        return Fitted(data=data, media_type=info.media_type)
    text = read_parameters(data) or ""
    with _opened(data) as image:
        picture = _plain(image)
    picture.info.clear()
    while min(picture.size) >= min(SMALLEST_SIDE_PX, info.width, info.height):
        for kind in ("WEBP", "JPEG"):
            if kind == "WEBP" and max(picture.size) > WEBP_MAX_SIDE_PX:
                continue
            bare = _encode(picture, kind, UPLOAD_QUALITY)
            for copy in (with_parameters(bare, text), bare):
                if len(copy) <= limit:
                    return Fitted(data=copy, media_type=_FORMATS[kind], is_smaller=True)
        picture = _scaled(picture, (picture.width * SHRINK_STEP, picture.height * SHRINK_STEP))
    raise BadImage(f"This picture cannot be made small enough for {limit} bytes.")


def convert(data: bytes, kind: str) -> bytes:
    """Return the picture as `PNG`, `JPEG` or `WEBP`, with the parameters it carries; one that is, unchanged.

    Raises:
        BadImage: it cannot be decoded.
    """
    if _FORMATS[kind] == inspect(data).media_type:
        return data
    with _opened(data) as image:
        made = _encode(_plain(ImageOps.exif_transpose(image)), kind, INPUT_QUALITY)
    return with_parameters(made, read_parameters(data) or "")


def grid(images: list[bytes], labels: bool | Sequence[str] = True) -> bytes:
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
    return _encode(sheet, "JPEG", SMALL_QUALITY)


def thumbnail(data: bytes, side: int) -> bytes:
    """Return a JPEG of at most `side` x `side` pixels, never enlarged.

    Raises:
        BadImage: it cannot be read.
    """
    return _encode(_contained(data, (side, side), enlarge=False), "JPEG", SMALL_QUALITY)


def preview(data: bytes, side: int = PREVIEW_SIDE_PX) -> bytes:
    """Return a JPEG whose longer side is `side` pixels: engines' previews come in any size, some very small.

    Raises:
        BadImage: it cannot be read.
    """
    return _encode(_contained(data, (side, side)), "JPEG", SMALL_QUALITY)


@contextmanager
def _opened(data: bytes) -> Iterator[Image.Image]:
    """Open a file with its pixels counted before any is decoded; whatever goes wrong inside is a `BadImage`."""
    try:
        with Image.open(io.BytesIO(data), formats=tuple(_FORMATS)) as image:
            _check_pixels(*image.size)
            yield image
    except BadImage:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise BadImage(f"This picture has too many pixels; at most {MAX_IMAGE_PIXELS // 10**6} million.") from error
    except UnidentifiedImageError as error:
        raise BadImage("This file is no picture Easel can read. Use PNG, JPEG, WebP or GIF.") from error
    except Exception as error:  # decoders raise nearly anything on a damaged or hostile file
        raise BadImage("This picture is damaged or cut off.") from error


def _check_pixels(width: int, height: int) -> None:
    if width * height > MAX_IMAGE_PIXELS:
        raise BadImage(
            f"This picture has too many pixels: {width}×{height}, at most {MAX_IMAGE_PIXELS // 10**6} million."
        )


def _plain(image: Image.Image) -> Image.Image:
    """Return it as RGB, RGBA or L with 8 bits a channel."""
    if image.mode in {"LA", "PA", "La", "RGBa"} or "transparency" in image.info:
        return image.convert("RGBA")
    if image.mode.startswith("I"):  # 16 bits a pixel: a plain convert would clip all but the darkest to white
        return image.convert("I").point(lambda value: value / 256).convert("L")
    if image.mode in {"RGB", "RGBA", "L"}:
        return image.copy()
    return image.convert("L" if image.mode in {"1", "F"} else "RGB")


def _opaque(image: Image.Image) -> Image.Image:
    """Return it as RGB, transparency over white."""
    if image.mode != "RGBA":
        return image.convert("RGB")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")


def _encode(image: Image.Image, kind: str, quality: int = UPLOAD_QUALITY) -> bytes:
    buffer = io.BytesIO()
    if kind == "PNG":
        image.save(buffer, "PNG", compress_level=1)
    elif kind == "WEBP":
        image.save(buffer, "WEBP", quality=quality, method=WEBP_METHOD)
    else:
        _opaque(image).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def _contained(data: bytes, box: tuple[int, int], *, enlarge: bool = True) -> Image.Image:
    """Decode and scale to fit into the box, keeping the shape."""
    with _opened(data) as image:
        image.draft("RGB", box)  # a JPEG is decoded at a fraction of its size where that is enough
        picture = _opaque(_plain(ImageOps.exif_transpose(image)))
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
