"""Capabilities of the built-in graphs on one server."""

from collections.abc import Mapping
from typing import Final

from backends.comfyui.builtin.extras import LATENT_UPSCALER, control_kinds
from backends.comfyui.builtin.families import ModelFamily
from backends.comfyui.facts import STYLES, ComfyFacts
from backends.kind import is_on, number_of
from generation.capabilities import Capabilities, ModelInfo
from generation.request import Mode
from texts.text import _

MAX_SIDE_PX: Final = 4096
MAX_BATCH: Final = 8
MAX_STEPS: Final = 150
MIN_SIDE_PX: Final = 64
MODELS_MISSING: Final = _("it has no model of its own yet, so it draws only with a --workflow")
MODELS_UNTOLD: Final = _(
    "it does not say what models it has (it speaks only ComfyUI’s API v2), so it draws only with a --workflow"
)


def to_capabilities(facts: ComfyFacts, options: Mapping[str, str]) -> Capabilities:
    """Return what the queue needs to know of the built-in graphs on this server."""
    modes = set()
    if facts.models:
        modes |= {Mode.TXT2IMG, Mode.IMG2IMG, Mode.INPAINT}
    if facts.upscalers:
        modes.add(Mode.UPSCALE)
    first = facts.model(None)
    style = STYLES[first.family if first else ModelFamily.SD15]
    return Capabilities(
        modes=frozenset(modes),
        models=tuple(ModelInfo(name=model.name, title=model.title) for model in facts.models),
        samplers=facts.samplers,
        schedulers=facts.schedulers,
        loras=facts.loras if facts.info.is_told else None,
        vaes=facts.vaes,
        size_grid=style.grid,
        min_side=MIN_SIDE_PX,
        max_side=number_of(options, "max_side", MAX_SIDE_PX),
        max_steps=MAX_STEPS,
        max_batch=number_of(options, "max_batch", MAX_BATCH),
        embeddings=facts.embeddings,
        upscalers=facts.upscalers,
        hires_upscalers=(LATENT_UPSCALER,),
        control_kinds=control_kinds(facts),
        control_models=facts.control_models,
        supports_hires=True,
        without_modes=MODELS_MISSING if facts.info.is_told else MODELS_UNTOLD,
        supports_guidance=any(model.family is ModelFamily.FLUX for model in facts.models),
        supports_clip_skip=True,
        supports_preview=True,
        supports_progress=True,
        supports_cancel=True,
        supports_workflows=is_on(options, "own_workflows", default=True),
        lines_up=True,
        default_width=style.side,
        default_height=style.side,
        default_steps=style.steps,
        default_cfg_scale=style.cfg_scale,
    )
