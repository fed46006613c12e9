"""Our names of samplers and schedulers in those of the diffusers library.

Source: diffusers' documentation, "Schedulers", with its table of names from Automatic1111.
"""

from collections.abc import Mapping
from typing import Any, Final

from generation.samplers import match_name

SAMPLERS: Final[Mapping[str, tuple[str, Mapping[str, Any]]]] = {
    "DPM++ 2M": ("DPMSolverMultistepScheduler", {"algorithm_type": "dpmsolver++", "solver_order": 2}),
    "DPM++ 2M SDE": ("DPMSolverMultistepScheduler", {"algorithm_type": "sde-dpmsolver++", "solver_order": 2}),
    "DPM++ SDE": ("DPMSolverSinglestepScheduler", {"algorithm_type": "dpmsolver++"}),
    "Euler": ("EulerDiscreteScheduler", {}),
    "Euler a": ("EulerAncestralDiscreteScheduler", {}),
    "DDIM": ("DDIMScheduler", {}),
    "DDPM": ("DDPMScheduler", {}),
    "Heun": ("HeunDiscreteScheduler", {}),
    "DPM2": ("KDPM2DiscreteScheduler", {}),
    "DPM2 a": ("KDPM2AncestralDiscreteScheduler", {}),
    "LMS": ("LMSDiscreteScheduler", {}),
    "PLMS": ("PNDMScheduler", {"skip_prk_steps": True}),
    "UniPC": ("UniPCMultistepScheduler", {}),
    "DEIS": ("DEISMultistepScheduler", {}),
    "LCM": ("LCMScheduler", {}),
    "TCD": ("TCDScheduler", {}),
}
FLOW_SAMPLERS: Final = frozenset({"Euler"})  # the one that flow models are made for
SPACINGS: Final[Mapping[str, Mapping[str, Any]]] = {
    "Karras": {"use_karras_sigmas": True},
    "Exponential": {"use_exponential_sigmas": True},
    "Beta": {"use_beta_sigmas": True},
    "SGM Uniform": {"timestep_spacing": "trailing"},
}


def scheduler_for(own: Any, sampler: str | None, spacing: str | None, *, is_flow: bool) -> tuple[Any, bool]:
    """Return a scheduler of the diffusers library, and whether the model's own stands in for what was asked for.

    `own` is the one that the model came with.
    """
    if is_flow:
        is_other = sampler is not None and match_name(sampler, FLOW_SAMPLERS) is None
        is_spaced = spacing not in (None, "Automatic")
        return type(own).from_config(own.config), is_other or is_spaced
    import diffusers  # takes seconds; only the child has it

    name = match_name(sampler, SAMPLERS) if sampler else None
    kind, more = SAMPLERS[name] if name else (type(own).__name__, {})
    chosen = getattr(diffusers, kind)
    spaced = dict(SPACINGS.get(spacing or "", {}))
    known = {key: value for key, value in spaced.items() if key in chosen.__init__.__wrapped__.__code__.co_varnames}
    return chosen.from_config(own.config, **more, **known), known != spaced
