"""Pictures on an engine's canvas and back: padded to its grid, cut from it, pasted back inside a mask.

Blocks: call it through `utils.threads`. Sizes are (width, height) in pixels; a mask is white where a picture changes.
"""

import math
from dataclasses import field
from typing import Final

from PIL import Image, ImageFilter, ImageOps

from lazy import dataclass
from texts.text import _
from utils.feather import feathered
from utils.image_text import with_texts_of
from utils.masks import flat_mask
from utils.pixels import ON_THEIR_SIDE, UPRIGHT, encode, opaque, opened, orientation, upright

MAX_PIXELS: Final = 4096 * 4096  # of an extended canvas
SAME_SHAPE: Final = 0.1  # an engine's own rounding to its grid changes a shape by less

Size = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class Extended:
    """Two PNGs of one size: a picture, its edges drawn out and blurred, and a mask, white exactly where it is new."""

    picture: bytes = field(repr=False)
    mask: bytes = field(repr=False)
    notes: tuple[str, ...] = ()


def extend_canvas(
    data: bytes, *, left: float = 0, top: float = 0, right: float = 0, bottom: float = 0, grows: bool = True
) -> Extended:
    """Put a picture on a larger canvas, to be drawn on at the edges.

    Args:
        data: the file.
        left: what is added there, as a part of the picture's own width.
        top: the same, of its height.
        right: the same, of its width.
        bottom: the same, of its height.
        grows: whether the canvas has more pixels than the picture, which then keeps its own, unless that were more
            than `MAX_PIXELS`; otherwise the picture is shrunk.

    Raises:
        BadImage: it cannot be read.
    """
    picture = upright(data)
    wide, tall = 1 + left + right, 1 + top + bottom
    pixels = picture.width * picture.height
    most = MAX_PIXELS if grows else min(MAX_PIXELS, pixels)
    scale = min(1.0, math.sqrt(most / (pixels * wide * tall)))
    size = round(picture.width * wide * scale), round(picture.height * tall * scale)
    notes: tuple[str, ...] = ()
    if scale < 1:
        if grows:
            notes = (
                _(
                    "the picture was made smaller first: with its new part it may have {most:.0f} MP",
                    most=MAX_PIXELS / 1e6,
                ),
            )
        smaller = max(1, round(picture.width * scale)), max(1, round(picture.height * scale))
        picture = picture.resize(smaller, Image.Resampling.LANCZOS)
    # however small the picture is, each side that is continued gets a pixel
    size = (
        max(size[0], picture.width + (left > 0) + (right > 0)),
        max(size[1], picture.height + (top > 0) + (bottom > 0)),
    )
    x = round((size[0] - picture.width) * left / (left + right or 1))
    y = round((size[1] - picture.height) * top / (top + bottom or 1))
    canvas = _drawn_out(opaque(picture), size, (x, y))
    canvas = canvas.filter(ImageFilter.GaussianBlur(max(4, min(size) / 48)))
    if picture.mode == "RGBA":
        canvas = canvas.convert("RGBA")
    canvas.paste(picture, (x, y))
    mask = Image.new("L", size, 255)
    mask.paste(0, (x, y, x + picture.width, y + picture.height))
    return Extended(picture=encode(canvas, "PNG"), mask=encode(mask, "PNG"), notes=notes)


def upright_size(data: bytes) -> Size:
    """Return the size of a picture as it is looked at.

    Raises:
        BadImage: it is none.
    """
    with opened(data) as image:
        return (image.height, image.width) if orientation(image) in ON_THEIR_SIDE else image.size


def framed(data: bytes, *, size: Size, drawn: Size, inner: Size) -> bytes:
    """Return a picture as an engine draws over it: cut to the shape of `size`, in the corner of a canvas.

    Args:
        data: the file; one that is `drawn` already, without transparency, is returned as it is.
        size: of the result.
        drawn: of the canvas; what is not the picture has its edges drawn out.
        inner: of the picture on the canvas.

    Raises:
        BadImage: it cannot be read.
    """
    with opened(data) as image:
        is_ready = image.mode in {"RGB", "L"} and "transparency" not in image.info and orientation(image) == UPRIGHT
        if is_ready and image.size == size == drawn:
            return data
    return encode(_placed(_cut(opaque(upright(data)), size), drawn, inner), "PNG")


def framed_mask(mask: bytes, source: bytes, *, size: Size, drawn: Size, inner: Size) -> bytes:
    """Return the mask of a picture that was `framed` in the same way.

    Raises:
        BadImage: one of them cannot be read.
    """
    return encode(_placed(_stencil(mask, upright_size(source), size), drawn, inner), "PNG")


def unframed(data: bytes, *, size: Size, drawn: Size, inner: Size) -> bytes:
    """Return the picture an engine drew, cut from its canvas and in the size asked for.

    Args:
        data: the engine's file; one of `size` on a canvas without margins is returned as it is.
        size: of the result.
        drawn: of the canvas as it was asked for; an answer of another size is brought to that first.
        inner: of the picture on the canvas.

    Raises:
        BadImage: it cannot be read.
    """
    with opened(data) as image:
        if image.size == size == drawn:
            return data
    return with_texts_of(encode(_unplaced(upright(data), size, drawn, inner), "PNG"), data)


def pasted_back(data: bytes, source: bytes, mask: bytes, *, size: Size, drawn: Size, inner: Size, blur: int) -> bytes:
    """Return what an engine drew pasted into the source: every pixel that the mask leaves alone is the source's own.

    Args:
        data: the engine's file; its texts are kept.
        source: the picture it was drawn over; transparent parts stay so.
        mask: black where the source stays.
        size: of the result.
        drawn: of the canvas as it was asked for.
        inner: of the picture on the canvas.
        blur: pixels inside the mask's edge over which the new part fades in.

    Raises:
        BadImage: one of them cannot be read.
    """
    stencil = feathered(_stencil(mask, upright_size(source), size), blur)
    new = _unplaced(upright(data), size, drawn, inner)
    result = _cut(upright(source), size)
    if result.mode == "L":
        result = result.convert("RGB")
    if (box := stencil.getbbox()) is not None:  # what is not pasted is not touched, nor copied once more
        part = new.crop(box)
        result.paste(part if part.mode == result.mode else part.convert(result.mode), box[:2], stencil.crop(box))
    if result.mode == "RGBA" and result.getchannel("A").getextrema() == (255, 255):
        result = result.convert("RGB")
    return with_texts_of(encode(result, "PNG"), data)


def resized(data: bytes, size: Size) -> bytes:
    """Return a picture in exactly this size; one that is, as it is.

    Raises:
        BadImage: it cannot be read.
    """
    with opened(data) as image:
        if image.size == size:
            return data
    return with_texts_of(encode(upright(data).resize(size, Image.Resampling.LANCZOS), "PNG"), data)


def is_alike(first: Size, second: Size) -> bool:
    """Return whether two sizes have nearly one shape."""
    return abs(first[0] * second[1] / (first[1] * second[0]) - 1) <= SAME_SHAPE


def _cut(picture: Image.Image, size: Size) -> Image.Image:
    return picture if picture.size == size else ImageOps.fit(picture, size, Image.Resampling.LANCZOS)


def _stencil(mask: bytes, source_size: Size, size: Size) -> Image.Image:
    """Return a mask that goes with a source cut to `size`."""
    stencil = flat_mask(upright(mask))
    if stencil.size != source_size:
        stencil = stencil.resize(source_size, Image.Resampling.BILINEAR)
    return stencil if stencil.size == size else ImageOps.fit(stencil, size, Image.Resampling.BILINEAR)


def _placed(picture: Image.Image, drawn: Size, inner: Size) -> Image.Image:
    if picture.size != inner:
        picture = picture.resize(inner, Image.Resampling.LANCZOS)
    return picture if inner == drawn else _drawn_out(picture, drawn, (0, 0))


def _unplaced(picture: Image.Image, size: Size, drawn: Size, inner: Size) -> Image.Image:
    if picture.size != drawn:
        is_rounded = is_alike(picture.size, drawn)
        lanczos = Image.Resampling.LANCZOS
        picture = picture.resize(drawn, lanczos) if is_rounded else ImageOps.fit(picture, drawn, lanczos)
    if inner != drawn:
        picture = picture.crop((0, 0, *inner))
    return picture if inner == size else picture.resize(size, Image.Resampling.LANCZOS)


def _drawn_out(picture: Image.Image, size: Size, corner: tuple[int, int]) -> Image.Image:
    """Return a canvas with the picture at `corner` and its outermost pixels drawn out to the edges."""
    x, y = corner
    band = Image.new(picture.mode, (size[0], picture.height))
    for edge, start, end in ((0, 0, x), (picture.width - 1, x + picture.width, size[0])):
        if end > start:
            strip = picture.crop((edge, 0, edge + 1, picture.height))
            band.paste(strip.resize((end - start, picture.height)), (start, 0))
    band.paste(picture, (x, 0))
    canvas = Image.new(picture.mode, size)
    for edge, start, end in ((0, 0, y), (picture.height - 1, y + picture.height, size[1])):
        if end > start:
            canvas.paste(band.crop((0, edge, size[0], edge + 1)).resize((size[0], end - start)), (0, start))
    canvas.paste(band, (0, y))
    return canvas
