"""Give one picture the colours and the tonality of another. Blocks: call it through `utils.threads`.

Reinhard et al., "Color Transfer between Images" (2001): each channel gets the mean and the spread of the other one's.
Done in YCbCr, which Pillow converts to by itself, where the paper uses lαβ: both keep lightness apart from colour.
"""

import io
from typing import Final

from PIL import Image, ImageStat

from texts.text import _
from utils.images import BadImage, convert

MOST_STRETCH: Final = 3.0  # a nearly flat channel would turn to noise
SAMPLE_PX: Final = 256  # enough to know the mean and the spread


def with_palette_of(content: bytes, style: bytes, strength: float) -> bytes:
    """Return the content picture as PNG, its palette and tonality moved to those of the style picture.

    Args:
        content: a picture file.
        style: another one.
        strength: 0 changes nothing, 1 moves all the way.

    Raises:
        BadImage: one of them cannot be read.
    """
    picture, model = _opened(content), _opened(style)
    model.thumbnail((SAMPLE_PX, SAMPLE_PX))
    sample = picture.copy()
    sample.thumbnail((SAMPLE_PX, SAMPLE_PX))
    now, wanted = ImageStat.Stat(sample), ImageStat.Stat(model)
    table: list[int] = []
    for mean, spread, new_mean, new_spread in zip(now.mean, now.stddev, wanted.mean, wanted.stddev, strict=True):
        stretch = min(MOST_STRETCH, max(1 / MOST_STRETCH, new_spread / spread)) if spread else 1.0
        table += [round(min(255, max(0, (value - mean) * stretch + new_mean))) for value in range(256)]
    moved = Image.blend(picture, picture.point(table), min(1.0, max(0.0, strength)))
    out = io.BytesIO()
    moved.convert("RGB").save(out, "PNG", compress_level=1)
    return out.getvalue()


def with_colours_of(content: bytes, other: bytes, share: float) -> bytes:
    """Return the content picture as PNG, its colours blended with those of another one in the same places.

    Lightness stays the content's own; `share` 0 changes nothing, 1 takes the other's colours alone.

    Raises:
        BadImage: one of them cannot be read.
    """
    lightness, *own = _opened(content).split()
    theirs = _opened(other)
    if theirs.size != lightness.size:
        theirs = theirs.resize(lightness.size, Image.Resampling.LANCZOS)
    colours = (Image.blend(mine, their, share) for mine, their in zip(own, theirs.split()[1:], strict=True))
    out = io.BytesIO()
    Image.merge("YCbCr", (lightness, *colours)).convert("RGB").save(out, "PNG", compress_level=1)
    return out.getvalue()


def _opened(data: bytes) -> Image.Image:
    try:
        return Image.open(io.BytesIO(convert(data, "PNG"))).convert("RGB").convert("YCbCr")
    except OSError as error:
        raise BadImage(_("This picture is damaged or cut off.")) from error


def main_colours(data: bytes, count: int = 5) -> tuple[str, ...]:
    """Return the colours that a picture consists of, as #rrggbb, the one that covers most first. Blocks.

    Raises:
        BadImage: it cannot be read.
    """
    try:
        picture = Image.open(io.BytesIO(convert(data, "PNG"))).convert("RGB")
    except OSError as error:
        raise BadImage(_("This picture is damaged or cut off.")) from error
    picture.thumbnail((SAMPLE_PX, SAMPLE_PX))
    few = picture.quantize(count)
    palette, areas = few.getpalette() or [], few.getcolors() or []
    found = [palette[3 * int(str(index)) : 3 * int(str(index)) + 3] for __, index in sorted(areas, reverse=True)]
    return tuple(f"#{red:02x}{green:02x}{blue:02x}" for red, green, blue in found)


def colour_name(colour: str) -> str:
    """Return the everyday word nearest to #rrggbb."""
    wanted = tuple(int(colour[place : place + 2], 16) for place in (1, 3, 5))

    def distance(name: str) -> float:
        own = _NAMED[name]
        return sum((ours - theirs) ** 2 for ours, theirs in zip(own, wanted, strict=True))

    return min(_NAMED, key=distance)


_NAMED: Final = {
    "black": (10, 10, 10), "charcoal": (55, 58, 62), "grey": (128, 128, 128), "silver": (192, 192, 192),
    "white": (248, 248, 248), "cream": (245, 235, 208), "beige": (222, 200, 165), "brown": (110, 70, 40),
    "dark brown": (60, 38, 25), "red": (205, 35, 35), "dark red": (115, 20, 25), "orange": (235, 130, 35),
    "gold": (215, 170, 55), "yellow": (245, 220, 65), "olive": (115, 115, 45), "green": (55, 150, 65),
    "dark green": (25, 70, 40), "mint": (165, 220, 190), "teal": (25, 125, 130), "light blue": (160, 205, 235),
    "blue": (45, 95, 190), "navy": (20, 30, 75), "purple": (115, 55, 145), "lavender": (190, 170, 220),
    "pink": (240, 160, 185), "magenta": (200, 40, 140),
}  # fmt: skip
