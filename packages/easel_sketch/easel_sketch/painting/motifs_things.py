"""Things and plants: vehicles, flowers, cups, lanterns."""

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

from easel_sketch.painting.colours import RGB, darken, fade, lighten, mix
from easel_sketch.painting.pen import Pen

INK: RGB = (34, 28, 40)
CREAM: RGB = (252, 243, 226)
WOOD: RGB = (136, 86, 54)


def ship(pen: Pen) -> None:
    hull, sail = pen.colour(pen.palette.accent), mix(pen.palette.paper, CREAM, 0.5)
    pen.stroke([(0.02, 0.16), (0.02, 1.16)], [0.035, 0.022], WOOD)
    pen.blob([(-0.02, 1.06), (-0.2, 0.8), (-0.46, 0.36), (-0.26, 0.3), (-0.03, 0.3)], sail)
    pen.blob([(0.07, 1.1), (0.3, 0.84), (0.5, 0.42), (0.34, 0.3), (0.07, 0.3)], mix(sail, pen.palette.pop, 0.5))
    for y in (0.48, 0.66, 0.84):
        pen.stroke([(-0.36 + y * 0.24, y), (-0.03, y - 0.01)], [0.01], fade(darken(sail, 0.3), 0.5))
    pen.poly([(0.02, 1.17), (0.02, 1.06), (0.2, 1.12)], hull)
    pen.blob(
        [
            (-0.6, 0.24),
            (-0.3, 0.19),
            (0.3, 0.19),
            (0.66, 0.28),
            (0.5, 0.06),
            (0.38, -0.05),
            (-0.36, -0.05),
            (-0.5, 0.06),
        ],
        hull,
    )
    pen.stroke([(-0.57, 0.19), (-0.3, 0.14), (0.3, 0.14), (0.6, 0.21)], [0.035], CREAM)
    for x in (-0.28, -0.06, 0.16):
        pen.disc(x, 0.06, 0.034, darken(hull, 0.55))
        pen.disc(x, 0.06, 0.022, pen.palette.light)


def car(pen: Pen) -> None:
    paint, glass = pen.colour(pen.palette.accent), mix(pen.palette.high, pen.palette.paper, 0.45)
    pen.blob(
        [(-0.44, 0.36), (-0.34, 0.6), (-0.16, 0.68), (0.16, 0.68), (0.32, 0.56), (0.46, 0.36)], darken(paint, 0.08)
    )
    pen.poly([(-0.37, 0.4), (-0.29, 0.57), (-0.15, 0.62), (-0.03, 0.62), (-0.03, 0.4)], glass)
    pen.poly([(0.03, 0.4), (0.03, 0.62), (0.15, 0.62), (0.27, 0.54), (0.37, 0.4)], glass)
    pen.poly([(0.06, 0.4), (0.15, 0.6), (0.2, 0.6), (0.12, 0.4)], fade(CREAM, 0.5))
    pen.blob(
        [
            (-0.72, 0.36),
            (-0.5, 0.42),
            (0.0, 0.41),
            (0.5, 0.4),
            (0.74, 0.32),
            (0.78, 0.16),
            (0.6, 0.09),
            (-0.6, 0.09),
            (-0.76, 0.16),
        ],
        paint,
    )
    pen.box(-0.7, 0.2, 0.72, 0.235, lighten(paint, 0.55), round_by=0.015)
    pen.stroke([(0, 0.4), (0, 0.12)], [0.01], fade(darken(paint, 0.5), 0.6))
    pen.box(0.06, 0.29, 0.15, 0.31, darken(paint, 0.5), round_by=0.01)
    pen.disc(0.7, 0.27, 0.055, (255, 240, 180))
    pen.box(-0.75, 0.24, -0.69, 0.32, (220, 60, 60), round_by=0.02)
    for x in (-0.44, 0.44):
        pen.disc(x, 0.11, 0.15, INK)
        pen.disc(x, 0.11, 0.085, (206, 208, 214))
        pen.disc(x, 0.11, 0.035, darken(paint, 0.3))


def rocket(pen: Pen) -> None:
    shell, fin = mix(pen.palette.paper, (236, 236, 240), 0.5), pen.colour(pen.palette.accent)
    pen.blob([(-0.12, 0.22), (-0.15, 0.06), (0, -0.11), (0.15, 0.06), (0.12, 0.22)], (255, 138, 46))
    pen.blob([(-0.07, 0.22), (-0.08, 0.1), (0, 0.0), (0.08, 0.1), (0.07, 0.22)], (255, 226, 120))
    pen.both([(0.14, 0.5), (0.34, 0.34), (0.38, 0.12), (0.26, 0.18), (0.13, 0.24)], fin)
    pen.mirrored([(0, 1.26), (0.1, 1.1), (0.2, 0.8), (0.21, 0.5), (0.14, 0.22), (0, 0.2)], shell)
    pen.mirrored([(0, 1.26), (0.07, 1.16), (0.155, 0.97), (0, 0.95)], fin)
    pen.box(-0.17, 0.29, 0.17, 0.34, fin, round_by=0.02)
    pen.disc(0, 0.72, 0.105, darken(shell, 0.35))
    pen.disc(0, 0.72, 0.08, mix(pen.palette.pop, (90, 190, 230), 0.5))
    pen.disc(-0.025, 0.745, 0.03, (255, 255, 255))
    pen.disc(0, 0.5, 0.05, darken(shell, 0.35))
    pen.disc(0, 0.5, 0.036, pen.palette.pop)
    pen.stroke([(0, 0.36), (0, 0.16)], [0.05, 0.04], darken(fin, 0.2))


def balloon(pen: Pen) -> None:
    item, two = pen.colour(pen.palette.accent), pen.palette.pop
    for side in (-1, 1):
        pen.stroke([(side * 0.16, 0.42), (side * 0.08, 0.2)], [0.01], WOOD)
    pen.mirrored([(0, 1.26), (0.26, 1.18), (0.41, 0.92), (0.32, 0.6), (0.13, 0.37), (0, 0.35)], item)
    pen.mirrored([(0, 1.26), (0.19, 1.16), (0.28, 0.9), (0.21, 0.58), (0.09, 0.37), (0, 0.35)], CREAM)
    pen.mirrored([(0, 1.26), (0.1, 1.15), (0.14, 0.9), (0.1, 0.56), (0.04, 0.37), (0, 0.35)], two)
    pen.stroke([(-0.39, 0.82), (0, 0.74), (0.39, 0.82)], [0.06], fade(pen.palette.near, 0.75))
    pen.box(-0.1, 0.04, 0.1, 0.21, WOOD, round_by=0.03)
    pen.box(-0.115, 0.18, 0.115, 0.22, darken(WOOD, 0.3), round_by=0.015)
    for y in (0.08, 0.13):
        pen.stroke([(-0.1, y), (0.1, y)], [0.008], fade(darken(WOOD, 0.5), 0.5))


def cup(pen: Pen) -> None:
    glaze = pen.colour(mix(pen.palette.accent, CREAM, 0.25))
    steam = mix(pen.palette.paper, pen.palette.middle, 0.25)
    for x in (-0.14, 0.02, 0.18):
        pen.stroke([(x, 0.78), (x + 0.06, 0.9), (x - 0.03, 1.03), (x + 0.05, 1.18)], [0.015, 0.045, 0.035, 0], steam)
    pen.disc(0.02, 0.06, 0.58, darken(CREAM, 0.1), tall=0.085)
    pen.disc(0.02, 0.085, 0.56, CREAM, tall=0.075)
    pen.stroke([(0.34, 0.58), (0.58, 0.58), (0.6, 0.38), (0.42, 0.26), (0.3, 0.28)], [0.07], glaze)
    pen.mirrored([(0, 0.68), (0.36, 0.68), (0.4, 0.64), (0.36, 0.36), (0.24, 0.12), (0.1, 0.08), (0, 0.08)], glaze)
    pen.disc(0, 0.66, 0.395, lighten(glaze, 0.35), tall=0.085)
    pen.disc(0, 0.655, 0.35, (92, 54, 36), tall=0.068)
    pen.disc(-0.06, 0.66, 0.16, (196, 146, 100), tall=0.03)
    pen.stroke([(-0.34, 0.42), (0, 0.35), (0.34, 0.42)], [0.05], fade(CREAM, 0.7))
    pen.stroke([(-0.28, 0.56), (-0.26, 0.4), (-0.2, 0.26)], [0.02, 0.045, 0.02], fade((255, 255, 255), 0.45))


def plant(pen: Pen) -> None:
    leaf = mix(pen.palette.near, (70, 150, 90), 0.65)
    for turn, long, shade in (
        (-60, 0.62, 0.2),
        (58, 0.64, 0.2),
        (-34, 0.8, 0.08),
        (32, 0.78, 0.0),
        (-4, 0.88, 0.0),
        (-74, 0.4, 0.0),
        (76, 0.42, 0.1),
    ):
        angle = math.radians(turn)
        dx, dy = math.sin(angle) * long, math.cos(angle) * long
        tone = darken(leaf, shade)
        nx, ny = dy * 0.17, -dx * 0.17
        pen.blob(
            [(0, 0.38), (dx * 0.5 + nx, 0.38 + dy * 0.5 + ny), (dx, 0.38 + dy), (dx * 0.5 - nx, 0.38 + dy * 0.5 - ny)],
            tone,
        )
        pen.stroke([(0, 0.38), (dx * 0.92, 0.38 + dy * 0.92)], [0.016, 0.004], fade(lighten(tone, 0.5), 0.7))
    pot = pen.colour(mix(pen.palette.accent, (200, 104, 70), 0.5))
    pen.mirrored([(0, 0.38), (0.27, 0.38), (0.25, 0.2), (0.18, 0.02), (0, 0.01)], pot)
    pen.box(-0.3, 0.32, 0.3, 0.43, lighten(pot, 0.12), round_by=0.03)
    pen.stroke([(-0.23, 0.2), (0, 0.17), (0.23, 0.2)], [0.035], fade(CREAM, 0.6))


def lantern(pen: Pen) -> None:
    metal, light = pen.colour(darken(pen.palette.near, 0.1)), mix(pen.palette.light, (255, 214, 120), 0.5)
    pen.stroke([(-0.16, 0.9), (-0.1, 1.1), (0.1, 1.1), (0.16, 0.9)], [0.03], metal)
    pen.box(-0.22, 0.12, 0.22, 0.8, light, round_by=0.05)
    pen.blob([(-0.05, 0.22), (-0.07, 0.36), (0, 0.56), (0.07, 0.36), (0.05, 0.22)], (255, 150, 60))
    pen.blob([(-0.025, 0.24), (-0.03, 0.34), (0, 0.44), (0.03, 0.34), (0.025, 0.24)], (255, 246, 200))
    for x in (-0.22, 0.0, 0.22):
        pen.stroke([(x, 0.12), (x, 0.82)], [0.025 if x else 0.014], metal)
    pen.poly([(-0.28, 0.78), (0.28, 0.78), (0.12, 0.96), (-0.12, 0.96)], metal)
    pen.box(-0.28, 0.02, 0.28, 0.14, metal, round_by=0.03)


def crystal(pen: Pen) -> None:
    gem = pen.colour(pen.palette.accent)
    for x, tall, wide, lean in (
        (-0.34, 0.55, 0.13, -0.16),
        (0.34, 0.62, 0.14, 0.14),
        (-0.14, 0.84, 0.17, -0.06),
        (0.14, 1.12, 0.2, 0.05),
    ):
        top = (x + lean, tall)
        pen.poly(
            [(x - wide, 0.02), (x - wide + lean * 0.7, tall * 0.76), top, (x + lean * 0.7, tall * 0.7), (x, 0)],
            lighten(gem, 0.35),
        )
        pen.poly(
            [(x, 0), (x + lean * 0.7, tall * 0.7), top, (x + wide + lean * 0.7, tall * 0.74), (x + wide, 0.02)],
            darken(gem, 0.18),
        )
        pen.poly([(x - wide + lean * 0.7, tall * 0.76), top, (x + lean * 0.7, tall * 0.7)], lighten(gem, 0.7))
        pen.poly(
            [
                (x - wide * 0.7, 0.08),
                (x - wide * 0.6 + lean * 0.5, tall * 0.6),
                (x - wide * 0.4 + lean * 0.5, tall * 0.56),
                (x - wide * 0.5, 0.08),
            ],
            fade(CREAM, 0.4),
        )


def mushroom(pen: Pen) -> None:
    cap = pen.colour((214, 62, 50))
    pen.mirrored([(0, 0.6), (0.13, 0.56), (0.13, 0.3), (0.19, 0.06), (0, 0.0)], CREAM)
    pen.mirrored([(0, 0.54), (0.2, 0.5), (0.34, 0.44), (0, 0.4)], darken(CREAM, 0.14))
    pen.mirrored([(0, 1.0), (0.24, 0.94), (0.45, 0.7), (0.48, 0.5), (0.26, 0.48), (0, 0.5)], cap)
    for x, y, radius in (
        (-0.22, 0.78, 0.07),
        (0.06, 0.88, 0.06),
        (0.26, 0.72, 0.055),
        (0.02, 0.66, 0.075),
        (-0.36, 0.58, 0.045),
        (0.38, 0.55, 0.035),
        (-0.17, 0.57, 0.03),
    ):
        pen.disc(x, y, radius, CREAM, tall=radius * 0.8)
    pen.eyes(0.055, 0.32, 0.018)
    pen.stroke([(-0.022, 0.275), (0, 0.262), (0.022, 0.275)], [0.008], INK)


def flower(pen: Pen) -> None:
    petal, stem = pen.colour(pen.palette.accent), mix(pen.palette.near, (70, 140, 80), 0.6)
    pen.stroke([(0.04, 0.0), (-0.03, 0.3), (0, 0.7)], [0.045, 0.04, 0.035], stem)
    pen.blob([(0, 0.16), (0.16, 0.22), (0.36, 0.44), (0.14, 0.38)], stem)
    pen.blob([(0, 0.26), (-0.14, 0.34), (-0.34, 0.54), (-0.14, 0.46)], darken(stem, 0.12))
    for ring, (reach, tone) in enumerate(((0.36, darken(petal, 0.16)), (0.3, petal))):
        for index in range(9):
            turn = (index + ring * 0.5) * math.tau / 9
            dx, dy = math.cos(turn) * reach, math.sin(turn) * reach
            pen.blob(
                [
                    (0, 0.84),
                    (dx * 0.6 - dy * 0.3, 0.84 + dy * 0.6 + dx * 0.3),
                    (dx, 0.84 + dy),
                    (dx * 0.6 + dy * 0.3, 0.84 + dy * 0.6 - dx * 0.3),
                ],
                tone,
            )
            pen.stroke(
                [(dx * 0.3, 0.84 + dy * 0.3), (dx * 0.85, 0.84 + dy * 0.85)],
                [0.012, 0.002],
                fade(darken(petal, 0.4), 0.4),
            )
    pen.disc(0, 0.84, 0.125, mix(pen.palette.pop, (240, 180, 50), 0.5))
    for index in range(12):
        pen.disc(
            math.cos(index * 2.4) * 0.026 * math.sqrt(index),
            0.84 + math.sin(index * 2.4) * 0.026 * math.sqrt(index),
            0.013,
            fade((120, 70, 20), 0.7),
        )


MOTIFS: Mapping[str, Callable[[Pen], None]] = MappingProxyType(
    {motif.__name__: motif for motif in (ship, car, rocket, balloon, cup, plant, lantern, crystal, mushroom, flower)}
)
