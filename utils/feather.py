"""Soft edges of a mask that lie inside it: what is black stays black. Blocks: call it through `utils.threads`."""

from typing import Final

from PIL import Image, ImageChops, ImageFilter

from utils.mask_forms import FAINT

MAX_LEVELS: Final = 8  # steps of the ramp; more are not seen and cost time


def feathered(mask: Image.Image, blur: int) -> Image.Image:
    """Return an L mask whose edge rises from black over `blur` pixels, inwards.

    A part thinner than that has a steeper edge, so that its middle is as white as it was painted. No pixel becomes
    lighter than it was, and none under `FAINT` stays.
    """
    mask = mask.point(lambda value: 0 if value < FAINT else value)
    box = mask.getbbox()
    if blur < 1 or box is None:
        return mask
    # one pixel of margin where there is one: a mask that ends at the picture's edge does not fade there
    outer = max(0, box[0] - 1), max(0, box[1] - 1), min(mask.width, box[2] + 1), min(mask.height, box[3] + 1)
    part = mask.crop(outer)
    mask.paste(ImageChops.darker(part, _ramp(part, blur)), outer[:2])
    return mask


def _ramp(mask: Image.Image, blur: int) -> Image.Image:
    """Return, for each pixel, its depth inside the mask as a share of the greatest depth nearby.

    Depths are told apart in a few levels: erosions by growing radii, each grown back by `blur` to reach what is near.
    """
    solid = mask.point(lambda value: 255 if value else 0)
    levels = min(blur, MAX_LEVELS)
    radii = [round(blur * level / levels) for level in range(1, levels + 1)]
    weight = 255 // (levels + 1)
    own = nearby = solid.point(lambda value: weight if value else 0)
    for radius in radii:
        deep = _filtered(solid, radius, full=True)
        if deep.getbbox() is None:
            break
        own = ImageChops.add(own, deep.point(lambda value: weight if value else 0))
        near = _filtered(deep, blur, full=False)
        nearby = ImageChops.add(nearby, near.point(lambda value: weight if value else 0))
    ramp = _shares(own, nearby, weight, levels + 1)
    step = blur // levels
    return ramp.filter(ImageFilter.BoxBlur(step / 2)) if step > 1 else ramp


def _filtered(mask: Image.Image, radius: int, *, full: bool) -> Image.Image:
    """Erode (`full`) or grow a mask of 0 and 255 by so many pixels, in time that does not depend on them."""
    keep = 255 if full else 1
    for size in ((radius, 0), (0, radius)):
        mask = mask.filter(ImageFilter.BoxBlur(size)).point(lambda value: 255 if value >= keep else 0)
    return mask


def _shares(own: Image.Image, nearby: Image.Image, weight: int, most: int) -> Image.Image:
    """Return own / nearby in 0..255, both multiples of `weight` up to `most` times."""
    share = Image.new("L", own.size)
    for count in range(1, most + 1):
        here = nearby.point(lambda value, count=count: 255 if value == count * weight else 0)
        if here.getbbox():
            part = own.point(lambda value, count=count: min(255, round(value / weight / count * 255)))
            share.paste(part, (0, 0), here)
    return share
