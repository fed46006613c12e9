"""The name table: samplers and schedulers in every dialect, and finding a name in a server's own list.

Dialects: Automatic1111 and Forge labels ("DPM++ 2M", /sdapi/v1/samplers), ComfyUI ids ("dpmpp_2m",
/object_info/KSampler), AI Horde ("k_dpmpp_2m") and diffusers classes ("DPMSolverMultistepScheduler"). Most differ only
in spelling, which `_fold` undoes; the table lists what remains.
"""

import re
from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Final

from lazy import dataclass, pattern

MIN_PART_CHARS: Final = 3  # a shorter piece of a name says too little to guess from

_EXTENSION = pattern(r"\.(safetensors|ckpt|pt|pth|bin|gguf|sft)$")
_HASH = pattern(r"\s*\[[0-9a-fA-F]{6,64}\]\s*$")
_K_PREFIX = pattern(r"^k[_ -]")


@dataclass(frozen=True, kw_only=True)
class SamplerMatch:
    """A sampler as the server spells it, the scheduler its old combined name carried, and whether it is a stand-in."""

    name: str
    scheduler: str | None = None
    is_nearest: bool = False


@dataclass(frozen=True)
class _Sampler:
    """One row: our name, the samplers most like it (best first), and spellings that folding does not reach."""

    name: str
    near: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()


_MULTISTEP = ("dpm++_2m", "unipc", "deis", "res_multistep", "ipndm", "euler")
_SDE = ("dpm++_2m_sde", "dpm++_3m_sde", "dpm++_sde", "dpm++_2s_a", "euler_a", "dpm++_2m")
_ANCESTRAL = ("euler_a", "dpm++_2s_a", "dpm2_a", "dpm++_sde", "euler")
_PLAIN = ("euler", "ddim", "heun", "lms", "dpm2")

_SAMPLERS: Final = (
    _Sampler("euler_a", _ANCESTRAL, ("EulerAncestralDiscreteScheduler",)),
    _Sampler("euler", _PLAIN, ("EulerDiscreteScheduler", "FlowMatchEulerDiscreteScheduler")),
    _Sampler("dpm++_2m", _MULTISTEP, ("DPMSolverMultistepScheduler", "DPMSolverMultistep", "dpm_2m")),
    _Sampler("ddim", ("plms", "euler", "ddpm"), ("DDIMScheduler",)),
    _Sampler("plms", ("ddim", "ipndm", "lms", "euler"), ("PNDM", "PNDMScheduler")),
    _Sampler("dpm++_sde", _SDE, ("DPMSolverSDEScheduler",)),
    _Sampler("dpm++_2m_sde", _SDE),
    _Sampler("dpm++_2m_sde_heun", _SDE),
    _Sampler("dpm++_3m_sde", _SDE),
    _Sampler("dpm++_2s_a", _ANCESTRAL, ("DPMSolverSinglestepScheduler",)),
    _Sampler("heun", ("heunpp2", *_PLAIN), ("HeunDiscreteScheduler", "HeunDiscrete")),
    _Sampler("heunpp2", ("heun", *_PLAIN)),
    _Sampler("lms", ("ipndm", *_PLAIN), ("LMSDiscreteScheduler",)),
    _Sampler("dpm2", ("heun", *_PLAIN), ("KDPM2DiscreteScheduler",)),
    _Sampler("dpm2_a", _ANCESTRAL, ("KDPM2AncestralDiscreteScheduler",)),
    _Sampler("dpm_solver", _MULTISTEP),
    _Sampler("dpm_fast", ("dpm_adaptive", *_MULTISTEP)),
    _Sampler("dpm_adaptive", ("dpm_fast", *_MULTISTEP), ("dpm_ad",)),
    _Sampler("restart", _PLAIN),
    _Sampler("unipc", ("uni_pc_bh2", *_MULTISTEP), ("UniPCMultistepScheduler",)),
    _Sampler("uni_pc_bh2", ("unipc", *_MULTISTEP)),
    _Sampler("deis", _MULTISTEP, ("DEISMultistepScheduler",)),
    _Sampler("lcm", ("euler_a", "euler"), ("LCMScheduler",)),
    _Sampler("tcd", ("lcm", "euler_a", "euler"), ("TCDScheduler",)),
    _Sampler("ddpm", ("euler_a", "ddim"), ("DDPMScheduler",)),
    _Sampler("ipndm", ("ipndm_v", "plms", "lms", *_PLAIN)),
    _Sampler("ipndm_v", ("ipndm", "plms", "lms", *_PLAIN)),
    _Sampler("ddim_cfg++", ("euler_cfg++", "ddim", "euler")),
    _Sampler("euler_cfg++", ("ddim_cfg++", "euler", "ddim")),
    _Sampler("euler_a_cfg++", ("euler_a", "euler_cfg++", "euler")),
    _Sampler("dpm++_2m_cfg++", _MULTISTEP),
    _Sampler("dpm++_2s_a_cfg++", _ANCESTRAL),
    _Sampler("res_multistep", _MULTISTEP),
    _Sampler("res_multistep_a", ("res_multistep", *_ANCESTRAL)),
    _Sampler("gradient_estimation", _PLAIN),
    _Sampler("er_sde", _SDE),
    _Sampler("sa_solver", _SDE),
    _Sampler("seeds_2", _SDE),
    _Sampler("seeds_3", _SDE),
)

_SCHEDULERS: Final = (
    ("Automatic", ("auto", "default")),
    ("Karras", ()),
    ("Exponential", ()),
    ("Polyexponential", ()),
    ("SGM Uniform", ()),
    ("Uniform", ()),
    ("DDIM", ("ddim_uniform",)),
    ("Normal", ()),
    ("Simple", ()),
    ("Beta", ()),
    ("KL Optimal", ()),
    ("Align Your Steps", ("ays",)),
    ("Align Your Steps GITS", ("gits",)),
    ("Linear Quadratic", ()),
    ("Turbo", ()),
)

SCHEDULER_NAMES: Final[tuple[str, ...]] = tuple(name for name, _ in _SCHEDULERS)

# Endings of old combined names such as "DPM++ 2M SDE Karras"; longest first, so that "SGM Uniform" stays whole.
_ENDINGS: Final = ("align your steps", "polyexponential", "sgm uniform", "kl optimal", "exponential", "karras", "turbo")


def match_name(wanted: str, names: Iterable[str]) -> str | None:
    """Return the one of `names` that `wanted` means, or None when none or several could be meant.

    Tried in this order: the same, the same but for case, but for extension, hash and spelling, but for the folder,
    the only one that begins with it, the only one that contains it (at least three characters).
    """
    listed = list(dict.fromkeys(names))
    if wanted in listed:
        return wanted
    for reading in (_lower, _plain, _bare):
        key = reading(wanted)
        found = [name for name in listed if key and reading(name) == key]
        if found:
            return found[0] if len(found) == 1 else None
    key = _bare(wanted)
    if len(key) < MIN_PART_CHARS:
        return None
    for found in ([n for n in listed if _bare(n).startswith(key)], [n for n in listed if key in _bare(n)]):
        if found:
            return found[0] if len(found) == 1 else None
    return None


def match_sampler(wanted: str, names: Iterable[str]) -> SamplerMatch | None:
    """Return how a server that lists `names` calls the sampler `wanted`, else its nearest relative there, else None."""
    listed = list(names)
    if wanted in listed:
        return SamplerMatch(name=wanted)
    by_key: dict[str, str] = {}
    for name in listed:
        by_key.setdefault(_sampler_key(name), name)
    whole = by_key.get(_sampler_key(wanted))
    if whole:
        return SamplerMatch(name=whole)
    base, scheduler = _split_scheduler(wanted)
    if _sampler_key(base) in by_key:
        return SamplerMatch(name=by_key[_sampler_key(base)], scheduler=scheduler)
    row = _ROWS.get(_sampler_key(base))
    if row is None:
        close = match_name(base, listed)
        return SamplerMatch(name=close, scheduler=scheduler) if close else None
    # Servers that still list combined names have only those; the scheduler in the name found is then the one used.
    for name in listed:
        by_key.setdefault(_sampler_key(_split_scheduler(name)[0]), name)
    for relative in (row.name, *row.near):
        stand_in = by_key.get(_fold(relative))
        if stand_in:
            own = _split_scheduler(stand_in)[1]
            return SamplerMatch(name=stand_in, scheduler=None if own else scheduler, is_nearest=True)
    return None


def match_scheduler(wanted: str, names: Iterable[str]) -> str | None:
    """Return how a server that lists `names` calls the scheduler `wanted`, or None when it has no such thing."""
    listed = list(names)
    if wanted in listed:
        return wanted
    key = _scheduler_key(wanted)
    for name in listed:
        if _scheduler_key(name) == key:
            return name
    # "uniform" must not become "sgm_uniform": a scheduler we know is matched whole or not at all.
    return None if key in _SCHEDULER_KEYS.values() else match_name(wanted, listed)


def _lower(name: str) -> str:
    return name.strip().casefold()


def _plain(name: str) -> str:
    """Drop the short hash and the extension, and treat spaces, `_` and `-` alike; the folder stays."""
    name = _EXTENSION.sub("", _HASH.sub("", _lower(name))).replace("\\", "/")
    return re.sub(r"[\s_-]+", "_", name).strip("_")


def _bare(name: str) -> str:
    return PurePosixPath(_plain(name)).name.strip("_")


def _fold(name: str) -> str:
    """Undo what dialects differ in: case, separators, `k_`, `++` for `pp`, `a` for `ancestral`, ComfyUI's `_gpu`."""
    name = _K_PREFIX.sub("", _lower(name)).replace("++", "pp")
    name = re.sub(r"[\s_-]+", "", name).removesuffix("gpu")
    return name.replace("ancestral", "a")


_ROWS: Final = {_fold(spelling): row for row in _SAMPLERS for spelling in (row.name, *row.aliases)}
_SCHEDULER_KEYS: Final = {
    _fold(spelling): _fold(name) for name, aliases in _SCHEDULERS for spelling in (name, *aliases)
}


def _sampler_key(name: str) -> str:
    key = _fold(name)
    return _fold(_ROWS[key].name) if key in _ROWS else key


def _scheduler_key(name: str) -> str:
    key = _fold(name)
    return _SCHEDULER_KEYS.get(key, key)


def _split_scheduler(name: str) -> tuple[str, str | None]:
    """Split "DPM++ 2M Karras" into ("DPM++ 2M", "Karras")."""
    spaced = re.sub(r"[\s_-]+", " ", name.strip())
    for ending in _ENDINGS:
        if spaced.casefold().endswith(" " + ending):
            label = next(label for label in SCHEDULER_NAMES if label.casefold() == ending)
            return spaced[: -len(ending)].strip(), label
    return name, None
