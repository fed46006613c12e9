"""Families in the diffusers library: which pipeline draws in which mode, and how it calls what we ask for."""

from collections.abc import Mapping
from typing import Any, Final

from backends.embedded.models.families import FLUX, KLEIN, SD3, SD15, SDXL, Z_IMAGE
from backends.embedded.work.orders import ChildOrder

PIPELINES: Final[Mapping[str, Mapping[str, str]]] = {
    SD15: {
        "txt2img": "StableDiffusionPipeline",
        "img2img": "StableDiffusionImg2ImgPipeline",
        "inpaint": "StableDiffusionInpaintPipeline",
    },
    SDXL: {
        "txt2img": "StableDiffusionXLPipeline",
        "img2img": "StableDiffusionXLImg2ImgPipeline",
        "inpaint": "StableDiffusionXLInpaintPipeline",
    },
    SD3: {
        "txt2img": "StableDiffusion3Pipeline",
        "img2img": "StableDiffusion3Img2ImgPipeline",
        "inpaint": "StableDiffusion3InpaintPipeline",
    },
    FLUX: {"txt2img": "FluxPipeline", "img2img": "FluxImg2ImgPipeline", "inpaint": "FluxInpaintPipeline"},
    # its own drawing from a picture takes that as an example and has no strength: a mask over all of it has
    KLEIN: {
        "txt2img": "Flux2KleinPipeline",
        "img2img": "Flux2KleinInpaintPipeline",
        "inpaint": "Flux2KleinInpaintPipeline",
    },
    Z_IMAGE: {"txt2img": "ZImagePipeline", "img2img": "ZImageImg2ImgPipeline", "inpaint": "ZImageInpaintPipeline"},
}
NEGATIVE: Final = frozenset({SD15, SDXL, SD3, Z_IMAGE})
CLIP_SKIP: Final = frozenset({SD15, SDXL, SD3})
SHORT_PROMPT: Final = 256  # tokens that FLUX.1 without guidance reads at most
USUAL_STRENGTH: Final = 0.75


def strength_of(order: ChildOrder) -> float:
    return USUAL_STRENGTH if order.strength is None else order.strength


def arguments(order: ChildOrder, *, is_guided: bool) -> tuple[dict[str, Any], list[str]]:
    """Return what a pipeline is called with, pictures and seeds left out, and codes of what it cannot be told."""
    family, notes = order.model.family, []
    scale = order.cfg_scale if order.guidance is None else order.guidance
    values: dict[str, Any] = {
        "prompt": order.prompt,
        "num_inference_steps": order.steps,
        "guidance_scale": scale if is_guided else 1.0,
    }
    if order.mode == "txt2img" or family not in {SD15, SDXL}:
        values |= {"width": order.width, "height": order.height}
    if order.mode != "txt2img":
        values["strength"] = strength_of(order)
    if family in NEGATIVE:
        values["negative_prompt"] = order.negative_prompt
    elif order.negative_prompt:
        notes.append("no_negative_prompt")
    if (order.clip_skip or 1) > 1:
        if family in CLIP_SKIP:
            values["clip_skip"] = (order.clip_skip or 1) - 1  # the library counts what is skipped
        else:
            notes.append("no_clip_skip")
    if family == FLUX and not is_guided:
        values["max_sequence_length"] = SHORT_PROMPT
    return values, notes
