"""The graphs Easel brings along: text to picture, picture to picture, inpainting and upscaling.

Source: the graphs in `tests/data/comfyui/workflows`, which ran on a real server. One shape serves all families: Flux
samples with the plain KSampler too, at CFG 1 and with an empty negative side.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from backends.comfyui.builtin.extras import add_control, add_hires, control_changes, name_embeddings
from backends.comfyui.builtin.families import ModelFamily
from backends.comfyui.builtin.sketchpad import Sketchpad
from backends.comfyui.facts import STYLES, ComfyFacts, ModelFile
from backends.comfyui.graphs.graph import Graph, Link, Slot
from backends.kind import is_on
from generation.errors import CapabilityError
from generation.request import GenerationRequest, Mode
from generation.samplers import match_name, match_sampler, match_scheduler
from lazy import dataclass
from texts.text import _

DEFAULT_STRENGTH: Final = 0.75
INPAINT_MODEL_STRENGTH: Final = 1.0
DEFAULT_UPSCALE: Final = 2.0
FLUX_GUIDANCE: Final = 3.5
MAX_FLUX_GUIDANCE: Final = 5.0  # above it colours burn; a CFG scale meant for other models is above it
FILL_GUIDANCE: Final = 30.0  # what Flux Fill is used with
MASK_BLUR_PX: Final = 4  # softens the seam where the new part meets the old

# Where a model comes without its text encoders: the instance's option, what such files are called, and an example.
_PARTS: Final = {
    "t5": (r"t5", _("a T5 text encoder (t5xxl)")),
    "clip_l": (r"clip[._ -]?l|vit-l", _("the text encoder clip_l")),
    "clip_g": (r"clip[._ -]?g|bigg", _("the text encoder clip_g")),
}
_FLUX_VAE: Final = (r"(^|[/\\])ae\.", r"flux.*(vae|ae)|vae.*flux", r"taef1")
_SD3_VAE: Final = (r"sd[._-]?3.*vae|vae.*sd[._-]?3", r"taesd3")


@dataclass(frozen=True, kw_only=True)
class Uploads:
    """The input pictures as the server named them, and the source's size in pixels."""

    init: str = ""
    mask: str = ""
    width: int = 0
    height: int = 0
    control: tuple[str, ...] = ()
    more: tuple[str, ...] = ()  # after `init`, in order


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """A graph for one picture, and where its seed goes."""

    graph: Graph
    seeds: tuple[Slot, ...] = ()


def build(request: GenerationRequest, facts: ComfyFacts, options: Mapping[str, str], uploads: Uploads) -> Drawing:
    """Return the graph of one request that `fit` has bent to this server.

    Raises:
        CapabilityError: the server lacks the model, or files that model needs.
    """
    pad = Sketchpad()
    if request.mode is Mode.UPSCALE:
        _upscale(pad, request, facts, options, uploads)
        return Drawing(graph=pad.graph)
    model = chosen_model(request, facts)
    style = STYLES[model.family]
    unet, clip, vae = _load(pad, request, facts, options, model)
    for lora in request.loras:
        node = pad.add(
            "LoraLoader", model=unet, clip=clip, lora_name=lora.name, strength_model=lora.weight,
            strength_clip=lora.weight,
        )  # fmt: skip
        unet, clip = [node, 0], [node, 1]
    if request.clip_skip and model.family in {ModelFamily.SD15, ModelFamily.SDXL}:
        clip = [pad.add("CLIPSetLastLayer", clip=clip, stop_at_clip_layer=-request.clip_skip), 0]
    positive, negative = _words(pad, request, model, clip, facts.embeddings)
    pixels, mask, soft_mask = _source(pad, request, uploads)
    strength = 1.0
    if pixels is None:
        latent: Link = [pad.add(style.latent, width=request.width, height=request.height, batch_size=1), 0]
    elif mask and model.is_inpainting:
        strength = INPAINT_MODEL_STRENGTH
        node = pad.add(
            "InpaintModelConditioning", positive=positive, negative=negative, vae=vae, pixels=pixels, mask=mask,
            noise_mask=True,
        )  # fmt: skip
        positive, negative, latent = [node, 0], [node, 1], [node, 2]
    else:
        strength = DEFAULT_STRENGTH
        latent = [pad.add("VAEEncode", pixels=pixels, vae=vae), 0]
        if mask:
            latent = [pad.add("SetLatentNoiseMask", samples=latent, mask=mask), 0]
    if pixels is not None and request.denoising_strength is not None:
        strength = max(0.0, min(1.0, request.denoising_strength))
    for unit, reference in zip(request.control, uploads.control, strict=True):
        positive, negative = add_control(pad, unit, reference, facts, model, (positive, negative), vae)
    sampler, scheduler = _sampling(request, facts, model)
    settings: dict[str, Any] = {
        "seed": request.seed, "steps": request.steps, "cfg": 1.0 if model.family.is_flux else request.cfg_scale,
        "sampler_name": sampler, "scheduler": scheduler, "denoise": strength, "model": unet, "positive": positive,
        "negative": negative, "latent_image": latent,
    }  # fmt: skip
    passes = [pad.add("KSampler", **settings)]
    latent = [passes[0], 0]
    if request.hires and request.mode is Mode.TXT2IMG:
        latent, second = add_hires(pad, request, facts, settings, latent, vae)
        passes.append(second)
    drawn: Link = [pad.add("VAEDecode", samples=latent, vae=vae), 0]
    if pixels is not None and soft_mask:  # a decoder changes a little beyond the mask too
        together = {"destination": pixels, "source": drawn, "mask": soft_mask}
        drawn = [pad.add("ImageCompositeMasked", **together, x=0, y=0, resize_source=False), 0]
    _save(pad, drawn, options)
    return Drawing(graph=pad.graph, seeds=tuple(Slot(node=node, input="seed") for node in passes))


def changes(request: GenerationRequest, facts: ComfyFacts) -> list[str]:
    """Return what `build` changes beyond names, in words for the reply."""
    model = facts.model(request.model)
    if request.mode is Mode.UPSCALE or model is None:
        return []
    notes = control_changes(request)
    if request.guidance is not None and model.family is not ModelFamily.FLUX:
        notes.append(_("guidance ignored: this model has none"))
    if not model.family.is_flux:
        return notes
    if model.family is ModelFamily.FLUX and request.guidance is None and request.cfg_scale != _guidance(request, model):
        words = _(
            "CFG scale {cfg_scale:g} → guidance {guidance:g}: that is what steers Flux",
            cfg_scale=request.cfg_scale,
            guidance=_guidance(request, model),
        )
        notes.append(words)
    if request.negative_prompt:
        notes.append(_("negative prompt ignored: Flux takes none"))
    if request.clip_skip:
        notes.append(_("CLIP skip ignored: Flux has none"))
    return notes


def chosen_model(request: GenerationRequest, facts: ComfyFacts) -> ModelFile:
    model = facts.model(request.model)
    if model is None:
        what = _("the model “{model}”", model=request.model) if request.model else _("any model Easel has a graph for")
        raise CapabilityError(_("This engine does not have {what}.", what=what), field="model", hint=_("See /models."))
    return model


def _load(
    pad: Sketchpad, request: GenerationRequest, facts: ComfyFacts, options: Mapping[str, str], model: ModelFile
) -> tuple[Link, Link, Link]:
    """Add the loaders; return the model, the text encoder and the VAE."""
    vae_name = request.vae
    if model.is_whole:
        node = pad.add("CheckpointLoaderSimple", ckpt_name=model.name)
        unet, clip, vae = [node, 0], [node, 1], [node, 2]
    else:
        unet = [pad.add("UNETLoader", unet_name=model.name, weight_dtype="default"), 0]
        clip = vae = []
        vae_name = vae_name or _vae_of(facts, options, model)
    if model.family is ModelFamily.SD3 and (not model.is_whole or _has_parts(facts, options, "clip_l", "clip_g", "t5")):
        names = [_part(facts, options, part, model) for part in ("clip_l", "clip_g", "t5")]
        named = {f"clip_name{n}": name for n, name in enumerate(names, 1)}
        clip = [pad.add("TripleCLIPLoader", **named), 0]
    elif not model.is_whole:
        t5, clip_l = _part(facts, options, "t5", model), _part(facts, options, "clip_l", model)
        clip = [pad.add("DualCLIPLoader", clip_name1=t5, clip_name2=clip_l, type="flux"), 0]
    if vae_name:
        vae = [pad.add("VAELoader", vae_name=vae_name), 0]
    return unet, clip, vae


def _find_part(facts: ComfyFacts, options: Mapping[str, str], part: str) -> str | None:
    if options.get(part):
        return match_name(options[part], facts.text_encoders)
    return _first(facts.text_encoders, _PARTS[part][0])


def _has_parts(facts: ComfyFacts, options: Mapping[str, str], *parts: str) -> bool:
    return all(_find_part(facts, options, part) for part in parts)


def _part(facts: ComfyFacts, options: Mapping[str, str], part: str, model: ModelFile) -> str:
    found = _find_part(facts, options, part)
    if found is None:
        raise _missing(model, _PARTS[part][1], "models/text_encoders")
    return found


def _vae_of(facts: ComfyFacts, options: Mapping[str, str], model: ModelFile) -> str:
    found = match_name(options["vae"], facts.vaes) if options.get("vae") else None
    for pattern in _FLUX_VAE if model.family.is_flux else _SD3_VAE:
        found = found or _first(facts.vaes, pattern)
    if found is None:
        raise _missing(model, _("its VAE") + (" (ae.safetensors)" if model.family.is_flux else ""), "models/vae")
    return found


def _missing(model: ModelFile, what: str, folder: str) -> CapabilityError:
    return CapabilityError(
        _("This engine cannot draw with {title}: it lacks {what}.", title=model.title, what=what),
        field="model",
        hint=_("Pick another model."),
    ).for_owner(_("Put it into ComfyUI's {folder}.", folder=folder))


def _first(names: tuple[str, ...], pattern: str) -> str | None:
    return next((name for name in names if re.search(pattern, name, re.IGNORECASE)), None)


def _words(
    pad: Sketchpad, request: GenerationRequest, model: ModelFile, clip: Link, embeddings: tuple[str, ...]
) -> tuple[Link, Link]:
    text = name_embeddings(request.prompt, embeddings)
    positive: Link = [pad.add("CLIPTextEncode", text=text, clip=clip), 0]
    if not model.family.is_flux:
        text = name_embeddings(request.negative_prompt, embeddings)
        return positive, [pad.add("CLIPTextEncode", text=text, clip=clip), 0]
    negative: Link = [pad.add("ConditioningZeroOut", conditioning=positive), 0]
    if model.family is ModelFamily.FLUX:
        guidance = _guidance(request, model)
        positive = [pad.add("FluxGuidance", conditioning=positive, guidance=guidance), 0]
    return positive, negative


def _guidance(request: GenerationRequest, model: ModelFile) -> float:
    if request.guidance is not None:
        return request.guidance
    usual = FILL_GUIDANCE if model.is_inpainting else FLUX_GUIDANCE
    return usual if model.is_inpainting or request.cfg_scale > MAX_FLUX_GUIDANCE else request.cfg_scale


def _source(
    pad: Sketchpad, request: GenerationRequest, uploads: Uploads
) -> tuple[Link | None, Link | None, Link | None]:
    """Add the input picture and the mask, cut to the asked size; return pixels, mask and a mask with soft edges."""
    if request.mode is Mode.TXT2IMG:
        return None, None, None

    def load(name: str) -> Link:
        picture: Link = [pad.add("LoadImage", image=name), 0]
        size = {"width": request.width, "height": request.height}
        return [pad.add("ImageScale", image=picture, upscale_method="lanczos", **size, crop="center"), 0]

    pixels = load(uploads.init)
    if request.mode is not Mode.INPAINT:
        return pixels, None, None
    painted = load(uploads.mask)
    blurred: Link = [pad.add("ImageBlur", image=painted, blur_radius=MASK_BLUR_PX, sigma=MASK_BLUR_PX / 2), 0]
    mask: Link = [pad.add("ImageToMask", image=painted, channel="red"), 0]
    return pixels, mask, [pad.add("ImageToMask", image=blurred, channel="red"), 0]


def _sampling(request: GenerationRequest, facts: ComfyFacts, model: ModelFile) -> tuple[str, str]:
    style = STYLES[model.family]
    found = match_sampler(request.sampler or style.sampler, facts.samplers)
    sampler = found.name if found else (facts.samplers or ("euler",))[0]
    asked = request.scheduler or (found.scheduler if found else None)
    scheduler = match_scheduler(asked, facts.schedulers) if asked else None
    usual = match_scheduler(style.scheduler, facts.schedulers) if not request.sampler or model.family.is_flux else None
    return sampler, scheduler or usual or match_scheduler("normal", facts.schedulers) or "normal"


def _upscale(
    pad: Sketchpad, request: GenerationRequest, facts: ComfyFacts, options: Mapping[str, str], uploads: Uploads
) -> None:
    if not facts.upscalers:
        failure = CapabilityError(_("This engine has no upscaler."), hint=_("Enlarge it on another engine."))
        raise failure.for_owner(_("Put one into upscale_models."))
    factor = request.upscale_factor or DEFAULT_UPSCALE
    chosen = match_name(request.upscaler, facts.upscalers) if request.upscaler else None
    loader = pad.add("UpscaleModelLoader", model_name=chosen or facts.upscalers[0])
    picture = pad.add("LoadImage", image=uploads.init)
    large = pad.add("ImageUpscaleWithModel", upscale_model=[loader, 0], image=[picture, 0])
    width, height = round(uploads.width * factor), round(uploads.height * factor)
    scaled = pad.add(
        "ImageScale", image=[large, 0], upscale_method="lanczos", width=width, height=height, crop="disabled"
    )
    _save(pad, [scaled, 0], options)


def _save(pad: Sketchpad, pixels: Link, options: Mapping[str, str]) -> None:
    """Previews lie in the server's temporary folder, which it empties itself."""
    if is_on(options, "save_on_server"):
        pad.add("SaveImage", images=pixels, filename_prefix="easel/easel")
    else:
        pad.add("PreviewImage", images=pixels)
