"""Find the function of an app that draws a picture, and the meaning of its inputs.

Source: `/config` and `/info` of real gradio 4.44, 5.50 and 6.31 apps (`tests/data/gradio_flux`). Inputs are known by
the label people see, or else by the name of the function's parameter; apps differ in both, so this is a list of words.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from pydantic import BaseModel

from generation.request import Mode
from lazy import dataclass, pattern

PICTURE_TYPES: Final = frozenset({"image", "gallery"})
FILE_TYPES: Final = frozenset(
    {"image", "imageeditor", "imageslider", "gallery", "file", "uploadbutton", "multimodaltextbox", "video", "audio",
     "model3d", "annotatedimage", "sketchpad", "imagemask", "paint"}
)  # fmt: skip
_NUMBER = frozenset({"slider", "number"})
_TEXT = frozenset({"textbox", "textarea"})
_CHOICE = frozenset({"dropdown", "radio"})

# our word -> the components it may be, and the labels it goes by
_ROLES: Final[Mapping[str, tuple[frozenset[str], frozenset[str]]]] = {
    "prompt": (_TEXT, frozenset({"prompt", "positive prompt", "text prompt", "your prompt", "enter your prompt"})),
    "negative_prompt": (_TEXT, frozenset({"negative prompt", "negative"})),
    "steps": (
        _NUMBER,
        frozenset({"number of inference steps", "num inference steps", "inference steps", "steps", "sampling steps",
                   "number of steps", "num steps"}),
    ),
    "width": (_NUMBER, frozenset({"width", "image width"})),
    "height": (_NUMBER, frozenset({"height", "image height"})),
    "seed": (_NUMBER, frozenset({"seed", "random seed"})),
    "cfg_scale": (_NUMBER, frozenset({"guidance scale", "guidance", "cfg scale", "cfg", "cfg guidance scale"})),
    "batch_size": (
        _NUMBER,
        frozenset({"number of images", "images", "num images", "batch size", "num images per prompt",
                   "number of images per prompt"}),
    ),
    "randomize_seed": (frozenset({"checkbox"}), frozenset({"randomize seed", "randomise seed", "random seed"})),
    "model": (_CHOICE | _TEXT, frozenset({"model", "checkpoint", "base model"})),
    "denoising_strength": (
        _NUMBER, frozenset({"strength", "denoising strength", "denoise", "denoise strength", "image strength"})
    ),
    "init_image": (
        frozenset({"image"}),
        frozenset({"image", "input image", "init image", "initial image", "source image", "start image"}),
    ),
}  # fmt: skip
_RANDOM = pattern(r"(?<!\d)(-?[0-9]{1,18})\s*(?:=|:|for|is|means)\s*(?:a\s+)?random", re.I)
_PREFIX = pattern(r"(?:/[\w.-]+)*")


class Component(BaseModel):
    """A piece of the page; `props` is open: every kind of component has its own."""

    id: int
    type: str
    props: dict[str, Any] = {}
    skip_api: bool = False


class Dependency(BaseModel):
    """A function of the app and the components it reads and writes."""

    id: int | None = None
    api_name: str | bool | None = None
    inputs: list[int] = []
    outputs: list[int] = []
    backend_fn: bool = True


class Config(BaseModel):
    version: str
    title: str = ""
    protocol: str = ""
    api_prefix: str | None = None
    components: list[Component]
    dependencies: list[Dependency]

    @property
    def prefix(self) -> str:
        """`/gradio_api` since gradio 5, empty before; a server's word, so only a plain path is taken."""
        prefix = self.api_prefix or ""
        return prefix if _PREFIX.fullmatch(prefix) else ""

    @property
    def is_driveable(self) -> bool:
        """Return whether it speaks the event stream of gradio 4 and later; gradio 3 had websockets."""
        return self.protocol.startswith("sse_v") and not self.version.startswith(("1.", "2.", "3."))

    @property
    def is_a1111(self) -> bool:
        """Return whether this is the page of Automatic1111 or Forge: gradio too, but driven over their own API."""
        return self.title == "Stable Diffusion"


class Parameter(BaseModel):
    parameter_name: str | None = None
    parameter_has_default: bool = False


class NamedEndpoint(BaseModel):
    parameters: list[Parameter] = []


class Info(BaseModel):
    """`/info`: parameters by endpoint, without the inputs that a caller never gives."""

    named_endpoints: dict[str, NamedEndpoint] = {}


@dataclass(frozen=True, kw_only=True)
class AppField:
    """One input of a function: what it starts with, its range, and what there is to choose."""

    kind: str
    value: Any = None
    minimum: float | None = None
    maximum: float | None = None
    step: float | None = None
    choices: tuple[tuple[str, Any], ...] | None = None  # (shown, sent)
    random_value: int | None = None  # "Seed (0 = random)": the value that means "any"
    is_optional: bool = False


@dataclass(frozen=True, kw_only=True)
class AppEndpoint:
    """One function of the app. `roles`: our words -> places in `fields`, which are in the order they are sent."""

    name: str
    fn_index: int
    fields: tuple[AppField, ...]
    roles: Mapping[str, int]
    picture_outputs: tuple[int, ...]
    seed_output: int | None = None

    def field(self, role: str) -> AppField | None:
        place = self.roles.get(role)
        return None if place is None else self.fields[place]


@dataclass(frozen=True, kw_only=True)
class App:
    """Facts about a running app."""

    prefix: str
    endpoints: Mapping[Mode, AppEndpoint]


def read_app(config: Config, info: Info, wanted: str = "") -> App:
    """Find the function for each mode: the one with the most inputs that we know, the first of equals.

    Args:
        config: what the page is made of.
        info: the names of the functions' parameters; may be empty.
        wanted: only the function of this name, where the owner of Easel has set one.
    """
    components = {component.id: component for component in config.components}
    endpoints = []
    for place, dependency in enumerate(config.dependencies):
        name = dependency.api_name
        if not isinstance(name, str) or not dependency.backend_fn or (wanted and name != wanted.lstrip("/")):
            continue
        known = [components[number] for number in dependency.inputs if number in components]
        if len(known) == len(dependency.inputs):
            named = info.named_endpoints.get(f"/{name}", NamedEndpoint())
            index = place if dependency.id is None else dependency.id
            outputs = [components.get(number) for number in dependency.outputs]
            endpoints.append(_read_endpoint(name, index, known, outputs, named.parameters))
    drawing = [endpoint for endpoint in endpoints if "prompt" in endpoint.roles and endpoint.picture_outputs]
    found: dict[Mode, AppEndpoint] = {}
    for mode, suits in ((Mode.TXT2IMG, _draws_from_words), (Mode.IMG2IMG, _draws_from_picture)):
        suited = [endpoint for endpoint in drawing if suits(endpoint)]
        if suited:
            found[mode] = max(suited, key=lambda endpoint: len(endpoint.roles))
    return App(prefix=config.prefix, endpoints=found)


def normalise(label: object) -> str:
    """Return a label as bare words: "Seed (0 = random):" -> "seed"."""
    text = re.sub(r"\([^)]*\)", " ", label) if isinstance(label, str) else ""
    return " ".join(re.sub(r"[^a-z0-9]+", " ", text.lower()).split())


def _read_endpoint(
    name: str,
    fn_index: int,
    inputs: Sequence[Component],
    outputs: Sequence[Component | None],
    parameters: Sequence[Parameter],
) -> AppEndpoint:
    lines = [component for component in inputs if not component.skip_api]
    if len(lines) != len(parameters):
        parameters = [Parameter()] * len(lines)  # then nothing says which is whose
    by_id = {component.id: parameter for component, parameter in zip(lines, parameters, strict=True)}
    roles: dict[str, int] = {}
    for words in ("label", "parameter"):
        for place, component in enumerate(inputs):
            if place in roles.values():
                continue
            given = (
                component.props.get("label")
                if words == "label"
                else by_id.get(component.id, Parameter()).parameter_name
            )
            role = _role(component.type, normalise(given))
            if role and role not in roles:
                roles[role] = place
    return AppEndpoint(
        name=name,
        fn_index=fn_index,
        fields=tuple(_field(component, by_id.get(component.id, Parameter())) for component in inputs),
        roles=roles,
        picture_outputs=tuple(n for n, output in enumerate(outputs) if output and output.type in PICTURE_TYPES),
        seed_output=next(
            (n for n, output in enumerate(outputs) if output and _role(output.type, _label(output)) == "seed"), None
        ),
    )


def _role(kind: str, words: str) -> str | None:
    return next((role for role, (kinds, labels) in _ROLES.items() if kind in kinds and words in labels), None)


def _label(component: Component) -> str:
    return normalise(component.props.get("label"))


def _field(component: Component, parameter: Parameter) -> AppField:
    props = component.props
    given = f"{props.get('label') or ''} {props.get('info') or ''}"
    random_value = _RANDOM.search(given)
    return AppField(
        kind=component.type,
        value=props.get("value"),
        minimum=_number(props.get("minimum")),
        maximum=_number(props.get("maximum")),
        step=_number(props.get("step")),
        choices=_choices(props.get("choices")) if component.type in _CHOICE else None,
        random_value=int(random_value.group(1)) if random_value else None,
        is_optional=parameter.parameter_has_default or "optional" in given.lower(),
    )


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _choices(value: object) -> tuple[tuple[str, Any], ...]:
    """Pairs of what is shown and what is sent; a bare value stands for both."""
    items = value if isinstance(value, list) else []
    return tuple(
        (str(item[0]), item[1]) if isinstance(item, list) and len(item) == 2 else (str(item), item) for item in items
    )


def _draws_from_words(endpoint: AppEndpoint) -> bool:
    return all(field.is_optional for field in endpoint.fields if field.kind in FILE_TYPES)


def _draws_from_picture(endpoint: AppEndpoint) -> bool:
    """Only where there is no doubt: one input that takes a file, and it is called the picture to start from."""
    files = [field for field in endpoint.fields if field.kind in FILE_TYPES]
    return len(files) == 1 and "init_image" in endpoint.roles
