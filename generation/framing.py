"""Place a picture of any size on an engine's canvas: sides on its grid, within its limits. Pure arithmetic.

A picture is padded at the right and at the bottom up to the next sides on the grid, and the result is cut there. Only
one that is too large is drawn smaller, and one under half of the least side larger; the result is scaled back.
"""

import math
from typing import Final

from constants import MAX_SIDE_PX, MIN_SIDE_PX
from lazy import dataclass
from texts.text import _

Size = tuple[int, int]

PICTURE_TIMES_DEFAULT: Final = 4  # pixels drawn at once, in times of the model's own size: beyond it repeats itself
_ROUNDING: Final = 1e-6
EXACT_WITHIN: Final = 1.8  # times more or fewer pixels than the model draws best are worth an exact shape


@dataclass(frozen=True, kw_only=True)
class Frame:
    """Sizes in pixels: of the result, of what the engine draws, and of the part of that which is the picture."""

    size: Size
    drawn: Size
    inner: Size

    @property
    def is_plain(self) -> bool:
        """Return whether the engine draws exactly the picture."""
        return self.size == self.drawn

    @property
    def is_reduced(self) -> bool:
        return self.inner[0] < self.size[0] or self.inner[1] < self.size[1]


def frame(size: Size, drawn: Size) -> Frame:
    """Return where a picture of `size` lies on a canvas of `drawn`: in the upper left corner, as large as it fits.

    One that fits less than twice keeps its pixels; the rest of the canvas is padding.
    """
    scale = min(drawn[0] / size[0], drawn[1] / size[1])
    if 1 <= scale < 2:
        return Frame(size=size, drawn=drawn, inner=size)
    width, height = (max(1, min(most, round(side * scale))) for side, most in zip(size, drawn, strict=True))
    return Frame(size=size, drawn=drawn, inner=(width, height))


def canvas_for(size: Size, grid: int, limits: tuple[int, int], native_pixels: int | None = None) -> Size:
    """Return the sides at which an engine draws a picture of `size`: multiples of `grid`, nothing of it cut off.

    `limits` are the least and the greatest side; with `native_pixels`, the model's own, not many times more are drawn.
    """
    bottom, top = _bounds(grid, limits)
    most = math.inf if native_pixels is None else native_pixels * PICTURE_TIMES_DEFAULT
    share = math.sqrt(most / (size[0] * size[1]))
    scale = min(1.0, top / max(size), share)
    if scale == 1 and bottom >= 2 * min(size):
        scale = min(bottom / min(size), top / max(size))

    def snapped(side: int) -> int:
        steps = side * scale / grid
        # a picture that is drawn smaller for its pixels' sake is not padded beyond them
        whole = math.floor(steps + _ROUNDING) if scale == share < 1 else math.ceil(steps - _ROUNDING)
        return max(bottom, min(top, whole * grid))

    return snapped(size[0]), snapped(size[1])


def reduction(size: Size, drawn: Size, max_side: int) -> str:
    """Return in words what a picture loses on a canvas that is smaller; empty if nothing."""
    place = frame(size, drawn)
    if not place.is_reduced:
        return ""
    is_too_long = max(size) > max_side
    reason = (
        _("at most {most} pixels a side here", most=max_side)
        if is_too_long
        else _("more at once is too much for the model")
    )
    return _(
        "drawn at {inner} and enlarged to {size}: {reason}",
        inner=pixels(place.inner),
        size=pixels(size),
        reason=reason,
    )


def pixels(size: Size) -> str:
    """Return a size in words: "768×512"."""
    return f"{size[0]}×{size[1]}"


def nearest_size(size: Size, grid: int, limits: tuple[int, int]) -> Size:
    """Return the nearest size on the grid; one that has to shrink keeps its shape."""
    bottom, top = _bounds(grid, limits)
    scale = min(1.0, limits[1] / max(size))

    def snapped(side: int) -> int:
        side = side if scale == 1 else int(side * scale)
        return max(bottom, min(top, round(side / grid) * grid))

    return snapped(size[0]), snapped(size[1])


def exact_size(aspect: tuple[int, int], pixels: int, grid: int) -> tuple[int, int] | None:
    """Return the size on the grid of exactly this shape nearest to so many pixels, None where all are far off."""
    wide, high = (side // math.gcd(*aspect) for side in aspect)
    unit = math.lcm(grid // math.gcd(wide, grid), grid // math.gcd(high, grid))
    step = wide * unit, high * unit
    times = math.sqrt(pixels / (step[0] * step[1]))
    sizes = [(step[0] * whole, step[1] * whole) for whole in (math.floor(times), math.ceil(times)) if whole]
    apart = {size: abs(math.log(size[0] * size[1] / pixels)) for size in sizes}
    allowed = (
        size
        for size in sorted(sizes, key=apart.__getitem__)
        if apart[size] <= math.log(EXACT_WITHIN) and min(size) >= MIN_SIDE_PX and max(size) <= MAX_SIDE_PX
    )
    return next(allowed, None)


def _bounds(grid: int, limits: tuple[int, int]) -> tuple[int, int]:
    """Return the least and the greatest side on the grid."""
    bottom = math.ceil(limits[0] / grid) * grid
    return bottom, max(bottom, limits[1] // grid * grid)
