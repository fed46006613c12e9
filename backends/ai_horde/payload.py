"""Our request in the Horde's words: one string for both prompts, the seed as text, sizes in multiples of 64.

Source: the schema in `/api/swagger.json` and the recorded refusals; what it refuses would cost a slot of the submit
rate all the same, so nothing is sent that it is known to refuse.
"""

import base64
from collections.abc import Callable, Mapping
from typing import Any, Final

from backends.ai_horde.facts import CONTROL_KINDS, SIZE_GRID, HordeFacts
from backends.ai_horde.kind import UPSCALERS
from backends.kind import is_on
from constants import DEFAULT_DENOISING_STRENGTH
from generation.errors import CapabilityError, RequestRejected
from generation.request import GenerationRequest, Lora, Mode, SourceImage
from lazy import pattern
from texts.text import _

MAX_LORAS: Final = 5
MIN_DENOISING: Final = 0.01
MAX_CLIP_SKIP: Final = 12
MAX_CONTROL_STEPS: Final = 40
MAX_SOURCE_SIDE_PX: Final = 3072
MAX_WORKERS: Final = 5
UPSCALER_FOR: Final = {2.0: "RealESRGAN_x2plus", 4.0: "RealESRGAN_x4plus"}

_VERSION = pattern(r"(?:.*@)?(\d+)@?")
_SPLIT = pattern(r"\s*#{3,}\s*")

Say = Callable[[str], None]


def to_payload(request: GenerationRequest, facts: HordeFacts, options: Mapping[str, str], say: Say) -> dict[str, Any]:
    """Return the body of `POST /v2/generate/async`. Slow (base64 of megabytes): call it in a thread.

    Raises:
        RequestRejected: a picture to work on is missing or too large.
    """
    model = request.model or facts.model_for(request.mode, options.get("model", ""))
    params = _params(request, options, say)
    payload: dict[str, Any] = {
        "prompt": _prompt(request),
        "params": params,
        "models": [model],
        "r2": is_on(options, "r2", default=True),
        "nsfw": is_on(options, "nsfw"),
        "censor_nsfw": is_on(options, "censor_nsfw"),
        "trusted_workers": is_on(options, "trusted_workers"),
        "slow_workers": is_on(options, "slow_workers", default=True),
        "replacement_filter": is_on(options, "replacement_filter", default=True),
        "allow_downgrade": is_on(options, "allow_downgrade"),
        "shared": False,
    }
    workers = [word.strip() for word in options.get("workers", "").split(",") if word.strip()]
    if workers:
        payload["workers"] = workers[:MAX_WORKERS]
    if request.mode in {Mode.IMG2IMG, Mode.INPAINT}:
        payload["source_image"] = _picture(request.init_image, _("picture to work on"))
        payload["source_processing"] = "inpainting" if request.mode is Mode.INPAINT else "img2img"
        _check_side(request)
    if request.mode is Mode.INPAINT:
        payload["source_mask"] = _picture(request.mask_image, "mask")
    if request.control:
        payload |= _control(request, params, say)
    return payload


def check_options(options: Mapping[str, str]) -> None:
    """Check what the owner wrote.

    Raises:
        ValueError: two upscalers.
    """
    chosen = post_processing(options)
    if sum(name in UPSCALERS for name in chosen) > 1:
        raise ValueError("post_processing: only one upscaler can be used")


def post_processing(options: Mapping[str, str]) -> list[str]:
    return [word.strip() for word in options.get("post_processing", "").split(",") if word.strip()]


def _prompt(request: GenerationRequest) -> str:
    """Join both prompts; three number signs (#) in either would move the border between them."""
    prompt, negative = (_SPLIT.sub(" ", text).strip() for text in (request.prompt, request.negative_prompt))
    if not prompt:
        raise RequestRejected(_("A prompt is needed here."), field="prompt", hint=_("Say what to draw."))
    return f"{prompt} ### {negative}" if negative else prompt


def _params(request: GenerationRequest, options: Mapping[str, str], say: Say) -> dict[str, Any]:
    width, height = _size(request, say)
    params: dict[str, Any] = {
        "width": width,
        "height": height,
        "steps": max(1, request.steps),
        "cfg_scale": round(min(100.0, max(0.0, request.cfg_scale)), 2),
        "seed": str(request.seed),
        "n": request.batch_size,
    }
    if request.sampler:
        params["sampler_name"] = request.sampler
    if request.scheduler:
        params["karras"] = request.scheduler == "karras"
    if request.clip_skip:
        params["clip_skip"] = min(MAX_CLIP_SKIP, max(1, request.clip_skip))
    if request.mode in {Mode.IMG2IMG, Mode.INPAINT}:
        strength = request.denoising_strength
        params["denoising_strength"] = _strength(DEFAULT_DENOISING_STRENGTH if strength is None else strength)
    if request.tiling:
        params["tiling"] = True
    if request.hires:
        params["hires_fix"] = True
        params["hires_fix_denoising_strength"] = _strength(request.hires.denoising_strength)
    if request.loras:
        params["loras"] = [_lora(lora) for lora in request.loras[:MAX_LORAS]]
        for lora in request.loras[MAX_LORAS:]:
            say(_("LoRA {name} left out: at most {most} at once here", name=lora.name, most=MAX_LORAS))
    processors = _post_processing(request, options, say)
    if processors:
        params["post_processing"] = processors
    return params


def _size(request: GenerationRequest, say: Say) -> tuple[int, int]:
    """Return the size of the result: the Horde's hires fix begins smaller and ends with that."""
    if request.hires is None:
        return request.width, request.height
    width, height = (round(side / SIZE_GRID) * SIZE_GRID for side in request.result_size)
    if (width, height) != request.result_size:
        say(
            _(
                "hires size {result_size_width}×{result_size_height} → {width}×{height}",
                result_size_width=request.result_size[0],
                result_size_height=request.result_size[1],
                width=width,
                height=height,
            )
        )
    if request.hires.upscaler or request.hires.steps:
        say(_("hires upscaler and steps are the worker’s own"))
    return width, height


def _control(request: GenerationRequest, params: dict[str, Any], say: Say) -> dict[str, Any]:
    """Return what makes a picture steer the drawing; it takes the source's place, so there is one from text only.

    Raises:
        CapabilityError: there is a picture to work on already.
    """
    unit, *more = request.control
    if request.mode is not Mode.TXT2IMG:
        raise CapabilityError(
            _("The Horde takes either a picture to work on or one that steers, not both."),
            field="control",
            hint=_("Leave one of them out."),
        )
    if more:
        say(_("only the first of {count} control pictures is used", count=len(request.control)))
    if unit.weight != 1.0 or unit.model:
        say(_("weight and model of the control picture are the worker’s own"))
    if params["steps"] > MAX_CONTROL_STEPS:
        say(
            _(
                "steps {steps} → {most}, the most with a control picture",
                steps=params["steps"],
                most=MAX_CONTROL_STEPS,
            )
        )
        params["steps"] = MAX_CONTROL_STEPS
    params["control_type"] = CONTROL_KINDS.get(unit.kind, unit.kind)
    params["denoising_strength"] = 1.0
    return {"source_image": _picture(unit.image, _("control picture")), "source_processing": "img2img"}


def _strength(strength: float) -> float:
    """0 is refused there; a hundredth keeps the source as it should."""
    return round(min(1.0, max(MIN_DENOISING, strength)), 2)


def _lora(lora: Lora) -> dict[str, Any]:
    """`name` or a model's number is a LoRA of CivitAI; `model@version` picks one version of it."""
    weight = round(min(5.0, max(-5.0, lora.weight)), 2)
    given: dict[str, Any] = {"name": lora.name, "model": weight, "clip": weight}
    found = _VERSION.fullmatch(lora.name) if "@" in lora.name else None
    return given | {"name": found[1], "is_version": True} if found else given


def _post_processing(request: GenerationRequest, options: Mapping[str, str], say: Say) -> list[str]:
    chosen = post_processing(options)
    factor = request.upscale_factor
    if not factor or factor <= 1:
        return chosen
    best = min(UPSCALER_FOR, key=lambda known: abs(known - factor))
    if best != factor:
        say(_("upscaled {best:g} times, not {factor:g}: there is no such upscaler here", best=best, factor=factor))
    return [name for name in chosen if name not in UPSCALERS] + [UPSCALER_FOR[best]]


def _picture(image: SourceImage | None, what: str) -> str:
    if image is None or not image.data:
        raise RequestRejected(_("The {what} is missing.", what=what), field="image", hint=_("Attach it again."))
    return base64.b64encode(image.data).decode()  # bare: a data: prefix is refused


def _check_side(request: GenerationRequest) -> None:
    image = request.init_image
    if image and max(image.width, image.height) > MAX_SOURCE_SIDE_PX:
        raise CapabilityError(
            _(
                "The picture to work on has more than {most} pixels on one side.",
                most=MAX_SOURCE_SIDE_PX,
            ),
            field="image",
            hint=_("Send a smaller one."),
        )
