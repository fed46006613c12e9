"""A request in the child's words."""

from collections.abc import Sequence
from typing import Any, Final

from backends.embedded.models.controls import ControlNet
from backends.embedded.models.disk import LocalModel, ModelShelf
from backends.embedded.models.families import ONE_CONTROL
from generation.control_kinds import match_control_kind
from generation.errors import RequestRejected
from generation.request import ControlUnit, GenerationRequest, Mode, SourceImage, seed_after
from generation.samplers import match_name
from texts.text import _

FEW_STEPS: Final = ("Euler", "SGM Uniform")  # which SDXL Lightning was made for, as its page says


def model_values(model: LocalModel) -> dict[str, Any]:
    return {
        "name": model.name,
        "path": str(model.path),
        "family": model.family.name,
        "weights_mb": model.weights_mb,
        "maker": model.maker,
        "file": str(model.file) if model.file else "",
    }


def draw_order(request: GenerationRequest, model: LocalModel, shelf: ModelShelf) -> tuple[dict[str, Any], list[bytes]]:
    """Return what the child is to draw, with the pictures that it needs.

    Raises:
        RequestRejected: a picture or a LoRA is not there.
    """
    draw: dict[str, Any] = {
        "model": model_values(model),
        "mode": str(request.mode),
        "prompt": request.prompt,
        "negative_prompt": request.negative_prompt,
        "width": request.width,
        "height": request.height,
        "steps": request.steps,
        "cfg_scale": request.cfg_scale,
        "guidance": request.guidance,
        "sampler": request.sampler or (FEW_STEPS[0] if model.lora else None),
        "scheduler": request.scheduler or (FEW_STEPS[1] if model.lora else None),
        "strength": request.denoising_strength,
        "clip_skip": request.clip_skip,
        "seeds": [seed_after(request.seed, number) for number in range(request.batch_size)],
        "loras": [_lora(lora.name, lora.weight, shelf) for lora in request.loras],
    }
    if request.control:
        controls = shelf.controls_for(model, request.mode)
        _check_controls(request, model, shelf)
        draw["controls"] = [_control(unit, controls, model, shelf) for unit in request.control]
    if model.lora:
        draw["loras"].insert(0, {"path": str(model.lora), "weight": 1.0})
    pictures = []
    if request.mode is not Mode.TXT2IMG:
        pictures.append(_data(request.init_image, "init_image"))
    if request.mode is Mode.INPAINT:
        pictures.append(_data(request.mask_image, "mask_image"))
    pictures += [unit.image.data for unit in request.control]
    return {"do": "draw", "draw": draw}, pictures


def _lora(name: str, weight: float, shelf: ModelShelf) -> dict[str, Any]:
    path = shelf.lora(name)
    if path is None:
        raise RequestRejected(_("There is no LoRA “{name}” here any more.", name=name), field="loras")
    return {"path": str(path), "weight": weight}


def _check_controls(request: GenerationRequest, model: LocalModel, shelf: ModelShelf) -> None:
    """Refuse what a model is never steered by.

    Raises:
        RequestRejected: in this mode, or by so many.
    """
    if shelf.controls_for(model) and not shelf.controls_for(model, request.mode):
        message = _("With the model {model}, a ControlNet steers only pictures from words.", model=model.title)
        raise RequestRejected(message, field="control")
    if len(request.control) > 1 and model.family.name in ONE_CONTROL:
        message = _("The model {model} takes one ControlNet at a time.", model=model.title)
        raise RequestRejected(message, field="control")


def _control(unit: ControlUnit, controls: Sequence[ControlNet], model: LocalModel, shelf: ModelShelf) -> dict[str, Any]:
    kind = match_control_kind(unit.kind, tuple(control.kind for control in controls))
    fitting = {control.name: control for control in controls if control.kind == kind}
    name = match_name(unit.model, fitting) if unit.model else next(iter(fitting), None)
    if name is None:
        named = unit.model or unit.kind
        message = _("There is no ControlNet “{name}” here for the model {model}.", name=named, model=model.title)
        raise RequestRejected(message, field="control")
    found = fitting[name]
    values = {"path": str(found.path), "kind": found.kind, "weight": unit.weight}
    return values | ({"drawer": str(shelf.drawers[found.kind])} if found.kind in shelf.drawers else {})


def _data(source: SourceImage | None, field: str) -> bytes:
    if source is None:
        raise RequestRejected(_("This needs a picture to work on. Attach one, or reply to one."), field=field)
    return source.data
