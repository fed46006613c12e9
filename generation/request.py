"""What people ask for: a `Draft` holds only what was said, a `GenerationRequest` everything, the seed included."""

import json
import random
from dataclasses import dataclass, field, fields, replace
from enum import StrEnum
from hashlib import sha256
from typing import Any

from constants import MAX_SEED


class Mode(StrEnum):
    """What kind of picture making is wanted."""

    TXT2IMG = "txt2img"
    IMG2IMG = "img2img"
    INPAINT = "inpaint"
    UPSCALE = "upscale"


@dataclass(frozen=True, kw_only=True)
class Lora:
    """A LoRA by the name its server lists, with a weight (usually 0..1, negative allowed)."""

    name: str
    weight: float = 1.0


@dataclass(frozen=True, kw_only=True)
class SourceImage:
    """An input picture: its id in the media store, and its bytes once they are loaded for a run.

    Only the id is stored and compared: it is the sha256 of the bytes, so equal pictures give equal requests.
    """

    media_id: str
    data: bytes = field(default=b"", repr=False, compare=False)
    width: int = field(default=0, compare=False)  # pixels, known while the picture is new; 0 after a restart
    height: int = field(default=0, compare=False)

    @classmethod
    def of(cls, data: bytes, width: int = 0, height: int = 0) -> "SourceImage":
        return cls(media_id=sha256(data).hexdigest(), data=data, width=width, height=height)


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What one person said, and nothing else: `None` means "not said", so that preferences can fill it."""

    prompt: str = ""
    negative_prompt: str | None = None
    mode: Mode | None = None
    width: int | None = None
    height: int | None = None
    aspect: tuple[int, int] | None = None  # W:H; turned into a size when the model's native size is known
    steps: int | None = None
    cfg_scale: float | None = None
    sampler: str | None = None
    scheduler: str | None = None
    model: str | None = None
    vae: str | None = None
    clip_skip: int | None = None
    loras: tuple[Lora, ...] = ()
    seed: int | None = None
    batch_size: int | None = None
    denoising_strength: float | None = None
    init_image: SourceImage | None = None
    mask_image: SourceImage | None = None
    upscale_factor: float | None = None
    backend: str | None = None

    def over(self, lower: "Draft") -> "Draft":
        """Return this draft with everything unsaid taken from `lower` (prompt and LoRAs only when empty here)."""
        said = {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) not in (None, "", ())}
        if "aspect" in said and "width" not in said:
            lower = replace(lower, width=None, height=None)
        if "width" in said:
            lower = replace(lower, aspect=None)
        return replace(lower, **said)


@dataclass(frozen=True, kw_only=True)
class GenerationRequest:
    """One complete request: run again, it gives the same picture on a deterministic engine.

    `width` and `height` are pixels of the result, `denoising_strength` 0 keeps the source and 1 ignores it,
    a mask is white where the picture may change.
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
    batch_size: int = 1
    denoising_strength: float | None = None
    init_image: SourceImage | None = None
    mask_image: SourceImage | None = None
    upscale_factor: float | None = None

    @property
    def cost(self) -> float:
        """Work in megapixel-steps: what fairness and the expected wait are reckoned in."""
        factor = self.upscale_factor or 1.0
        return max(0.01, self.width * self.height * factor / 1e6 * max(1, self.steps) * self.batch_size)

    def key(self) -> str:
        """Return the sha256 of everything that decides the picture: the cache key."""
        return sha256(json.dumps(request_to_json(self), sort_keys=True).encode()).hexdigest()


def draft_of(request: GenerationRequest) -> Draft:
    """Return a request as if somebody had said all of it."""
    return Draft(**{f.name: getattr(request, f.name) for f in fields(request)})


def draw_seed() -> int:
    return random.randint(0, MAX_SEED)


def request_to_json(request: GenerationRequest) -> dict[str, Any]:
    """Return plain JSON values; pictures are written as their ids, defaults are left out."""
    values: dict[str, Any] = {}
    for f in fields(request):
        value = getattr(request, f.name)
        if value is None or value == ():
            continue
        if isinstance(value, SourceImage):
            value = value.media_id
        elif f.name == "loras":
            value = [[lora.name, lora.weight] for lora in value]
        values[f.name] = value
    return values


def request_from_json(values: dict[str, Any]) -> GenerationRequest:
    """Read what `request_to_json` wrote; fields unknown to this version are ignored."""
    known = {f.name for f in fields(GenerationRequest)}
    kept = {name: value for name, value in values.items() if name in known}
    kept["mode"] = Mode(kept.get("mode", Mode.TXT2IMG))
    kept["loras"] = tuple(Lora(name=name, weight=weight) for name, weight in kept.get("loras", ()))
    for name in ("init_image", "mask_image"):
        if kept.get(name):
            kept[name] = SourceImage(media_id=kept[name])
    return GenerationRequest(**kept)
