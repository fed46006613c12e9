"""Additions to a built-in graph on request: a second, larger pass, and pictures that steer the drawing.

Source: the graphs `hires_fix_latent`, `upscale_model_after_txt2img` and `controlnet` in `tests/data/comfyui/workflows`.
ComfyUI itself can only draw edges from a picture; for depth, poses and the like it is given one that is a map already.
"""

import re
from typing import Any, Final

from backends.comfyui.builtin.families import ModelFamily
from backends.comfyui.builtin.sketchpad import Sketchpad
from backends.comfyui.facts import ComfyFacts, ModelFile, family_of
from backends.comfyui.graphs.graph import Link
from generation.errors import CapabilityError
from generation.request import ControlUnit, GenerationRequest
from generation.samplers import match_name
from texts.text import _

LATENT_UPSCALER: Final = "Latent"  # enlarges what is not a picture yet: quick, and needs a strength of 0.5 or more
GRID_PX: Final = 8
CANNY_LOW, CANNY_HIGH = 0.4, 0.8  # the node's own defaults

# Kinds by what the files of their models are called.
CONTROL_KINDS: Final = {
    "canny": r"canny", "depth": r"depth", "openpose": r"pose", "lineart": r"lineart", "scribble": r"scribble|sketch",
    "softedge": r"softedge|hed", "tile": r"tile", "normalmap": r"normal", "segmentation": r"seg", "mlsd": r"mlsd",
    "qrcode": r"qr",
}  # fmt: skip


def control_kinds(facts: ComfyFacts) -> tuple[str, ...]:
    """Return the kinds this server has a model for."""
    return tuple(kind for kind in CONTROL_KINDS if _fitting(facts, kind) and (kind != "canny" or "Canny" in facts.info))


def add_hires(
    pad: Sketchpad, request: GenerationRequest, facts: ComfyFacts, sampler: dict[str, Any], latent: Link, vae: Link
) -> tuple[Link, str]:
    """Add a second pass over the first one's result; return its result and the id of its sampler.

    Args:
        pad: the graph.
        request: with a hires fix.
        facts: the upscalers there are.
        sampler: the inputs of the first pass's sampler; the second differs in size, steps and strength.
        latent: the first pass's result.
        vae: decodes and encodes in between, unless it is enlarged undecoded.
    """
    hires = request.hires
    assert hires is not None
    wide, high = (side // GRID_PX * GRID_PX for side in request.result_size)
    size = {"width": wide, "height": high, "crop": "disabled"}
    if hires.upscaler == LATENT_UPSCALER:
        large = pad.add("LatentUpscale", samples=latent, upscale_method="bislerp", **size)
    else:
        pixels: Link = [pad.add("VAEDecode", samples=latent, vae=vae), 0]
        name = match_name(hires.upscaler, facts.upscalers) if hires.upscaler else None
        if name:
            loader = pad.add("UpscaleModelLoader", model_name=name)
            pixels = [pad.add("ImageUpscaleWithModel", upscale_model=[loader, 0], image=pixels), 0]
        scaled = pad.add("ImageScale", image=pixels, upscale_method="lanczos", **size)
        large = pad.add("VAEEncode", pixels=[scaled, 0], vae=vae)
    second = {"steps": hires.steps or request.steps, "denoise": hires.denoising_strength, "latent_image": [large, 0]}
    node = pad.add("KSampler", **(sampler | second))
    return [node, 0], node


def add_control(
    pad: Sketchpad,
    unit: ControlUnit,
    reference: str,
    facts: ComfyFacts,
    model: ModelFile,
    words: tuple[Link, Link],
    vae: Link,
) -> tuple[Link, Link]:
    """Let a picture steer the drawing; return the conditioning of both sides."""
    name = _model_for(facts, unit, model)
    loader = pad.add("ControlNetLoader", control_net_name=name)
    picture: Link = [pad.add("LoadImage", image=reference), 0]
    if unit.kind == "canny":
        picture = [pad.add("Canny", image=picture, low_threshold=CANNY_LOW, high_threshold=CANNY_HIGH), 0]
    own_vae = {"vae": vae} if model.family in {ModelFamily.FLUX, ModelFamily.SCHNELL, ModelFamily.SD3} else {}
    node = pad.add(
        "ControlNetApplyAdvanced", positive=words[0], negative=words[1], control_net=[loader, 0], image=picture,
        strength=max(0.0, unit.weight), start_percent=0.0, end_percent=1.0, **own_vae,
    )  # fmt: skip
    return [node, 0], [node, 1]


def control_changes(request: GenerationRequest) -> list[str]:
    """Return what is to be known of pictures that steer, in words for the reply."""
    plain = dict.fromkeys(unit.kind for unit in request.control if unit.kind not in {"canny", "tile"})
    return [_("ControlNet {kind}: the picture is taken as a finished {kind} map", kind=kind) for kind in plain]


def name_embeddings(text: str, names: tuple[str, ...]) -> str:
    """Write embeddings as ComfyUI wants them (`embedding:name`) where a text names them as others do."""
    for name in sorted(names, key=len, reverse=True):
        text = re.sub(rf"(?<![\w:/-]){re.escape(name)}(?![\w/-])", lambda found: f"embedding:{found[0]}", text)
    return text


def _model_for(facts: ComfyFacts, unit: ControlUnit, model: ModelFile) -> str:
    if unit.model:
        found = match_name(unit.model, facts.control_models)
    else:
        fitting = _fitting(facts, unit.kind)
        same = [name for name in fitting if (family_of(name) or ModelFamily.SD15) == model.family]
        found = next(iter(same), None)
    if found is None:
        raise CapabilityError(
            _("This engine has no ControlNet for “{kind}” that goes with {title}.", kind=unit.kind, title=model.title),
            field="control",
            hint=_("Pick another model."),
        ).for_owner(_("Put one into ComfyUI's models/controlnet."))
    return found


def _fitting(facts: ComfyFacts, kind: str) -> list[str]:
    pattern = CONTROL_KINDS.get(kind, re.escape(kind))
    return [name for name in facts.control_models if re.search(pattern, name, re.IGNORECASE)]
