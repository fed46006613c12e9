"""Scenes of form alone: the lovely ground for prompts the word table does not know, and three made places."""

import math

from easel_sketch.painting.canvas import Canvas
from easel_sketch.painting.colours import RGB, darken, fade, lighten, mix


def _warm(c: Canvas) -> RGB:
    return mix(c.palette.paper, c.palette.low, 0.35)


def _inks(c: Canvas) -> tuple[RGB, ...]:
    p = c.palette
    return (p.accent, p.middle, p.pop, p.far, p.high, mix(p.accent, p.low, 0.5))


def blobs(c: Canvas) -> None:
    """Layer cut-paper shapes, each with a soft shadow."""
    c.fill(lighten(c.palette.low, 0.25), c.palette.paper)
    rng = c.rng("blobs")
    inks = _inks(c)
    start = rng.randrange(6)
    for index in range(c.count(7, least=4)):
        x, y = c.width * rng.uniform(-0.05, 1.05), c.height * rng.uniform(-0.05, 1.05)
        radius, phase = c.unit * (0.46 - 0.045 * index) * rng.uniform(0.8, 1.15), rng.uniform(0, 6.28)
        shape = []
        for step in range(9):
            turn = step * math.tau / 9
            reach = radius * (1 + 0.22 * math.sin(turn * 2 + phase) + 0.12 * math.sin(turn * 3 - phase))
            shape.append((x + math.cos(turn) * reach, y + math.sin(turn) * reach * 0.85))
        for offset in (0.022, 0.012):
            c.blob(
                [(px + c.unit * offset * 0.6, py + c.unit * offset) for px, py in shape],
                fade(c.palette.ink, 0.1),
                pieces=9,
            )
        c.blob(shape, inks[(start + index) % 6], pieces=9)
        if index % 2:
            for _ in range(c.count(34)):
                turn, reach = rng.uniform(0, 6.28), radius * 0.7 * math.sqrt(rng.random())
                c.disc(
                    x + math.cos(turn) * reach,
                    y + math.sin(turn) * reach * 0.8,
                    c.unit * 0.0045,
                    fade(c.palette.paper, 0.75),
                )
    for _ in range(c.count(4, least=2)):
        leaf(
            c,
            rng.random() * c.width,
            rng.random() * c.height,
            c.unit * rng.uniform(0.2, 0.36),
            rng.uniform(0, 6.28),
            c.palette.ink,
        )


def leaf(c: Canvas, x: float, y: float, long: float, turn: float, colour: RGB) -> None:
    """Draw one sprig: a stem with pairs of leaves."""
    dx, dy = math.cos(turn), math.sin(turn)
    c.stroke([(x, y), (x + dx * long, y + dy * long)], [long * 0.025, long * 0.01], fade(colour, 0.85), pieces=3)
    for index in range(5):
        bx, by = x + dx * long * (0.25 + 0.17 * index), y + dy * long * (0.25 + 0.17 * index)
        for side in (-1, 1):
            angle = turn + side * 0.75
            size = long * (0.27 - 0.03 * index)
            tx, ty = bx + math.cos(angle) * size, by + math.sin(angle) * size
            nx, ny = -math.sin(angle) * size * 0.2, math.cos(angle) * size * 0.2
            mx, my = (bx + tx) / 2, (by + ty) / 2
            c.blob([(bx, by), (mx + nx, my + ny), (tx, ty), (mx - nx, my - ny)], fade(colour, 0.85), pieces=4)


def ribbons(c: Canvas) -> None:
    """Let wide bands flow across, each a step further along the palette."""
    c.fill(c.palette.high, c.palette.middle, c.palette.low)
    x, y = c.width * c.vary("ribbon sun", 0.25, 0.75), c.height * 0.3
    c.glow(x, y, c.unit * 0.6, c.palette.light, 0.7)
    c.disc(x, y, c.unit * 0.12, c.palette.light)
    rng = c.rng("ribbons")
    phase, swing, number = rng.uniform(0, 6.28), rng.uniform(0.07, 0.14), 11
    chain = (
        c.palette.low,
        c.palette.accent,
        c.palette.pop,
        c.palette.middle,
        c.palette.far,
        c.palette.near,
        c.palette.ink,
    )
    for index in range(number):
        place = index / (number - 1) * (len(chain) - 1)
        lower = min(int(place), len(chain) - 2)
        colour = mix(chain[lower], chain[lower + 1], place - lower)
        top = []
        for step in range(61):
            along = step / 60 * c.width / c.unit
            level = math.sin(along * 2.6 + phase + index * 0.33) + 0.5 * math.sin(along * 5.1 - phase + index * 0.5)
            top.append(
                (step / 60 * c.width, c.height * (0.4 + 0.062 * index) + level * swing * c.unit * (1 - index * 0.05))
            )
        c.shaded(
            [*top, (float(c.width), c.height + 1.0), (0.0, c.height + 1.0)],
            [lighten(colour, 0.2), colour, darken(colour, 0.15)],
        )
        c.stroke(top, [c.unit * 0.003], fade(c.palette.paper, 0.5), pieces=1)


def arcs(c: Canvas) -> None:
    """Tile the picture with quarter and half circles, as on a 1960s poster."""
    c.fill(_warm(c), _warm(c))
    cell = c.unit / 4
    rng = c.rng("arcs")
    inks = (*_inks(c), c.palette.near, c.palette.paper)
    for row in range(math.ceil(c.height / cell)):
        for column in range(min(64, math.ceil(c.width / cell))):
            left, top, colours = column * cell, row * cell, rng.sample(inks, 4)
            c.box(left, top, left + cell, top + cell, mix(colours[3], c.palette.paper, 0.55))
            kind = rng.randrange(5)
            start = rng.randrange(4) * 90
            cx, cy = left + cell * (start in (90, 180)), top + cell * (start in (180, 270))
            for ring in range(4 if kind < 2 else 2):
                reach = cell * (1 - 0.25 * ring) if kind < 2 else cell * (0.5 - 0.2 * ring)
                x, y = (cx, cy) if kind < 2 else (left + cell / 2, top + cell / 2)
                corner = {0: (0, 90), 90: (90, 180), 180: (180, 270), 270: (270, 360)}[start]
                whole = (start, start + 180) if kind == 2 else (0, 360)
                span = corner if kind < 2 else whole
                c.draw.pieslice((x - reach, y - reach, x + reach, y + reach), *span, fill=colours[ring % 3])
            if kind == 4:
                for petal in range(4):
                    turn = petal * math.pi / 2 + math.pi / 4
                    c.disc(
                        left + cell * (0.5 + 0.24 * math.cos(turn)),
                        top + cell * (0.5 + 0.24 * math.sin(turn)),
                        cell * 0.16,
                        colours[2],
                    )


def terrazzo(c: Canvas) -> None:
    """Scatter stone chips over soft fields of colour."""
    c.fill(_warm(c), lighten(c.palette.low, 0.3))
    rng = c.rng("terrazzo")
    for index in range(3):
        x = c.width * rng.uniform(0.1, 0.9)
        c.glow(x, c.height * rng.uniform(0.1, 0.9), c.unit * 0.6, _inks(c)[index], 0.45)
    inks = (*_inks(c), c.palette.near, c.palette.ink, c.palette.paper)
    for _ in range(c.count(260, least=50, spread=True)):
        x, y = rng.random() * c.width, rng.random() * c.height
        radius, corners = c.unit * (0.008 + 0.062 * rng.random() ** 2.2), rng.randint(4, 6)
        chip = []
        for corner in range(corners):
            turn = (corner + rng.uniform(-0.28, 0.28)) * math.tau / corners
            reach = radius * rng.uniform(0.7, 1.2)
            chip.append((x + math.cos(turn) * reach, y + math.sin(turn) * reach))
        c.polygon([(px + c.unit * 0.004, py + c.unit * 0.005) for px, py in chip], fade(c.palette.ink, 0.13))
        c.polygon(chip, rng.choice(inks))


def contours(c: Canvas) -> None:
    """Draw rings around two or three centres, like growth rings or a map's height lines."""
    c.fill(c.palette.near, mix(c.palette.near, c.palette.high, 0.6))
    rng = c.rng("contours")
    inks = (c.palette.high, c.palette.middle, c.palette.accent, c.palette.low, c.palette.pop, c.palette.paper)
    for centre in range(3):
        x = c.width * (0.15 + 0.35 * centre + rng.uniform(-0.08, 0.08))
        y, phase = c.height * rng.choice((0.1, 0.35, 0.75, 0.95)), rng.uniform(0, 6.28)
        rings = c.count(11, least=4)
        for ring in range(rings):
            radius = c.unit * 0.62 * (1 - ring / rings)
            shape = []
            for step in range(14):
                turn = step * math.tau / 14
                reach = radius * (
                    1 + 0.13 * math.sin(turn * 3 + phase + ring * 0.14) + 0.07 * math.sin(turn * 5 - phase)
                )
                shape.append((x + math.cos(turn) * reach, y + math.sin(turn) * reach))
            c.blob(shape, mix(inks[(centre * 2 + ring) % 6], inks[(centre * 2 + ring // 2) % 6], 0.4), pieces=6)


def rays(c: Canvas) -> None:
    """Send sun rays from low in the picture, with rolling bands in front."""
    x, y = c.width * c.vary("rays x", 0.3, 0.7), c.height * c.vary("rays y", 0.5, 0.62)
    c.fill(lighten(c.palette.low, 0.15), c.palette.low)
    number = 18
    reach = c.width + c.height
    turn = c.vary("rays turn", 0, 0.3)
    for index in range(number):
        first, second = (index + turn) * math.tau / number, (index + turn + 0.5) * math.tau / number
        colour = mix(c.palette.middle, c.palette.accent, 0.4 * (index % 3))
        c.polygon(
            [
                (x, y),
                (x + math.cos(first) * reach, y + math.sin(first) * reach),
                (x + math.cos(second) * reach, y + math.sin(second) * reach),
            ],
            colour,
        )
    c.glow(x, y, c.unit * 0.7, c.palette.light, 0.8)
    for ring in range(4):
        c.disc(
            x,
            y,
            c.unit * (0.24 - 0.05 * ring),
            (c.palette.accent, c.palette.paper, c.palette.pop, c.palette.light)[ring],
        )
    for index in range(5):
        phase = c.vary(f"band {index}", 0, 6.28)
        top = []
        for step in range(49):
            swing = math.sin(step / 48 * c.width / c.unit * 3.3 + phase) * c.unit * 0.035
            top.append((step / 48 * c.width, c.height * (0.66 + 0.075 * index) + swing))
        c.polygon(
            [*top, (float(c.width), c.height + 1.0), (0.0, c.height + 1.0)],
            mix(c.palette.far, c.palette.ink, index / 4.5),
        )


def charts(c: Canvas) -> None:
    """Draw columns, a ring and a rising line as a poster: the picture for figures."""
    c.fill(c.palette.paper, mix(c.palette.paper, c.palette.low, 0.5))
    rng = c.rng("charts")
    for index in range(1, 9):
        c.box(0, c.height * index / 9, c.width, c.height * index / 9 + c.unit * 0.002, fade(c.palette.far, 0.35))
    x, y, radius = c.width * 0.27, c.height * 0.3, c.unit * 0.17
    start = rng.uniform(0, 90)
    for colour, share in zip(_inks(c)[:4], (0.42, 0.27, 0.19, 0.12), strict=True):
        c.draw.pieslice((x - radius, y - radius, x + radius, y + radius), start, start + 360 * share + 1, fill=colour)
        start += 360 * share
    c.disc(x, y, radius * 0.52, c.palette.paper)
    number = 9
    line = []
    for index in range(number):
        tall = c.height * (0.12 + 0.5 * index / number) * rng.uniform(0.75, 1.15)
        left, wide = c.width * (0.07 + 0.096 * index), c.width * 0.068
        colour = mix(c.palette.middle, c.palette.near, index / number)
        foot = c.height * 0.88
        c.shaded(
            [(left, foot - tall), (left + wide, foot - tall), (left + wide, foot), (left, foot)],
            [lighten(colour, 0.2), colour],
        )
        line.append((left + wide / 2, foot - tall - c.height * rng.uniform(0.05, 0.09)))
    c.box(0, c.height * 0.88, c.width, c.height, c.palette.near)
    c.stroke(line, [c.unit * 0.011], c.palette.accent)
    for px, py in line:
        c.disc(px, py, c.unit * 0.017, c.palette.paper)
        c.disc(px, py, c.unit * 0.011, c.palette.accent)


def backdrop(c: Canvas) -> None:
    """Set a studio wall with a large disc and sprigs behind a portrait."""
    c.fill(c.palette.middle, mix(c.palette.middle, c.palette.low, 0.6), c.palette.low)
    x, y = c.width / 2, c.height * 0.46
    rng = c.rng("backdrop")
    for index in range(c.count(12, least=5)):
        turn = math.pi * (1 + (index + 0.5) / 12) + rng.uniform(-0.1, 0.1)
        reach = c.unit * 0.3
        colour = mix(c.palette.near, c.palette.middle, rng.uniform(0.1, 0.7))
        leaf(c, x + math.cos(turn) * reach, y + math.sin(turn) * reach, c.unit * rng.uniform(0.22, 0.36), turn, colour)
    c.glow(x, y, c.unit * 0.62, c.palette.light, 0.6)
    c.disc(x, y, c.unit * 0.37, mix(c.palette.accent, c.palette.low, 0.35))
    c.disc(x, y, c.unit * 0.345, mix(c.palette.light, c.palette.low, 0.3))


def room(c: Canvas) -> None:
    """Draw a wall, a window with a view, light on the wall and a table."""
    wall = mix(c.palette.middle, c.palette.paper, 0.35)
    c.fill(darken(wall, 0.1), wall, lighten(wall, 0.1))
    side = c.rng("room").choice((-1, 1))
    _window(c, side, wall)
    left = c.width * (0.5 + 0.12 * side)
    slant = c.unit * 0.12 * side
    c.polygon(
        [
            (left, c.height * 0.2),
            (left + c.width * 0.22 * side, c.height * 0.26),
            (left + c.width * 0.22 * side + slant, c.height * 0.66),
            (left + slant, c.height * 0.6),
        ],
        fade(c.palette.light, 0.4),
    )
    leaf(c, c.width * (0.5 + 0.42 * side), c.height * 0.76, c.unit * 0.4, -math.pi / 2 - 0.15 * side, c.palette.near)
    leaf(
        c,
        c.width * (0.5 + 0.4 * side),
        c.height * 0.76,
        c.unit * 0.3,
        -math.pi / 2 + 0.3 * side,
        mix(c.palette.near, c.palette.far, 0.4),
    )
    table = mix(c.palette.near, c.palette.far, 0.35)
    c.shaded(
        [(0, c.height * 0.74), (c.width, c.height * 0.74), (c.width, c.height + 1.0), (0, c.height + 1.0)],
        [lighten(table, 0.22), table, darken(table, 0.2)],
    )
    rng = c.rng("grain")
    for _ in range(c.count(26, least=6)):
        c.lines(
            rng.random() * c.width,
            c.height * rng.uniform(0.75, 1),
            c.width * rng.uniform(0.1, 0.4),
            c.palette.ink,
            0.1,
            c.unit * 0.002,
        )


def _window(c: Canvas, side: int, wall: RGB) -> None:
    x, wide, tall = c.width * (0.5 - 0.2 * side), c.width * 0.2, c.height * 0.28
    y = c.height * 0.34
    frame = c.unit * 0.02
    c.box(x - wide - frame, y - tall - frame, x + wide + frame, y + tall + frame, c.palette.paper)
    c.shaded(
        [(x - wide, y - tall), (x + wide, y - tall), (x + wide, y + tall), (x - wide, y + tall)],
        [c.palette.high, c.palette.middle, c.palette.low],
    )
    c.disc(x + wide * 0.3, y - tall * 0.3, c.unit * 0.05, c.palette.light)
    for index in range(2):
        top = y + tall * (0.25 + 0.3 * index)
        c.polygon(
            [
                (x - wide, top),
                (x - wide * 0.4, top - tall * 0.2),
                (x + wide * 0.2, top),
                (x + wide * 0.6, top - tall * 0.12),
                (x + wide, top),
                (x + wide, y + tall),
                (x - wide, y + tall),
            ],
            mix(c.palette.far, c.palette.near, index * 0.6),
        )
    c.box(x - frame * 0.3, y - tall, x + frame * 0.3, y + tall, c.palette.paper)
    c.box(x - wide, y - frame * 0.3, x + wide, y + frame * 0.3, c.palette.paper)
    c.box(
        x - wide - frame * 2, y + tall + frame * 0.5, x + wide + frame * 2, y + tall + frame * 1.7, lighten(wall, 0.5)
    )
