"""Scenes on solid ground: mountains, meadow, forest, snow, desert."""

import itertools
import math

from easel_sketch.painting import scenery
from easel_sketch.painting.canvas import Canvas, Point
from easel_sketch.painting.colours import darken, fade, lighten, mix


def ranges(c: Canvas) -> None:
    """Draw mountain ranges, each fading into the mist before the next."""
    number = 4
    for index in range(number):
        share = index / (number - 1)
        colour = mix(mix(c.palette.far, c.palette.low, 0.42), c.palette.near, share**1.2)
        top = 0.5 + 0.13 * index + c.vary(f"range top {index}", -0.03, 0.03)
        height = 0.34 - 0.07 * index
        outline = scenery.ridge(c, f"range {index}", top, height, sharp=True)
        c.shaded(outline, [colour, mix(colour, c.palette.low, 0.15), mix(colour, c.palette.low, 0.62 - 0.4 * share)])
        if index < 2:
            _snow_caps(c, outline, top * c.height - height * 0.42 * c.unit)
        scenery_pines(c, index, outline)


def _snow_caps(c: Canvas, outline: list[Point], line: float) -> None:
    rng = c.rng("caps")
    cap: list[Point] = []
    for x, y in outline[1:-1]:
        if y < line:
            cap.append((x, y))
        elif cap:
            _cap(c, cap, line, rng.uniform(0.4, 0.8))
            cap = []


def _cap(c: Canvas, cap: list[Point], line: float, depth: float) -> None:
    if len(cap) < 3:
        return
    under = [(x, y + (line - y) * depth * (0.6 + 0.4 * (index % 2))) for index, (x, y) in enumerate(cap[::-2])]
    c.polygon([*cap, *under], fade(c.palette.paper, 0.5))


def scenery_pines(c: Canvas, index: int, outline: list[Point]) -> None:
    """Set rows of small pines on the nearer ranges."""
    if index < 2:
        return
    rng = c.rng(f"pines {index}")
    body = outline[1:-1]
    colour = mix(c.palette.near, c.palette.ink, 0.25 + 0.2 * (index - 2))
    for _ in range(c.count(30 if index == 2 else 16, least=5, spread=True)):
        x, y = body[rng.randrange(len(body))]
        tall = c.unit * rng.uniform(0.04, 0.08) * (1 + 0.7 * (index - 2))
        scenery.pine(c, x, y + tall * 0.2, tall, colour)


def hills(c: Canvas) -> None:
    number = 4
    for index in range(number):
        share = index / (number - 1)
        colour = mix(mix(c.palette.far, c.palette.low, 0.35), c.palette.near, share)
        top = 0.56 + 0.1 * index + c.vary(f"hill top {index}", -0.02, 0.02)
        outline = scenery.ridge(c, f"hill {index}", top, 0.1, sharp=False)
        c.shaded(outline, [lighten(colour, 0.14), colour, darken(colour, 0.12)])
        rng = c.rng(f"hill trees {index}")
        for _ in range(c.count(5, least=2, spread=True) if index in (1, 2) else 0):
            x, y = outline[rng.randrange(1, len(outline) - 1)]
            scenery.round_tree(
                c, x, y + c.unit * 0.008, c.unit * (0.05 + 0.05 * index), mix(colour, c.palette.ink, 0.3)
            )


def ground_flowers(c: Canvas) -> None:
    """Fill the field with flowers that grow towards the eye."""
    rng = c.rng("flowers")
    colours = (c.palette.accent, c.palette.pop, c.palette.paper, mix(c.palette.accent, c.palette.pop, 0.5))
    for depth in sorted(rng.random() for _ in range(c.count(150, least=24, spread=True))):
        y = c.height * (0.8 + 0.22 * depth)
        x, size = rng.random() * c.width, c.unit * (0.004 + 0.014 * depth**2) * rng.uniform(0.8, 1.2)
        c.stroke(
            [(x, y + size * 5), (x + size * 0.5, y)],
            [size * 0.4, size * 0.25],
            mix(c.palette.near, c.palette.ink, 0.4),
            pieces=2,
        )
        colour = rng.choice(colours)
        for petal in range(5):
            turn = petal * 1.257 + x
            c.disc(x + math.cos(turn) * size * 0.7, y + math.sin(turn) * size * 0.6, size * 0.6, colour)
        c.disc(x, y, size * 0.42, c.palette.light)


def trunks(c: Canvas) -> None:
    """Draw rows of pines, pale in the distance, dark close by."""
    snowy = c.palette.paper if is_snowy(c) else None
    rows = 4
    for row in range(rows):
        share = row / (rows - 1)
        colour = mix(mix(c.palette.far, c.palette.low, 0.55), mix(c.palette.near, c.palette.ink, 0.2), share)
        ground = c.height * (0.66 + 0.09 * row)
        rng = c.rng(f"trunks {row}")
        number = c.count((17, 12, 8, 4)[row], least=3, spread=True)
        for index in range(number):
            x = c.width * (index + rng.uniform(0.1, 0.9)) / number
            if row == rows - 1:
                x = _beside(c, x)
            tall = c.unit * rng.uniform(0.34, 0.5) * (0.8 + 0.62 * share)
            scenery.pine(c, x, ground + c.unit * rng.uniform(-0.01, 0.02), tall, colour, snow=snowy if row else None)
        c.veil(
            mix(c.palette.low, c.palette.paper, 0.3),
            ground - c.height * 0.18,
            ground + c.height * 0.06,
            0.5 - 0.3 * share,
        )
        floor = mix(mix(c.palette.low, c.palette.paper, 0.75), c.palette.far, 0.1 * row) if snowy else colour
        outline = scenery.ridge(c, f"forest floor {row}", 0.66 + 0.09 * row, 0.02, sharp=False)
        c.shaded(outline, [lighten(floor, 0.1), darken(floor, 0.06 if snowy else 0.2)])


def _beside(c: Canvas, x: float) -> float:
    """Keep the closest trees out of the middle, where the subject stands."""
    middle = c.width / 2
    return x if abs(x - middle) > c.width * 0.26 else middle + math.copysign(c.width * 0.36, x - middle)


def is_snowy(c: Canvas) -> bool:
    return "snow" in c.modifiers


def light_shafts(c: Canvas) -> None:
    rng = c.rng("shafts")
    x, y = scenery.sun_place(c)
    for _ in range(c.count(6, least=3)):
        start, end, wide = rng.uniform(-0.25, 0.25), rng.uniform(-0.6, 0.6), c.unit * rng.uniform(0.02, 0.07)
        top, foot = x + start * c.unit, x + end * c.unit
        outline = [
            (top, y - c.height * 0.4),
            (top + wide, y - c.height * 0.4),
            (foot + wide * 3.2, c.height * 0.9),
            (foot, c.height * 0.9),
        ]
        c.polygon(outline, fade(c.palette.light, rng.uniform(0.05, 0.13)))


def snow_hills(c: Canvas) -> None:
    for index in range(3):
        share = index / 2
        colour = mix(mix(c.palette.middle, c.palette.paper, 0.45), c.palette.paper, 0.3 + 0.5 * share)
        top = 0.62 + 0.12 * index
        outline = scenery.ridge(c, f"snow hill {index}", top, 0.06, sharp=False)
        rng = c.rng(f"snow pines {index}")
        for _ in range(c.count(9 - 3 * index, least=2, spread=True)):
            x, y = outline[rng.randrange(1, len(outline) - 1)]
            x = _beside(c, x) if index else x
            tree = mix(c.palette.far, c.palette.near, 0.3 + 0.6 * share)
            scenery.pine(
                c,
                x,
                y + c.unit * 0.03,
                c.unit * (0.12 + 0.1 * index) * rng.uniform(0.8, 1.3),
                tree,
                snow=c.palette.paper,
            )
        c.shaded(outline, [lighten(colour, 0.5), colour, mix(colour, c.palette.far, 0.3)])


def dunes(c: Canvas) -> None:
    """Draw dunes, each with a lit side and a side in shadow along one curved crest."""
    number = 4
    for index in range(number):
        share = index / (number - 1)
        colour = mix(mix(c.palette.far, c.palette.low, 0.5), mix(c.palette.far, c.palette.near, 0.55), share)
        top = 0.56 + 0.115 * index
        outline = scenery.ridge(c, f"dune {index}", top, 0.085, sharp=False)
        c.shaded(outline, [lighten(mix(colour, c.palette.light, 0.4), 0.1), colour, mix(colour, c.palette.near, 0.25)])
        _dune_shadow(c, outline, mix(colour, c.palette.near, 0.6), f"dune shadow {index}")
        rng = c.rng(f"ripples {index}")
        for _ in range(c.count(12, least=2, spread=True)):
            x, y = rng.random() * c.width, (top + rng.uniform(0.02, 0.25)) * c.height
            c.lines(x, y, c.unit * rng.uniform(0.03, 0.12), c.palette.near, 0.12, c.unit * 0.002)


def _dune_shadow(c: Canvas, outline: list[Point], colour: tuple[int, int, int], name: str) -> None:
    body = outline[1:-1]
    peak = min(range(len(body) // 6, len(body) * 5 // 6), key=lambda place: body[place][1])
    x, y = body[peak]
    swing, drop = c.vary(name, 0.1, 0.25) * c.unit, c.height - y
    crest = [
        (x, y),
        (x + swing * 0.5, y + drop * 0.12),
        (x - swing * 0.6, y + drop * 0.4),
        (x + swing, y + drop * 1.05),
    ]
    from_crest = [crest[0]]
    for start, end in itertools.pairwise(crest):
        for piece in range(1, 9):
            t = piece / 8
            ease = t * t * (3 - 2 * t)
            from_crest.append((start[0] + (end[0] - start[0]) * ease, start[1] + (end[1] - start[1]) * t))
    slope = [point for point in body[peak:] if point[1] < y + c.unit * 0.3]
    c.polygon([*reversed(slope), *from_crest, (slope[-1][0], c.height + 1.0)], fade(colour, 0.42))
