"""The vocabulary of the sketch engine: a word table, read once per picture.

Unknown words are not lost: they feed the chance behind palette, scene and composition.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from easel_sketch.painting.colours import RGB
from easel_sketch.painting.palettes import TINTS

MAX_SUBJECTS = 3
READ_CHARACTERS = 2000

#: One line per meaning: what kind of thing it is, its name, the words for it ("own" is the colour a subject has
#: unless the prompt gives it another).
_TABLE = """
own yellow: sunflower canary taxi
own red: rose phoenix
own orange: koi goldfish
own purple: lavender orchid
own white: dove seagull lily
own black: raven crow orca
own grey: shark husky
own brown: poodle eagle
own pink: sakura
subject fox: fox vixen kitsune
subject cat: cat kitten kitty feline
subject dog: dog puppy hound corgi shiba husky retriever poodle labrador
subject wolf: wolf coyote werewolf
subject bear: bear teddy
subject panda: panda
subject rabbit: rabbit bunny hare
subject tiger: tiger
subject lion: lion
subject mouse: mouse hamster rat squirrel
subject raccoon: raccoon badger
subject pig: pig piglet
subject owl: owl
subject penguin: penguin
subject frog: frog toad
subject bird: bird eagle hawk raven crow parrot seagull dove swallow phoenix sparrow hummingbird
subject fish: fish goldfish shark koi
subject whale: whale orca dolphin
subject jellyfish: jellyfish octopus squid
subject turtle: turtle tortoise
subject butterfly: butterfly moth
subject horse: horse pony stallion mare
subject unicorn: unicorn
subject deer: deer stag elk moose reindeer doe
subject dragon: dragon wyvern dinosaur
subject person: portrait person woman man girl boy lady queen king prince princess face selfie warrior knight elf wizard
subject person: witch human model actress hero samurai ninja vampire fairy angel child people singer
subject catgirl: catgirl cat-girl nekomimi neko|cat girl|cat boy
subject robot: robot android mech droid cyborg
subject astronaut: astronaut cosmonaut spaceman|space explorer|space man|space traveller|space traveler
subject ship: ship boat sailboat yacht galleon
subject car: car automobile truck van taxi
subject rocket: rocket spaceship spacecraft shuttle starship ufo
subject house: house cabin cottage hut home barn
subject lighthouse: lighthouse
subject castle: castle fortress palace tower citadel
subject tree: tree oak bonsai sakura willow
subject flower: flower rose tulip sunflower daisy bouquet lily orchid
subject mushroom: mushroom toadstool fungus
subject cup: cup coffee tea mug espresso latte cappuccino teacup
subject balloon: balloon blimp|hot air balloon
subject plant: plant cactus succulent potted
subject lantern: lantern lamp candle
subject crystal: crystal gem diamond jewel
scene mountains: mountain peak alp valley hill cliff volcano highland landscape
scene sea: sea ocean beach coast wave shore harbor harbour island bay lake river water surf
scene forest: forest wood jungle woodland grove trees
scene city: city cityscape skyline street downtown metropolis building town urban skyscraper tokyo york london
scene space: space galaxy planet nebula cosmos cosmic universe orbit asteroid alien interstellar saturn mars
scene meadow: meadow field garden grass prairie farm park grassland spring
scene desert: desert dune sahara oasis egypt pyramid
scene snow: arctic glacier tundra iceberg antarctica ski
scene underwater: underwater reef coral undersea seabed aquarium|under water|deep sea
scene interior: room desk interior window table office kitchen library bedroom cafe still-life shop|still life
scene charts: report tax chart quarterly finance business graph sales invoice spreadsheet data presentation
scene abstract: abstract pattern geometric geometry shapes bauhaus wallpaper swirl
palette sunset: sunset sundown evening
palette dawn: sunrise dawn morning
palette dusk: dusk twilight
palette night: night midnight moonlit nighttime nocturnal
palette cyberpunk: cyberpunk futuristic synthwave vaporwave dystopian hacker
palette neon: neon rave disco glowing
palette autumn: autumn fall october thanksgiving
palette harvest: harvest rustic wheat
palette pastel: pastel soft dreamy cute kawaii gentle
palette blossom: blossom cherry sakura romantic
palette desert: desert dune sand sahara
palette canyon: canyon mesa western
palette winter: winter snowy snow
palette frost: ice icy frozen frost arctic glacier
palette candy: candy sweet bubblegum
palette monochrome: monochrome grayscale greyscale noir|black and white
palette gold: golden luxury treasure
palette royal: royal magic magical fantasy majestic
palette mystic: mystic mystical ethereal enchanted dream dreamlike surreal
palette ember: fire flame lava inferno hell burning volcano
palette aurora: aurora|northern lights
palette forest: forest woodland jungle
palette ocean: ocean sea marine
palette lagoon: lagoon tropical reef coral
palette space: space galaxy nebula cosmos cosmic
palette day: sunny daylight noon summer
palette spring: spring
palette moss: moss swamp
mod rain: rain rainy storm stormy thunderstorm drizzle
mod snow: snow snowy snowfall blizzard winter christmas
mod fog: fog foggy mist misty haze hazy
mod stars: star starry stars constellation
mod moon: moon moonlit moonlight crescent
mod sun: sun sunny sunset sunrise
mod leaves: autumn fall leaf
mod petals: blossom sakura petal
mod fireflies: firefly magical fairy enchanted glowing
style watercolor: watercolor watercolour aquarelle gouache
style oil: oil impasto impressionist impressionism monet gogh painterly|oil painting
style pixel: pixel 8-bit 16-bit 8bit 16bit|pixel art
style line: sketch lineart line-art doodle drawing pencil engraving etching|line art|pen and ink
style neon: neon
style vintage: vintage retro nostalgic sepia halftone risograph|old photo
style anime: anime manga ghibli cel-shaded cartoon
style photo: photorealistic photo photograph photography realistic cinematic 4k 8k hdr|depth of field
tint red: red crimson scarlet ruby
tint orange: orange tangerine amber
tint yellow: yellow lemon
tint green: green emerald lime olive
tint teal: teal turquoise cyan aqua
tint blue: blue azure navy cobalt sapphire indigo
tint purple: purple violet lavender magenta lilac
tint pink: pink rose-colored fuchsia
tint brown: brown chestnut chocolate
tint white: white ivory
tint black: black ebony
tint grey: grey gray
tint gold: gold
tint silver: silver
count 2: two pair couple
count 3: three many several group
"""

_IRREGULAR = MappingProxyType(
    {"mice": "mouse", "wolves": "wolf", "leaves": "leaf", "men": "man", "women": "woman", "children": "child"}
)
_TOKEN = re.compile(r"[^\W_]+(?:-[^\W_]+)*")

Meaning = tuple[str, str]


def _build() -> Mapping[str, tuple[Meaning, ...]]:
    table: dict[str, list[Meaning]] = {}
    for line in _TABLE.strip().splitlines():
        head, words = line.split(":", 1)
        kind, name = head.split()
        single, *phrases = words.split("|")
        for word in (*single.split(), *phrases):
            table.setdefault(word, []).append((kind, name))
    return MappingProxyType({word: tuple(meanings) for word, meanings in table.items()})


MEANINGS = _build()


@dataclass(frozen=True, kw_only=True)
class Subject:
    """One thing in front; `tint` is the colour word that stood before its name."""

    name: str
    tint: RGB | None = None
    number: int = 1


@dataclass(frozen=True, kw_only=True)
class Reading:
    """A prompt in the painter's terms, each in the order of the words."""

    subjects: tuple[Subject, ...]
    scenes: tuple[str, ...]
    palettes: tuple[str, ...]
    modifiers: frozenset[str]
    styles: tuple[str, ...]
    tints: tuple[RGB, ...]


def read(prompt: str, negative_prompt: str = "") -> Reading:
    """Read a prompt; whatever the negative prompt names is left out."""
    unwanted = {meaning for _, meanings in _matches(negative_prompt) for meaning in meanings}
    found: dict[str, dict[str, None]] = {"scene": {}, "palette": {}, "mod": {}, "style": {}}
    subjects: dict[str, Subject] = {}
    tints: list[RGB] = []
    waiting: RGB | None = None
    number = 1
    for word, meanings in _matches(prompt):
        taken = False
        for kind, name in meanings:
            if (kind, name) in unwanted:
                continue
            if kind == "subject":
                plural = 2 if word.endswith("s") and word not in MEANINGS else 1
                subjects.setdefault(name, Subject(name=name, tint=waiting, number=max(number, plural)))
                taken = True
            elif kind == "own":
                waiting = waiting or TINTS[name]
            elif kind == "tint":
                if waiting:
                    tints.append(waiting)
                waiting = TINTS[name]
            elif kind == "count":
                number = int(name)
            else:
                found[kind].setdefault(name)
        if taken:
            waiting, number = None, 1
    if waiting:
        tints.append(waiting)
    return Reading(
        subjects=tuple(subjects.values())[:MAX_SUBJECTS],
        scenes=tuple(found["scene"]),
        palettes=tuple(found["palette"]),
        modifiers=frozenset(found["mod"]),
        styles=tuple(found["style"]),
        tints=tuple(tints[:2]),
    )


def _matches(text: str) -> Iterator[tuple[str, tuple[Meaning, ...]]]:
    tokens = _TOKEN.findall(text[:READ_CHARACTERS].casefold())
    index = 0
    while index < len(tokens):
        for length in (3, 2):
            phrase = " ".join(tokens[index : index + length])
            if index + length <= len(tokens) and phrase in MEANINGS:
                yield phrase, MEANINGS[phrase]
                index += length
                break
        else:
            for form in _forms(tokens[index]):
                if form in MEANINGS:
                    yield tokens[index], MEANINGS[form]
                    break
            index += 1


def _forms(word: str) -> Iterator[str]:
    yield word
    if word in _IRREGULAR:
        yield _IRREGULAR[word]
    if word.endswith("ies"):
        yield word[:-3] + "y"
    if word.endswith("es"):
        yield word[:-2]
    if word.endswith("s"):
        yield word[:-1]
