"""Scenes beyond the land: sea, underwater, space, city."""

import math

from PIL import Image, ImageDraw, ImageFilter, ImageOps

from easel_sketch.painting import scenery
from easel_sketch.painting.canvas import Canvas
from easel_sketch.painting.colours import darken, fade, lighten, mix

HORIZON = 0.58


def sea_sun(c: Canvas) -> None:
    x, _ = scenery.sun_place(c)
    scenery.disc(
        c,
        x,
        c.height * c.vary("sea sun", 0.34, 0.48),
        c.unit * c.vary("sun size", 0.08, 0.13),
        is_moon=c.palette.is_dark,
    )


def water(c: Canvas) -> None:
    """Draw the sea: a gradient, glitter under the sun and rows of waves."""
    top = c.height * HORIZON
    deep = mix(c.palette.near, c.palette.high, 0.25)
    c.shaded(
        [(0, top), (c.width, top), (c.width, c.height + 1.0), (0, c.height + 1.0)],
        [mix(c.palette.middle, c.palette.low, 0.5), mix(deep, c.palette.middle, 0.4), deep],
    )
    rng = c.rng("far coast")
    for side in (-1, 1):
        wide, tall = c.width * rng.uniform(0.15, 0.4), c.unit * rng.uniform(0.02, 0.06)
        x = c.width * (0.5 + 0.5 * side)
        c.blob(
            [
                (x - wide, top),
                (x - wide * 0.4, top - tall),
                (x, top - tall * 1.4),
                (x + wide * 0.5, top - tall * 0.7),
                (x + wide, top),
            ],
            mix(c.palette.far, c.palette.low, 0.35),
        )
    c.box(0, top, c.width, top + c.unit * 0.003, fade(c.palette.paper, 0.5))
    rng = c.rng("waves")
    for _ in range(c.count(150, least=20, spread=True)):
        depth = rng.random()
        y = top + (c.height - top) * depth**1.3
        wide = c.unit * (0.02 + 0.12 * depth) * rng.uniform(0.5, 1.3)
        colour = c.palette.paper if rng.random() < 0.35 else mix(c.palette.near, c.palette.ink, 0.3)
        c.lines(rng.random() * c.width, y, wide, colour, 0.1 + 0.16 * rng.random(), c.unit * (0.001 + 0.004 * depth))
    glitter(c, scenery.sun_place(c)[0], top)


def glitter(c: Canvas, x: float, top: float) -> None:
    rng = c.rng("glitter")
    for _ in range(c.count(120, least=24)):
        depth = rng.random()
        y = top + (c.height - top) * depth * 0.95
        spread = c.unit * (0.05 + 0.17 * depth)
        c.lines(
            x + rng.gauss(0, 0.5) * spread,
            y,
            c.unit * rng.uniform(0.01, 0.05) * (0.5 + depth),
            c.palette.light,
            0.65,
            c.unit * (0.001 + 0.0035 * depth),
        )


def swell(c: Canvas) -> None:
    """Draw the waves that roll in front of the subject."""
    for index in range(3):
        colour = mix(mix(c.palette.near, c.palette.high, 0.4), c.palette.near, index / 2)
        top = 0.85 + 0.055 * index
        outline = scenery.ridge(c, f"swell {index}", top, 0.022, sharp=False)
        c.shaded(outline, [mix(colour, c.palette.middle, 0.35), colour])
        c.stroke(outline[1:-1], [c.unit * 0.003], fade(c.palette.paper, 0.3), pieces=1)


def depths(c: Canvas) -> None:
    surface = mix(c.palette.low, c.palette.paper, 0.2)
    c.fill(surface, c.palette.middle, c.palette.high, mix(c.palette.high, c.palette.near, 0.7), c.palette.near)
    c.glow(c.width * c.vary("surface", 0.3, 0.7), 0, c.unit * 0.8, c.palette.paper, 0.7)
    rng = c.rng("rays")
    for _ in range(c.count(8, least=3, spread=True)):
        x, wide, lean = rng.random() * c.width, c.unit * rng.uniform(0.02, 0.08), c.unit * rng.uniform(-0.2, 0.3)
        c.polygon(
            [(x, 0), (x + wide, 0), (x + wide * 2.6 + lean, c.height * 0.85), (x + lean, c.height * 0.85)],
            fade(c.palette.paper, 0.09),
        )


def seabed(c: Canvas) -> None:
    for index in range(3):
        colour = mix(mix(c.palette.middle, c.palette.high, 0.7), mix(c.palette.near, c.palette.ink, 0.4), index / 2)
        outline = scenery.ridge(c, f"seabed {index}", 0.78 + 0.08 * index, 0.06, sharp=False)
        c.shaded(outline, [lighten(colour, 0.1), darken(colour, 0.1)])
        _weeds(c, index)
    rng = c.rng("bubbles")
    for _ in range(c.count(46, least=8, spread=True)):
        x, y, size = rng.random() * c.width, rng.random() * c.height, c.unit * rng.uniform(0.003, 0.013)
        c.disc(x, y, size, fade(c.palette.paper, 0.22))
        c.disc(x - size * 0.3, y - size * 0.3, size * 0.3, fade(c.palette.paper, 0.7))


def _weeds(c: Canvas, index: int) -> None:
    rng = c.rng(f"weeds {index}")
    colours = (c.palette.near, c.palette.accent, c.palette.far, c.palette.pop)
    for _ in range(c.count(11, least=4, spread=True)):
        x, tall = rng.random() * c.width, c.unit * rng.uniform(0.1, 0.3) * (0.8 + 0.2 * index)
        foot = c.height * (0.84 + 0.08 * index)
        phase = rng.uniform(0, 6.28)
        path = [
            (x + math.sin(phase + step * 0.9) * tall * 0.09 * step / 3, foot - tall * step / 6) for step in range(7)
        ]
        colour = mix(rng.choice(colours), c.palette.high, 0.5 - 0.17 * index)
        c.stroke(path, [tall * 0.11, tall * 0.09, 0], colour)


def nebula(c: Canvas) -> None:
    """Fill the sky with clouds of light along one bright diagonal."""
    c.fill(c.palette.high, mix(c.palette.high, c.palette.middle, 0.7), c.palette.near)
    rng = c.rng("nebula")
    lean = rng.choice((-1, 1)) * rng.uniform(0.3, 0.9)
    colours = (
        c.palette.low,
        c.palette.accent,
        c.palette.middle,
        c.palette.pop,
        mix(c.palette.low, c.palette.accent, 0.5),
    )
    for _ in range(c.count(26, least=9)):
        along, off = rng.uniform(-0.6, 0.6), rng.gauss(0, 0.13)
        x, y = c.width * (0.5 + along), c.height * (0.45 + along * lean + off)
        c.glow(
            x,
            y,
            c.unit * rng.uniform(0.12, 0.42),
            rng.choice(colours),
            rng.uniform(0.25, 0.6),
            tall=rng.uniform(0.5, 1),
        )
    for _ in range(c.count(170, least=30, spread=True)):
        along = rng.uniform(-0.6, 0.6)
        x, y = c.width * (0.5 + along), c.height * (0.45 + along * lean + rng.gauss(0, 0.09))
        c.disc(x, y, c.unit * rng.uniform(0.0008, 0.0022), fade(c.palette.paper, rng.uniform(0.3, 0.9)))


def planets(c: Canvas) -> None:
    rng = c.rng("planets")
    side = rng.choice((-1, 1))
    planet(
        c,
        c.width * (0.5 + 0.3 * side),
        c.height * rng.uniform(0.2, 0.32),
        c.unit * rng.uniform(0.13, 0.19),
        ringed=True,
    )
    planet(
        c,
        c.width * (0.5 - rng.uniform(0.28, 0.42) * side),
        c.height * rng.uniform(0.14, 0.5),
        c.unit * rng.uniform(0.03, 0.06),
        ringed=False,
    )


def planet(c: Canvas, x: float, y: float, radius: float, *, ringed: bool) -> None:
    colour = c.palette.accent if ringed else c.palette.pop
    c.glow(x, y, radius * 2, colour, 0.4)
    if ringed:
        _ring(c, x, y, radius, front=False)
    size = max(8, round(radius * 2))
    globe = Image.new("RGB", (size, size), colour)
    inner = Canvas(globe, key=c.key, palette=c.palette, detail=c.detail)
    rng = c.rng(f"stripes {ringed}")
    for index in range(7):
        top = size * (index / 7 + rng.uniform(-0.03, 0.03))
        tone = mix(colour, rng.choice((c.palette.paper, c.palette.low, c.palette.near)), rng.uniform(0.1, 0.5))
        inner.blob(
            [
                (-size, top),
                (size * 0.3, top + size * 0.03),
                (size * 0.6, top - size * 0.02),
                (size * 2, top),
                (size * 2, top + size * 0.1),
                (-size, top + size * 0.09),
            ],
            tone,
        )
    inner.disc(size * 0.95, size * 0.98, size * 0.8, fade(c.palette.ink, 0.28))
    inner.disc(size * 1.02, size * 1.06, size * 0.7, fade(c.palette.ink, 0.45))
    inner.glow(size * 0.3, size * 0.26, size * 0.45, lighten(colour, 0.75), 0.6)
    mask = Image.new("L", (size, size))
    ImageDraw.Draw(mask).ellipse((0, 0, size - 1, size - 1), fill=255)
    c.image.paste(globe, (round(x - radius), round(y - radius)), mask)
    if ringed:
        _ring(c, x, y, radius, front=True)


def _ring(c: Canvas, x: float, y: float, radius: float, *, front: bool) -> None:
    for share, opacity in ((1.9, 0.85), (1.68, 0.5), (1.5, 0.8)):
        points = []
        for step in range(25):
            turn = math.pi * step / 24 + (0 if front else math.pi)
            dx, dy = math.cos(turn) * radius * share, math.sin(turn) * radius * share * 0.26
            points.append((x + dx * 0.95 - dy * 0.3, y + dy * 0.95 + dx * 0.3))
        c.stroke(points, [radius * 0.09], fade(mix(c.palette.light, c.palette.pop, 0.3), opacity), pieces=2)


def skyline(c: Canvas) -> None:
    """Draw three rows of towers with lit windows, haze between the rows."""
    c.glow(c.width * 0.5, c.height * 0.72, c.unit * 0.75, c.palette.low, 0.8, tall=0.7)
    for row in range(3):
        share = row / 2
        colour = mix(mix(c.palette.far, c.palette.low, 0.45), c.palette.near, share)
        rng = c.rng(f"towers {row}")
        x = -c.unit * rng.uniform(0, 0.1)
        while x < c.width:
            wide = c.unit * rng.uniform(0.06, 0.13) * (1 + 0.25 * row)
            tall = c.height * rng.uniform(0.2, 0.56) * (1 - 0.16 * row)
            _tower(c, rng.random(), x, c.height * 0.82 - tall, wide, colour, row)
            x += wide * rng.uniform(0.86, 1.25)
        c.veil(c.palette.low, c.height * 0.62, c.height * 0.98, 0.5 - 0.2 * row)
    c.box(0, c.height * 0.815, c.width, c.height, mix(c.palette.near, c.palette.ink, 0.5))


def _tower(c: Canvas, chance: float, x: float, top: float, wide: float, colour: tuple[int, int, int], row: int) -> None:
    foot = c.height * 0.82
    c.shaded([(x, top), (x + wide, top), (x + wide, foot), (x, foot)], [colour, mix(colour, c.palette.low, 0.22)])
    c.box(x + wide * 0.72, top, x + wide, foot, fade(c.palette.ink, 0.2))
    if chance < 0.3:
        c.polygon([(x + wide * 0.2, top), (x + wide * 0.5, top - wide * 0.5), (x + wide * 0.8, top)], colour)
    elif chance < 0.6:
        c.box(x + wide * 0.25, top - wide * 0.22, x + wide * 0.75, top, colour)
        c.box(x + wide * 0.48, top - wide * 0.8, x + wide * 0.52, top, colour)
        c.glow(x + wide * 0.5, top - wide * 0.8, wide * 0.18, c.palette.accent, 1)
    rng = c.rng(f"windows {row} {chance}")
    across, cell = 3 + row, wide / (4.5 + row * 1.3)
    gap = wide / across
    for line in range(min(40, int((foot - top) / (gap * 1.15)))):
        for column in range(across):
            if rng.random() > (0.25 + 0.35 * c.detail):
                continue
            left, high = x + gap * (column + 0.5) - cell / 2, top + gap * (line * 1.15 + 0.5)
            glass = rng.choice((c.palette.light, c.palette.light, c.palette.accent, c.palette.pop))
            c.box(left, high, left + cell, high + cell * 1.1, fade(glass, rng.uniform(0.35, 0.95) * (0.5 + 0.25 * row)))
    if row and chance > 0.62:
        sign = c.palette.accent if chance > 0.8 else c.palette.pop
        left, high = x + wide * 0.12, top + (foot - top) * 0.25
        c.glow(left + wide * 0.1, high + wide * 0.6, wide * 1.1, sign, 0.6)
        c.box(left, high, left + wide * 0.2, high + wide * 1.2, sign, round_by=wide * 0.05)
        for mark in range(4):
            c.box(
                left + wide * 0.05,
                high + wide * (0.12 + 0.27 * mark),
                left + wide * 0.15,
                high + wide * (0.26 + 0.27 * mark),
                c.palette.paper,
            )


def wet_street(c: Canvas) -> None:
    """Mirror the city in the street, drawn out downwards as on wet asphalt."""
    top = round(c.height * 0.82)
    rows = c.height - top
    if rows < 2:
        return
    above = c.image.crop((0, top - min(top, rows * 2), c.width, top))
    small = ImageOps.flip(above.resize((max(1, c.width // 4), max(1, rows // 8))))
    mirrored = small.filter(ImageFilter.BoxBlur(1)).resize((c.width, rows), Image.Resampling.BICUBIC)
    shade = Image.new("RGB", mirrored.size, mix(c.palette.near, c.palette.ink, 0.6))
    c.image.paste(Image.blend(mirrored, shade, 0.4), (0, top))
    rng = c.rng("puddles")
    for _ in range(c.count(60, least=8, spread=True)):
        depth = rng.random()
        colour = rng.choice((c.palette.accent, c.palette.pop, c.palette.light))
        c.lines(
            rng.random() * c.width, top + rows * depth, c.unit * rng.uniform(0.02, 0.1), colour, 0.3, c.unit * 0.0025
        )
