"""Abilities of the engine with the models that are on this machine."""

from collections.abc import Sequence
from typing import Final

from backends.embedded.models.controls import ControlNet
from backends.embedded.models.disk import LocalModel, ModelShelf
from backends.embedded.models.families import ONE_CONTROL
from backends.embedded.work.orders import DIFFUSERS
from generation.capabilities import Capabilities, ModelInfo
from generation.control_kinds import match_control_kind
from generation.request import Mode

MODES: Final = frozenset({Mode.TXT2IMG, Mode.IMG2IMG, Mode.INPAINT})
GRID: Final = 16  # what every family can draw
MAX_SIDE_PX: Final = 2048
MAX_STEPS: Final = 150
MAX_BATCH: Final = 8
# Names as they are known from Automatic1111; `work/schedulers.py` has what each is in the diffusers library.
SAMPLERS: Final = (
    "DPM++ 2M", "DPM++ 2M SDE", "DPM++ SDE", "Euler", "Euler a", "DDIM", "DDPM", "Heun", "DPM2", "DPM2 a", "LMS",
    "PLMS", "UniPC", "DEIS", "LCM", "TCD",
)  # fmt: skip
SCHEDULERS: Final = ("Automatic", "Karras", "Exponential", "SGM Uniform", "Beta")


def default_model(shelf: ModelShelf, wanted: str) -> LocalModel:
    """Return the model that draws where a request names none."""
    return next((model for model in shelf.models if wanted in (model.name, model.title)), shelf.models[0])


def model_for_controls(shelf: ModelShelf, wanted: str, kinds: Sequence[str], mode: Mode) -> LocalModel:
    """Return the model that draws where a request names none: one that all its ControlNets fit, if there is one."""
    usual = default_model(shelf, wanted)
    for model in (usual, *shelf.models):
        there = tuple(control.kind for control in shelf.controls_for(model, mode))
        if len(kinds) > 1 and model.family.name in ONE_CONTROL:
            continue
        if all(match_control_kind(kind, there) for kind in kinds):
            return model
    return usual


def _usable(shelf: ModelShelf) -> list[ControlNet]:
    """Return the ControlNets that fit one of the models."""
    fitting = {id(control) for model in shelf.models for control in shelf.controls_for(model)}
    return [control for control in shelf.controls if id(control) in fitting]


def capabilities_of(shelf: ModelShelf, wanted: str, loaded: str) -> Capabilities:
    """Return what can be done; `wanted` is the default model, `loaded` the one that is in memory."""
    usual = default_model(shelf, wanted)
    of_diffusers = [model for model in shelf.models if model.maker == DIFFUSERS]
    has_samplers = bool(of_diffusers)  # OpenVINO draws with a model's own
    modes = MODES if any(model.takes_masks for model in shelf.models) else MODES - {Mode.INPAINT}
    ordered = sorted(shelf.models, key=lambda model: model is not usual)
    return Capabilities(
        modes=modes,
        models=tuple(
            ModelInfo(
                name=model.name,
                title=model.title,
                is_loaded=model.name == loaded,
                licence=model.known.licence if model.known else "",
            )
            for model in ordered
        ),
        samplers=SAMPLERS if has_samplers else (),
        schedulers=SCHEDULERS if has_samplers else (),
        loras=tuple(path.stem for path in shelf.loras),
        control_kinds=tuple(sorted({control.kind for control in _usable(shelf)})),
        control_models=tuple(dict.fromkeys(control.name for control in _usable(shelf))),
        size_grid=GRID,
        min_side=64,
        max_side=MAX_SIDE_PX,
        max_steps=MAX_STEPS,
        max_batch=MAX_BATCH,
        supports_clip_skip=has_samplers,
        supports_guidance=any(model.family.is_flow for model in shelf.models),
        supports_preview=True,
        supports_progress=True,
        supports_cancel=True,
        default_width=usual.family.side,
        default_height=usual.family.side,
        default_steps=usual.steps,
        default_cfg_scale=usual.cfg_scale,
    )
