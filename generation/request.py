"""Requests: a `Draft` holds only what was said, a `GenerationRequest` everything, the seed included."""

import json
import random
from collections.abc import Callable
from dataclasses import asdict, field, fields
from enum import StrEnum
from hashlib import sha256
from typing import Any, Final

from constants import DEFAULT_HIRES_FACTOR, DEFAULT_HIRES_STRENGTH, MAX_SEED
from generation.foreign import encodable
from generation.values import changed
from lazy import dataclass

ANY_SEED: Final = -1  # how most programs say that chance should decide; a draft takes it as nothing said
MAX_DRAWN_SEED: Final = 2**31 - 1


class Mode(StrEnum):
    """The kind of picture making that is wanted."""

    TXT2IMG = "txt2img"
    IMG2IMG = "img2img"
    INPAINT = "inpaint"
    UPSCALE = "upscale"
    RESTYLE = "restyle"


FROM_PICTURE_ALONE: Final = frozenset({Mode.UPSCALE, Mode.RESTYLE})  # these have no use for words, steps or samplers


@dataclass(frozen=True, kw_only=True)
class Lora:
    """A LoRA by the name its server lists, with a weight (usually 0..1, negative allowed).

    `details` are what stood after the weight in a tag, `te=0.5:unet=0.7`, for engines that read tags themselves.
    """

    name: str
    weight: float = 1.0
    details: str = ""


@dataclass(frozen=True, kw_only=True)
class SourceImage:
    """An input picture: its id in the media store, and its bytes once they are loaded for a run.

    Only the id is stored and compared: it is the sha256 of the bytes, so equal pictures give equal requests.
    """

    media_id: str
    data: bytes = field(default=b"", repr=False, compare=False)
    width: int = field(default=0, compare=False)  # pixels, known while the picture is new; 0 after a restart
    height: int = field(default=0, compare=False)
    name: str = field(default="", compare=False)  # of its file, for remarks on it; not stored

    @classmethod
    def of(cls, data: bytes, width: int = 0, height: int = 0) -> "SourceImage":
        return cls(media_id=sha256(data).hexdigest(), data=data, width=width, height=height)


@dataclass(frozen=True, kw_only=True)
class WorkflowRef:
    """A stored graph of somebody's own: its name, its id in the store, and its content once it is loaded for a run.

    Only name and id are stored and compared: the id is the sha256 of the content, so a re-roll finds what it was made
    with, whatever the name stands for by then. It is empty while only the name was said.
    """

    name: str
    id: str = ""
    graph: str = field(default="", repr=False, compare=False)  # JSON, as the engine reads it
    mapping: str = field(default="", repr=False, compare=False)  # JSON: what its inputs are for


class MaskFill(StrEnum):
    """The content under a mask when drawing begins."""

    ORIGINAL = "original"  # the picture itself
    BLUR = "blur"  # its colours, smeared
    NOISE = "noise"
    EMPTY = "empty"


class Pan(StrEnum):
    """To which side a picture is continued."""

    LEFT = "left"
    RIGHT = "right"
    UP = "up"
    DOWN = "down"


class Priority(StrEnum):
    """The place of a request: behind what others wait for, in turn, or before it, for whom a server lets."""

    LOW = "low"
    NORMAL = "normal"
    HIGH = "high"


@dataclass(frozen=True, kw_only=True)
class HiresFix:
    """Draw small first, then `factor` times larger: keeps large pictures in one piece.

    `denoising_strength` is how much of the second pass is new, `steps` how many it has (None: as many as the first),
    `upscaler` what enlarges in between (None: the engine's choice).
    """

    factor: float = DEFAULT_HIRES_FACTOR
    denoising_strength: float = DEFAULT_HIRES_STRENGTH
    steps: int | None = None
    upscaler: str | None = None


@dataclass(frozen=True, kw_only=True)
class ControlUnit:
    """A picture that steers another one's drawing (ControlNet).

    `kind` is what is taken from it: canny, depth, openpose, lineart, tile ... as the engine lists them.
    """

    kind: str
    image: SourceImage
    model: str | None = None  # None: the engine's choice for the kind and the checkpoint
    weight: float = 1.0


@dataclass(frozen=True, kw_only=True)
class Draft:
    """The words of one person, and nothing else: `None` means "not said", so that preferences can fill it."""

    is_valid = False  # no field: set on a value by `options.validate`; what is changed begins without
    prompt: str = ""
    negative_prompt: str | None = None
    mode: Mode | None = None
    width: int | None = None
    height: int | None = None
    is_source_size: bool | None = None  # nobody said a size: it is that of the picture to go on from
    aspect: tuple[int, int] | None = None  # W:H; turned into a size when the model's native size is known
    steps: int | None = None
    stop: float | None = None  # percent of the steps that are drawn
    cfg_scale: float | None = None
    guidance: float | None = None
    sampler: str | None = None
    scheduler: str | None = None
    model: str | None = None
    vae: str | None = None
    clip_skip: int | None = None
    loras: tuple[Lora, ...] = ()
    styles: tuple[str, ...] = ()
    looks: tuple[str, ...] = ()  # codes; laid under the rest when it is known who asks
    control: tuple[ControlUnit, ...] = ()
    hires: HiresFix | None = None
    seed: int | None = None
    subseed: int | None = None
    subseed_strength: float | None = None  # 0..1: how much of the noise is that of the second seed
    chaos: float | None = None  # the same in percent
    draft: bool | None = None  # quick and small first; see `generation.quick`
    batch_size: int | None = None
    denoising_strength: float | None = None
    init_image: SourceImage | None = None
    more_images: tuple[SourceImage, ...] = ()  # for what takes several: the second, the third ...
    mask_image: SourceImage | None = None
    mask_fill: MaskFill | None = None
    mask_blur: int | None = None  # pixels inside the mask's edge over which the new part fades in
    only_masked: bool | None = None
    tiling: bool | None = None
    upscale_factor: float | None = None
    upscaler: str | None = None
    zoom: float | None = None  # with a picture: show so much more around it
    pan: Pan | None = None
    workflow: WorkflowRef | None = None
    options: tuple[tuple[str, str], ...] = ()  # of the workflow, by name, as they were said
    backend: str | None = None
    priority: Priority | None = None

    def __post_init__(self) -> None:
        _make_encodable(self, _DRAFT_TEXTS)
        if self.seed == ANY_SEED:
            object.__setattr__(self, "seed", None)

    def over(self, lower: "Draft") -> "Draft":
        """Return this draft with everything unsaid taken from `lower` (texts and lists only when empty here)."""
        if lower == UNSAID:
            return self
        values = ((name, getattr(self, name)) for name in _DRAFT_FIELDS)
        given = {name: value for name, value in values if value not in (None, "", ())}
        unsaid: dict[str, Any] = {}
        if "aspect" in given and "width" not in given:
            unsaid |= {"width": None, "height": None}
        if "width" in given:
            unsaid["aspect"] = None
        if given.keys() & {"width", "height", "aspect"}:  # a size was said, or is another picture's
            unsaid["is_source_size"] = None
        if "options" in given:
            given["options"] = tuple((dict(lower.options) | dict(self.options)).items())
        if "guidance" in given:  # it stands for the CFG scale too, where a model has no guidance of its own
            unsaid["cfg_scale"] = None
        return changed(lower, **unsaid | given)


@dataclass(frozen=True, kw_only=True)
class GenerationRequest:
    """One complete request: run again, it gives the same picture on a deterministic engine.

    `width` and `height` are pixels of the result, before a hires fix enlarges it; where a picture is drawn over or
    followed they are kept exactly, whatever the engine's grid. `denoising_strength` 0 keeps the source and 1 ignores
    it; a mask is white where the picture may change. `guidance` steers distilled models (Flux) in place of `cfg_scale`.
    With a `subseed_strength` all pictures of a batch have one seed, and `subseed` counts up.
    `only_masked` draws the masked part alone, at full size, and puts it back. `tiling` makes edges that fit together.
    """

    prompt: str
    width: int
    height: int
    steps: int
    cfg_scale: float
    seed: int
    mode: Mode = Mode.TXT2IMG
    negative_prompt: str = ""
    sampler: str | None = None
    scheduler: str | None = None
    model: str | None = None
    vae: str | None = None
    clip_skip: int | None = None
    loras: tuple[Lora, ...] = ()
    guidance: float | None = None
    styles: tuple[str, ...] = ()
    control: tuple[ControlUnit, ...] = ()
    hires: HiresFix | None = None
    subseed: int | None = None
    subseed_strength: float | None = None
    draft: bool | None = None
    batch_size: int = 1
    denoising_strength: float | None = None
    init_image: SourceImage | None = None
    more_images: tuple[SourceImage, ...] = ()  # for what takes several: the second, the third ...
    mask_image: SourceImage | None = None
    mask_fill: MaskFill | None = None
    mask_blur: int | None = None
    only_masked: bool | None = None
    tiling: bool | None = None
    upscale_factor: float | None = None
    upscaler: str | None = None
    is_source_size: bool | None = None
    workflow: WorkflowRef | None = None
    options: tuple[tuple[str, str], ...] = ()  # of the workflow

    def __post_init__(self) -> None:
        _make_encodable(self, _REQUEST_TEXTS)

    @property
    def guide(self) -> SourceImage | None:
        """The picture that the result has to fit: what is drawn over, else what steers the drawing."""
        return self.init_image or (self.control[0].image if self.control else None)

    @property
    def cost(self) -> float:
        """Work in megapixel-steps: what fairness and the expected wait are reckoned in."""
        factor = self.upscale_factor or 1.0
        work = self.width * self.height * factor / 1e6 * max(1, self.steps)
        if self.hires:
            wide, high = self.result_size
            work += wide * high / 1e6 * max(1, self.hires.steps or self.steps)
        return max(0.01, work * self.batch_size)

    @property
    def result_size(self) -> tuple[int, int]:
        """Pixels of the result where no picture is upscaled: with a hires fix more than `width` x `height`."""
        factor = self.hires.factor if self.hires else 1.0
        return round(self.width * factor), round(self.height * factor)

    def key(self) -> str:
        """Return the sha256 of everything that decides the picture: the cache key."""
        return sha256(json.dumps(request_to_json(self), sort_keys=True).encode()).hexdigest()


def _make_encodable(words: "Draft | GenerationRequest", texts: tuple[str, ...]) -> None:
    """Let no text in that could be neither stored nor sent: a terminal, a file or an engine may give such."""
    for name in texts:
        text = getattr(words, name)
        if text and (not text.isascii() or "\0" in text):
            object.__setattr__(words, name, encodable(text))
    if words.options:
        given = {encodable(name): encodable(value) for name, value in words.options}
        object.__setattr__(words, "options", tuple(sorted(given.items())))  # the order they are said in decides nothing


def _texts_of(kind: type[Any]) -> tuple[str, ...]:
    """Return the fields of a dataclass that hold plain text."""
    return tuple(f.name for f in fields(kind) if f.type in (str, str | None))


_DRAFT_TEXTS: Final = _texts_of(Draft)
_REQUEST_TEXTS: Final = _texts_of(GenerationRequest)
UNSAID: Final = Draft()
_DRAFT_FIELDS: Final = dict.fromkeys(f.name for f in fields(Draft))  # in their order
_PLAIN: Final = frozenset({str, int, float, bool})  # of values in JSON, what most fields hold
_REQUEST_FIELDS: Final = dict.fromkeys(f.name for f in fields(GenerationRequest))  # in their order


def draft_of(request: GenerationRequest) -> Draft:
    """Return a request as if somebody had said all of it."""
    return Draft(**{f.name: getattr(request, f.name) for f in fields(request)})


def alone_in(request: GenerationRequest, index: int, seed: int) -> dict[str, Any]:
    """Return what makes one picture of a batch again: its own seeds."""
    subseed = None if request.subseed is None else seed_after(request.subseed, index)
    return {"seed": seed, "subseed": subseed, "batch_size": 1}


def draw_seed() -> int:
    """Draw a seed that every engine takes as it is: some count in signed 32 bits."""
    return random.randint(0, MAX_DRAWN_SEED)


def seed_after(seed: int, pictures: int) -> int:
    """Return the seed of the picture that comes so many after the one with `seed`."""
    return (seed + pictures) % (MAX_SEED + 1)


def request_to_json(request: GenerationRequest) -> dict[str, Any]:
    """Return plain JSON values; pictures are written as their ids, defaults are left out."""
    given = ((name, getattr(request, name)) for name in _REQUEST_FIELDS)
    return {name: value_to_json(value) for name, value in given if value is not None and value != ()}


def request_from_json(values: dict[str, Any]) -> GenerationRequest:
    """Read what `request_to_json` wrote; fields unknown to this version are ignored."""
    known = ((name, value) for name, value in values.items() if name in _REQUEST_FIELDS)
    return GenerationRequest(**{name: value_from_json(name, value) for name, value in known})


def draft_to_json(draft: Draft) -> dict[str, Any]:
    """Return what was said as plain JSON values; pictures as their ids."""
    given = ((name, getattr(draft, name)) for name in _DRAFT_FIELDS)
    return {name: value_to_json(value) for name, value in given if value != getattr(UNSAID, name)}


def draft_from_json(values: dict[str, Any]) -> Draft:
    """Read what `draft_to_json` wrote; fields unknown to this version are passed over."""
    known = (name for name in _DRAFT_FIELDS if name in values)
    return Draft(**{name: value_from_json(name, values[name]) for name in known})


def value_to_json(value: Any) -> Any:
    """Return the value of one field of a draft or request as plain JSON; a picture is written as its id."""
    if value is None or type(value) in _PLAIN:
        return value
    if isinstance(value, SourceImage):
        return value.media_id
    if isinstance(value, WorkflowRef):
        return {"id": value.id, "name": value.name}
    if isinstance(value, Lora):
        return [value.name, value.weight, *([value.details] if value.details else [])]
    if isinstance(value, HiresFix):
        return {name: part for name, part in asdict(value).items() if part is not None}
    if isinstance(value, ControlUnit):
        unit = {"kind": value.kind, "image": value.image.media_id, "weight": value.weight}
        return unit | ({"model": value.model} if value.model else {})
    return [value_to_json(item) for item in value] if isinstance(value, tuple) else value


def value_from_json(name: str, value: Any) -> Any:
    """Read what `value_to_json` wrote for the field `name`."""
    return _READERS[name](value) if name in _READERS and value is not None else value


def _read_hires(value: dict[str, Any]) -> HiresFix:
    return HiresFix(**{f.name: value[f.name] for f in fields(HiresFix) if f.name in value})


def _read_unit(value: dict[str, Any]) -> ControlUnit:
    image = SourceImage(media_id=value["image"])
    return ControlUnit(kind=value["kind"], image=image, model=value.get("model"), weight=value.get("weight", 1.0))


_READERS: Final[dict[str, Callable[[Any], Any]]] = {
    "mode": Mode,
    "aspect": tuple,
    "loras": lambda loras: tuple(Lora(name=lora[0], weight=lora[1], details="".join(lora[2:])) for lora in loras),
    "styles": tuple,
    "looks": tuple,
    "control": lambda units: tuple(_read_unit(unit) for unit in units),
    "hires": _read_hires,
    "mask_fill": MaskFill,
    "pan": Pan,
    "priority": Priority,
    "init_image": lambda media_id: SourceImage(media_id=media_id),
    "more_images": lambda media_ids: tuple(SourceImage(media_id=media_id) for media_id in media_ids),
    "mask_image": lambda media_id: SourceImage(media_id=media_id),
    "options": lambda options: tuple((str(name), str(entry)) for name, entry in options),
    "workflow": lambda entry: WorkflowRef(id=entry["id"], name=entry["name"]),
}
