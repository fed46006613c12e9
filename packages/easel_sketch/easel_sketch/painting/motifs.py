"""The subjects by name, and how they are placed in a scene."""

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType

from easel_sketch.painting import motifs_creatures, motifs_people, motifs_places, motifs_sitting, motifs_things
from easel_sketch.painting.canvas import Canvas
from easel_sketch.painting.pen import Pen, shadow
from easel_sketch.painting.scenes import Scene
from easel_sketch.painting.words import Subject

Motif = Callable[[Pen], None]

MOTIFS: Mapping[str, Motif] = MappingProxyType(
    {
        **{name: partial(motifs_sitting.draw, name=name) for name in motifs_sitting.COATS},
        **motifs_creatures.MOTIFS,
        **motifs_people.MOTIFS,
        **motifs_things.MOTIFS,
        **motifs_places.MOTIFS,
    }
)

#: Those that fly or swim: lifted off the ground by this share of the picture's height, without a shadow.
AFLOAT: Mapping[str, float] = MappingProxyType(
    {
        "bird": 0.34,
        "butterfly": 0.3,
        "balloon": 0.24,
        "rocket": 0.06,
        "dragon": 0.08,
        "fish": 0.24,
        "jellyfish": 0.2,
        "turtle": 0.2,
        "astronaut": 0.12,
    }
)
#: Bigger or smaller than the scene's usual subject.
SCALE: Mapping[str, float] = MappingProxyType(
    {
        "castle": 1.15,
        "lighthouse": 1.2,
        "tree": 1.25,
        "dragon": 1.0,
        "mouse": 0.8,
        "mushroom": 0.9,
        "butterfly": 0.8,
        "cup": 0.72,
        "rocket": 0.95,
        "whale": 1.0,
    }
)
BOUND_BY_WATER = frozenset({"whale", "ship", "lighthouse"})


def draw_subjects(canvas: Canvas, scene: Scene, subjects: tuple[Subject, ...]) -> None:
    """Draw every subject, the first one largest and closest to the middle."""
    figures = [(subject, copy) for subject in subjects for copy in range(subject.number)][:4]
    total = len(figures)
    for order, (subject, copy) in reversed(list(enumerate(figures))):
        name = subject.name
        size = canvas.unit * scene.size * SCALE.get(name, 1.0) * (1, 0.76, 0.66, 0.6)[total - 1]
        size *= canvas.vary(f"size {order}", 0.94, 1.06) * (1 - 0.08 * order)
        slot = {1: (0.0,), 2: (-0.24, 0.24), 3: (0.0, -0.32, 0.32), 4: (-0.13, 0.17, -0.38, 0.4)}[total][order]
        x = canvas.width / 2 + slot * min(canvas.width, canvas.unit * 1.5)
        x += canvas.unit * canvas.vary(f"place {order}", -0.06, 0.06) * (scene.size < 0.8)
        foot = canvas.height * scene.ground - canvas.unit * 0.025 * (order % 2)
        is_afloat = name in AFLOAT and scene.size < 0.8
        if is_afloat:
            foot -= canvas.height * AFLOAT[name] * canvas.vary(f"lift {order}", 0.8, 1.2)
        elif scene.is_solid and name not in BOUND_BY_WATER:
            shadow(canvas, x, foot, size)
        rng = canvas.rng(f"figure {order} {copy}")
        tool = Pen(size, canvas.palette, subject.tint, is_flipped=rng.random() < 0.5, chance=rng)
        MOTIFS[name](tool)
        tool.lit()
        tool.paste(canvas, x, foot)
