"""Creatures with a body plan of their own: birds, swimmers, hoofed animals, the dragon."""

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType

from easel_sketch.painting.colours import RGB, darken, fade, lighten, mix
from easel_sketch.painting.pen import Pen

INK: RGB = (34, 28, 40)
CREAM: RGB = (252, 243, 226)


def owl(pen: Pen) -> None:
    fur = pen.colour((132, 92, 66))
    pen.both([(0.12, 0.86), (0.22, 0.92), (0.3, 1.02), (0.31, 0.84), (0.24, 0.72)], darken(fur, 0.15))
    pen.mirrored([(0, 0.9), (0.22, 0.86), (0.32, 0.66), (0.34, 0.4), (0.26, 0.12), (0, 0.05)], fur)
    pen.mirrored([(0, 0.6), (0.18, 0.52), (0.22, 0.34), (0.14, 0.14), (0, 0.1)], mix(fur, CREAM, 0.7))
    for row in range(4):
        for column in range(-2 + row % 2, 3):
            x, y = (column - 0.5 * (row % 2)) * 0.075, 0.47 - row * 0.09
            pen.stroke([(x - 0.03, y), (x, y - 0.03), (x + 0.03, y)], [0.014], fade(darken(fur, 0.2), 0.7))
    pen.both([(0.24, 0.6), (0.36, 0.5), (0.38, 0.28), (0.28, 0.1), (0.22, 0.3)], darken(fur, 0.25))
    pen.pair(0.13, 0.7, 0.125, mix(fur, CREAM, 0.75))
    pen.pair(0.13, 0.7, 0.085, pen.palette.light)
    pen.eyes(0.13, 0.7, 0.055)
    pen.poly([(-0.035, 0.65), (0.035, 0.65), (0, 0.56)], (240, 168, 60))
    pen.pair(0.1, 0.04, 0.05, (240, 168, 60), tall=0.03)


def penguin(pen: Pen) -> None:
    coat = pen.colour((44, 50, 72))
    pen.both([(0.24, 0.58), (0.4, 0.4), (0.44, 0.22), (0.34, 0.26), (0.24, 0.36)], darken(coat, 0.2))
    pen.mirrored([(0, 0.98), (0.17, 0.93), (0.23, 0.76), (0.31, 0.5), (0.3, 0.2), (0.2, 0.05), (0, 0.03)], coat)
    pen.mirrored([(0, 0.66), (0.12, 0.72), (0.2, 0.56), (0.24, 0.34), (0.18, 0.11), (0, 0.07)], CREAM)
    pen.both([(0.0, 0.8), (0.08, 0.86), (0.17, 0.78), (0.12, 0.66), (0.0, 0.66)], CREAM)
    pen.eyes(0.085, 0.78, 0.03)
    pen.mirrored([(0, 0.75), (0.06, 0.72), (0, 0.66)], (247, 160, 50))
    pen.pair(0.11, 0.03, 0.1, (247, 160, 50), tall=0.04)
    pen.stroke([(-0.22, 0.63), (0, 0.58), (0.22, 0.63)], [0.08], pen.palette.accent)
    pen.stroke([(0.14, 0.61), (0.2, 0.5), (0.18, 0.4)], [0.08, 0.09], pen.palette.accent)


def frog(pen: Pen) -> None:
    skin = pen.colour((98, 168, 72))
    pen.both([(0.2, 0.36), (0.48, 0.3), (0.52, 0.08), (0.3, 0.02), (0.16, 0.08)], darken(skin, 0.12))
    pen.mirrored([(0, 0.62), (0.3, 0.56), (0.4, 0.36), (0.28, 0.06), (0, 0.03)], skin)
    pen.mirrored([(0, 0.34), (0.24, 0.3), (0.26, 0.12), (0, 0.06)], mix(skin, CREAM, 0.7))
    pen.pair(0.2, 0.62, 0.12, skin)
    pen.pair(0.2, 0.64, 0.085, CREAM)
    pen.eyes(0.2, 0.64, 0.052)
    pen.stroke([(-0.26, 0.42), (0, 0.34), (0.26, 0.42)], [0.016], darken(skin, 0.6))
    for side in (-1, 1):
        pen.stroke([(side * 0.17, 0.28), (side * 0.2, 0.12), (side * 0.2, 0.02)], [0.08, 0.07, 0.09], skin)
        pen.disc(side * 0.22, 0.025, 0.1, darken(skin, 0.1), tall=0.03)
    pen.pair(0.3, 0.44, 0.045, fade((240, 120, 120), 0.35))


def bird(pen: Pen) -> None:
    coat = pen.colour(pen.palette.accent)
    pen.blob(
        [(-0.2, 0.5), (-0.55, 0.42), (-0.78, 0.5), (-0.6, 0.34), (-0.74, 0.26), (-0.4, 0.3), (-0.1, 0.3)],
        darken(coat, 0.25),
    )
    pen.blob([(0.02, 0.5), (-0.12, 0.8), (-0.42, 1.08), (-0.34, 0.8), (-0.42, 0.62), (-0.2, 0.48)], darken(coat, 0.35))
    pen.blob([(-0.42, 0.42), (-0.1, 0.58), (0.24, 0.6), (0.44, 0.54), (0.4, 0.38), (0.14, 0.24), (-0.2, 0.28)], coat)
    pen.blob([(0.42, 0.4), (0.16, 0.25), (-0.18, 0.28), (0.06, 0.38)], mix(coat, CREAM, 0.75))
    pen.disc(0.36, 0.52, 0.14, coat)
    pen.poly([(0.47, 0.57), (0.66, 0.5), (0.48, 0.46)], (245, 178, 62))
    pen.disc(0.4, 0.55, 0.032, INK)
    pen.disc(0.41, 0.56, 0.011, (255, 255, 255))
    pen.blob(
        [
            (0.16, 0.52),
            (0.1, 0.86),
            (-0.16, 1.2),
            (-0.16, 0.94),
            (-0.3, 0.98),
            (-0.22, 0.76),
            (-0.34, 0.74),
            (-0.14, 0.46),
        ],
        darken(coat, 0.12),
    )
    for x, y in ((-0.06, 1.0), (-0.14, 0.84), (-0.16, 0.66)):
        pen.stroke([(0.1, 0.52), (x, y)], [0.012, 0.006], fade(mix(coat, CREAM, 0.7), 0.7))


def fish(pen: Pen) -> None:
    coat = pen.colour(pen.palette.accent)
    pen.blob([(-0.36, 0.46), (-0.66, 0.74), (-0.8, 0.7), (-0.66, 0.46), (-0.8, 0.22), (-0.66, 0.18)], darken(coat, 0.2))
    pen.blob([(-0.2, 0.6), (-0.1, 0.84), (0.2, 0.86), (0.26, 0.66)], darken(coat, 0.2))
    pen.blob([(-0.1, 0.3), (-0.2, 0.12), (0.06, 0.14), (0.1, 0.28)], darken(coat, 0.2))
    pen.blob(
        [(-0.5, 0.46), (-0.2, 0.64), (0.16, 0.7), (0.46, 0.6), (0.58, 0.46), (0.44, 0.32), (0.14, 0.22), (-0.2, 0.28)],
        coat,
    )
    pen.blob([(0.56, 0.44), (0.4, 0.31), (0.12, 0.225), (-0.2, 0.285), (0.1, 0.36)], mix(coat, CREAM, 0.6))
    for x in (0.2, -0.02, -0.24):
        pen.stroke(
            [(x, 0.66 - abs(x) * 0.1), (x + 0.05, 0.46), (x, 0.27)],
            [0.03, 0.075, 0.03],
            CREAM if x > 0 else fade(CREAM, 0.8),
        )
    pen.blob([(0.1, 0.44), (-0.1, 0.5), (-0.16, 0.36), (0.0, 0.34)], darken(coat, 0.28))
    pen.disc(0.4, 0.51, 0.06, (255, 255, 255))
    pen.disc(0.415, 0.51, 0.036, INK)
    pen.stroke([(0.56, 0.44), (0.5, 0.41), (0.45, 0.42)], [0.014], darken(coat, 0.6))


def whale(pen: Pen) -> None:
    skin = pen.colour(mix(pen.palette.near, (60, 110, 170), 0.55))
    belly = mix(skin, CREAM, 0.75)
    pen.blob(
        [(-0.46, 0.3), (-0.72, 0.56), (-0.98, 0.62), (-0.86, 0.74), (-0.74, 0.9), (-0.64, 0.72), (-0.36, 0.5)], skin
    )
    pen.blob(
        [
            (-0.62, 0.5),
            (-0.3, 0.36),
            (0.0, 0.56),
            (0.4, 0.64),
            (0.74, 0.5),
            (0.8, 0.24),
            (0.62, 0.06),
            (0.2, -0.02),
            (-0.2, 0.02),
            (-0.5, 0.2),
        ],
        skin,
    )
    pen.blob([(0.79, 0.24), (0.62, 0.05), (0.2, -0.03), (-0.2, 0.01), (-0.42, 0.14), (0.0, 0.12), (0.4, 0.2)], belly)
    for index in range(5):
        y = 0.14 - index * 0.032
        pen.stroke(
            [(0.66 - index * 0.05, y + 0.02), (0.3, y - 0.02), (-0.06 + index * 0.02, y - 0.03)],
            [0.008],
            fade(darken(skin, 0.2), 0.45),
        )
    pen.blob([(0.2, 0.14), (0.06, -0.04), (-0.1, -0.1), (-0.02, 0.1), (0.06, 0.2)], darken(skin, 0.25))
    pen.disc(0.5, 0.3, 0.034, INK)
    pen.disc(0.51, 0.312, 0.012, (255, 255, 255))
    pen.stroke([(0.78, 0.24), (0.62, 0.22), (0.5, 0.2)], [0.012], darken(skin, 0.5))
    spray = mix(pen.palette.paper, pen.palette.middle, 0.15)
    for lean in (-0.2, -0.06, 0.08, 0.2):
        pen.stroke(
            [(0.34, 0.62), (0.34 + lean * 0.4, 0.84), (0.34 + lean, 0.94), (0.34 + lean * 1.5, 0.84)],
            [0.03, 0.035, 0.03, 0.012],
            spray,
        )


def jellyfish(pen: Pen) -> None:
    skin = pen.colour(pen.palette.accent)
    for index in range(7):
        x = -0.24 + index * 0.08
        path = [(x + math.sin(step * 1.2 + index) * 0.05, 0.64 - step * 0.12) for step in range(6)]
        pen.stroke(path, [0.04, 0.03, 0.006], mix(skin, pen.palette.paper, 0.25 + 0.08 * (index % 3)))
    pen.mirrored([(0, 1.0), (0.22, 0.95), (0.36, 0.76), (0.34, 0.62), (0.2, 0.66), (0, 0.61)], skin)
    pen.mirrored([(0, 0.97), (0.17, 0.92), (0.27, 0.78), (0, 0.74)], fade(pen.palette.paper, 0.35))
    pen.eyes(0.1, 0.74, 0.028)
    pen.stroke([(-0.03, 0.7), (0, 0.685), (0.03, 0.7)], [0.01], INK)


def turtle(pen: Pen) -> None:
    skin, shell = pen.colour((110, 160, 90)), mix(pen.palette.near, (120, 90, 50), 0.5)
    pen.blob([(0.34, 0.44), (0.56, 0.42), (0.7, 0.52), (0.66, 0.66), (0.5, 0.66)], skin)
    pen.blob([(0.2, 0.36), (0.36, 0.1), (0.3, -0.04), (0.12, 0.06), (0.02, 0.3)], skin)
    pen.blob([(-0.3, 0.36), (-0.56, 0.2), (-0.62, 0.3), (-0.42, 0.46)], darken(skin, 0.15))
    pen.blob([(-0.5, 0.4), (-0.3, 0.66), (0.0, 0.78), (0.3, 0.66), (0.46, 0.42), (0.1, 0.28), (-0.3, 0.3)], shell)
    for x, y in ((-0.24, 0.52), (0.0, 0.58), (0.22, 0.52), (-0.12, 0.4), (0.12, 0.4)):
        pen.disc(x, y, 0.1, fade(lighten(skin, 0.2), 0.6), tall=0.075)
    pen.disc(0.6, 0.58, 0.026, INK)


def butterfly(pen: Pen) -> None:
    wing = pen.colour(pen.palette.accent)
    pen.both([(0.03, 0.5), (0.2, 0.84), (0.52, 0.98), (0.62, 0.78), (0.4, 0.52)], wing)
    pen.both([(0.03, 0.46), (0.36, 0.5), (0.5, 0.32), (0.4, 0.1), (0.2, 0.16)], pen.palette.pop)
    pen.both([(0.1, 0.54), (0.24, 0.76), (0.46, 0.86), (0.5, 0.74), (0.34, 0.58)], mix(wing, CREAM, 0.45))
    pen.pair(0.5, 0.9, 0.03, CREAM)
    pen.pair(0.36, 0.28, 0.06, mix(pen.palette.pop, CREAM, 0.6))
    pen.stroke([(0, 0.7), (0, 0.4), (0, 0.18)], [0.05, 0.06, 0.02], INK)
    for side in (-1, 1):
        pen.stroke([(0, 0.68), (side * 0.08, 0.84), (side * 0.16, 0.9)], [0.014, 0.01, 0.02], INK)


def _hoofed(pen: Pen, coat: RGB, *, legs: RGB) -> None:
    for x, lean, shade in ((-0.34, 0.06, 0.25), (0.2, -0.05, 0.25), (-0.26, -0.06, 0.0), (0.28, 0.07, 0.0)):
        tone = darken(coat, shade)
        pen.stroke([(x, 0.46), (x + lean * 0.4, 0.26), (x + lean, 0.02)], [0.13, 0.065, 0.05], tone)
        pen.stroke([(x + lean * 0.93, 0.07), (x + lean, 0.0)], [0.055, 0.065], legs)
    pen.blob(
        [
            (-0.42, 0.6),
            (-0.2, 0.64),
            (0.1, 0.6),
            (0.32, 0.68),
            (0.4, 0.52),
            (0.3, 0.36),
            (0.0, 0.36),
            (-0.3, 0.36),
            (-0.44, 0.46),
        ],
        coat,
    )
    pen.blob([(0.16, 0.6), (0.32, 0.86), (0.4, 1.02), (0.54, 1.0), (0.5, 0.82), (0.42, 0.5)], coat)
    pen.blob([(0.38, 1.04), (0.52, 1.04), (0.7, 0.9), (0.76, 0.8), (0.68, 0.75), (0.48, 0.84)], coat)
    pen.blob([(0.42, 1.0), (0.4, 1.14), (0.49, 1.05)], darken(coat, 0.1))
    pen.disc(0.54, 0.95, 0.024, INK)
    pen.disc(0.72, 0.81, 0.012, darken(coat, 0.6))


def _mane(pen: Pen, colours: tuple[RGB, ...]) -> None:
    for index in range(9):
        y = 1.06 - index * 0.055
        x = 0.4 - index * 0.033
        pen.stroke(
            [(x + 0.06, y), (x - 0.06, y - 0.02), (x - 0.13, y - 0.13)], [0.06, 0.07, 0], colours[index % len(colours)]
        )
    for index, colour in enumerate(colours * (3 // len(colours) or 1)):
        pen.stroke(
            [(-0.4, 0.58), (-0.58 - 0.03 * index, 0.5), (-0.6 + 0.04 * index, 0.26), (-0.66 + 0.06 * index, 0.1)],
            [0.05, 0.1, 0.08, 0],
            colour,
        )


def horse(pen: Pen) -> None:
    coat = pen.colour((146, 88, 54))
    _hoofed(pen, coat, legs=darken(coat, 0.6))
    _mane(pen, (darken(coat, 0.55), darken(coat, 0.4)))


def unicorn(pen: Pen) -> None:
    coat = pen.colour((250, 246, 250))
    pen.poly([(0.46, 1.03), (0.53, 1.01), (0.62, 1.29)], (245, 200, 90))
    _hoofed(pen, coat, legs=(214, 176, 214))
    _mane(pen, ((244, 130, 170), (150, 140, 236), (112, 206, 214)))
    pen.disc(0.62, 0.88, 0.035, fade((250, 130, 150), 0.35))


def deer(pen: Pen) -> None:
    coat = pen.colour((176, 112, 66))
    horn = (92, 64, 48)
    for shift in (0.0, 0.07):
        pen.stroke([(0.44 + shift, 1.02), (0.36 + shift, 1.14), (0.42 + shift, 1.28)], [0.03, 0.026, 0.01], horn)
        pen.stroke([(0.38 + shift, 1.12), (0.28 + shift, 1.2)], [0.024, 0.008], horn)
        pen.stroke([(0.37 + shift, 1.18), (0.5 + shift, 1.24)], [0.022, 0.006], horn)
    _hoofed(pen, coat, legs=darken(coat, 0.65))
    pen.blob([(-0.42, 0.6), (-0.5, 0.62), (-0.5, 0.46), (-0.42, 0.48)], CREAM)
    for x, y in ((-0.26, 0.57), (-0.12, 0.55), (0.02, 0.55), (-0.2, 0.49), (-0.06, 0.48)):
        pen.disc(x, y, 0.017, fade(CREAM, 0.9))


def dragon(pen: Pen) -> None:
    skin = pen.colour(mix(pen.palette.near, (64, 150, 110), 0.6))
    wing, belly = pen.palette.accent, mix(skin, CREAM, 0.65)
    pen.blob(
        [(0.0, 0.6), (0.1, 1.02), (0.34, 1.26), (0.36, 1.0), (0.5, 0.94), (0.38, 0.78), (0.3, 0.6)], darken(wing, 0.3)
    )
    pen.stroke(
        [(-0.16, 0.34), (-0.44, 0.16), (-0.72, 0.2), (-0.84, 0.42), (-0.7, 0.54)], [0.3, 0.2, 0.12, 0.07, 0.02], skin
    )
    pen.poly([(-0.72, 0.5), (-0.62, 0.68), (-0.56, 0.5)], wing)
    pen.blob([(-0.34, 0.5), (0.0, 0.58), (0.24, 0.56), (0.34, 0.34), (0.2, 0.1), (-0.1, 0.06), (-0.32, 0.2)], skin)
    pen.stroke([(0.12, 0.42), (0.36, 0.62), (0.36, 0.84), (0.48, 0.98)], [0.36, 0.22, 0.17, 0.14], skin)
    pen.stroke([(0.22, 0.16), (0.34, 0.34), (0.42, 0.56), (0.42, 0.78)], [0.14, 0.14, 0.1, 0.06], belly)
    for x in (-0.14, 0.18):
        pen.stroke([(x, 0.24), (x + 0.08, 0.1), (x + 0.02, 0.02)], [0.2, 0.12, 0.1], darken(skin, 0.12))
        pen.disc(x + 0.07, 0.015, 0.1, darken(skin, 0.12), tall=0.032)
    pen.blob([(0.34, 1.0), (0.46, 1.08), (0.6, 1.02), (0.8, 0.96), (0.82, 0.86), (0.6, 0.84), (0.42, 0.86)], skin)
    for x, tip in ((0.38, 0.2), (0.48, 0.3)):
        pen.stroke([(x, 1.04), (tip, 1.16), (tip - 0.02, 1.24)], [0.05, 0.035, 0.005], CREAM)
    pen.disc(0.56, 0.97, 0.035, (255, 214, 90))
    pen.disc(0.565, 0.97, 0.014, INK, tall=0.03)
    pen.disc(0.76, 0.93, 0.014, darken(skin, 0.5))
    pen.blob(
        [
            (0.08, 0.54),
            (-0.06, 0.96),
            (-0.4, 1.26),
            (-0.46, 1.02),
            (-0.72, 1.0),
            (-0.62, 0.84),
            (-0.74, 0.7),
            (-0.46, 0.72),
            (-0.3, 0.52),
        ],
        wing,
    )
    for x, y in ((-0.4, 1.24), (-0.7, 0.98), (-0.72, 0.71)):
        pen.stroke([(0.04, 0.56), (x * 0.5 - 0.02, y * 0.7 + 0.26), (x, y)], [0.045, 0.03, 0.01], darken(wing, 0.35))
    for index in range(5):
        x, y = 0.24 - index * 0.03, 0.92 - index * 0.08
        pen.poly([(x + 0.02, y + 0.04), (x - 0.09, y + 0.02), (x, y - 0.04)], wing)


MOTIFS: Mapping[str, Callable[[Pen], None]] = MappingProxyType(
    {
        motif.__name__: motif
        for motif in (
            owl,
            penguin,
            frog,
            bird,
            fish,
            whale,
            jellyfish,
            turtle,
            butterfly,
            horse,
            unicorn,
            deer,
            dragon,
        )
    }
)
