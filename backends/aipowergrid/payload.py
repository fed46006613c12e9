"""Our request in the Grid's words, within what the chosen model takes.

Source: the Grid's `/openapi.json` and its models' `/params`. A value outside a recipe's bounds is a 422 that costs one
of the ten calls a minute, so it is bent here, and told.
"""

import base64
from collections.abc import Callable, Mapping
from typing import Any, Final

from backends.aipowergrid.facts import SIZE_GRID, GridFacts, GridModel, usual_cfg
from backends.aipowergrid.kind import FORMATS
from backends.kind import option_of
from constants import DEFAULT_DENOISING_STRENGTH
from generation.errors import CapabilityError, RequestRejected
from generation.request import GenerationRequest, Lora, Mode
from generation.samplers import match_sampler, match_scheduler
from texts.text import _

MAX_SOURCE_BYTES: Final = 12 * 1024 * 1024
MAX_LORAS: Final = 5

Say = Callable[[str], None]


def to_payload(request: GenerationRequest, facts: GridFacts, options: Mapping[str, str], say: Say) -> dict[str, Any]:
    """Return the body of `POST /v1/images/generations`. Slow (base64 of megabytes): call it in a thread.

    Raises:
        CapabilityError: the model is not there, or cannot do that.
        RequestRejected: the picture to work on is missing or too large.
    """
    model = facts.model(request.model, request.mode, options.get("model", ""))
    if model is None:
        raise CapabilityError(
            _("No worker of the Grid can draw that now."), field="model", hint=_("Pick another model.")
        )
    width, height = _size(request, model, say)
    payload: dict[str, Any] = {
        "prompt": request.prompt,
        "model": model.name,
        "n": request.batch_size,
        "size": f"{width}x{height}",
        "seed": request.seed,
        "response_format": "url",
        "output_format": option_of(options, "output_format", FORMATS[0]),
        **_numbers(request, model, facts, options, say),
        **_names(request, model, say),
    }
    if request.negative_prompt:
        if model.recipe is None or "negative_prompt" in model.recipe.params:
            payload["negative_prompt"] = request.negative_prompt
        else:
            say(_("negative prompt ignored by {name}", name=model.name))
    if request.loras:
        payload["loras"] = _loras(request.loras, model, say)
    if request.mode is Mode.IMG2IMG:
        payload |= _source(request, model, say)
    return payload


def _size(request: GenerationRequest, model: GridModel, say: Say) -> tuple[int, int]:
    sides = []
    for name, side in (("width", request.width), ("height", request.height)):
        bound = model.bound(name)
        sides.append(round((bound.clamp(side) if bound else side) / SIZE_GRID) * SIZE_GRID)
    if sides != [request.width, request.height]:
        say(
            _(
                "size {width}×{height} → {sides_width}×{sides_height}, as {name} takes",
                width=request.width,
                height=request.height,
                sides_width=sides[0],
                sides_height=sides[1],
                name=model.name,
            )
        )
    return sides[0], sides[1]


def _numbers(
    request: GenerationRequest, model: GridModel, facts: GridFacts, options: Mapping[str, str], say: Say
) -> dict[str, Any]:
    if model.recipe is None:
        return {"steps": max(1, request.steps), "cfg_scale": min(30.0, max(0.0, request.cfg_scale))}
    values: dict[str, Any] = {}
    if steps := model.bound("steps"):
        values["steps"] = int(steps.clamp(request.steps))
        if values["steps"] != request.steps:
            say(
                _(
                    "steps {steps} → {given}, as {name} takes",
                    steps=request.steps,
                    given=values["steps"],
                    name=model.name,
                )
            )
    else:
        say(_("steps are {name}’s own", name=model.name))
    if cfg := model.bound("cfg_scale"):
        values["cfg_scale"] = cfg.clamp(request.cfg_scale)
        if values["cfg_scale"] != request.cfg_scale:
            say(
                _(
                    "cfg {cfg_scale:g} → {given:g}, as {name} takes",
                    cfg_scale=request.cfg_scale,
                    given=values["cfg_scale"],
                    name=model.name,
                )
            )
    elif request.cfg_scale != usual_cfg(facts.model(None, preferred=options.get("model", ""))):
        say(_("cfg ignored by {name}", name=model.name))
    return values


def _names(request: GenerationRequest, model: GridModel, say: Say) -> dict[str, Any]:
    """Return sampler and scheduler as this model calls them; the engine-wide lists hold those of all models."""
    given: dict[str, Any] = {}
    for what, wanted in (("sampler", request.sampler), ("scheduler", request.scheduler)):
        if not wanted:
            continue
        bound = model.bound(what)
        if model.recipe is None:
            given[what] = wanted
        elif bound is None or not bound.options:
            say(_("{what} {wanted} ignored by {name}", what=what, wanted=wanted, name=model.name))
        elif name := _match(what, wanted, bound.options):
            given[what] = name
            if name != wanted:
                say(
                    _(
                        "{what} {wanted} → {name}, as {model_name} takes",
                        what=what,
                        wanted=wanted,
                        name=name,
                        model_name=model.name,
                    )
                )
        else:
            say(_("{what} {wanted} → {name}’s own choice", what=what, wanted=wanted, name=model.name))
    return given


def _match(what: str, wanted: str, options: list[str]) -> str | None:
    if what == "scheduler":
        return match_scheduler(wanted, options)
    found = match_sampler(wanted, options)
    return found.name if found else None


def _loras(loras: tuple[Lora, ...], model: GridModel, say: Say) -> list[dict[str, Any]]:
    if model.recipe is not None and not model.recipe.capabilities.loras:
        raise CapabilityError(
            _("{name} takes no LoRAs.", name=model.name),
            field="loras",
            hint=_("Leave them out, or pick another model."),
        )
    for lora in loras[MAX_LORAS:]:
        say(_("LoRA {name} left out: at most {most} at once here", name=lora.name, most=MAX_LORAS))
    return [_lora(lora) for lora in loras[:MAX_LORAS]]


def _lora(lora: Lora) -> dict[str, Any]:
    """`name` or a model's number is a LoRA of CivitAI; `model@version` picks one version of it."""
    weight = round(min(5.0, max(-5.0, lora.weight)), 2)
    given: dict[str, Any] = {"name": lora.name, "model": weight, "clip": weight}
    __, at, version = lora.name.rpartition("@")
    return given | {"name": version, "is_version": True} if at and version.isdigit() else given


def _source(request: GenerationRequest, model: GridModel, say: Say) -> dict[str, Any]:
    if not model.takes_pictures:
        raise CapabilityError(
            _("{name} does not draw from a picture.", name=model.name),
            field="model",
            hint=_("Pick one that does: /models tells."),
        )
    image = request.init_image
    if image is None or not image.data:
        raise RequestRejected(_("The picture to work on is missing."), field="image", hint=_("Attach it again."))
    if len(image.data) > MAX_SOURCE_BYTES:
        raise RequestRejected(
            _(
                "The picture to work on is larger than {most} MB.",
                most=MAX_SOURCE_BYTES // 1024**2,
            ),
            field="image",
            hint=_("Send a smaller one."),
        )
    values: dict[str, Any] = {"image": base64.b64encode(image.data).decode()}
    strength = DEFAULT_DENOISING_STRENGTH if request.denoising_strength is None else request.denoising_strength
    assert model.recipe is not None
    if not model.recipe.capabilities.strength:
        say(_("denoising strength ignored by {name}", name=model.name))
        return values
    bound = model.bound("denoise")
    values["strength"] = bound.clamp(strength) if bound else strength
    if values["strength"] != strength:
        say(
            _(
                "denoising strength {strength:g} → {given:g}, as {name} takes",
                strength=strength,
                given=values["strength"],
                name=model.name,
            )
        )
    return values
