"""The scenes by name: what is painted behind and before the subject, and how a prompt chooses one."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from easel_sketch.painting import scenery, scenes_far, scenes_land, scenes_made
from easel_sketch.painting.canvas import Canvas
from easel_sketch.painting.words import Reading

Layer = Callable[[Canvas], None]


@dataclass(frozen=True, kw_only=True)
class Scene:
    """Layers from back to front; the subject stands between `back` and `front`."""

    back: tuple[Layer, ...]
    front: tuple[Layer, ...] = ()
    ground: float = 0.88  #: where a subject's feet are, share of the height
    size: float = 0.5  #: how tall a subject is, share of the shorter side
    palettes: tuple[str, ...]  #: what to draw from when no word names a palette
    has_sky: bool = True
    is_solid: bool = True  #: there is a floor for shadows to fall on


_OPEN = (scenery.sky, scenery.haze_bands, scenery.sun, scenery.clouds)

SCENES: Mapping[str, Scene] = MappingProxyType(
    {
        "mountains": Scene(
            back=(*_OPEN, scenes_land.ranges),
            front=(scenery.grass,),
            palettes=("dawn", "dusk", "sunset", "day", "mystic", "canyon", "frost"),
            ground=0.93,
        ),
        "meadow": Scene(
            back=(*_OPEN, scenes_land.hills, scenes_land.ground_flowers),
            front=(scenery.grass,),
            palettes=("spring", "day", "blossom", "dawn", "sunset", "pastel"),
            ground=0.92,
        ),
        "forest": Scene(
            back=(scenery.sky, scenery.sun, scenes_land.trunks, scenes_land.light_shafts),
            front=(scenery.grass,),
            palettes=("forest", "moss", "autumn", "dawn", "mystic"),
            ground=0.92,
        ),
        "snow": Scene(back=(*_OPEN, scenes_land.snow_hills), palettes=("winter", "frost", "dawn", "dusk"), ground=0.9),
        "desert": Scene(
            back=(scenery.sky, scenery.haze_bands, scenery.sun, scenes_land.dunes),
            palettes=("desert", "canyon", "sunset", "harvest"),
            ground=0.9,
        ),
        "sea": Scene(
            is_solid=False,
            back=(scenery.sky, scenery.haze_bands, scenes_far.sea_sun, scenery.clouds, scenes_far.water),
            front=(scenes_far.swell,),
            palettes=("ocean", "sunset", "lagoon", "dusk", "dawn"),
            ground=0.86,
            size=0.46,
        ),
        "underwater": Scene(
            is_solid=False,
            back=(scenes_far.depths, scenes_far.seabed),
            palettes=("ocean", "lagoon"),
            ground=0.76,
            size=0.46,
            has_sky=False,
        ),
        "space": Scene(
            is_solid=False,
            back=(scenes_far.nebula, scenery.stars, scenes_far.planets),
            palettes=("space", "space", "night", "royal", "aurora"),
            ground=0.9,
            size=0.58,
        ),
        "city": Scene(
            back=(scenery.sky, scenery.sun, scenery.clouds, scenes_far.skyline, scenes_far.wet_street),
            palettes=("dusk", "sunset", "night", "royal"),
            ground=0.95,
            size=0.5,
        ),
        "interior": Scene(
            back=(scenes_made.room,),
            palettes=("dawn", "pastel", "harvest", "poster", "autumn", "blossom"),
            ground=0.9,
            size=0.46,
            has_sky=False,
        ),
        "backdrop": Scene(
            is_solid=False,
            back=(scenes_made.backdrop,),
            palettes=("pastel", "poster", "blossom", "riso", "candy", "sunset", "forest"),
            ground=1.02,
            size=0.86,
            has_sky=False,
        ),
        "charts": Scene(back=(scenes_made.charts,), palettes=("poster", "riso", "day", "pastel"), has_sky=False),
        **{
            layer.__name__: Scene(back=(layer,), palettes=("poster", "riso"), has_sky=False, ground=0.9)
            for layer in (
                scenes_made.blobs,
                scenes_made.ribbons,
                scenes_made.arcs,
                scenes_made.terrazzo,
                scenes_made.contours,
                scenes_made.rays,
            )
        },
    }
)

ABSTRACT = ("blobs", "ribbons", "arcs", "terrazzo", "contours", "rays")

#: Where a subject is at home when the prompt names no place.
HOMES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        **dict.fromkeys(
            ("fox", "wolf", "bear", "deer", "raccoon", "owl", "mushroom"), ("forest", "mountains", "meadow")
        ),
        **dict.fromkeys(("cat", "dog", "mouse", "pig", "panda"), ("meadow", "rays", "interior")),
        **dict.fromkeys(("rabbit", "butterfly", "flower", "tree", "horse", "house", "bird"), ("meadow", "mountains")),
        **dict.fromkeys(("unicorn", "dragon", "castle", "balloon"), ("mountains", "meadow")),
        **dict.fromkeys(("tiger", "frog"), ("forest",)),
        **dict.fromkeys(("fish", "jellyfish", "turtle"), ("underwater",)),
        **dict.fromkeys(("whale", "ship", "lighthouse"), ("sea",)),
        **dict.fromkeys(("astronaut", "rocket"), ("space",)),
        **dict.fromkeys(("person", "catgirl"), ("backdrop",)),
        **dict.fromkeys(("robot",), ("rays", "city", "contours")),
        **dict.fromkeys(("cup", "plant", "lantern"), ("interior",)),
        "lion": ("desert",),
        "penguin": ("snow",),
        "car": ("desert", "city", "mountains"),
        "crystal": ("contours", "rays"),
    }
)


def choose(reading: Reading, rng: random.Random) -> str:
    """Return the scene's name: the place named, else the subject's home, else one of the abstract grounds."""
    if reading.subjects and reading.subjects[0].name in {"person", "catgirl"} and set(reading.scenes) <= {"abstract"}:
        return "backdrop"
    for name in reading.scenes:
        if name != "abstract":
            return _with_weather(name, reading)
    if "abstract" in reading.scenes:
        return rng.choice(ABSTRACT)
    if reading.subjects:
        return _with_weather(rng.choice(HOMES[reading.subjects[0].name]), reading)
    if "cyberpunk" in reading.palettes:
        return "city"
    if reading.modifiers & {"snow"}:
        return "snow"
    if reading.modifiers & {"stars", "moon", "sun", "fog", "leaves", "petals"}:
        return rng.choice(("mountains", "sea", "meadow"))
    if "aurora" in reading.palettes:
        return "snow"
    return rng.choice(ABSTRACT)


def _with_weather(name: str, reading: Reading) -> str:
    return "snow" if name == "meadow" and "snow" in reading.modifiers else name


def weather(reading: Reading, scene: Scene) -> tuple[tuple[Layer, ...], tuple[Layer, ...]]:
    """Return the layers that the modifiers add behind and before everything."""
    behind: list[Layer] = []
    before: list[Layer] = []
    if scene.has_sky and reading.modifiers & {"stars", "moon"} and scene is not SCENES["space"]:
        behind.append(scenery.stars)
    for name, layer in (
        ("fog", scenery.fog),
        ("rain", scenery.rain),
        ("snow", scenery.snowfall),
        ("leaves", scenery.drifting),
        ("petals", scenery.drifting),
        ("fireflies", scenery.fireflies),
    ):
        if name in reading.modifiers and layer not in before:
            before.append(layer)
    return tuple(behind), tuple(before)


def is_abstract(scene: Scene) -> bool:
    return any(SCENES[name] is scene for name in ABSTRACT)
