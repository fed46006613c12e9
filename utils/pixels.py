"""Files to pixels and back, for the rooms next door that work on pictures. Blocks: call it through `utils.threads`.

What it speaks to is Pillow. JPEG is never saved with `optimize` or `progressive`: both hold Python's global lock.
"""

import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from PIL import Image, ImageOps, UnidentifiedImageError

from constants import MAX_IMAGE_PIXELS
from texts.text import _
from utils.colours import in_srgb
from utils.file_kinds import has_heic, is_heic, open_heic, refusal_of
from utils.mending import mended

FORMATS: Final = {"PNG": "image/png", "JPEG": "image/jpeg", "WEBP": "image/webp", "GIF": "image/gif"}
BROUGHT: Final = FORMATS | {"AVIF": "image/avif", "BMP": "image/bmp", "TIFF": "image/tiff", "HEIF": "image/heic"}
UPLOAD_QUALITY: Final = 90
BLURRED_PX: Final = 8  # of the longer side: fewer show no body
UPRIGHT: Final = 1  # EXIF's number for a picture that is not turned
ON_THEIR_SIDE: Final = (5, 6, 7, 8)
_ORIENTATION: Final = 0x0112
WEBP_METHOD: Final = 2  # half the time of the default 4 for the same size


class BadImage(ValueError):
    """A file that is no picture we take; the message is a sentence for people."""


@contextmanager
def opened(data: bytes, *, brought: bool = False) -> Iterator[Image.Image]:
    """Open a file with its pixels counted before any is decoded; whatever goes wrong inside is a `BadImage`.

    `brought`: by a person, who may have other kinds of pictures than an engine makes.
    """
    formats = tuple(kind for kind in (BROUGHT if brought else FORMATS) if kind != "HEIF")
    try:
        if brought and is_heic(data) and has_heic():
            open_heic()
            formats = ("HEIF",)
        with Image.open(io.BytesIO(whole(data)), formats=formats) as image:
            _check_pixels(*image.size)
            yield image
    except BadImage:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise BadImage(
            _(
                "This picture has too many pixels; at most {most} million.",
                most=MAX_IMAGE_PIXELS // 10**6,
            )
        ) from error
    except UnidentifiedImageError as error:
        raise BadImage(refusal_of(data)) from error
    except Exception as error:  # decoders raise nearly anything on a damaged or hostile file
        raise BadImage(_("This picture is damaged or cut off.")) from error


def whole(data: bytes) -> bytes:
    """Return a file that Pillow reads where every viewer does."""
    return mended(data, _check_pixels)


def _check_pixels(width: int, height: int) -> None:
    if width * height > MAX_IMAGE_PIXELS:
        raise BadImage(
            _(
                "This picture has too many pixels: {width}×{height}, at most {most} million.",
                width=width,
                height=height,
                most=MAX_IMAGE_PIXELS // 10**6,
            )
        )


def plain(image: Image.Image) -> Image.Image:
    """Return it as RGB, RGBA or L with 8 bits a channel, in sRGB."""
    image = in_srgb(image)
    if image.mode in {"LA", "PA", "La", "RGBa"} or "transparency" in image.info:
        return image.convert("RGBA")
    if image.mode.startswith("I"):  # 16 bits a pixel: a plain convert would clip all but the darkest to white
        return image.convert("I").point(lambda value: value / 256).convert("L")
    if image.mode == "F":  # from 0 to 1, as programs write it, or as far as 255
        low, high = (float(value) for value in image.getextrema())  # type: ignore[arg-type]
        factor = 255 if low >= 0 and high <= 1 else 1
        return image.point(lambda value: value * factor + 0.5).convert("L")
    if image.mode in {"RGB", "RGBA", "L"}:
        return image.copy()
    return image.convert("L" if image.mode == "1" else "RGB")


def opaque(image: Image.Image) -> Image.Image:
    """Return it as RGB, transparency over white."""
    if image.mode != "RGBA":
        return image.convert("RGB")
    return Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")


def encode(image: Image.Image, kind: str, quality: int = UPLOAD_QUALITY) -> bytes:
    buffer = io.BytesIO()
    if kind == "PNG":
        image.save(buffer, "PNG", compress_level=1)
    elif kind == "WEBP":
        image.save(buffer, "WEBP", quality=quality, method=WEBP_METHOD)
    elif kind == "GIF":
        image.save(buffer, "GIF")
    else:
        opaque(image).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def orientation(image: Image.Image) -> int:
    """Return how a picture has to be turned before it is looked at, as EXIF numbers it."""
    value = image.getexif().get(_ORIENTATION, UPRIGHT)
    return value if value in range(2, 9) else UPRIGHT


def upright(data: bytes) -> Image.Image:
    """Return a file's first frame the right way up, as RGB, RGBA or L.

    Raises:
        BadImage: it cannot be decoded.
    """
    with opened(data) as image:
        ImageOps.exif_transpose(image, in_place=True)
        return plain(image)


def blurred(data: bytes) -> bytes:
    """Return a picture as a PNG of its size in which nothing but colours can be told."""
    with opened(data) as image:
        first = opaque(plain(image)).convert("RGB")
    side = max(first.size)
    width, height = (max(1, round(length * BLURRED_PX / side)) for length in first.size)
    small = first.resize((width, height), Image.Resampling.BOX)
    return encode(small.resize(first.size, Image.Resampling.BICUBIC), "PNG")
