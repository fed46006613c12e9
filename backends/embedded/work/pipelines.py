"""Families in the diffusers library: which pipeline draws in which mode, and how it calls what we ask for."""

from collections.abc import Mapping
from typing import Any, Final

from backends.embedded.models.families import FLUX, KLEIN, SD3, SD15, SDXL, Z_IMAGE
from backends.embedded.work.orders import ChildOrder
from backends.embedded.work.weights import without_weights

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
STEERED: Final[Mapping[str, Mapping[str, str]]] = {
    SD15: {
        "txt2img": "StableDiffusionControlNetPipeline",
        "img2img": "StableDiffusionControlNetImg2ImgPipeline",
        "inpaint": "StableDiffusionControlNetInpaintPipeline",
    },
    SDXL: {
        "txt2img": "StableDiffusionXLControlNetPipeline",
        "img2img": "StableDiffusionXLControlNetImg2ImgPipeline",
        "inpaint": "StableDiffusionXLControlNetInpaintPipeline",
    },
    FLUX: {
        "txt2img": "FluxControlNetPipeline",
        "img2img": "FluxControlNetImg2ImgPipeline",
        "inpaint": "FluxControlNetInpaintPipeline",
    },
    SD3: {"txt2img": "StableDiffusion3ControlNetPipeline"},
    Z_IMAGE: {"txt2img": "ZImageControlNetPipeline"},
}
# The same for ControlNets that take several pictures of several kinds at once.
STEERED_BY_UNION: Final[Mapping[str, str]] = {
    "txt2img": "StableDiffusionXLControlNetUnionPipeline",
    "img2img": "StableDiffusionXLControlNetUnionImg2ImgPipeline",
    "inpaint": "StableDiffusionXLControlNetUnionInpaintPipeline",
}
# The part that draws, which is read from a single file.
TRANSFORMERS: Final[Mapping[str, str]] = {
    SD3: "SD3Transformer2DModel",
    FLUX: "FluxTransformer2DModel",
    KLEIN: "Flux2Transformer2DModel",
    Z_IMAGE: "ZImageTransformer2DModel",
}
NEGATIVE: Final = frozenset({SD15, SDXL, SD3, Z_IMAGE})
WEIGHED: Final = frozenset({SD15, SDXL})  # weights of words: their words are read by CLIP alone
CLIP_SKIP: Final = frozenset({SD15, SDXL, SD3})
SHORT_PROMPT: Final = 256  # tokens that FLUX.1 without guidance reads at most
USUAL_STRENGTH: Final = 0.75


def pipeline_name(order: ChildOrder) -> str:
    """Return the pipeline that draws an order."""
    if order.has_union:
        return STEERED_BY_UNION[order.mode]
    return (STEERED if order.controls else PIPELINES)[order.model.family][order.mode]


def strength_of(order: ChildOrder) -> float:
    return USUAL_STRENGTH if order.strength is None else order.strength


def arguments(order: ChildOrder, *, is_guided: bool) -> tuple[dict[str, Any], list[str]]:
    """Return what a pipeline is called with, pictures and seeds left out, and codes of what it cannot be told."""
    family = order.model.family
    notes: list[str] = []
    scale = order.cfg_scale if order.guidance is None else order.guidance
    takes_weights = family in WEIGHED
    prompt = order.prompt if takes_weights else without_weights(order.prompt)
    if prompt != order.prompt:
        notes.append("no_word_weights")
    values: dict[str, Any] = {
        "prompt": prompt,
        "num_inference_steps": order.steps,
        "guidance_scale": scale if is_guided else 1.0,
    }
    if order.mode == "txt2img" or family not in {SD15, SDXL}:
        values |= {"width": order.width, "height": order.height}
    if order.mode != "txt2img":
        values["strength"] = strength_of(order)
    if family in NEGATIVE:
        unwanted = order.negative_prompt
        values["negative_prompt"] = unwanted if takes_weights else without_weights(unwanted)
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
