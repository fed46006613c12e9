"""The surface the painter draws on: smooth curves, gradients and glows over one Pillow image.

Lengths are pixels of the canvas. `unit` is its shorter side, so a drawing made of shares of `unit`,
`width` and `height` looks alike at every size.
"""

import hashlib
import math
import random
from collections.abc import Sequence

from PIL import Image, ImageDraw

from easel_sketch.painting.colours import RGB, Colour, fade, mix
from easel_sketch.painting.palettes import Palette

Point = tuple[float, float]
Points = Sequence[Point]


def seeded(*parts: object) -> random.Random:
    """Return a generator that depends on nothing but `parts`."""
    text = "\x1f".join(str(part) for part in parts)
    return random.Random(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest())


def smooth(points: Points, *, closed: bool = True, pieces: int = 7) -> list[Point]:
    """Return a Catmull-Rom curve through `points`, `pieces` segments between neighbours."""
    count = len(points)
    curve: list[Point] = []
    for index in range(count if closed else count - 1):
        if closed:
            before, after = points[index - 1], points[(index + 2) % count]
        else:
            before, after = points[max(0, index - 1)], points[min(count - 1, index + 2)]
        start, end = points[index], points[(index + 1) % count]
        for piece in range(pieces):
            t = piece / pieces
            a, b = -0.5 * t + t * t - 0.5 * t**3, 1 - 2.5 * t * t + 1.5 * t**3
            c, d = 0.5 * t + 2 * t * t - 1.5 * t**3, -0.5 * t * t + 0.5 * t**3
            curve.append(
                (
                    a * before[0] + b * start[0] + c * end[0] + d * after[0],
                    a * before[1] + b * start[1] + c * end[1] + d * after[1],
                )
            )
    if not closed:
        curve.append(points[-1])
    return curve


def band(points: Points, widths: Sequence[float]) -> list[Point]:
    """Return the outline of a stroke along `points` whose width runs through `widths`."""
    left: list[Point] = []
    right: list[Point] = []
    last = len(points) - 1
    for index, (x, y) in enumerate(points):
        ahead, behind = points[min(last, index + 1)], points[max(0, index - 1)]
        dx, dy = ahead[0] - behind[0], ahead[1] - behind[1]
        length = math.hypot(dx, dy) or 1.0
        place = index / last * (len(widths) - 1) if last else 0.0
        lower = min(int(place), len(widths) - 2) if len(widths) > 1 else 0
        upper = min(lower + 1, len(widths) - 1)
        half = (widths[lower] + (widths[upper] - widths[lower]) * (place - lower)) / 2
        left.append((x - dy / length * half, y + dx / length * half))
        right.append((x + dy / length * half, y - dx / length * half))
    return left + right[::-1]


def strip(stops: Sequence[RGB], size: tuple[int, int]) -> Image.Image:
    """Return a vertical gradient through `stops`, top to bottom."""
    column = Image.new("RGB", (1, 256))
    colours = []
    for row in range(256):
        place = row / 255 * (len(stops) - 1)
        lower = min(int(place), len(stops) - 2)
        colours.append(mix(stops[lower], stops[lower + 1], place - lower))
    column.putdata(colours)
    return column.resize(size, Image.Resampling.BILINEAR)


class Canvas:
    """One picture in the making, with the colours, the chance and the detail that belong to it."""

    def __init__(
        self, image: Image.Image, *, key: str, palette: Palette, detail: float, modifiers: frozenset[str] = frozenset()
    ) -> None:
        self.image = image
        self.modifiers = modifiers
        self.key = key
        self.palette = palette
        self.detail = detail  #: 0..1, how far the number of steps lets the drawing go
        self.width, self.height = image.size
        self.unit = min(image.size)
        self.draw = ImageDraw.Draw(image, "RGBA")

    def rng(self, name: str) -> random.Random:
        return seeded(self.key, name)

    def vary(self, name: str, low: float, high: float) -> float:
        return self.rng(name).uniform(low, high)

    def count(self, number: float, *, least: int = 1, spread: bool = False) -> int:
        """Return how many of `number` things to draw at this detail; `spread` asks for more on long pictures."""
        longer = min(6.0, self.width / self.unit) if spread else 1.0
        return max(least, round(number * longer * self.detail))

    def polygon(self, points: Points, colour: Colour) -> None:
        self.draw.polygon([(x, y) for x, y in points], fill=colour)

    def blob(self, points: Points, colour: Colour, *, pieces: int = 7) -> None:
        self.polygon(smooth(points, pieces=pieces), colour)

    def stroke(self, points: Points, widths: Sequence[float], colour: Colour, *, pieces: int = 7) -> None:
        self.polygon(band(smooth(points, closed=False, pieces=pieces), widths), colour)

    def disc(self, x: float, y: float, radius: float, colour: Colour, *, tall: float | None = None) -> None:
        other = radius if tall is None else tall
        self.draw.ellipse((x - radius, y - other, x + radius, y + other), fill=colour)

    def box(self, left: float, top: float, right: float, bottom: float, colour: Colour, *, round_by: float = 0) -> None:
        if right <= left or bottom <= top:
            return
        if round_by:
            self.draw.rounded_rectangle((left, top, right, bottom), round_by, fill=colour)
        else:
            self.draw.rectangle((left, top, right, bottom), fill=colour)

    def fill(self, *stops: RGB) -> None:
        self.image.paste(strip(stops, self.image.size))

    def shaded(self, points: Points, stops: Sequence[RGB]) -> None:
        """Fill a polygon with a vertical gradient."""
        xs, ys = [x for x, _ in points], [y for _, y in points]
        left, top = max(0, math.floor(min(xs))), max(0, math.floor(min(ys)))
        right, bottom = min(self.width, math.ceil(max(xs)) + 1), min(self.height, math.ceil(max(ys)) + 1)
        if right <= left or bottom <= top:
            return
        size = (right - left, bottom - top)
        mask = Image.new("L", size)
        ImageDraw.Draw(mask).polygon([(x - left, y - top) for x, y in points], fill=255)
        self.image.paste(strip(stops, size), (left, top), mask)

    def glow(self, x: float, y: float, radius: float, colour: RGB, strength: float, *, tall: float = 1.0) -> None:
        """Lay soft light around a point; `tall` stretches it vertically."""
        half = (max(2, round(radius)), max(2, round(radius * tall)))
        mask = _halo(strength).resize((half[0] * 2, half[1] * 2), Image.Resampling.BILINEAR)
        self.image.paste(colour, (round(x) - half[0], round(y) - half[1]), mask)

    def veil(self, colour: RGB, top: float, bottom: float, strength: float) -> None:
        """Lay a bank of mist between two heights, thickest in its middle."""
        rows = max(2, round(bottom - top))
        column = Image.new("L", (1, 64))
        column.putdata([round(255 * strength * math.sin(math.pi * row / 63) ** 2) for row in range(64)])
        mask = column.resize((self.width, rows), Image.Resampling.BILINEAR)
        self.image.paste(colour, (0, round(top)), mask)

    def lines(self, x: float, y: float, wide: float, colour: RGB, opacity: float, thick: float) -> None:
        """Draw one soft horizontal dash, pointed at both ends."""
        self.polygon([(x - wide, y), (x, y - thick), (x + wide, y), (x, y + thick)], fade(colour, opacity))


def _halo(strength: float) -> Image.Image:
    # Pillow's gradient is 181 where the rim is closest and 255 in the corners; the square falls off like light
    return Image.radial_gradient("L").point([round(255 * strength * max(0.0, 1 - v / 181) ** 2) for v in range(256)])
