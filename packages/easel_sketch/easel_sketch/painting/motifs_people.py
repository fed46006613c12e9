"""People and those who look like people: portraits, the cat girl, the astronaut, the robot."""

from collections.abc import Callable, Mapping
from types import MappingProxyType

from easel_sketch.painting.colours import RGB, darken, fade, from_hex, lighten, mix
from easel_sketch.painting.pen import Pen

SKINS = tuple(from_hex(text) for text in ("f6d2b8", "eab992", "d39a6c", "a86f48", "7d4c33", "f1c6a8"))
HAIRS = tuple(from_hex(text) for text in ("3a2a28", "6b3f2a", "b5652d", "d9a441", "1f1d2b", "8a3b3b", "4a3a63"))


def person(pen: Pen) -> None:
    style = pen.chance.randrange(4)
    _bust(pen, pen.chance.choice(SKINS), pen.colour(pen.chance.choice(HAIRS)), style, cat=False)


def catgirl(pen: Pen) -> None:
    hair = pen.colour(pen.chance.choice((pen.palette.accent, pen.palette.pop, (236, 150, 180), (120, 110, 190))))
    _bust(pen, SKINS[0], hair, 1, cat=True)


def _bust(pen: Pen, skin: RGB, hair: RGB, style: int, *, cat: bool) -> None:
    cloth = mix(pen.palette.near, pen.palette.high, 0.25)
    dark = darken(hair, 0.25)
    if style == 1:
        pen.mirrored([(0, 1.02), (0.26, 0.94), (0.34, 0.66), (0.36, 0.34), (0.28, 0.12), (0, 0.16)], dark)
    elif style == 2:
        pen.disc(0.0, 1.04, 0.12, dark)
        pen.mirrored([(0, 1.0), (0.25, 0.92), (0.29, 0.68), (0.2, 0.46), (0, 0.44)], dark)
    elif style == 3:
        for x, y, r in ((0, 0.88, 0.26), (-0.2, 0.8, 0.17), (0.2, 0.8, 0.17), (-0.24, 0.62, 0.13), (0.24, 0.62, 0.13)):
            pen.disc(x, y, r, dark)
    pen.mirrored([(0, 0.36), (0.12, 0.33), (0.36, 0.24), (0.46, 0.06), (0.48, -0.12), (0, -0.12)], cloth)
    pen.mirrored([(0, 0.5), (0.085, 0.48), (0.09, 0.34), (0.14, 0.3), (0, 0.2)], darken(skin, 0.12))
    pen.stroke([(-0.16, 0.33), (0, 0.2), (0.16, 0.33)], [0.04], lighten(cloth, 0.3))
    pen.pair(0.21, 0.63, 0.045, darken(skin, 0.06), tall=0.06)
    pen.mirrored([(0, 0.9), (0.15, 0.86), (0.205, 0.7), (0.175, 0.53), (0.08, 0.435), (0, 0.42)], skin)
    if cat:
        for side in (-1, 1):
            pen.blob([(side * 0.07, 0.94), (side * 0.22, 1.2), (side * 0.3, 1.1), (side * 0.29, 0.84)], hair)
            pen.blob(
                [(side * 0.13, 0.96), (side * 0.22, 1.12), (side * 0.26, 1.04), (side * 0.25, 0.9)], (250, 190, 190)
            )
    _features(pen, skin, hair, big=cat)
    part = 0.06
    pen.blob([(part, 0.98), (0.2, 0.93), (0.27, 0.76), (0.23, 0.62), (0.19, 0.76), (0.1, 0.84), (part, 0.88)], hair)
    pen.blob(
        [(part + 0.02, 0.99), (-0.14, 0.98), (-0.26, 0.84), (-0.25, 0.62), (-0.19, 0.73), (-0.08, 0.8), (part, 0.88)],
        hair,
    )
    if style in (1, 2) and not cat:
        pen.both([(0.2, 0.74), (0.27, 0.66), (0.28, 0.44), (0.22, 0.36), (0.2, 0.56)], hair)
    if cat:
        for x in (-0.12, -0.02, 0.09):
            pen.blob([(x - 0.08, 0.92), (x + 0.07, 0.92), (x + 0.02, 0.72)], hair)
        pen.both([(0.18, 0.84), (0.27, 0.7), (0.26, 0.4), (0.2, 0.3), (0.2, 0.56)], hair)
    for x in (-0.15, -0.08):
        pen.stroke([(part, 0.96), (x, 0.93), (x - 0.07, 0.78)], [0.012, 0.012, 0.003], fade(lighten(hair, 0.45), 0.6))


def _features(pen: Pen, skin: RGB, hair: RGB, *, big: bool) -> None:
    ink = darken(mix(hair, (40, 28, 34), 0.7), 0.2)
    y, size = 0.645, 0.04 if big else 0.023
    for side in (-1, 1):
        x = side * 0.088
        if big:
            pen.disc(x, y, size, (255, 255, 255), tall=size * 1.2)
            pen.disc(x, y - 0.004, size * 0.85, pen.palette.pop, tall=size * 1.1)
        pen.disc(x, y, size * (0.5 if big else 1), ink, tall=size * (0.75 if big else 1.15))
        pen.disc(x - 0.3 * size, y + 0.45 * size, size * 0.34, (255, 255, 255))
        pen.stroke(
            [(x - side * 0.045, y + size + 0.002), (x, y + size * 1.35), (x + side * 0.052, y + size * 0.9)],
            [0.008, 0.014, 0.004],
            ink,
        )
        pen.stroke(
            [(x - side * 0.04, y + 0.075), (x + side * 0.01, y + 0.088), (x + side * 0.055, y + 0.07)],
            [0.012, 0.014, 0.004],
            fade(ink, 0.8),
        )
        pen.disc(side * 0.125, 0.56, 0.036, fade((238, 104, 104), 0.26))
    pen.stroke([(0.008, 0.62), (0.022, 0.575), (0, 0.567)], [0.004, 0.009, 0.007], darken(skin, 0.35))
    lips = mix(skin, (196, 60, 74), 0.72)
    pen.mirrored([(0, 0.508), (0.022, 0.514), (0.05, 0.504), (0.024, 0.488), (0, 0.484)], lips)


def astronaut(pen: Pen) -> None:
    suit = pen.colour((240, 240, 244))
    shade = mix(suit, pen.palette.middle, 0.3)
    pen.box(-0.27, 0.26, 0.27, 0.68, darken(shade, 0.3), round_by=0.08)
    for side, hand in ((-1, (-0.5, 0.3)), (1, (0.5, 0.82))):
        pen.stroke([(side * 0.16, 0.56), (side * 0.36, 0.5 + 0.06 * side), hand], [0.17, 0.15, 0.13], suit)
        pen.disc(*hand, 0.075, pen.palette.accent)
        pen.stroke([(side * 0.1, 0.28), (side * 0.16, 0.14), (side * 0.17 + 0.05, 0.03)], [0.19, 0.16, 0.15], shade)
        pen.box(side * 0.17 - 0.05, -0.04, side * 0.17 + 0.15, 0.05, pen.palette.accent, round_by=0.035)
    pen.mirrored([(0, 0.64), (0.2, 0.6), (0.23, 0.4), (0.18, 0.24), (0, 0.22)], suit)
    pen.box(-0.11, 0.36, 0.11, 0.5, shade, round_by=0.025)
    for x, colour in ((-0.06, pen.palette.accent), (0.0, pen.palette.light), (0.06, pen.palette.pop)):
        pen.disc(x, 0.45, 0.018, colour)
    pen.box(-0.07, 0.385, 0.07, 0.405, darken(shade, 0.3), round_by=0.01)
    pen.disc(0, 0.8, 0.25, suit)
    pen.pair(0.245, 0.8, 0.05, pen.palette.accent, tall=0.08)
    pen.disc(0.01, 0.79, 0.19, darken(pen.palette.near, 0.3), tall=0.165)
    pen.blob(
        [(-0.16, 0.8), (-0.1, 0.9), (0.05, 0.935), (0.15, 0.88), (0.02, 0.86), (-0.1, 0.8)],
        mix(pen.palette.accent, pen.palette.light, 0.4),
    )
    pen.disc(0.07, 0.72, 0.06, fade(pen.palette.low, 0.7))
    pen.disc(-0.09, 0.86, 0.026, (255, 255, 255))


def robot(pen: Pen) -> None:
    steel = pen.colour(mix(pen.palette.far, (176, 190, 204), 0.6))
    dark = darken(steel, 0.45)
    for side in (-1, 1):
        pen.stroke([(side * 0.12, 0.28), (side * 0.14, 0.04)], [0.1, 0.09], dark)
        pen.box(side * 0.15 - 0.1, -0.02, side * 0.15 + 0.1, 0.07, steel, round_by=0.035)
        pen.stroke(
            [(side * 0.26, 0.54), (side * 0.42, 0.42), (side * 0.4, 0.24 + 0.16 * (side > 0))], [0.09, 0.08], dark
        )
        pen.disc(side * 0.4, 0.22 + 0.16 * (side > 0), 0.065, pen.palette.accent)
        pen.disc(side * 0.27, 0.54, 0.07, steel)
    pen.box(-0.25, 0.22, 0.25, 0.62, steel, round_by=0.08)
    pen.box(-0.16, 0.31, 0.16, 0.53, lighten(steel, 0.35), round_by=0.04)
    pen.disc(-0.06, 0.44, 0.055, pen.palette.accent)
    for index in range(3):
        pen.box(
            0.03,
            0.36 + index * 0.05,
            0.12 - index * 0.02,
            0.385 + index * 0.05,
            (pen.palette.pop, pen.palette.light, dark)[index],
            round_by=0.01,
        )
    pen.box(-0.06, 0.6, 0.06, 0.68, dark)
    pen.stroke([(0, 0.98), (0, 1.14)], [0.025], dark)
    pen.disc(0, 1.16, 0.05, pen.palette.accent)
    pen.pair(0.32, 0.82, 0.05, dark, tall=0.08)
    pen.box(-0.3, 0.66, 0.3, 1.0, steel, round_by=0.12)
    pen.box(-0.24, 0.71, 0.24, 0.95, darken(pen.palette.ink, 0.2), round_by=0.09)
    glow = lighten(pen.palette.pop, 0.25)
    pen.pair(0.11, 0.86, 0.05, glow, tall=0.06)
    pen.stroke([(-0.09, 0.765), (0, 0.745), (0.09, 0.765)], [0.018], glow)


MOTIFS: Mapping[str, Callable[[Pen], None]] = MappingProxyType(
    {"person": person, "catgirl": catgirl, "astronaut": astronaut, "robot": robot}
)
