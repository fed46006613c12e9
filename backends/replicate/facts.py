"""The models that may be used there, what each takes, and what that makes the engine able to do.

A model's inputs are an openapi schema of its own; their names follow customs, not rules, so each of our fields has the
names that models give it. Source: the schemas of some forty models on replicate.com.
"""

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Any, Final

from backends.replicate.kind import EDIT_MODEL, MODEL, TITLES, USUAL
from generation.capabilities import Capabilities, ModelInfo
from generation.errors import CapabilityError
from generation.request import Mode
from lazy import dataclass, pattern
from texts.text import _

SLUG: Final = pattern(r"([\w.-]{1,64})/([\w.-]{1,100})(?::([0-9a-f]{64}))?")
MAX_INPUTS: Final = 100
MAX_MODELS: Final = 50
MAX_PICTURES: Final = 8
MOST_STEPS: Final = 100
UNSAID_STEPS: Final = 28  # what stands for "the model's own", see `payload`
UNSAID_CFG: Final = 7.5
# Our fields, and the names that models give them.
NAMES: Final[Mapping[str, tuple[str, ...]]] = {
    "prompt": ("prompt", "text", "caption"),
    "negative_prompt": ("negative_prompt",),
    "seed": ("seed",),
    "steps": ("num_inference_steps", "steps", "num_steps", "inference_steps", "sampling_steps"),
    "cfg_scale": ("guidance_scale", "cfg_scale", "cfg", "guidance"),
    "sampler": ("scheduler", "sampler", "sampler_name"),
    "count": ("num_outputs", "num_images", "number_of_images", "n", "batch_size", "max_images"),
    "width": ("width",),
    "height": ("height",),
    "ratio": ("aspect_ratio",),
    "size": ("size", "image_size"),
    "area": ("megapixels", "resolution"),
    "image": ("image", "input_image", "init_image", "img", "image_url", "control_image"),
    "images": ("input_images", "image_input", "images", "reference_images"),
    "mask": ("mask", "mask_image", "inpaint_mask"),
    "strength": ("prompt_strength", "strength", "denoising_strength", "denoise"),
    "scale": ("scale", "upscale", "upscale_factor", "scale_factor", "upscaling_factor", "outscale"),
    "format": ("output_format", "format"),
}


@dataclass(frozen=True, kw_only=True)
class ModelInput:
    """One input of a model; `choices` are all the values that it takes, if it says."""

    name: str
    type: str = ""
    choices: tuple[Any, ...] = ()
    low: float | None = None
    high: float | None = None
    default: Any = None
    is_required: bool = False
    is_file: bool = False


@dataclass(frozen=True, kw_only=True)
class ReplicateModel:
    """One model: `version` is empty for one that is run by its name."""

    slug: str
    version: str = ""
    inputs: Mapping[str, ModelInput] = field(default_factory=dict)

    def input(self, ours: str) -> ModelInput | None:
        """Return the input that is for one of our fields."""
        return next((self.inputs[name] for name in NAMES[ours] if name in self.inputs), None)

    @property
    def modes(self) -> frozenset[Mode]:
        if self.input("prompt") is None:
            return frozenset({Mode.UPSCALE}) if self.input("image") and self.input("scale") else frozenset()
        picture = self.input("image") or self.input("images")
        modes = set() if picture and picture.is_required else {Mode.TXT2IMG}
        if picture and not (self.input("mask") and picture.is_required):
            modes.add(Mode.IMG2IMG)
        if picture and self.input("mask"):
            modes.add(Mode.INPAINT)
        return frozenset(modes)

    @property
    def title(self) -> str:
        return TITLES.get(self.slug, self.slug)


@dataclass(frozen=True, kw_only=True)
class ReplicateFacts:
    """The models that could be read, as they were set, and which of them stand for "none was named"."""

    models: tuple[ReplicateModel, ...]
    usual: str = MODEL
    usual_edit: str = EDIT_MODEL
    takes_any: bool = False

    def find(self, slug: str) -> ReplicateModel | None:
        return next((model for model in self.models if model.slug == slug), None)

    def for_mode(self, mode: Mode, slug: str | None) -> ReplicateModel:
        """Return the model that draws: the one that was named if it can do that, else the first that can.

        Raises:
            CapabilityError: none of them can.
        """
        usual = self.usual if mode is Mode.TXT2IMG else self.usual_edit
        wanted = [found for name in (slug, usual) if name and (found := self.find(name))]
        for model in (*wanted, *self.models):
            if mode in model.modes:
                return model
        raise CapabilityError(
            _("None of the models that are set for Replicate can do {mode}.", mode=mode),
            field="mode",
            hint=_("Its owner adds one to its models."),
        )


def slugs_of(text: str) -> tuple[str, ...]:
    """Return the models that are set.

    Raises:
        ValueError: one is no owner/name.
    """
    words = [word.strip() for word in (text.strip() or USUAL).split(",") if word.strip()]
    for word in words:
        if not SLUG.fullmatch(word):
            raise ValueError(f"{word!r} is no model of Replicate; it must be owner/name or owner/name:version")
    return tuple(dict.fromkeys(words))[:MAX_MODELS]


def model_of(slug: str, version: str, schema: Any) -> ReplicateModel:
    """Return a model as its schema describes it; what cannot be read is as if it were not there."""
    schemas = _dict(_dict(_dict(schema).get("components")).get("schemas"))
    given = _dict(schemas.get("Input"))
    required = given.get("required")
    musts = {name for name in required if isinstance(name, str)} if isinstance(required, list) else set()
    found = {}
    for name, entry in list(_dict(given.get("properties")).items())[:MAX_INPUTS]:
        if isinstance(entry, dict):
            found[name] = _input(name, entry, schemas, is_required=name in musts)
    return ReplicateModel(slug=slug, version=version, inputs=found)


def to_capabilities(facts: ReplicateFacts) -> Capabilities:
    """Return what all the models together can do; what one of them lacks is said when it is asked for."""
    able = [model for model in facts.models if model.modes]
    drawing = [model for model in able if model.modes != {Mode.UPSCALE}]
    steps = [found.high for model in drawing if (found := model.input("steps")) and found.high]
    return Capabilities(
        modes=frozenset(mode for model in able for mode in model.modes),
        models=tuple(ModelInfo(name=model.slug, title=model.title, is_loaded=True) for model in drawing),
        other_models=SLUG.pattern if facts.takes_any else "",
        samplers=tuple(dict.fromkeys(name for model in drawing for name in _words(model.input("sampler")))),
        upscalers=tuple(name for model in able for name in upscalers_of(model)),
        size_grid=32,
        min_side=256,
        max_side=2048,
        max_steps=int(max(steps, default=MOST_STEPS)),
        max_batch=10,
        max_images=MAX_PICTURES if any(model.input("images") for model in drawing) else 1,
        max_seed=2**31 - 1,
        supports_steps=bool(steps),
        supports_negative_prompt=any(model.input("negative_prompt") for model in drawing),
        supports_cfg_scale=any(model.input("cfg_scale") for model in drawing),
        supports_guidance=any("guidance" in model.inputs for model in drawing),
        supports_progress=True,
        supports_cancel=True,
        is_deterministic=bool(drawing) and all(model.input("seed") for model in drawing),
        default_width=1024,
        default_height=1024,
        default_steps=UNSAID_STEPS,
        default_cfg_scale=UNSAID_CFG,
        default_strength=0.8,
        without_modes=_("none of the models that are set could be read there"),
    )


def upscalers_of(model: ReplicateModel) -> tuple[str, ...]:
    """Return the names of a model's upscalings: "Real-ESRGAN 2x"."""
    if Mode.UPSCALE not in model.modes:
        return ()
    return tuple(f"{model.title} {factor}x" for factor in (2, 4))


def _input(name: str, entry: Mapping[str, Any], schemas: Mapping[str, Any], *, is_required: bool) -> ModelInput:
    entry = _resolved(entry, schemas)
    items = _dict(entry.get("items"))
    is_file = "uri" in (entry.get("format"), items.get("format"))
    choices = entry.get("enum")
    return ModelInput(
        name=name,
        type=entry["type"] if isinstance(entry.get("type"), str) else "",
        choices=tuple(c for c in choices if isinstance(c, str | int | float)) if isinstance(choices, list) else (),
        low=_number(entry.get("minimum")),
        high=_number(entry.get("maximum")),
        default=entry.get("default"),
        is_required=is_required,
        is_file=is_file,
    )


def _resolved(entry: Mapping[str, Any], schemas: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return an input's schema with what it refers to: choices stand in schemas of their own."""
    parts: list[Any] = [entry]
    for several in (entry.get("allOf"), entry.get("anyOf"), entry.get("oneOf")):
        parts += several[:4] if isinstance(several, list) else []
    found: dict[str, Any] = {}
    for part in parts:
        reference = _dict(part).get("$ref")
        named = _dict(schemas.get(reference.rsplit("/", 1)[-1])) if isinstance(reference, str) else {}
        found |= {name: value for name, value in (named | _dict(part)).items() if (name, value) != ("type", "null")}
    return found


def _words(given: ModelInput | None) -> Sequence[str]:
    return [choice for choice in given.choices if isinstance(choice, str)] if given else ()


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _number(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and abs(value) < 1e12 else None
