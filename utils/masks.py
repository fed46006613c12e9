"""Masks for inpainting: white where a picture may change. Blocks: call it through `utils.threads`."""

from dataclasses import field
from typing import Final

from PIL import Image, ImageChops

from lazy import dataclass
from texts.text import _
from utils.mask_forms import FAINT, read_mask
from utils.pixels import BadImage, encode, upright

HINT: Final = _("A mask is a second picture of the same size: white where the first may change, black where it stays.")
CLEAR: Final = 8  # greys up to here are kept: the soft edge of a border belongs to it
WHOLE: Final = 0.999  # of what a border encloses is kept
SAME_SHAPE: Final = 0.01  # two shapes closer than this are one, rounded to whole pixels


@dataclass(frozen=True, kw_only=True)
class Masked:
    """A picture and its mask, an L PNG of the same size. `notes` say what was changed."""

    image: bytes = field(repr=False)
    mask: bytes = field(repr=False)
    notes: tuple[str, ...] = ()


def mask_by_picture(image: bytes, mask: bytes) -> Masked:
    """Pair a picture with a mask painted for it: what was painted may change (`utils.mask_forms`).

    Args:
        image: a cleaned picture (`images.clean_input`).
        mask: another one of the same shape.

    Raises:
        BadImage: it is of another shape, all black, or could be meant in two ways.
    """
    picture = upright(image)
    size, stencil = picture.size, read_mask(upright(mask), picture)
    notes = check_mask(stencil, size)
    if stencil.size != size:
        stencil = stencil.resize(size, Image.Resampling.BILINEAR)
    return Masked(image=image, mask=encode(stencil, "PNG"), notes=notes)


def mask_anew(image: bytes, mask: bytes) -> bytes | None:
    """Return a mask as it is to be read, as PNG; None where it says so itself.

    Raises:
        BadImage: it does not go with the picture, or could be meant in two ways.
    """
    picture, painted = upright(image), upright(mask)
    stencil = read_mask(painted, picture)
    check_mask(stencil, picture.size)
    is_plain = ImageChops.difference(stencil, flat_mask(painted)).getbbox() is None
    return None if is_plain else encode(stencil, "PNG")


def check_mask(mask: Image.Image, size: tuple[int, int]) -> tuple[str, ...]:
    """Return remarks on an L mask for a picture of `size`.

    Raises:
        BadImage: it is of another shape, or all black.
    """
    notes: tuple[str, ...] = ()
    if mask.size != size:
        sizes = f"{mask.width}×{mask.height}", f"{size[0]}×{size[1]}"
        # a side may be off by one pixel, however short it is
        slack = max(SAME_SHAPE, 1 / min(*mask.size, *size))
        if abs(mask.width * size[1] / (mask.height * size[0]) - 1) > slack:
            raise BadImage(
                _(
                    "The mask is {mask}, the picture {picture}: both must be of the same size.",
                    mask=sizes[0],
                    picture=sizes[1],
                )
            )
        notes = (_("mask {mask} → {picture}", mask=sizes[0], picture=sizes[1]),)
    darkest, lightest = _extremes(mask)
    if lightest < FAINT:
        raise BadImage(_("The mask is all black, so nothing would change: paint what should change white."))
    return (*notes, _("the mask is all white: everything is redrawn")) if darkest == 255 else notes


def mask_by_alpha(image: bytes) -> Masked | None:
    """Take what is transparent in a picture for its mask; None where nothing is."""
    picture = upright(image)
    if "A" not in picture.getbands():
        return None
    stencil = ImageChops.invert(picture.getchannel("A"))
    if _extremes(stencil)[1] < FAINT:
        return None
    return Masked(image=encode(picture.convert("RGB"), "PNG"), mask=encode(stencil, "PNG"))


def flat_mask(mask: Image.Image) -> Image.Image:
    """Return a mask as greys; what is transparent in it counts as black."""
    if "A" in mask.getbands():
        mask = Image.alpha_composite(Image.new("RGBA", mask.size, "black"), mask.convert("RGBA"))
    return mask.convert("L")


def _extremes(mask: Image.Image) -> tuple[float, float]:
    low, high = mask.getextrema()
    assert not isinstance(low, tuple), "an L picture has one band"
    assert not isinstance(high, tuple), "an L picture has one band"
    return low, high


def erased_where_white(mask: bytes) -> bytes:
    """Return a mask as servers want it that redraw what is transparent: a PNG with an alpha channel."""
    stencil = flat_mask(upright(mask))
    picture = Image.new("RGBA", stencil.size, "white")
    picture.putalpha(ImageChops.invert(stencil))
    return encode(picture, "PNG")


def border_of(mask: bytes) -> tuple[int, int, int, int] | None:
    """Return how far a mask reaches in from the left, top, right and bottom, where it is nothing but a border.

    Such a mask continues a picture beyond its edges; any other shape is None.
    """
    stencil = flat_mask(upright(mask)).point(lambda value: 255 if value < CLEAR else 0)
    box = stencil.getbbox()
    width, height = stencil.size
    if box is None or box == (0, 0, width, height):
        return None
    kept = stencil.crop(box)
    if kept.histogram()[255] < WHOLE * kept.width * kept.height:
        return None
    return box[0], box[1], width - box[2], height - box[3]


def cut_to(image: bytes, border: tuple[int, int, int, int]) -> bytes:
    """Return a picture without its border, as PNG."""
    picture = upright(image)
    left, top, right, bottom = border
    return encode(picture.crop((left, top, picture.width - right, picture.height - bottom)), "PNG")
