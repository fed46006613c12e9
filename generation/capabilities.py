"""Capabilities of a backend, and whether a request fits them. Pure: no I/O, no clock.

`fit` is the only place where a request is bent to a backend; whatever it changes is said in its notes.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import fields
from typing import Any, Final

from constants import DEFAULT_DENOISING_STRENGTH, MAX_CFG_SCALE, MAX_SEED, MAX_SIDE_PX
from generation import workflow_options
from generation.control_kinds import match_control_kind
from generation.fields import FIELDS, Kind
from generation.foreign import MAX_NAMES, clean_line, clean_name, clean_names, finite, whole
from generation.framing import canvas_for, nearest_size, pixels, reduction
from generation.lora_tags import fit_lora_tags
from generation.named import Asked, refusals, unknown
from generation.quick import fit_draft
from generation.request import FROM_PICTURE_ALONE, GenerationRequest, Mode
from generation.samplers import match_name, match_sampler, match_scheduler
from generation.sampling import fit_samplers, say_dropped
from generation.several_pictures import fit_pictures
from generation.values import changed
from lazy import dataclass
from texts.text import _


@dataclass(frozen=True, kw_only=True)
class ModelInfo:
    """A model people can pick. `name` is what is sent back to the server, `title` what is shown."""

    name: str
    title: str
    is_loaded: bool = False
    licence: str = ""  # its name, where it is known

    def __post_init__(self) -> None:
        object.__setattr__(self, "name", clean_name(self.name))
        object.__setattr__(self, "title", clean_name(self.title) or self.name)


_MOST_STEPS: Final = 100_000
_WHOLE: Final = {
    "size_grid": (1, MAX_SIDE_PX), "min_side": (1, MAX_SIDE_PX), "max_side": (1, 2**31), "max_steps": (1, _MOST_STEPS),
    "max_batch": (1, 10_000), "max_images": (1, 100), "default_width": (1, MAX_SIDE_PX),
    "default_height": (1, MAX_SIDE_PX), "default_steps": (1, _MOST_STEPS), "max_seed": (0, MAX_SEED),
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Capabilities:
    """Everything Easel needs to know about a backend: to choose it, to draw its controls, to list it.

    Sizes in pixels. An empty `models`, `samplers`, `schedulers` or `loras` means the engine has none to choose from;
    `None` means it cannot tell, so names are passed through as they are.
    """

    modes: frozenset[Mode]
    models: tuple[ModelInfo, ...] | None = ()
    other_models: str = ""  # a pattern: names besides those it lists that it takes
    samplers: tuple[str, ...] | None = ()
    schedulers: tuple[str, ...] | None = ()
    loras: tuple[str, ...] | None = ()
    lora_aliases: tuple[str, ...] = ()  # other names of the same, not listed
    reads_any_language: bool = False  # its model follows prompts in other languages as well as in English
    reads_lora_tags: bool = False  # in its prompts, with all that a tag may say
    vaes: tuple[str, ...] | None = ()
    styles: tuple[str, ...] | None = ()
    embeddings: tuple[str, ...] | None = ()  # written in the prompt by name
    upscalers: tuple[str, ...] | None = ()
    hires_upscalers: tuple[str, ...] | None = ()  # what a hires fix may use besides `upscalers`
    control_kinds: tuple[str, ...] = ()
    control_models: tuple[str, ...] | None = ()
    size_grid: int = 8
    min_side: int = 64
    max_side: int = 4096
    max_steps: int = 150
    max_batch: int = 8
    max_images: int = 1  # input pictures that are drawn from together
    supports_negative_prompt: bool = True
    supports_cfg_scale: bool = True
    supports_steps: bool = True
    supports_clip_skip: bool = False
    supports_hires: bool = False
    supports_guidance: bool = False  # distilled guidance apart from CFG; elsewhere the one stands for the other
    supports_mask_fill: bool = False
    supports_only_masked: bool = False
    supports_tiling: bool = False
    supports_subseed: bool = False  # a second seed that a picture is varied by
    supports_describe: bool = False  # it can say what a picture shows
    supports_workflows: bool = False  # it runs graphs of people's own
    supports_preview: bool = False
    supports_progress: bool = False
    supports_cancel: bool = False
    lines_up: bool = False  # takes a request while it draws another, and does them in order
    is_deterministic: bool = True
    default_width: int = 512
    default_height: int = 512
    default_steps: int = 20
    default_cfg_scale: float = 7.0
    default_strength: float = DEFAULT_DENOISING_STRENGTH
    max_seed: int = MAX_SEED  # a larger one is folded into this
    options: tuple[workflow_options.WorkflowOption, ...] = ()  # what its workflow adds to Easel's own
    remark: str = ""  # one honest line shown with every result, such as how it was drawn
    without_modes: str = _("it can do nothing by itself")  # why, where `modes` is empty

    def __post_init__(self) -> None:
        """Keep what an engine claims to names that can be listed and numbers that can be reckoned with."""
        for field in fields(self):  # all of them, so that none that is added later is forgotten
            if field.name not in ("models", "options") and isinstance(names := getattr(self, field.name), tuple):
                object.__setattr__(self, field.name, clean_names(names))
        if self.models is not None:
            object.__setattr__(self, "models", _listed(self.models[:MAX_NAMES]))
        for name, (low, high) in _WHOLE.items():
            object.__setattr__(self, name, whole(getattr(self, name), low, high))
        object.__setattr__(self, "default_cfg_scale", finite(self.default_cfg_scale, 0.0, MAX_CFG_SCALE))
        object.__setattr__(self, "remark", clean_line(self.remark))


def _listed(models: tuple[ModelInfo, ...]) -> tuple[ModelInfo, ...]:
    """Return each model once; those of one title go by their names."""
    once: dict[str, ModelInfo] = {}
    for model in models:
        if model.name and (model.name not in once or model.is_loaded):
            once[model.name] = model
    titles = Counter(model.title for model in once.values())
    return tuple(changed(m, title=m.name) if titles[m.title] > 1 else m for m in once.values())


@dataclass(frozen=True, kw_only=True)
class Fit:
    """The request as this backend will get it, and what was changed, in words."""

    request: GenerationRequest
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Refused:
    """The reasons why this backend cannot do it: sentences for people."""

    reasons: tuple[str, ...]


def fit(request: GenerationRequest, capabilities: Capabilities) -> Fit | Refused:
    """Bend `request` to what the backend can do, or say why that is impossible.

    Sizes snap to the grid, samplers are mapped, what cannot be honoured is dropped; each change is a note.
    A mode or a named thing that is not there is refused (`generation.named`): another backend may have it.
    A request with a workflow was bent to that before (`fit_workflow`): an engine runs workflows or it does not.
    """
    notes: list[str] = []
    if request.workflow is not None:
        if not capabilities.supports_workflows:
            return Refused(reasons=(_("it runs no workflows"),))
        if request.guide is not None:  # its own size is kept in the request, to come back to
            request = _fit_size(request, capabilities, notes.append)
        return Fit(request=request, notes=tuple(notes))
    reasons = _refusals(request, capabilities)
    if reasons:
        return Refused(reasons=tuple(reasons))
    for bend in _BENDS:
        request = bend(request, capabilities, notes.append)
    return Fit(request=request, notes=tuple(notes))


def fit_workflow(request: GenerationRequest, capabilities: Capabilities) -> Fit | Refused:
    """Bend a request to its workflow: `capabilities` are what that can do on one engine."""
    fitted = fit(changed(request, workflow=None), capabilities)
    if isinstance(fitted, Refused):
        return fitted
    notes = list(fitted.notes)
    # what nobody said has the workflow's own value
    if not capabilities.supports_steps and request.steps != capabilities.default_steps:
        notes.append(_("steps ignored: this workflow has no place for them"))
    if not capabilities.supports_cfg_scale and request.cfg_scale != capabilities.default_cfg_scale:
        notes.append(_("CFG scale ignored: this workflow has no place for it"))
    return Fit(request=changed(fitted.request, workflow=request.workflow), notes=tuple(notes))


def _refusals(request: GenerationRequest, capabilities: Capabilities) -> list[str]:
    reasons = []
    if request.mode not in capabilities.modes:
        cannot = _("it cannot do {mode}", mode=request.mode)
        reasons.append(cannot if capabilities.modes else capabilities.without_modes)
    other = re.fullmatch(capabilities.other_models, request.model or "") if capabilities.other_models else None
    if request.model and capabilities.models and not (other or find_model(request.model, capabilities.models)):
        reasons.append(unknown("model", request.model, _model_names(capabilities.models)))
    if capabilities.loras is not None:
        for lora in request.loras:
            if _find_lora(lora.name, capabilities) is None:
                reasons.append(unknown("LoRA", lora.name, capabilities.loras))
    reasons += refusals(_asked_names(request, capabilities))
    for unit in request.control if request.mode not in FROM_PICTURE_ALONE else ():
        if not capabilities.control_kinds:
            return [*reasons, _("it has no ControlNet")]
        if match_control_kind(unit.kind, capabilities.control_kinds) is None:
            kinds = ", ".join(capabilities.control_kinds)
            reasons.append(_("it has no ControlNet for “{kind}”, only for {kinds}", kind=unit.kind, kinds=kinds))
        elif unit.model and match_name(unit.model, capabilities.control_models or (unit.model,)) is None:
            reasons.append(unknown(_("ControlNet model"), unit.model, capabilities.control_models or ()))
    return reasons + workflow_options.faults(request.options, capabilities.options)


def _asked_names(request: GenerationRequest, capabilities: Capabilities) -> Iterator[Asked]:
    """Yield each name that is asked for and would be used, with the list it has to be in."""
    if request.mode not in FROM_PICTURE_ALONE:
        yield "sampler", request.sampler, capabilities.samplers, match_sampler
        yield "scheduler", request.scheduler, capabilities.schedulers, match_scheduler
        yield "VAE", request.vae, capabilities.vaes, match_name
    for style in request.styles if request.mode is not Mode.UPSCALE else ():
        yield "style", style, capabilities.styles, match_name
    yield "upscaler", request.upscaler, capabilities.upscalers, match_name
    if request.hires and capabilities.supports_hires and request.mode is Mode.TXT2IMG:
        yield "upscaler", request.hires.upscaler, _hires_upscalers(capabilities), match_name


def _hires_upscalers(capabilities: Capabilities) -> tuple[str, ...] | None:
    if capabilities.upscalers is None or capabilities.hires_upscalers is None:
        return None
    return (*capabilities.hires_upscalers, *capabilities.upscalers)


Say = Callable[[str], None]

_UNSAID: Final[dict[str, Any]] = {field.name: field.default for field in fields(GenerationRequest)}
# What is left out for an engine that cannot be told it; some have rules of their own.
_BY_RULES: Final = ("hires", "guidance", "subseed_strength")
_TOLD: Final = tuple(
    field for field in FIELDS if field.needs and field.name not in _BY_RULES and not _UNSAID[field.name]
)


def _fit_draft(request: GenerationRequest, capabilities: Capabilities, say: Say) -> GenerationRequest:
    limits = (capabilities.min_side, capabilities.max_side)
    has_steps = capabilities.supports_steps
    return fit_draft(request, grid=capabilities.size_grid, limits=limits, has_steps=has_steps, say=say)


def _fit_model(request: GenerationRequest, capabilities: Capabilities, say: Say) -> GenerationRequest:
    loras = request.loras
    if capabilities.loras:
        loras = tuple(changed(lora, name=_find_lora(lora.name, capabilities) or lora.name) for lora in loras)
    request = fit_lora_tags(changed(request, loras=loras), capabilities.reads_lora_tags, say)
    if not request.model:
        return request
    if capabilities.models == ():
        if request.mode not in FROM_PICTURE_ALONE:
            say(_("model {model} ignored: this engine has only one", model=request.model))
        return changed(request, model=None)
    return changed(request, model=find_model(request.model, capabilities.models or ()) or request.model)


def _find_lora(wanted: str, capabilities: Capabilities) -> str | None:
    return match_name(wanted, capabilities.loras or ()) or match_name(wanted, capabilities.lora_aliases)


def _model_names(models: tuple[ModelInfo, ...]) -> Iterator[str]:
    for model in models:
        yield model.title
        yield model.name


def find_model(wanted: str, models: tuple[ModelInfo, ...]) -> str | None:
    """Return the name of the model meant; names win over titles, but an exact title over a name like it."""
    names = {model.name: model.name for model in models}
    titles = {model.title: model.name for model in models}
    if wanted in titles and wanted not in names:
        return titles[wanted]
    return match_name(wanted, names) or titles.get(match_name(wanted, titles) or "")


def _fit_size(request: GenerationRequest, capabilities: Capabilities, say: Say) -> GenerationRequest:
    """Choose what is drawn. A picture's own size is brought back to, so of that only a loss is said."""
    if request.mode is Mode.UPSCALE:
        return request
    size, limits = (request.width, request.height), (capabilities.min_side, capabilities.max_side)
    if request.guide is None:
        drawn = nearest_size(size, capabilities.size_grid, limits)
        note = _("size {size} → {drawn}", size=pixels(size), drawn=pixels(drawn)) if drawn != size else ""
    else:
        native = capabilities.default_width * capabilities.default_height if request.is_source_size else None
        drawn = canvas_for(size, capabilities.size_grid, limits, native)
        note = reduction(size, drawn, capabilities.max_side)
    if note:
        say(note)
    return changed(request, width=drawn[0], height=drawn[1])


def _fit_hires(request: GenerationRequest, capabilities: Capabilities, say: Say) -> GenerationRequest:
    hires = request.hires
    if hires is None or request.mode is Mode.UPSCALE:
        return changed(request, hires=None)
    if not capabilities.supports_hires:
        say(_("hires fix ignored by this engine: ask for a larger --size, or upscale the result"))
        return changed(request, hires=None)
    if request.mode is not Mode.TXT2IMG:
        say(_("hires fix ignored: it is for pictures from text alone"))
        return changed(request, hires=None)
    most = capabilities.max_side / max(request.width, request.height)
    if hires.factor > most:
        side = capabilities.max_side
        sides = _("at most {side} pixels a side", side=side)
        say(_("hires {factor:g}× → {most:.2g}×: {sides}", factor=hires.factor, most=most, sides=sides))
        hires = changed(hires, factor=max(1.0, int(most * 100) / 100))
    if hires.steps and hires.steps > capabilities.max_steps:
        hires = changed(hires, steps=capabilities.max_steps)
    upscaler = _upscaler(hires.upscaler, _hires_upscalers(capabilities), say)
    return changed(request, hires=changed(hires, upscaler=upscaler))


def _upscaler(wanted: str | None, names: tuple[str, ...] | None, say: Say) -> str | None:
    if not wanted or names is None:
        return wanted
    if not names:
        say(_("upscaler {wanted} ignored: this engine has none to choose from", wanted=wanted))
    return match_name(wanted, names)


def _fit_numbers(request: GenerationRequest, capabilities: Capabilities, say: Say) -> GenerationRequest:
    if request.steps > capabilities.max_steps:
        most = capabilities.max_steps
        say(_("steps {steps} → {most}, the most this engine takes", steps=request.steps, most=most))
        request = changed(request, steps=capabilities.max_steps)
    if request.batch_size > capabilities.max_batch:
        most = capabilities.max_batch
        say(_("batch {batch} → {most}, the most this engine takes", batch=request.batch_size, most=most))
        request = changed(request, batch_size=capabilities.max_batch)
    last = capabilities.max_seed
    if last < MAX_SEED:  # the pictures of a batch count on from the seed; past the very last comes 0 everywhere
        last -= request.batch_size - 1
    if request.seed > last:
        seed = min(request.seed % (capabilities.max_seed + 1), last)
        say(_("seed {seed} → {drawn}, in this engine’s range", seed=request.seed, drawn=seed))
        request = changed(request, seed=seed)
    return request


def _fit_extras(request: GenerationRequest, capabilities: Capabilities, say: Say) -> GenerationRequest:
    if request.guidance is not None and not capabilities.supports_guidance:
        if request.cfg_scale != request.guidance:
            say(_("guidance {guidance:g} ignored: on this engine the CFG scale does that", guidance=request.guidance))
        request = changed(request, guidance=None)
    if request.upscaler:
        request = changed(request, upscaler=_upscaler(request.upscaler, capabilities.upscalers, say))
    request = fit_pictures(request, capabilities.max_images, say)
    options = workflow_options.fitted(request.options, capabilities.options, say)
    return changed(request, styles=_styles(request.styles, capabilities.styles, say), options=options)


def _styles(wanted: tuple[str, ...], there: tuple[str, ...] | None, say: Say) -> tuple[str, ...]:
    if there is None:
        return wanted
    if not there:
        for style in wanted:
            say(_("style {style} ignored: this engine has none", style=style))
    return tuple(dict.fromkeys(name for style in wanted if (name := match_name(style, there))))


def _fit_control(request: GenerationRequest, capabilities: Capabilities, say: Say) -> GenerationRequest:
    if request.control and request.mode is Mode.UPSCALE:
        say(_("ControlNet ignored: upscaling takes none"))
        return changed(request, control=())
    units = []
    for unit in request.control:
        model = match_name(unit.model, capabilities.control_models or ()) if unit.model else None
        kind = match_control_kind(unit.kind, capabilities.control_kinds)
        units.append(changed(unit, kind=kind or unit.kind, model=model or unit.model))
    return changed(request, control=tuple(units))


def _fit_words(request: GenerationRequest, capabilities: Capabilities, say: Say) -> GenerationRequest:
    for field in _TOLD:
        if getattr(request, field.name) and not getattr(capabilities, f"supports_{field.needs}"):
            name = field.flag if field.kind in (Kind.FLAG, Kind.CHOICE) else field.called
            say(_("{name} ignored by this engine", name=name))
            request = changed(request, **{field.name: _UNSAID[field.name]})
    if request.vae and capabilities.vaes is not None:
        found = match_name(request.vae, capabilities.vaes)
        say_dropped("VAE", request.vae, found, capabilities.vaes, say)
        request = changed(request, vae=found)
    return request


def _fit_variation(request: GenerationRequest, capabilities: Capabilities, say: Say) -> GenerationRequest:
    if request.subseed_strength is None or capabilities.supports_subseed:
        return request
    say(_("--chaos ignored by this engine: it has no second seed to vary by"))
    return changed(request, subseed=None, subseed_strength=None)


_BENDS: Final = (
    _fit_draft, _fit_model, _fit_size, _fit_hires, _fit_numbers, fit_samplers, _fit_variation, _fit_words, _fit_extras,
    _fit_control,
)  # fmt: skip
