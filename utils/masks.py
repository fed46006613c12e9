"""Masks for inpainting: white where a picture may change. Blocks: call it through `utils.threads`.

What it speaks to is Pillow.
"""

import io
from dataclasses import dataclass, field
from typing import Final

from PIL import Image, ImageChops, UnidentifiedImageError

from utils.images import BadImage

SAME_SHAPE: Final = 0.01  # two shapes closer than this are one, rounded to whole pixels


@dataclass(frozen=True, kw_only=True)
class Masked:
    """A picture without transparency and its mask, an L PNG of the same size. `notes` say what was changed."""

    image: bytes = field(repr=False)
    mask: bytes = field(repr=False)
    notes: tuple[str, ...] = ()


def mask_by_picture(image: bytes, mask: bytes) -> Masked:
    """Pair a picture with a mask painted for it: white, or anything light, may change.

    Args:
        image: a cleaned picture (`images.clean_input`).
        mask: another one of the same shape; what is transparent in it counts as black.

    Raises:
        BadImage: it is of another shape, or all black.
    """
    picture, stencil = _opened(image), _flat_mask(_opened(mask))
    notes: tuple[str, ...] = ()
    if stencil.size != picture.size:
        sizes = f"{stencil.width}×{stencil.height}", f"{picture.width}×{picture.height}"
        shapes = stencil.width / stencil.height, picture.width / picture.height
        if abs(shapes[0] / shapes[1] - 1) > SAME_SHAPE:
            raise BadImage(f"The mask is {sizes[0]}, the picture {sizes[1]}: both must be of the same size.")
        stencil = stencil.resize(picture.size, Image.Resampling.BILINEAR)
        notes = (f"mask {sizes[0]} → {sizes[1]}",)
    darkest, lightest = _extremes(stencil)
    if lightest == 0:
        raise BadImage("The mask is all black, so nothing would change: paint white what shall be drawn anew.")
    if darkest == 255:
        notes = (*notes, "the mask is all white: everything is drawn anew")
    solid = image if "A" not in picture.getbands() else _png(picture.convert("RGB"))
    return Masked(image=solid, mask=_png(stencil), notes=notes)


def mask_by_alpha(image: bytes) -> Masked | None:
    """Take what is transparent in a picture for its mask; None where nothing is."""
    picture = _opened(image)
    if "A" not in picture.getbands():
        return None
    stencil = ImageChops.invert(picture.getchannel("A"))
    if _extremes(stencil)[1] == 0:
        return None
    return Masked(image=_png(picture.convert("RGB")), mask=_png(stencil))


def _flat_mask(mask: Image.Image) -> Image.Image:
    if "A" in mask.getbands():
        mask = Image.alpha_composite(Image.new("RGBA", mask.size, "black"), mask.convert("RGBA"))
    return mask.convert("L")


def _extremes(mask: Image.Image) -> tuple[float, float]:
    low, high = mask.getextrema()
    assert not isinstance(low, tuple), "an L picture has one band"
    assert not isinstance(high, tuple), "an L picture has one band"
    return low, high


def _opened(data: bytes) -> Image.Image:
    try:
        picture = Image.open(io.BytesIO(data))
        picture.load()
    except (OSError, UnidentifiedImageError) as error:
        raise BadImage("This picture is damaged or cut off.") from error
    return picture


def _png(picture: Image.Image) -> bytes:
    buffer = io.BytesIO()
    picture.save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()
