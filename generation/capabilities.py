"""What a backend can do, and whether a request fits it. Pure: no I/O, no clock.

`fit` is the only place where a request is bent to a backend; whatever it changes is said in its notes.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from generation.request import GenerationRequest, Mode
from generation.samplers import match_name, match_sampler, match_scheduler


@dataclass(frozen=True, kw_only=True)
class ModelInfo:
    """A model people can pick. `name` is what is sent back to the server, `title` what is shown."""

    name: str
    title: str
    is_loaded: bool = False


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """Everything Easel needs to know about a backend: to choose it, to draw its controls, to list it.

    Sizes in pixels. An empty `models`, `samplers`, `schedulers` or `loras` means the engine has none to choose from;
    `None` means it cannot tell, so names are passed through as they are.
    """

    modes: frozenset[Mode]
    models: tuple[ModelInfo, ...] | None = ()
    samplers: tuple[str, ...] | None = ()
    schedulers: tuple[str, ...] | None = ()
    loras: tuple[str, ...] | None = ()
    vaes: tuple[str, ...] | None = ()
    size_grid: int = 8
    min_side: int = 64
    max_side: int = 4096
    max_steps: int = 150
    max_batch: int = 8
    supports_negative_prompt: bool = True
    supports_cfg_scale: bool = True
    supports_steps: bool = True
    supports_clip_skip: bool = False
    supports_preview: bool = False
    supports_progress: bool = False
    supports_cancel: bool = False
    lines_up: bool = False  # takes a request while it draws another, and does them in order
    is_deterministic: bool = True
    default_width: int = 512
    default_height: int = 512
    default_steps: int = 20
    default_cfg_scale: float = 7.0
    remark: str = ""  # one honest line shown with every result, e.g. the sketch engine's


@dataclass(frozen=True, kw_only=True)
class Fit:
    """The request as this backend will get it, and what was changed, in words."""

    request: GenerationRequest
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Refused:
    """Why this backend cannot do it: sentences for people."""

    reasons: tuple[str, ...]


def fit(request: GenerationRequest, capabilities: Capabilities) -> Fit | Refused:
    """Bend `request` to what the backend can do, or say why that is impossible.

    Sizes snap to the grid, samplers are mapped, what cannot be honoured is dropped; each change is a note.
    A mode, a model or a LoRA that is not there is refused: another backend may have it.
    """
    reasons = _refusals(request, capabilities)
    if reasons:
        return Refused(reasons=tuple(reasons))
    notes: list[str] = []
    for bend in (_fit_model, _fit_size, _fit_numbers, _fit_samplers, _fit_words):
        request = bend(request, capabilities, notes.append)
    return Fit(request=request, notes=tuple(notes))


def _refusals(request: GenerationRequest, capabilities: Capabilities) -> list[str]:
    reasons = []
    if request.mode not in capabilities.modes:
        reasons.append(f"it cannot do {request.mode}")
    if request.model and capabilities.models and _find_model(request.model, capabilities.models) is None:
        reasons.append(f"it has no model “{request.model}”")
    if capabilities.loras is not None:
        for lora in request.loras:
            if match_name(lora.name, capabilities.loras) is None:
                reasons.append(f"it has no LoRA “{lora.name}”")
    return reasons


Say = Callable[[str], None]


def _fit_model(request: GenerationRequest, capabilities: Capabilities, say: Say) -> GenerationRequest:
    loras = request.loras
    if capabilities.loras:
        loras = tuple(replace(lora, name=match_name(lora.name, capabilities.loras) or lora.name) for lora in loras)
    request = replace(request, loras=loras)
    if not request.model:
        return request
    if capabilities.models == ():
        say(f"model {request.model} ignored: this engine has only one")
        return replace(request, model=None)
    return replace(request, model=_find_model(request.model, capabilities.models or ()) or request.model)


def _find_model(wanted: str, models: tuple[ModelInfo, ...]) -> str | None:
    """Return the name of the model meant; names win over titles, but an exact title over a name like it."""
    names = {model.name: model.name for model in models}
    titles = {model.title: model.name for model in models}
    if wanted in titles and wanted not in names:
        return titles[wanted]
    return match_name(wanted, names) or titles.get(match_name(wanted, titles) or "")


def _fit_size(request: GenerationRequest, capabilities: Capabilities, say: Say) -> GenerationRequest:
    if request.mode is Mode.UPSCALE:
        return request
    grid = capabilities.size_grid

    def snap(side: int) -> int:
        top = capabilities.max_side // grid * grid
        bottom = -(-capabilities.min_side // grid) * grid
        return max(bottom, min(top, round(side / grid) * grid))

    width, height = snap(request.width), snap(request.height)
    longest = max(request.width, request.height)
    if longest > capabilities.max_side:  # keep the shape when the size has to shrink
        scale = capabilities.max_side / longest
        width, height = snap(int(request.width * scale)), snap(int(request.height * scale))
    if (width, height) != (request.width, request.height):
        say(f"size {request.width}×{request.height} → {width}×{height}")
    return replace(request, width=width, height=height)


def _fit_numbers(request: GenerationRequest, capabilities: Capabilities, say: Say) -> GenerationRequest:
    if request.steps > capabilities.max_steps:
        say(f"steps {request.steps} → {capabilities.max_steps}, the most this engine takes")
        request = replace(request, steps=capabilities.max_steps)
    if request.batch_size > capabilities.max_batch:
        say(f"batch {request.batch_size} → {capabilities.max_batch}, the most this engine takes")
        request = replace(request, batch_size=capabilities.max_batch)
    return request


def _fit_samplers(request: GenerationRequest, capabilities: Capabilities, say: Say) -> GenerationRequest:
    request = _fit_sampler(request, capabilities.samplers, say)
    wanted = request.scheduler
    if not wanted or capabilities.schedulers is None:
        return request
    if not capabilities.schedulers:
        say(f"scheduler {wanted} ignored: this engine has none to choose from")
        return replace(request, scheduler=None)
    name = match_scheduler(wanted, capabilities.schedulers)
    if name is None:
        say(f"scheduler {wanted} → the engine’s own choice")
    return replace(request, scheduler=name)


def _fit_sampler(request: GenerationRequest, samplers: tuple[str, ...] | None, say: Say) -> GenerationRequest:
    wanted = request.sampler
    if not wanted or samplers is None:
        return request
    if not samplers:
        say(f"sampler {wanted} ignored: this engine has none to choose from")
        return replace(request, sampler=None)
    found = match_sampler(wanted, samplers)
    if found is None or found.is_nearest:
        say(f"sampler {wanted} → {found.name if found else 'the engine’s own choice'}")
    scheduler = request.scheduler or (found.scheduler if found else None)
    return replace(request, sampler=found.name if found else None, scheduler=scheduler)


def _fit_words(request: GenerationRequest, capabilities: Capabilities, say: Say) -> GenerationRequest:
    if request.negative_prompt and not capabilities.supports_negative_prompt:
        say("negative prompt ignored by this engine")
        request = replace(request, negative_prompt="")
    if request.clip_skip and not capabilities.supports_clip_skip:
        say("CLIP skip ignored by this engine")
        request = replace(request, clip_skip=None)
    if request.vae and capabilities.vaes is not None:
        name = match_name(request.vae, capabilities.vaes)
        if name is None:
            say(f"VAE {request.vae} is not there: the engine’s own is used")
        request = replace(request, vae=name)
    return request
