"""Curated palettes, ten colours each, and how a word or a seed bends them."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from types import MappingProxyType

from easel_sketch.painting.colours import RGB, from_hex, luminance, tinted, turn_hue


@dataclass(frozen=True, kw_only=True)
class Palette:
    """Ten colours with a role each, so that every scene can use every palette."""

    high: RGB  #: top of the sky
    middle: RGB
    low: RGB  #: sky at the horizon
    light: RGB  #: sun, moon, lit windows
    far: RGB  #: most distant land
    near: RGB  #: closest land
    ink: RGB  #: the darkest colour
    accent: RGB
    pop: RGB  #: second accent, a contrast to the first
    paper: RGB  #: the lightest colour

    @property
    def is_dark(self) -> bool:
        return luminance(self.middle) < 0.36


def _palette(text: str) -> Palette:
    return Palette(**{field.name: from_hex(part) for field, part in zip(fields(Palette), text.split(), strict=True)})


#: Order of the colours: high middle low light far near ink accent pop paper.
PALETTES: Mapping[str, Palette] = MappingProxyType(
    {
        name: _palette(text)
        for name, text in {
            "sunset": "3d2c5e c9506b ffb26b ffe9b0 a5557a 37244f 1f1635 ff7a59 5bc0be fff3df",
            "dusk": "24305e 6f5a94 f4a6a0 ffe1c4 7d6a9e 252449 15152e ff9b85 7bdff2 fbeee6",
            "dawn": "7fa8d1 f3c6c0 ffe3c2 fff7df b9a3bd 4b4a6b 2b2b45 f08a7b 5d9fb3 fff8ee",
            "day": "5aa9d6 a3d5e8 fdf0d5 fffbe6 8fb8b0 2f6f60 17352f f2784b f6c445 fdf8ec",
            "forest": "7fb3a5 c3d9b8 f2eecb fff8d6 86ab8a 1d4a3e 0f2924 e07a3f f2cc5b f7f4e3",
            "moss": "54756b a8b98a e6dfae fff3c0 76936b 27412b 131f17 d9622b e9b44c f4efdc",
            "ocean": "0f5c8c 48a9c5 d3f0ea fff6d8 5f9fb8 0c3f63 07243d ff8360 ffd166 f3fbf7",
            "lagoon": "146b77 4ac2b4 d8f5d6 fffbe0 62b0a8 0b4b59 062b36 ff6f61 fcd34d f4fdf4",
            "night": "0b1233 1f2f66 4b5f9e fdf2c4 34477f 0e1738 060a1c f6a95b 8fd3ff eef1fb",
            "aurora": "08152b 12455c 3aa38c d9ffe0 24566b 0b2236 050f1c 66f2b0 b48cff ecfff6",
            "cyberpunk": "150a35 48147a e0358f ffe66d 4b1d86 160b38 0a0520 00e5ff ff2e97 f5e9ff",
            "neon": "0d0b26 2a1468 7b2ff7 fff275 37208a 120a33 080518 2afadf ff4d8d f2efff",
            "autumn": "c98b5e efc38a fbe7c1 fff4d1 c77d4f 6b2c1e 33150f d9480f f2a71b fdf3e0",
            "harvest": "7a8fa0 d8b48a f8dfa8 fff1c9 b6814f 5a3420 2b1a12 c8441f e3a72f fbf1dd",
            "pastel": "a9c7ea d9c8ec ffdfe1 fffbe8 b7c4e2 7f8fbf 4a5080 ff9fb2 8fd9c4 fffaf5",
            "blossom": "8fbfe0 f3cfe0 ffe9e6 fffaf0 dca9c4 7e5a86 43304f f0719a 86c5a4 fff7f5",
            "desert": "e0925c f4c58c fde8bf fff6da dd9c66 8e4a30 40201a c4532d 2f8f8b fdf2de",
            "canyon": "5d7fa3 e8b58d fbdcae fff2cf cf7d57 6f2f2a 321517 e2583e f5b461 fcefdc",
            "winter": "7b9cc4 b9d2e6 eef3f6 ffffff a9c2d8 46648c 22344f e0584f f3b95f fbfdff",
            "frost": "5b7db1 a7bfe2 f4e3ea fffaf2 9db1d6 3d4f80 1f294a ef7d7d 8fd8d8 fafbff",
            "candy": "7c6cf0 ff8fc7 ffd9a8 fff7c9 c58cf2 6a3fb5 34206b ff5d8f 3fd0c9 fff6fb",
            "monochrome": "8b9096 bfc3c6 e6e6e2 ffffff a0a4a8 3c4146 17191c 6d7278 d0d2d0 f8f8f5",
            "gold": "2a2118 6d5230 d9ab55 fff0b8 8a6a38 2e2214 16100a f2c14e fff0c9 fbf3dc",
            "royal": "1e1b52 5b3f98 d58cbf ffe6a8 63509f 231a4f 110c2b f4b942 ef6f8e f8f0ff",
            "poster": "22577a 38a3a5 f8e9c0 ffd95a 57a99a 1b4250 10262f f25f4c ffb627 fdf6e3",
            "riso": "3d5a98 f2a6b0 fbe8d3 ffe08a 8a8fc0 2c3f78 1a2450 ff665e ffc53a fbf5e9",
            "space": "05061a 1b1547 4a2a7a ffe9c2 32245f 0c0a28 030312 ff7f6b 5ce1e6 f1eeff",
            "spring": "7cc4d8 cdeccb fdf6c9 fffde8 9ccf93 3c7d54 1c3f32 ff7f9f ffd04f fcfdf0",
            "mystic": "1a2a4f 4d5a9b c7a5d8 fff1d0 5b68a6 1d2750 0e132c 7fe7c4 ff9ecb f3f0fb",
            "ember": "2a0f1c 7a1f2b f2763a ffd97a 7d2c36 2a0f1c 150609 ff5a36 ffc145 fff0df",
        }.items()
    }
)

#: Colour words and what they mean.
TINTS: Mapping[str, RGB] = MappingProxyType(
    {
        name: from_hex(text)
        for name, text in {
            "red": "d7352b",
            "orange": "ee7a22",
            "yellow": "f4c430",
            "green": "3f9a55",
            "teal": "1f9c97",
            "blue": "2f6fd0",
            "purple": "7d4bc0",
            "pink": "f27fae",
            "brown": "8a5534",
            "white": "f4f2ec",
            "black": "2b2a33",
            "grey": "8d939b",
            "gold": "e3b23c",
            "silver": "b9c0c9",
        }.items()
    }
)

#: The pools a prompt without any telling word draws from.
BRIGHT_POOL = ("sunset", "dawn", "day", "ocean", "lagoon", "autumn", "pastel", "blossom", "desert", "candy", "poster")
WILD_POOL = (*BRIGHT_POOL, "riso", "royal", "gold", "mystic", "neon", "spring", "frost", "canyon", "dusk", "moss")


def bend(palette: Palette, *, tints: tuple[RGB, ...], hue_degrees: float) -> Palette:
    """Turn the hues a little (the seed's share) and lean the whole palette towards the colours asked for."""
    changed: dict[str, RGB] = {}
    for field in fields(palette):
        colour: RGB = turn_hue(getattr(palette, field.name), hue_degrees)
        if tints and field.name not in {"light", "paper"}:
            is_second = field.name in {"accent", "pop", "low"}
            tint = tints[1] if len(tints) > 1 and is_second else tints[0]
            # with one colour asked for, the two accents stay themselves enough to stand out
            share = {"accent": 0.45, "pop": 0.15}.get(field.name, 0.8) if len(tints) == 1 else 0.8
            colour = tinted(colour, tint, share)
        changed[field.name] = colour
    return replace(palette, **changed)
