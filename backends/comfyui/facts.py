"""Contents of one server: models with their families, samplers, LoRAs.

Source: `/object_info` and `/system_stats`. A server says nothing of a model but its file name, so the family, which
decides graph and size, is read from that; the option `family` overrules it.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import field
from typing import Final

from backends.comfyui.builtin.families import ModelFamily
from backends.comfyui.graphs.nodes import ObjectInfo
from generation.foreign import digits
from generation.samplers import match_name
from lazy import dataclass

SMALL_GRID_PX: Final = 8
LATENT16_GRID_PX: Final = 16


@dataclass(frozen=True, kw_only=True)
class FamilyDefaults:
    """Values that suit a family: side in pixels, and settings where the request names none."""

    side: int
    steps: int
    cfg_scale: float
    sampler: str
    scheduler: str
    latent: str  # the node that makes an empty picture
    grid: int = SMALL_GRID_PX


STYLES: Final = {
    ModelFamily.SD15: FamilyDefaults(
        side=512, steps=20, cfg_scale=7.0, sampler="dpmpp_2m", scheduler="karras", latent="EmptyLatentImage"
    ),
    ModelFamily.SDXL: FamilyDefaults(
        side=1024, steps=25, cfg_scale=7.0, sampler="dpmpp_2m", scheduler="karras", latent="EmptyLatentImage"
    ),
    ModelFamily.SD3: FamilyDefaults(
        side=1024, steps=28, cfg_scale=4.5, sampler="euler", scheduler="sgm_uniform", latent="EmptySD3LatentImage",
        grid=LATENT16_GRID_PX,
    ),
    ModelFamily.FLUX: FamilyDefaults(
        side=1024, steps=20, cfg_scale=3.5, sampler="euler", scheduler="simple", latent="EmptySD3LatentImage",
        grid=LATENT16_GRID_PX,
    ),
    ModelFamily.SCHNELL: FamilyDefaults(
        side=1024, steps=4, cfg_scale=1.0, sampler="euler", scheduler="simple", latent="EmptySD3LatentImage",
        grid=LATENT16_GRID_PX,
    ),
}  # fmt: skip

# First match wins. Flux 2 and other later architectures need other encoders: they are for workflows.
_NAMES: Final = (
    (None, r"flux[._ -]?2|chroma|qwen|wan\d|hunyuan|lumina|z[_-]?image|cascade|pixart|hidream|ltx|refiner"),
    (ModelFamily.SCHNELL, r"schnell"),
    (ModelFamily.FLUX, r"flux"),
    (ModelFamily.SD3, r"sd[._ -]?3|stable[._ -]?diffusion[._ -]?3"),
    (ModelFamily.SDXL, r"xl|pony|illustrious|noob|animagine"),
)


@dataclass(frozen=True, kw_only=True)
class ModelFile:
    """A file that draws. `is_whole`: a checkpoint with text encoders and VAE in it, not a diffusion model alone."""

    name: str
    family: ModelFamily
    is_whole: bool = True

    @property
    def is_inpainting(self) -> bool:
        return re.search(r"inpaint|[._ -]fill", self.name, re.IGNORECASE) is not None

    @property
    def title(self) -> str:
        return re.sub(r"\.(safetensors|ckpt|pt|pth|sft|gguf)$", "", self.name.replace("\\", "/"))


@dataclass(frozen=True, kw_only=True)
class ComfyFacts:
    """The last probe. `version` is empty for servers too old to tell it."""

    version: tuple[int, ...] = ()
    info: ObjectInfo = field(repr=False)
    models: tuple[ModelFile, ...] = ()
    upscalers: tuple[str, ...] = ()
    embeddings: tuple[str, ...] = ()

    @property
    def control_models(self) -> tuple[str, ...]:
        return self.info.choices("ControlNetLoader", "control_net_name") or ()

    @property
    def samplers(self) -> tuple[str, ...]:
        return self.info.choices("KSampler", "sampler_name") or ()

    @property
    def schedulers(self) -> tuple[str, ...]:
        return self.info.choices("KSampler", "scheduler") or ()

    @property
    def loras(self) -> tuple[str, ...]:
        return self.info.choices("LoraLoader", "lora_name") or ()

    @property
    def vaes(self) -> tuple[str, ...]:
        return tuple(name for name in self.info.choices("VAELoader", "vae_name") or () if name != "pixel_space")

    @property
    def text_encoders(self) -> tuple[str, ...]:
        return self.info.choices("DualCLIPLoader", "clip_name1") or self.info.choices("CLIPLoader", "clip_name") or ()

    def model(self, wanted: str | None) -> ModelFile | None:
        """Return the model meant by a request; the first one when it names none."""
        if wanted is None:
            return self.models[0] if self.models else None
        found = match_name(wanted, [model.name for model in self.models])
        return next((model for model in self.models if model.name == found), None)


def read_facts(
    version: str, info: ObjectInfo, options: Mapping[str, str], embeddings: Iterable[str] = ()
) -> ComfyFacts:
    """Return the facts of a server, the model of the option `model` first."""
    forced = options.get("family", "").strip().lower()
    whole = [
        ModelFile(name=name, family=_forced(forced) or family_of(name) or ModelFamily.SD15)
        for name in info.choices("CheckpointLoaderSimple", "ckpt_name") or ()
    ]
    parts = [
        ModelFile(name=name, family=family, is_whole=False)
        for name in info.choices("UNETLoader", "unet_name") or ()
        if (family := _forced(forced) or family_of(name)) in {ModelFamily.FLUX, ModelFamily.SCHNELL, ModelFamily.SD3}
    ]
    models = [*whole, *parts]
    first = match_name(options.get("model", ""), [model.name for model in models]) if options.get("model") else None
    models.sort(key=lambda model: model.name != first)
    upscalers = list(info.choices("UpscaleModelLoader", "model_name") or ())
    preferred = match_name(options["upscaler"], upscalers) if options.get("upscaler") else None
    upscalers.sort(key=lambda name: name != preferred)
    return ComfyFacts(
        version=read_version(version),
        info=info,
        models=tuple(models),
        upscalers=tuple(upscalers),
        embeddings=tuple(embeddings),
    )


def family_of(name: str) -> ModelFamily | None:
    """Return the family a file name tells of, None if it tells of none or of one without a graph of ours."""
    for family, pattern in _NAMES:
        if re.search(pattern, name, re.IGNORECASE):
            return family
    return None


def read_version(text: str) -> tuple[int, ...]:
    """Return "0.33.0" or "v0.3.44-2-gabc" as numbers, () if there are none."""
    found = re.search(r"\d+(?:\.\d+)+", text)
    return tuple(digits(part, 0) for part in found[0].split(".")) if found else ()


def _forced(name: str) -> ModelFamily | None:
    return ModelFamily(name) if name in set(ModelFamily) else None
