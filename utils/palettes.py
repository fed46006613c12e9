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
