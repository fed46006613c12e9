"""A request in the child's words."""

from collections.abc import Sequence
from typing import Any, Final

from backends.embedded.models.controls import ControlNet
from backends.embedded.models.disk import LocalModel, ModelShelf
from backends.embedded.models.drawers import PEOPLE, POSE
from backends.embedded.models.families import ONE_CONTROL
from generation.control_kinds import match_control_kind
from generation.errors import RequestRejected
from generation.request import ControlUnit, GenerationRequest, Mode, SourceImage, seed_after
from generation.samplers import match_name
from texts.text import _, joined

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
        draw["controls"] = [_control(unit, net, shelf) for unit, net in _chosen(request, controls, model)]
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


def _chosen(
    request: GenerationRequest, controls: Sequence[ControlNet], model: LocalModel
) -> list[tuple[ControlUnit, ControlNet]]:
    """Return the ControlNet for each picture that steers: those that work together, if there are such.

    Raises:
        RequestRejected: there is none, or they do not work together.
    """
    fitting = [_fitting(unit, controls, model) for unit in request.control]
    unions = dict.fromkeys(net.path for net in controls if net.is_union)
    for wanted in (None, *unions):  # all of the usual kind, or all of them the same one for several kinds
        matching = [[net for net in nets if (net.path if net.is_union else None) == wanted] for nets in fitting]
        if all(matching):
            return [(unit, nets[0]) for unit, nets in zip(request.control, matching, strict=True)]
    names = joined(", ", [nets[0].name for nets in fitting])
    message = _("The ControlNets {names} do not work together with the model {model}.", names=names, model=model.title)
    raise RequestRejected(message, field="control")


def _fitting(unit: ControlUnit, controls: Sequence[ControlNet], model: LocalModel) -> list[ControlNet]:
    kind = match_control_kind(unit.kind, tuple(control.kind for control in controls))
    fitting = {control.name: control for control in controls if control.kind == kind}
    if unit.model:
        name = match_name(unit.model, fitting)
        fitting = {} if name is None else {name: fitting[name]}
    if not fitting:
        named = unit.model or unit.kind
        message = _("There is no ControlNet “{name}” here for the model {model}.", name=named, model=model.title)
        raise RequestRejected(message, field="control")
    return list(fitting.values())


def _control(unit: ControlUnit, net: ControlNet, shelf: ModelShelf) -> dict[str, Any]:
    values: dict[str, Any] = {"path": str(net.path), "kind": net.kind, "weight": unit.weight}
    values |= {"class_name": net.class_name, "mode": net.mode}
    if net.kind in shelf.drawers:
        values["drawer"] = str(shelf.drawers[net.kind])
    if net.kind == POSE and PEOPLE in shelf.drawers:
        values["finder"] = str(shelf.drawers[PEOPLE])
    return values


def _data(source: SourceImage | None, field: str) -> bytes:
    if source is None:
        raise RequestRejected(_("This needs a picture to work on. Attach one, or reply to one."), field=field)
    return source.data
