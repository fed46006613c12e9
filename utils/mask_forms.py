"""Read what somebody painted as a mask: white where a picture may change. Blocks: call it through `utils.threads`.

People paint with whatever colour is at hand, on black, on white, on nothing, or over the picture itself, and some erase
a part of the picture instead. What cannot be told apart from a photo is refused by name: to guess is to repaint the
wrong half.
"""

from typing import Final

from PIL import Image, ImageChops, ImageFilter, ImageStat

from texts.text import _
from utils.pixels import BadImage

FAINT: Final = 16  # greys below are the noise of a JPEG, not paint
GREY: Final = 24  # channels closer than this are one grey
FAR: Final = 48  # and colours farther apart are two
SAME: Final = 12  # mean difference of two copies of one picture
STRAY: Final = 0.002  # of all pixels may be anything
SOFT: Final = 0.35  # of what is painted may be on the way from paint to ground: its edge
MID_GREYS: Final = 0.12  # of a mask may be neither black nor white, unless it runs smoothly
ROUGH: Final = 2.5  # mean difference from the neighbours: a gradient has less, a photo more
SOLID: Final = 0.9  # of the paint's strength counts as all of it
STUDY_PX: Final = 512  # a copy this large tells the form

PAINT_IT: Final = _("Paint what may change in white on black, or in one colour on a transparent layer.")


def read_mask(mask: Image.Image, picture: Image.Image | None = None) -> Image.Image:
    """Return a mask as greys, 255 where something was painted, whatever it was painted with.

    Args:
        mask: RGB, RGBA or L.
        picture: what it was painted for, if that is known: it may have been erased, or painted over.

    Raises:
        BadImage: it has a form that could be read in two ways, or is a photo.
    """
    if "A" in mask.getbands():
        low, high = _extremes(mask.getchannel("A"))
        if low >= high - FAINT:  # the same everywhere: it says nothing
            return read_mask(mask.convert("RGB"), picture)
        return _of_layer(mask, picture)
    if mask.mode == "L" or _is_grey(_study(mask)):
        return _of_greys(mask.convert("L"), picture)
    return _of_paint(mask.convert("RGB"), picture)


def _of_layer(mask: Image.Image, picture: Image.Image | None) -> Image.Image:
    """Read a picture with transparency: paint on nothing, or a picture of which a part was erased."""
    alpha = mask.getchannel("A")
    small = _study(mask)
    shown = small.getchannel("A").point(lambda value: 255 if value >= FAINT else 0)
    colours, hidden = small.convert("RGB"), ImageChops.invert(shown)
    if picture is not None and _is_same(colours, picture, shown) and not _is_white(colours, shown):
        return _stretched(ImageChops.invert(alpha))
    if _spread(colours, shown) <= FAR:
        if max(_mean(colours, shown)) < FAR:
            raise BadImage(
                _(
                    "The mask is black on a transparent layer: is the black or the rest to change? {paint_it}",
                    paint_it=PAINT_IT,
                )
            )
        if _is_hidden_the_same(colours, shown, hidden) and not _is_white(colours, shown):
            raise BadImage(
                _(
                    "The mask looks like a picture of which a part was erased, but of another one than this: "
                    "is the erased part to change? {paint_it}",
                    paint_it=PAINT_IT,
                )
            )
        return _stretched(alpha)
    flat = Image.alpha_composite(Image.new("RGBA", mask.size, "black"), mask.convert("RGBA")).convert("RGB")
    if _is_grey(_study(flat)):
        return _of_greys(flat.convert("L"), None)
    raise BadImage(
        _("The mask is a photo with transparent parts, which could be meant in two ways. {paint_it}", paint_it=PAINT_IT)
    )


def _of_greys(mask: Image.Image, picture: Image.Image | None) -> Image.Image:
    low, high = _bounds(mask)
    if high < FAINT or low > 255 - FAINT or mask.getextrema() == (255, 255):
        return mask
    if high - low < FAINT:
        raise BadImage(
            _("The mask is one grey all over, so it does not tell what may change. {paint_it}", paint_it=PAINT_IT)
        )
    stretched = _stretched(mask)
    small = _study(stretched)
    middle = sum(small.histogram()[32:224]) / (small.width * small.height)
    if middle > MID_GREYS and _roughness(small) > ROUGH:
        if picture is not None and (painted := _over_picture(mask.convert("RGB"), picture)) is not None:
            return painted
        raise BadImage(_("The mask is a photo in greys, not a mask. {paint_it}", paint_it=PAINT_IT))
    return stretched


def _of_paint(mask: Image.Image, picture: Image.Image | None) -> Image.Image:
    """Read one colour on another: the ground is what the edges of the mask mostly are."""
    if picture is not None and (painted := _over_picture(mask, picture)) is not None:
        return painted
    small = _study(mask)
    ground = _ground(small)
    away = _distance(small, ground)
    stencil = away.point(lambda value: 255 if value > FAR else 0)
    if not stencil.getbbox():
        raise BadImage(
            _("The mask has one colour all over, so it does not tell what may change. {paint_it}", paint_it=PAINT_IT)
        )
    paint = _commonest(small, stencil)
    from_paint = _distance(small, paint).point(lambda value: 255 if value > FAR else 0)
    odd = ImageChops.darker(away.point(lambda value: 255 if value > GREY else 0), from_paint)
    if _count(odd) > SOFT * _count(stencil):
        raise BadImage(
            _(
                "The mask has many colours, like a photo, so it does not tell what may change. {paint_it}",
                paint_it=PAINT_IT,
            )
        )
    full = max(abs(item - two) for item, two in zip(paint, ground, strict=True))
    return _scaled(_distance(mask, ground), full)


def _over_picture(mask: Image.Image, picture: Image.Image) -> Image.Image | None:
    """Return what was painted over a copy of the picture; None where the mask is no such copy."""
    base = picture.convert("RGB")
    if base.size != mask.size:
        base = base.resize(mask.size, Image.Resampling.BILINEAR)
    away = _greatest(ImageChops.difference(mask, base))
    painted = away.point(lambda value: 255 if value > FAR else 0).filter(ImageFilter.MedianFilter(3))
    share = _count(painted) / (mask.width * mask.height)
    outside = ImageChops.invert(painted)
    if not 0 < share < 0.95 or ImageStat.Stat(away, outside).mean[0] > SAME or _spread(mask, painted) > FAR:
        return None
    paint = _commonest(mask, painted)
    # where the picture has the paint's own colour, the difference is small, and still it is painted
    alike = _distance(mask, paint).point(lambda value: 255 if value <= FAR // 2 else 0)
    near = painted.filter(ImageFilter.MaxFilter(5))
    return ImageChops.lighter(painted, ImageChops.darker(alike, near))


def _study(image: Image.Image) -> Image.Image:
    if max(image.size) <= STUDY_PX:
        return image
    share = STUDY_PX / max(image.size)
    size = max(1, round(image.width * share)), max(1, round(image.height * share))
    return image.resize(size, Image.Resampling.NEAREST)


def _is_grey(image: Image.Image) -> bool:
    red, green, blue = image.convert("RGB").split()
    apart = ImageChops.lighter(ImageChops.difference(red, green), ImageChops.difference(green, blue))
    return sum(apart.histogram()[GREY + 1 :]) <= STRAY * image.width * image.height


def _is_white(colours: Image.Image, where: Image.Image) -> bool:
    return min(_mean(colours, where)) > 255 - FAINT


def _is_same(colours: Image.Image, picture: Image.Image, where: Image.Image) -> bool:
    base = picture.convert("RGB").resize(colours.size, Image.Resampling.NEAREST)
    return ImageStat.Stat(_greatest(ImageChops.difference(colours, base)), where).mean[0] <= SAME


def _is_hidden_the_same(colours: Image.Image, shown: Image.Image, hidden: Image.Image) -> bool:
    pairs = zip(_mean(colours, shown), _mean(colours, hidden), strict=True)
    return all(abs(item - two) <= GREY for item, two in pairs)


def _mean(colours: Image.Image, where: Image.Image) -> tuple[float, float, float]:
    red, green, blue = ImageStat.Stat(colours, where).mean
    return red, green, blue


def _spread(colours: Image.Image, where: Image.Image) -> float:
    """Return how far the colours there lie from the commonest, but for their soft edges."""
    away = _distance(colours, _commonest(colours, where))
    counts = away.histogram(where)
    left = sum(counts) * (1 - 0.1)
    for value, count in enumerate(counts):
        left -= count
        if left <= 0:
            return value
    return 255


def _ground(image: Image.Image) -> tuple[int, int, int]:
    edge = Image.new("L", image.size, 255)
    if min(image.size) > 4:
        edge.paste(0, (2, 2, image.width - 2, image.height - 2))
    found = _commonest(image, edge)
    rest = _distance(image, found).point(lambda value: 255 if value > FAR else 0)
    if _is_coloured(found) and rest.getbbox() and not _is_coloured(other := _commonest(image, rest)):
        return other  # paint that reaches the edges, as a sky does: people paint in a colour on black, grey or white
    return found


def _is_coloured(colour: tuple[int, int, int]) -> bool:
    return max(colour) - min(colour) > FAR


def _commonest(image: Image.Image, where: Image.Image) -> tuple[int, int, int]:
    """Return the mean of the commonest sort of colour there; a sort is sixteen steps wide."""
    sorts = image.convert("RGB").point(lambda value: value & 0xE0)
    sorts.paste((1, 1, 1), mask=ImageChops.invert(where))
    counts = sorts.getcolors(8**3 + 1) or []
    __, sort = max(((count, colour) for count, colour in counts if colour != (1, 1, 1)), default=(0, (0, 0, 0)))
    assert isinstance(sort, tuple), "a colour of RGB has three parts"
    chosen = _distance(sorts, sort).point(lambda value: 0 if value else 255)
    red, green, blue = (round(value) for value in ImageStat.Stat(image.convert("RGB"), chosen).mean)
    return red, green, blue


def _distance(image: Image.Image, colour: tuple[int, ...]) -> Image.Image:
    return _greatest(ImageChops.difference(image.convert("RGB"), Image.new("RGB", image.size, colour)))


def _greatest(image: Image.Image) -> Image.Image:
    red, green, blue = image.split()
    return ImageChops.lighter(ImageChops.lighter(red, green), blue)


def _roughness(image: Image.Image) -> float:
    return ImageStat.Stat(ImageChops.difference(image, image.filter(ImageFilter.BoxBlur(1)))).mean[0]


def _count(stencil: Image.Image) -> int:
    return stencil.histogram()[255]


def _bounds(image: Image.Image) -> tuple[int, int]:
    """Return the darkest and lightest grey that more than a few stray pixels have."""
    counts = image.histogram()
    few = STRAY / 10 * image.width * image.height
    greys = [value for value, count in enumerate(counts) if count > few] or list(range(256))
    return greys[0], greys[-1]


def _stretched(stencil: Image.Image) -> Image.Image:
    """Bring the lightest to white and the darkest to black."""
    low, high = _bounds(stencil)
    if (low, high) == (0, 255) or high - low < FAINT:
        return stencil
    full = float(high - low)
    if high < 255 - FAINT:  # grey paint, which is never one grey in a JPEG: the commonest of the light ones is it
        half = (low + high) // 2
        light = stencil.histogram()[half:]
        full = (half + light.index(max(light)) - low) * SOLID
    return stencil.point(lambda value: max(0, min(255, round((value - low) * 255 / full))))


def _scaled(away: Image.Image, full: int) -> Image.Image:
    return away.point(lambda value: 0 if value < FAINT else min(255, round(value * 255 / (full * SOLID))))


def _extremes(band: Image.Image) -> tuple[float, float]:
    low, high = band.getextrema()
    assert not isinstance(low, tuple), "an L picture has one band"
    assert not isinstance(high, tuple), "an L picture has one band"
    return low, high
