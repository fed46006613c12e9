"""Pieces that several scenes share: sky, sun, clouds, stars, ridges, trees, grass, weather."""

import math

from easel_sketch.painting.canvas import Canvas, Point
from easel_sketch.painting.colours import RGB, darken, fade, lighten, mix


def sky(c: Canvas) -> None:
    palette = c.palette
    c.fill(palette.high, mix(palette.high, palette.middle, 0.6), palette.middle, palette.low, palette.low)


def sun_place(c: Canvas) -> Point:
    side = c.vary("sun side", -0.34, 0.34)
    return c.width * (0.5 + side), c.height * c.vary("sun height", 0.2, 0.36)


def sun(c: Canvas) -> None:
    x, y = sun_place(c)
    radius = c.unit * c.vary("sun size", 0.06, 0.105)
    disc(c, x, y, radius, is_moon=c.palette.is_dark)


def disc(c: Canvas, x: float, y: float, radius: float, *, is_moon: bool) -> None:
    """Draw a sun with its halo, or a moon with its seas."""
    light = c.palette.light
    c.glow(x, y, radius * 7, light, 0.42)
    c.glow(x, y, radius * 2.6, light, 0.6)
    c.disc(x, y, radius, light)
    if is_moon:
        for dx, dy, share in ((-0.35, -0.2, 0.24), (0.3, 0.15, 0.3), (-0.1, 0.5, 0.18), (0.35, -0.45, 0.13)):
            c.disc(x + dx * radius, y + dy * radius, radius * share, fade(mix(light, c.palette.middle, 0.5), 0.35))


def stars(c: Canvas) -> None:
    rng = c.rng("stars")
    for index in range(c.count(150, spread=True)):
        x, y = rng.random() * c.width, rng.random() ** 1.4 * c.height * 0.75
        size, shine = c.unit * rng.uniform(0.0011, 0.0034), rng.uniform(0.45, 1)
        c.disc(x, y, size, fade(c.palette.paper, shine))
        if index % 17 == 0:
            c.glow(x, y, size * 9, c.palette.light, 0.6)
            for dx, dy in ((1, 0), (0, 1)):
                arm = size * 4.5
                c.stroke([(x - dx * arm, y - dy * arm), (x + dx * arm, y + dy * arm)], [0, size, 0], c.palette.paper)


def clouds(c: Canvas) -> None:
    """Draw a few flat-bottomed clouds, lit from above."""
    rng = c.rng("clouds")
    for _ in range(c.count(rng.randint(3, 5), least=2, spread=True)):
        x, y = rng.random() * c.width, rng.uniform(0.06, 0.42) * c.height
        wide = c.unit * rng.uniform(0.12, 0.3)
        colour = mix(c.palette.paper, c.palette.low, rng.uniform(0.2, 0.7))
        opacity = 0.3 if c.palette.is_dark else 0.6
        cloud(c, x, y, wide, mix(colour, c.palette.middle, 0.35), opacity, rng.random())
        cloud(c, x - wide * 0.04, y - wide * 0.05, wide * 0.86, colour, opacity, rng.random())


def cloud(c: Canvas, x: float, y: float, wide: float, colour: RGB, opacity: float, turn: float) -> None:
    points: list[Point] = [(x - wide, y)]
    for index in range(1, 8):
        share = index / 8
        lift = math.sin(math.pi * share) ** 0.7 * (0.24 + 0.1 * math.sin(index * 2.4 + turn * 6.3))
        points.append((x - wide + 2 * wide * share, y - wide * lift))
    c.blob(
        [*points, (x + wide, y), (x + wide * 0.5, y + wide * 0.05), (x - wide * 0.5, y + wide * 0.05)],
        fade(colour, opacity),
    )


def haze_bands(c: Canvas) -> None:
    rng = c.rng("haze")
    for _ in range(c.count(7, least=3)):
        y = rng.uniform(0.18, 0.62) * c.height
        c.lines(
            rng.random() * c.width,
            y,
            c.width * rng.uniform(0.2, 0.5),
            c.palette.paper,
            rng.uniform(0.08, 0.22),
            c.unit * rng.uniform(0.004, 0.014),
        )


def ridge(c: Canvas, name: str, top: float, height: float, *, sharp: bool) -> list[Point]:
    """Return a skyline across the picture: rolling, or peaked when `sharp`; in pixels, closed at the bottom."""
    rng = c.rng(name)
    waves = [
        (rng.uniform(0.8, 1.3) * 1.9**octave, rng.uniform(0, 6.28), 0.5**octave) for octave in range(6 if sharp else 3)
    ]
    total = sum(weight for *_, weight in waves)
    steps = min(600, max(60, round(160 * c.width / c.unit)))
    points: list[Point] = []
    for index in range(steps + 1):
        x = index / steps * c.width
        place = x / c.unit * 3.2
        level = 0.0
        for frequency, phase, weight in waves:
            swing = math.sin(place * frequency + phase)
            level += weight * ((1 - 2 * abs(swing)) if sharp else swing)
        points.append((x, top * c.height - level / total * height * c.unit))
    return [(0, float(c.height + 1)), *points, (float(c.width), float(c.height + 1))]


def pine(c: Canvas, x: float, ground: float, tall: float, colour: RGB, *, snow: RGB | None = None) -> None:
    tiers = 5
    c.box(x - tall * 0.018, ground - tall * 0.14, x + tall * 0.018, ground + tall * 0.02, darken(colour, 0.25))
    for tier in range(tiers):
        low = ground - tall * (0.1 + 0.17 * tier)
        high = low - tall * (0.36 - 0.025 * tier)
        wide = tall * (0.23 - 0.038 * tier)
        outline = [(x, high), (x + wide, low), (x + wide * 0.45, low - tall * 0.025), (x, low + tall * 0.012)]
        outline += [(x - wide * 0.45, low - tall * 0.025), (x - wide, low)]
        c.polygon(outline, colour)
        c.polygon([(x, high), (x - wide, low), (x - wide * 0.35, low - tall * 0.02)], fade(lighten(colour, 0.3), 0.22))
        if snow:
            c.polygon(
                [
                    (x, high),
                    (x + wide * 0.5, low - tall * 0.1),
                    (x + wide * 0.1, low - tall * 0.13),
                    (x - wide * 0.3, low - tall * 0.07),
                    (x - wide * 0.62, low - tall * 0.07),
                ],
                fade(snow, 0.75),
            )


def round_tree(c: Canvas, x: float, ground: float, tall: float, colour: RGB) -> None:
    c.stroke([(x, ground), (x + tall * 0.02, ground - tall * 0.6)], [tall * 0.07, tall * 0.03], darken(colour, 0.45))
    for dx, dy, radius in ((0, 0.62, 0.25), (-0.17, 0.5, 0.18), (0.18, 0.52, 0.19), (0.02, 0.78, 0.17)):
        c.disc(x + dx * tall, ground - dy * tall, radius * tall, colour)
    for dx, dy, radius in ((-0.07, 0.7, 0.15), (-0.2, 0.54, 0.1), (0.12, 0.58, 0.09)):
        c.disc(x + dx * tall, ground - dy * tall, radius * tall, fade(lighten(colour, 0.28), 0.5))


def grass(c: Canvas) -> None:
    """Draw blades and seed heads along the lower edge."""
    rng = c.rng("grass")
    base = c.palette.ink
    for _ in range(c.count(110, least=12, spread=True)):
        x, tall = rng.random() * c.width, c.unit * rng.uniform(0.03, 0.11)
        lean = rng.uniform(-0.5, 0.5) * tall
        floor = c.height + c.unit * 0.01
        colour = mix(base, c.palette.near, rng.uniform(0, 0.8))
        c.polygon(
            [
                (x - tall * 0.05, floor),
                (x + lean * 0.4, floor - tall * 0.6),
                (x + lean, floor - tall),
                (x + tall * 0.05, floor),
            ],
            colour,
        )


def rain(c: Canvas) -> None:
    rng = c.rng("rain")
    slant = c.vary("rain slant", 0.1, 0.3)
    for _ in range(c.count(230, least=30, spread=True)):
        x, y, long = rng.uniform(-0.1, 1.05) * c.width, rng.random() * c.height, c.unit * rng.uniform(0.02, 0.07)
        thick = c.unit * 0.0012
        outline = [(x, y), (x - slant * long, y + long), (x - slant * long + thick, y + long), (x + 2 * thick, y)]
        c.polygon(outline, fade(c.palette.paper, rng.uniform(0.2, 0.5)))


def snowfall(c: Canvas) -> None:
    rng = c.rng("snowfall")
    for _ in range(c.count(190, least=20, spread=True)):
        size = c.unit * (0.0016 + 0.008 * rng.random() ** 3)
        c.disc(rng.random() * c.width, rng.random() * c.height, size, fade(c.palette.paper, rng.uniform(0.5, 0.95)))


def fog(c: Canvas) -> None:
    for index in range(3):
        middle = c.vary(f"fog {index}", 0.4, 0.95) * c.height
        c.veil(mix(c.palette.low, c.palette.paper, 0.4), middle - c.height * 0.2, middle + c.height * 0.2, 0.45)


def drifting(c: Canvas) -> None:
    """Let leaves or petals fall."""
    rng = c.rng("drifting")
    for _ in range(c.count(34, least=6, spread=True)):
        x, y, size = rng.random() * c.width, rng.random() * c.height, c.unit * rng.uniform(0.008, 0.02)
        turn = rng.uniform(0, 6.28)
        dx, dy = math.cos(turn) * size, math.sin(turn) * size
        colour = rng.choice((c.palette.accent, c.palette.pop, mix(c.palette.accent, c.palette.paper, 0.4)))
        c.blob(
            [(x - dx, y - dy), (x - dy * 0.4, y + dx * 0.4), (x + dx, y + dy), (x + dy * 0.4, y - dx * 0.4)],
            fade(colour, 0.9),
        )


def fireflies(c: Canvas) -> None:
    rng = c.rng("fireflies")
    for _ in range(c.count(38, least=8, spread=True)):
        x, y = rng.random() * c.width, rng.uniform(0.3, 0.98) * c.height
        size = c.unit * rng.uniform(0.002, 0.005)
        c.glow(x, y, size * 7, c.palette.light, 0.75)
        c.disc(x, y, size, c.palette.paper)
