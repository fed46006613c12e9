"""The pen that subjects are drawn with: a cut-out in its own coordinates, lit as one body when it is pasted.

Coordinates of a cut-out: x to the right, 0 in its middle; y upwards, 0 at its feet, 1 at its height.
"""

import random
from collections.abc import Sequence

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from easel_sketch.painting.canvas import Canvas, Point, Points, band, smooth
from easel_sketch.painting.colours import RGB, Colour, fade, mix
from easel_sketch.painting.palettes import Palette

HALF_WIDTH = 1.0
ABOVE = 1.3
BELOW = 0.12


class Pen:
    """Draws opaque shapes that make the body, and see-through marks that stay on it."""

    def __init__(
        self, size: float, palette: Palette, tint: RGB | None, *, is_flipped: bool, chance: random.Random
    ) -> None:
        self.size = size
        self.palette = palette
        self.tint = tint
        self.chance = chance
        self.side = -1 if is_flipped else 1
        extent = (max(4, round(size * 2 * HALF_WIDTH)), max(4, round(size * (ABOVE + BELOW))))
        self.image = Image.new("RGB", extent, palette.ink)
        self.mask = Image.new("L", extent)
        self._draw = ImageDraw.Draw(self.image, "RGBA")
        self._cut = ImageDraw.Draw(self.mask)

    def colour(self, usual: RGB) -> RGB:
        """Return the subject's usual colour, or the one the prompt asked for."""
        return self.tint or usual

    def at(self, point: Point) -> Point:
        return (HALF_WIDTH + self.side * point[0]) * self.size, (ABOVE - point[1]) * self.size

    def poly(self, points: Points, colour: Colour) -> None:
        outline = [self.at(point) for point in points]
        self._draw.polygon(outline, fill=colour)
        if len(colour) == 3:
            self._cut.polygon(outline, fill=255)

    def blob(self, points: Points, colour: Colour) -> None:
        self.poly(smooth(points), colour)

    def mirrored(self, points: Points, colour: Colour) -> None:
        """Draw a blob given by its right half, from the top of the middle line to its bottom."""
        self.blob([*points, *((-x, y) for x, y in reversed(points) if x > 0)], colour)

    def both(self, points: Points, colour: Colour) -> None:
        """Draw a blob and its mirror image."""
        self.blob(points, colour)
        self.blob([(-x, y) for x, y in points], colour)

    def stroke(self, points: Points, widths: Sequence[float], colour: Colour) -> None:
        self.poly(band(smooth(points, closed=False), widths), colour)

    def disc(self, x: float, y: float, radius: float, colour: Colour, *, tall: float | None = None) -> None:
        cx, cy = self.at((x, y))
        rx, ry = radius * self.size, (radius if tall is None else tall) * self.size
        self._draw.ellipse((cx - rx, cy - ry, cx + rx, cy + ry), fill=colour)
        if len(colour) == 3:
            self._cut.ellipse((cx - rx, cy - ry, cx + rx, cy + ry), fill=255)

    def pair(self, x: float, y: float, radius: float, colour: Colour, *, tall: float | None = None) -> None:
        self.disc(x, y, radius, colour, tall=tall)
        self.disc(-x, y, radius, colour, tall=tall)

    def box(self, left: float, low: float, right: float, high: float, colour: Colour, *, round_by: float = 0) -> None:
        (x0, y0), (x1, y1) = self.at((left, high)), self.at((right, low))
        area = (min(x0, x1), y0, max(x0, x1), y1)
        self._draw.rounded_rectangle(area, round_by * self.size, fill=colour)
        if len(colour) == 3:
            self._cut.rounded_rectangle(area, round_by * self.size, fill=255)

    def eyes(self, x: float, y: float, radius: float, *, colour: RGB = (28, 24, 34)) -> None:
        for side in (-1, 1):
            self.disc(side * x, y, radius, colour, tall=radius * 1.15)
            self.disc(side * x - radius * 0.3 * self.side, y + radius * 0.4, radius * 0.34, (255, 255, 255))

    def lit(self) -> None:
        """Shade the cut-out: light from the upper left, dusk at its feet, a bright rim."""
        step = max(1, round(self.size * 0.02))
        moved = ImageChops.offset(self.mask, step, step)
        rim = ImageChops.subtract(self.mask, moved).filter(ImageFilter.BoxBlur(step * 0.6))
        self.image.paste(
            mix(self.palette.light, (255, 255, 255), 0.3), (0, 0), rim.point([v * 6 // 10 for v in range(256)])
        )
        away = ImageChops.subtract(self.mask, ImageChops.offset(self.mask, -step * 4, -step * 2))
        shade = away.filter(ImageFilter.BoxBlur(step * 2.5)).point([v * 4 // 10 for v in range(256)])
        self.image.paste(self.palette.ink, (0, 0), shade)
        floor = Image.linear_gradient("L").point([max(0, v - 130) * 5 // 10 for v in range(256)]).resize(self.mask.size)
        self.image.paste(self.palette.ink, (0, 0), floor)

    def paste(self, canvas: Canvas, x: float, foot: float) -> None:
        corner = (round(x - HALF_WIDTH * self.size), round(foot - ABOVE * self.size))
        canvas.image.paste(self.image, corner, self.mask)


def shadow(canvas: Canvas, x: float, foot: float, size: float) -> None:
    """Lay a soft shadow under a subject's feet."""
    canvas.disc(x + size * 0.06, foot, size * 0.42, fade(canvas.palette.ink, 0.16), tall=size * 0.06)
    canvas.disc(x + size * 0.04, foot, size * 0.33, fade(canvas.palette.ink, 0.2), tall=size * 0.04)
