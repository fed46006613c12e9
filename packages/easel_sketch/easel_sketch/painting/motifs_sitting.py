"""Animals that sit and look at you: one body plan, with ears, tails, coats and faces to taste."""

from dataclasses import dataclass

from easel_sketch.painting.colours import RGB, darken, fade, from_hex, lighten, mix
from easel_sketch.painting.pen import Pen


@dataclass(frozen=True, kw_only=True)
class Coat:
    """The features in which sitting animals differ."""

    fur: str
    belly: str
    ears: str = "pointed"
    tail: str = "none"
    mask: str = "muzzle"
    marks: str = "none"
    head: float = 0.25  #: half the head's width
    body: float = 0.27


COATS = {
    "fox": Coat(fur="dd6426", belly="fbf1e2", tail="bushy", mask="cheeks", marks="socks", head=0.27, body=0.23),
    "cat": Coat(fur="e39a4f", belly="fdf1e0", tail="curl", marks="tabby", head=0.27, body=0.24),
    "dog": Coat(fur="c98d52", belly="fbf0df", ears="floppy", tail="curl", head=0.25, body=0.26),
    "wolf": Coat(fur="6f7a8a", belly="e8e8e6", tail="bushy", mask="cheeks", head=0.26, body=0.27),
    "bear": Coat(fur="7d5236", belly="c79b6d", ears="round", head=0.26, body=0.34),
    "panda": Coat(fur="f6f4ee", belly="f6f4ee", ears="round", marks="panda", head=0.29, body=0.33),
    "rabbit": Coat(fur="cdb79f", belly="fbf3e8", ears="long", tail="puff", head=0.22, body=0.25),
    "tiger": Coat(fur="e88a2e", belly="fdf3e2", ears="round", tail="curl", marks="stripes", head=0.29, body=0.3),
    "lion": Coat(fur="dba24d", belly="f6e1b5", ears="round", tail="curl", marks="mane", head=0.26, body=0.3),
    "mouse": Coat(fur="a79c98", belly="f4ece6", ears="huge", tail="thin", head=0.23, body=0.22),
    "raccoon": Coat(fur="7c7f86", belly="dcd9d2", ears="round", tail="bushy", marks="bandit", head=0.27, body=0.28),
    "pig": Coat(fur="f0a3a8", belly="f9c9c8", ears="floppy", mask="snout", head=0.27, body=0.32),
}


def draw(pen: Pen, name: str) -> None:
    coat = COATS[name]
    fur, belly = pen.colour(from_hex(coat.fur)), from_hex(coat.belly)
    _tail(pen, coat, fur, belly)
    _body(pen, coat, fur, belly)
    if coat.marks == "mane":
        for x, y, radius in (
            (0, 0.72, 0.36),
            (-0.2, 0.62, 0.2),
            (0.2, 0.62, 0.2),
            (0, 0.52, 0.24),
            (-0.22, 0.84, 0.18),
            (0.22, 0.84, 0.18),
        ):
            pen.disc(x, y, radius, darken(mix(fur, (150, 60, 20), 0.5), 0.1))
    _ears(pen, coat, fur)
    _head(pen, coat, fur, belly)
    _face(pen, coat, fur)


def _tail(pen: Pen, coat: Coat, fur: RGB, belly: RGB) -> None:
    if coat.tail == "bushy":
        pen.blob(
            [
                (0.12, 0.06),
                (0.4, 0.02),
                (0.62, 0.16),
                (0.66, 0.4),
                (0.54, 0.58),
                (0.46, 0.4),
                (0.36, 0.24),
                (0.16, 0.22),
            ],
            darken(fur, 0.08),
        )
        pen.blob([(0.62, 0.3), (0.67, 0.44), (0.54, 0.6), (0.47, 0.42), (0.55, 0.4)], belly)
        if coat.marks == "bandit":
            for y in (0.14, 0.27):
                pen.stroke([(0.36, y + 0.04), (0.66, y)], [0.07], fade((30, 28, 34), 0.6))
    elif coat.tail == "curl":
        pen.stroke(
            [(0.12, 0.06), (0.38, 0.06), (0.54, 0.2), (0.5, 0.4), (0.6, 0.52)],
            [0.1, 0.09, 0.08, 0.07, 0.03],
            darken(fur, 0.1),
        )
    elif coat.tail == "thin":
        pen.stroke(
            [(0.1, 0.04), (0.4, 0.03), (0.6, 0.14), (0.5, 0.3), (0.66, 0.4)],
            [0.035, 0.03, 0.015],
            mix(fur, (240, 160, 160), 0.5),
        )
    elif coat.tail == "puff":
        pen.disc(0.27, 0.12, 0.1, belly)


def _body(pen: Pen, coat: Coat, fur: RGB, belly: RGB) -> None:
    b = coat.body
    limb = (42, 38, 44) if coat.marks == "panda" else darken(fur, 0.5 if coat.marks == "socks" else 0.06)
    pen.mirrored([(0, 0.64), (b * 0.62, 0.56), (b * 0.86, 0.34), (b * 1.12, 0.14), (b * 0.95, 0.01), (0, 0.0)], fur)
    pen.both([(b * 0.5, 0.22), (b * 1.05, 0.22), (b * 1.3, 0.08), (b * 1.15, 0.0), (b * 0.55, 0.0)], darken(fur, 0.06))
    if coat.marks == "panda":
        pen.mirrored([(0, 0.6), (b * 0.7, 0.54), (b * 0.85, 0.4), (0, 0.38)], limb)
    pen.mirrored([(0, 0.56), (b * 0.42, 0.48), (b * 0.5, 0.28), (b * 0.3, 0.1), (0, 0.08)], belly)
    for side in (-1, 1):
        pen.stroke([(side * b * 0.4, 0.36), (side * b * 0.36, 0.18), (side * b * 0.36, 0.03)], [0.1, 0.1, 0.09], fur)
        pen.stroke([(side * b * 0.36, 0.14), (side * b * 0.36, 0.03)], [0.095, 0.09], limb)
        pen.disc(side * b * 0.38, 0.022, 0.062, limb, tall=0.034)
    pen.stroke([(0, 0.24), (0, 0.02)], [0.006], fade(darken(fur, 0.6), 0.7))
    if coat.marks in {"stripes", "tabby"}:
        for y in (0.2, 0.3, 0.4):
            for side in (-1, 1):
                pen.stroke(
                    [(side * b * 1.08, y + 0.02), (side * b * 0.7, y), (side * b * 0.52, y - 0.02)],
                    [0.035, 0.02, 0],
                    fade(darken(fur, 0.65), 0.75 if coat.marks == "stripes" else 0.35),
                )


def _ears(pen: Pen, coat: Coat, fur: RGB) -> None:
    h, inner = coat.head, mix(fur, (250, 180, 170), 0.55)
    if coat.ears == "pointed":
        tip = darken(fur, 0.5) if coat.marks == "socks" or coat.tail == "bushy" else fur
        pen.both([(h * 0.12, 0.9), (h * 0.62, 1.06), (h * 0.8, 1.16), (h * 0.98, 0.98), (h * 0.98, 0.74)], tip)
        pen.both([(h * 0.2, 0.88), (h * 0.62, 1.02), (h * 0.9, 0.94), (h * 0.9, 0.74)], fur)
        pen.both([(h * 0.42, 0.88), (h * 0.7, 1.05), (h * 0.84, 0.94), (h * 0.82, 0.8)], inner)
    elif coat.ears == "round":
        dark = (42, 38, 44) if coat.marks in {"panda", "bandit"} else fur
        pen.pair(h * 0.74, 0.93, 0.095, dark)
        pen.pair(h * 0.74, 0.925, 0.055, mix(dark, (250, 180, 160), 0.35))
    elif coat.ears == "huge":
        pen.pair(h * 0.95, 0.96, 0.17, fur)
        pen.pair(h * 0.95, 0.95, 0.12, inner)
    elif coat.ears == "long":
        pen.both([(h * 0.15, 0.85), (h * 0.2, 1.1), (h * 0.42, 1.26), (h * 0.68, 1.1), (h * 0.62, 0.85)], fur)
        pen.both([(h * 0.3, 0.88), (h * 0.34, 1.1), (h * 0.43, 1.19), (h * 0.54, 1.08), (h * 0.5, 0.88)], inner)


def _head(pen: Pen, coat: Coat, fur: RGB, belly: RGB) -> None:
    h = coat.head
    pen.mirrored([(0, 0.97), (h * 0.6, 0.94), (h * 0.96, 0.8), (h * 1.02, 0.66), (h * 0.62, 0.52), (0, 0.47)], fur)
    if coat.mask == "cheeks":
        pen.both(
            [(h * 0.06, 0.62), (h * 0.3, 0.68), (h * 0.66, 0.7), (h * 1.06, 0.64), (h * 0.62, 0.51), (h * 0.08, 0.465)],
            belly,
        )
    elif coat.mask == "snout":
        pen.disc(0, 0.62, h * 0.42, darken(fur, 0.1), tall=h * 0.3)
        pen.pair(h * 0.15, 0.62, h * 0.07, darken(fur, 0.45), tall=h * 0.1)
    else:
        pen.pair(h * 0.2, 0.585, h * 0.27, belly)
        pen.disc(0, 0.545, h * 0.2, belly)
    if coat.ears == "floppy":
        pen.both(
            [(h * 0.5, 0.92), (h * 0.95, 0.92), (h * 1.3, 0.72), (h * 1.22, 0.52), (h * 1.0, 0.56), (h * 0.86, 0.76)],
            darken(fur, 0.28),
        )
    if coat.marks in {"stripes", "tabby"}:
        ink = fade(darken(fur, 0.65), 0.8 if coat.marks == "stripes" else 0.4)
        for x in (-0.3, 0.0, 0.3):
            pen.stroke([(h * x, 0.96), (h * x * 0.8, 0.84)], [0.03, 0.02, 0], ink)
        for side in (-1, 1):
            for y in (0.66, 0.58):
                pen.stroke([(side * h, y + 0.02), (side * h * 0.66, y)], [0.025, 0], ink)
    elif coat.marks == "panda":
        pen.both([(h * 0.2, 0.72), (h * 0.46, 0.8), (h * 0.66, 0.68), (h * 0.46, 0.6)], (42, 38, 44))
    elif coat.marks == "bandit":
        pen.mirrored([(0, 0.74), (h * 0.5, 0.79), (h * 0.98, 0.66), (h * 0.55, 0.62), (0, 0.68)], (46, 42, 50))


def _face(pen: Pen, coat: Coat, fur: RGB) -> None:
    h = coat.head
    pen.eyes(h * 0.43, 0.7, h * 0.125)
    pen.pair(h * 0.66, 0.6, h * 0.13, fade((240, 110, 110), 0.22))
    if coat.mask == "snout":
        return
    nose = (48, 36, 44) if coat.marks != "tabby" else (214, 110, 110)
    y = 0.535 if coat.mask == "cheeks" else 0.61
    pen.mirrored([(0, y + 0.022), (h * 0.12, y + 0.016), (h * 0.05, y - 0.014), (0, y - 0.022)], nose)
    if coat.mask != "cheeks":
        for side in (-1, 1):
            pen.stroke(
                [(0, y - 0.02), (side * h * 0.08, y - 0.05), (side * h * 0.2, y - 0.045)],
                [0.009],
                fade((48, 36, 44), 0.85),
            )
    if coat.marks in {"tabby", "stripes"} or coat.ears in {"huge", "long"}:
        for side in (-1, 1):
            for lift in (-0.02, 0.015):
                pen.stroke(
                    [(side * h * 0.45, y - 0.01), (side * h * 1.25, y + lift)], [0.007, 0.002], lighten(fur, 0.75)
                )
