"""Make a prompt say more: composition, light, medium and quality, where it is silent about them.

By rules, so that the same prompt always gives the same answer and nobody's words leave this machine. They stand in for
a text engine where there is none, or where it fails.
"""

from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Final

from constants import MAX_PROMPT_CHARS
from lazy import dataclass, pattern
from texts.text import Text, _, template

MOST_TAGS: Final = 12
MOST_SUBJECT_TAGS: Final = 5
RULES: Final = "rules"


@dataclass(frozen=True, kw_only=True)
class Enhanced:
    """A fuller prompt, other directions to take it, words it is about, and what wrote it: a model, or the rules.

    `suggestions`: whole prompts where a model wrote them (`has_prompts`), else advice. `notes`: why it is by rules.
    """

    prompt: str
    suggestions: tuple[str, ...]
    tags: tuple[str, ...]
    source: str
    has_prompts: bool = False
    notes: tuple[str, ...] = ()


class RuleEnhancer:
    """Adds one phrase of each kind that the prompt does not speak of yet, chosen to fit its subject."""

    def enhance(self, prompt: str) -> Enhanced:
        words = frozenset(_WORD.findall(prompt.casefold()))
        subject = next((name for name, known in _SUBJECTS.items() if words & known), "scene")
        added: dict[str, str] = {}
        for kind, spoken in _SPOKEN.items():
            if not words & spoken:
                added[kind] = _chosen(_PHRASES[kind].get(subject) or _PHRASES[kind]["scene"], prompt, kind)
        if not (words & _PHOTO or "photograph" in added.get("medium", "")):  # a lens would turn a drawing into a photo
            added.pop("camera", None)
        fuller = prompt.rstrip(" .,")
        for phrase in added.values():
            longer = f"{fuller}, {phrase}"
            fuller = longer if len(longer) <= MAX_PROMPT_CHARS else fuller
        return Enhanced(
            prompt=fuller,
            suggestions=_suggestions(prompt, subject, added, words),
            tags=_tags(prompt, subject, added),
            source=RULES,
        )


_WORD: Final = pattern(r"[^\W_]+")
_PHOTO: Final = frozenset({"photo", "photograph", "photography", "photorealistic", "realistic", "dslr"})


def _set(words: str) -> frozenset[str]:
    return frozenset(words.split())


_SUBJECTS: Final[Mapping[str, frozenset[str]]] = {
    "person": _set(
        "man woman girl boy person people portrait face child king queen knight witch wizard warrior dancer"
    ),
    "animal": _set(
        "fox cat dog bird wolf horse lion tiger bear owl fish dragon rabbit deer elephant eagle frog animal"
    ),
    "place": _set(
        "mountain mountains forest lake sea ocean beach valley river desert landscape island field garden sky waterfall"
    ),
    "city": _set("city street alley building tower castle house bridge cathedral skyline town village station room"),
    "thing": _set(
        "car ship robot cup bottle food cake flower flowers watch chair lamp book bike rocket spaceship logo"
    ),
}

# Words that show that the prompt already speaks of a kind of thing.
_SPOKEN: Final[Mapping[str, frozenset[str]]] = {
    "composition": _set(
        "composition close closeup wide shot angle view portrait panorama centered symmetrical macro aerial framing"
    ),
    "light": _set(
        "light lighting lit sunlight sunset sunrise dawn dusk night neon backlit golden moonlight shadow shadows candle"
    ),
    "medium": _set(
        "photo photograph photography photorealistic painting oil watercolor watercolour drawing sketch illustration "
        "anime render 3d digital art ink pencil pixel comic"
    ),
    "camera": _set("mm lens bokeh dslr depth focus aperture"),
    "quality": _set("detailed quality sharp masterpiece intricate 4k 8k hd resolution crisp"),
}

_PHRASES: Final[Mapping[str, Mapping[str, tuple[str, ...]]]] = {
    "composition": {
        "person": ("head and shoulders, rule of thirds", "three-quarter view, eyes in focus", "full figure, low angle"),
        "animal": ("close-up at eye level", "side view, clear silhouette", "full figure in its surroundings"),
        "place": ("wide shot, leading lines", "panoramic view, strong foreground", "aerial view, layered depth"),
        "city": ("street-level view, leading lines", "wide shot, strong perspective", "low angle, tall framing"),
        "thing": ("centered, plain background", "three-quarter view, clean framing", "macro view, shallow framing"),
        "scene": ("balanced composition, rule of thirds", "wide shot, clear focal point", "centered, layered depth"),
    },
    "light": {
        "person": ("soft window light", "rim light from behind", "warm golden-hour light"),
        "animal": ("soft morning light", "golden-hour light", "dappled light through leaves"),
        "place": ("golden-hour light, long shadows", "misty dawn light", "dramatic light through clouds"),
        "city": ("neon reflections on wet ground", "blue hour, warm windows", "late sun between the houses"),
        "thing": ("soft studio light", "one strong key light", "gentle light from the side"),
        "scene": ("soft natural light", "dramatic side light", "warm, diffuse light"),
    },
    "medium": {
        "person": ("portrait photograph", "oil painting", "digital painting"),
        "animal": ("wildlife photograph", "watercolor illustration", "digital painting"),
        "place": ("landscape photograph", "oil painting", "matte painting"),
        "city": ("architectural photograph", "digital painting", "ink and watercolor"),
        "thing": ("product photograph", "3d render", "detailed illustration"),
        "scene": ("photograph", "digital painting", "illustration"),
    },
    "camera": {
        "person": ("85mm lens, shallow depth of field",),
        "animal": ("200mm lens, shallow depth of field",),
        "place": ("24mm lens, deep focus",),
        "city": ("35mm lens, deep focus",),
        "thing": ("100mm macro lens",),
        "scene": ("50mm lens",),
    },
    "quality": {"scene": ("highly detailed, sharp focus", "intricate detail, crisp edges", "fine detail, rich colors")},
}
_DIRECTIONS: Final = {
    "light": template("Say where the light comes from: {ways}."),
    "composition": template("Say how it is framed: {ways}."),
    "medium": template("Choose a medium: {ways}."),
}
_SMALL: Final = _set(
    "a an the of in on at with and or to from by for is are very into under over near its his her their two three"
)


def _chosen(phrases: tuple[str, ...], prompt: str, kind: str) -> str:
    """Choose one, always the same for the same prompt."""
    return phrases[sha256(f"{kind}:{prompt}".encode()).digest()[0] % len(phrases)]


def _suggestions(prompt: str, subject: str, added: Mapping[str, str], words: frozenset[str]) -> tuple[str, ...]:
    found: list[str] = []
    for kind, sentence in _DIRECTIONS.items():
        phrases = _PHRASES[kind].get(subject) or _PHRASES[kind]["scene"]
        others = [phrase for phrase in phrases if phrase != added.get(kind) and phrase not in prompt]
        if others:
            found.append(Text(sentence, {"ways": " or ".join(others)}))
    if len(words - _SMALL) < 5:
        found.append(_("Add what makes it this one and no other: colors, materials, weather, mood."))
    return tuple(found)


def _tags(prompt: str, subject: str, added: Mapping[str, str]) -> tuple[str, ...]:
    subjects = [word for word in _WORD.findall(prompt.casefold()) if len(word) > 2 and word not in _SMALL]
    parts: Iterable[str] = (part for phrase in added.values() for part in phrase.split(", "))
    listed = [*dict.fromkeys(subjects)][:MOST_SUBJECT_TAGS] + ([subject] if subject != "scene" else [])
    return tuple(dict.fromkeys([*listed, *parts]))[:MOST_TAGS]
