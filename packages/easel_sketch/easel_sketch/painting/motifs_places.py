"""Buildings and trees: what stands in a landscape."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from easel_sketch.painting.colours import RGB, darken, fade, lighten, mix
from easel_sketch.painting.pen import Pen

CREAM: RGB = (252, 243, 226)
WOOD: RGB = (126, 80, 54)


def house(pen: Pen) -> None:
    wall, roof = mix(pen.palette.paper, pen.palette.far, 0.25), pen.colour(pen.palette.accent)
    pen.box(0.2, 0.66, 0.32, 1.0, darken(roof, 0.45))
    for x, y, radius in ((0.28, 1.06, 0.05), (0.34, 1.14, 0.065), (0.43, 1.22, 0.05)):
        pen.disc(x, y, radius, mix(pen.palette.paper, pen.palette.middle, 0.2))
    pen.box(-0.44, 0.0, 0.44, 0.52, wall)
    for y in (0.1, 0.2, 0.3, 0.4):
        pen.stroke([(-0.44, y), (0.44, y)], [0.007], fade(darken(wall, 0.5), 0.25))
    pen.poly([(-0.55, 0.48), (-0.02, 0.98), (0.55, 0.48)], roof)
    pen.poly([(-0.55, 0.48), (-0.02, 0.98), (0.03, 0.93), (-0.43, 0.48)], darken(roof, 0.2))
    for y in (0.56, 0.66, 0.76):
        wide = (0.98 - y) * 1.02
        pen.stroke([(-wide * 0.8, y), (wide * 0.96, y)], [0.012], fade(darken(roof, 0.4), 0.4))
    pen.box(-0.1, 0.0, 0.12, 0.32, WOOD, round_by=0.04)
    pen.disc(0.08, 0.15, 0.015, pen.palette.light)
    for x in (-0.28, 0.28):
        pen.box(x - 0.1, 0.17, x + 0.1, 0.38, CREAM, round_by=0.015)
        pen.box(x - 0.08, 0.19, x + 0.08, 0.36, pen.palette.light)
        pen.stroke([(x, 0.19), (x, 0.36)], [0.014], CREAM)
        pen.stroke([(x - 0.08, 0.275), (x + 0.08, 0.275)], [0.014], CREAM)
    pen.disc(0, 0.66, 0.06, CREAM)
    pen.disc(0, 0.66, 0.042, pen.palette.light)
    for x, radius in ((-0.46, 0.09), (-0.36, 0.07), (0.4, 0.08), (0.5, 0.1)):
        pen.disc(x, 0.04, radius, mix(pen.palette.near, (60, 120, 70), 0.5))


def lighthouse(pen: Pen) -> None:
    stripe, stone = pen.colour((208, 62, 56)), mix(pen.palette.near, (96, 92, 98), 0.5)
    pen.blob([(-0.56, -0.1), (-0.46, 0.06), (-0.24, 0.16), (0.1, 0.18), (0.36, 0.1), (0.56, -0.1)], stone)
    pen.blob([(-0.4, -0.02), (-0.2, 0.1), (0.02, 0.12), (-0.1, 0.02)], lighten(stone, 0.18))
    low, high, foot, top = 0.14, 0.92, 0.18, 0.105
    pen.poly([(-foot, low), (foot, low), (top, high), (-top, high)], CREAM)
    for index in range(3):
        first, second = low + 0.08 + index * 0.26, low + 0.21 + index * 0.26
        inner = [foot + (top - foot) * (y - low) / (high - low) for y in (first, second)]
        pen.poly([(-inner[0], first), (inner[0], first), (inner[1], second), (-inner[1], second)], stripe)
    for y in (0.4, 0.66):
        pen.box(-0.025, y, 0.025, y + 0.07, darken(stone, 0.4), round_by=0.02)
    pen.box(-0.05, 0.14, 0.05, 0.27, darken(WOOD, 0.2), round_by=0.03)
    pen.box(-0.15, 0.91, 0.15, 0.95, darken(stone, 0.3), round_by=0.01)
    pen.box(-0.085, 0.95, 0.085, 1.09, pen.palette.light)
    pen.disc(0, 1.02, 0.045, (255, 255, 240))
    for x in (-0.08, 0.0, 0.08):
        pen.stroke([(x, 0.95), (x, 1.09)], [0.014], darken(stone, 0.4))
    pen.mirrored([(0, 1.22), (0.05, 1.16), (0.12, 1.08), (0, 1.08)], stripe)


def castle(pen: Pen) -> None:
    stone = pen.colour(mix(pen.palette.far, pen.palette.paper, 0.4))
    hill = mix(pen.palette.near, (74, 110, 76), 0.35)
    _spire(pen, -0.1, 0.5, 0.1, 1.02, stone)
    _spire(pen, 0.16, 0.4, 0.085, 0.9, darken(stone, 0.12))
    pen.box(-0.36, 0.1, 0.36, 0.52, darken(stone, 0.08))
    for index in range(8):
        pen.box(-0.36 + index * 0.094, 0.5, -0.305 + index * 0.094, 0.57, darken(stone, 0.08))
    _spire(pen, -0.4, 0.1, 0.115, 0.72, stone)
    _spire(pen, 0.4, 0.1, 0.115, 0.66, stone)
    pen.box(-0.17, 0.1, 0.17, 0.6, stone)
    for index in range(4):
        pen.box(-0.17 + index * 0.094, 0.58, -0.112 + index * 0.094, 0.65, stone)
    pen.box(-0.085, 0.05, 0.085, 0.33, darken(WOOD, 0.35), round_by=0.085)
    for x in (-0.04, 0.0, 0.04):
        pen.stroke([(x, 0.1), (x, 0.31)], [0.008], fade((0, 0, 0), 0.4))
    for x in (-0.27, 0.27, -0.08, 0.08):
        pen.box(x - 0.022, 0.4, x + 0.022, 0.49, pen.palette.light, round_by=0.022)
    for x, y in (
        (-0.3, 0.24),
        (-0.22, 0.32),
        (0.24, 0.22),
        (0.3, 0.31),
        (-0.12, 0.42),
        (0.11, 0.45),
        (-0.4, 0.4),
        (0.41, 0.3),
    ):
        pen.box(x - 0.03, y, x + 0.03, y + 0.022, fade(darken(stone, 0.4), 0.35), round_by=0.005)
    pen.blob([(-0.8, -0.1), (-0.6, 0.06), (-0.3, 0.15), (0.0, 0.11), (0.3, 0.15), (0.6, 0.06), (0.8, -0.1)], hill)
    pen.blob(
        [(-0.06, 0.11), (0.06, 0.11), (0.14, 0.02), (0.06, -0.1), (-0.14, -0.1), (0.0, 0.02)], mix(hill, CREAM, 0.55)
    )


def _spire(pen: Pen, x: float, low: float, half: float, high: float, stone: RGB) -> None:
    roof = mix(pen.palette.accent, pen.palette.near, 0.15)
    pen.box(x - half, low, x + half, high, stone)
    pen.box(x - half * 1.2, high - 0.04, x + half * 1.2, high, lighten(stone, 0.15))
    tip = high + half * 2.3
    pen.poly([(x - half * 1.3, high), (x, tip), (x + half * 1.3, high)], roof)
    pen.poly([(x - half * 1.3, high), (x, tip), (x - half * 0.4, high)], lighten(roof, 0.2))
    pen.stroke([(x, tip - 0.02), (x, tip + 0.05)], [0.014], darken(stone, 0.5))
    pen.poly([(x, tip + 0.06), (x, tip), (x + 0.1, tip + 0.03)], pen.palette.pop)
    pen.box(x - 0.022, high - 0.17, x + 0.022, high - 0.08, pen.palette.light, round_by=0.022)


def tree(pen: Pen) -> None:
    bark, crown = WOOD, pen.colour(mix(pen.palette.accent, pen.palette.near, 0.25))
    pen.stroke([(0.0, 0.0), (0.03, 0.2), (-0.02, 0.42), (0.03, 0.72)], [0.2, 0.12, 0.1, 0.05], bark)
    pen.stroke([(-0.01, 0.36), (-0.16, 0.5), (-0.26, 0.64)], [0.07, 0.05, 0.02], bark)
    pen.stroke([(0.0, 0.42), (0.16, 0.54), (0.26, 0.7)], [0.07, 0.05, 0.02], bark)
    for x, y, radius in (
        (0, 0.86, 0.3),
        (-0.3, 0.72, 0.22),
        (0.3, 0.74, 0.23),
        (-0.18, 0.98, 0.2),
        (0.18, 1.0, 0.2),
        (0.0, 0.66, 0.17),
    ):
        pen.disc(x, y, radius, darken(crown, 0.12))
    for x, y, radius in (
        (-0.05, 0.92, 0.24),
        (-0.32, 0.77, 0.16),
        (0.26, 0.82, 0.17),
        (-0.18, 1.04, 0.14),
        (0.16, 1.05, 0.14),
    ):
        pen.disc(x, y, radius, fade(lighten(crown, 0.18), 0.75))
    for _ in range(60):
        x, y = pen.chance.gauss(0, 0.2), 0.86 + pen.chance.gauss(0, 0.13)
        tone = pen.chance.choice((lighten(crown, 0.45), pen.palette.pop, darken(crown, 0.3)))
        pen.disc(x, y, pen.chance.uniform(0.008, 0.02), fade(tone, 0.75))


MOTIFS: Mapping[str, Callable[[Pen], None]] = MappingProxyType(
    {motif.__name__: motif for motif in (house, lighthouse, castle, tree)}
)
