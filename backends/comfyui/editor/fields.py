"""Fields the editor puts on a node: its inputs and its widgets, in its own order, by what the server says of the class.

Widgets take their values by place from `widgets_values`. Some hold a place and are no input of the API ("randomize"
behind a seed, the button that uploads a picture); a list may bring more widgets with each of its choices.
"""

from collections.abc import Iterator, Mapping
from dataclasses import field
from enum import Enum, auto
from typing import Any, Final

from backends.comfyui.graphs.nodes import ObjectInfo
from lazy import dataclass

MAX_GROWN: Final = 100
SEEDS: Final = ("seed", "noise_seed")
CONTROLS: Final = ("fixed", "increment", "decrement", "randomize", "increment-wrap")
GROWING: Final = "COMFY_AUTOGROW_V3"
MATCHING: Final = "COMFY_MATCHTYPE_V3"
CHOOSING: Final = "COMFY_DYNAMICCOMBO_V3"
COMPARING: Final = "IMAGECOMPARE"
PLAIN: Final = frozenset({"INT", "FLOAT", "BOOLEAN", "STRING", "COMBO"})
# Widgets whose value is what was saved, whatever it is. Those of the next line are made again by code in the browser.
WHOLE: Final = frozenset({
    "COLOR", "COLORS", "CURVE", "RANGE", "BOUNDING_BOX", "BOUNDING_BOXES", "PAINTER", "COMPOSITOR", "TEXTAREA",
    "MARKDOWN", "CHART", "GALLERIA", "RESOLUTION_PREVIEW", "VIDEO_EDIT", "PREVIEW_3D",
})  # fmt: skip
IN_BROWSER: Final = frozenset({
    "LOAD_3D", "LOAD_3D_ADVANCED", "WEBCAM", "AUDIO_RECORD", "CAMERA_INFO_STATE", "CAMERA_ANGLE_VIEW",
    "LIGHT_INFO_PREVIEW", "COMFY_BRANCH_SELECTOR", "COMFY_BRANCH_INPUT_NAMES", "COMFY_DYNAMICGROUP_V3",
})  # fmt: skip


KNOWN: Final = frozenset({GROWING, MATCHING, COMPARING, "*"})


class WidgetKind(Enum):
    """The values that a widget takes."""

    INT = auto()
    FLOAT = auto()
    BOOLEAN = auto()
    STRING = auto()
    COMBO = auto()
    CHOOSING = auto()  # a list that brings more widgets
    CONTROL = auto()  # "randomize" behind a seed
    FILTER = auto()  # text that narrows the list before it
    BUTTON = auto()
    SIDE = auto()  # one number of the box before it
    FORCED = auto()  # a link only, which had a widget without use in editors before 1.16
    WHOLE = auto()
    IN_BROWSER = auto()


@dataclass(frozen=True, kw_only=True)
class Widget:
    """One widget. `settings` are the server's remarks on it, `options` what it lists, None where it is no list."""

    name: str
    kind: WidgetKind
    type: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict, repr=False)
    options: tuple[Any, ...] | None = field(default=None, repr=False)

    @property
    def is_sent(self) -> bool:
        return self.kind not in {
            WidgetKind.CONTROL,
            WidgetKind.FILTER,
            WidgetKind.BUTTON,
            WidgetKind.SIDE,
            WidgetKind.FORCED,
        }


@dataclass(frozen=True, kw_only=True)
class Socket:
    """One input that takes a link; `is_widget`: or a value; `is_matching`: its type is that of what is linked."""

    name: str
    type: str
    is_widget: bool = False
    is_matching: bool = False


def fields_of(class_type: str, info: ObjectInfo) -> list[Widget]:
    """Return the widgets of a class but for those that a choice brings; links that once had one are among them."""
    specs = info.ordered_inputs(class_type)
    found = [item for name, spec in specs for item in _fields(name, spec)]
    if any(_is_upload(spec) for __, spec in specs):
        found.append(Widget(name="upload", kind=WidgetKind.BUTTON))
    if class_type in {"Preview3D", "SaveGLB"}:
        found.append(Widget(name="image", kind=WidgetKind.WHOLE))
    return found


def constants_of(class_type: str, info: ObjectInfo) -> dict[str, Any]:
    """Return what a class is always sent, whatever was saved: a comparison starts with no pictures."""
    return {name: ["", ""] for name, spec in info.ordered_inputs(class_type) if _type(spec) == COMPARING}


def chosen_fields(choosing: Widget, value: Any) -> list[Widget]:
    """Return the widgets that one choice of a list brings."""
    return [item for name, spec in _chosen(choosing, value) for item in _fields(name, spec)]


def sockets_of(class_type: str, info: ObjectInfo) -> list[Socket]:
    """Return the inputs of a class as the editor orders them: those that take links only come first."""
    links: list[Socket] = []
    widgets: list[Socket] = []
    for name, spec in info.ordered_inputs(class_type):
        kind, settings = _type(spec), _settings(spec)
        if kind == GROWING:
            links += _growing(name, settings)
        elif kind == MATCHING:
            allowed = str(_template(settings).get("allowed_types", "*"))
            links.append(Socket(name=name, type=allowed, is_matching=True))
        elif not _is_widget(kind, settings):
            links.append(Socket(name=name, type=kind))
        elif not settings.get("socketless"):
            widgets.append(Socket(name=name, type=kind, is_widget=True))
    return links + widgets


def unmade_inputs(class_type: str, info: ObjectInfo, saved: set[str]) -> list[str]:
    """Return required inputs that code of the node's pack makes: no known widget, not saved, of no link's type."""
    return [
        name
        for name, spec in info.ordered_inputs(class_type, is_required=True)
        if name not in saved and _type(spec) not in KNOWN and not _is_link(_type(spec), _settings(spec), info)
    ]


def _is_link(kind: str, settings: Mapping[str, Any], info: ObjectInfo) -> bool:
    return _is_widget(kind, settings) or bool(settings.get("forceInput")) or info.is_made(kind)


def _fields(name: str, spec: Any) -> Iterator[Widget]:
    settings = _settings(spec)
    kind = str(settings.get("widgetType") or _type(spec))
    if settings.get("forceInput"):
        yield Widget(name=name, kind=WidgetKind.FORCED)
    if not _is_widget(kind, settings):
        return
    options = None
    if kind == "COMBO":
        listed = spec[0] if isinstance(spec[0], list) else settings.get("options")
        options = tuple(listed) if isinstance(listed, list) else ()
    elif kind == CHOOSING:
        options = tuple(str(choice.get("key")) for choice in _choices(settings))
    yield Widget(name=name, kind=_kind(kind), type=kind, settings=settings, options=options)
    if _is_controlled(name, kind, settings):
        yield Widget(name="control_after_generate", kind=WidgetKind.CONTROL)
        if kind == "COMBO":
            yield Widget(name="control_filter_list", kind=WidgetKind.FILTER)
    if kind == "COMBO" and isinstance(settings.get("remote"), dict) and settings["remote"].get("refresh_button"):
        yield Widget(name="Auto-refresh after generation", kind=WidgetKind.BUTTON)  # no text: the server’s own
        yield Widget(name="refresh", kind=WidgetKind.BUTTON)
    if kind == "BOUNDING_BOX" and settings.get("component") == "ImageCrop":
        yield from (Widget(name=side, kind=WidgetKind.SIDE) for side in ("x", "y", "width", "height"))


def _kind(kind: str) -> WidgetKind:
    if kind == CHOOSING:
        return WidgetKind.CHOOSING
    if kind in PLAIN:
        return WidgetKind[kind]
    return WidgetKind.WHOLE if kind in WHOLE else WidgetKind.IN_BROWSER


def _is_controlled(name: str, kind: str, settings: Mapping[str, Any]) -> bool:
    control = settings.get("control_after_generate")
    if kind == "INT" and control is None:
        return name in SEEDS
    return kind in {"INT", "FLOAT", "COMBO"} and bool(control)


def _is_widget(kind: str, settings: Mapping[str, Any]) -> bool:
    kind = str(settings.get("widgetType") or kind)
    return (kind in PLAIN or kind in WHOLE or kind in IN_BROWSER or kind == CHOOSING) and not settings.get("forceInput")


def _is_upload(spec: Any) -> bool:
    settings = _settings(spec)
    names = ("image_upload", "video_upload", "animated_image_upload", "audio_upload")
    return _type(spec) == "COMBO" and any(settings.get(name) is True for name in names)


def _chosen(choosing: Widget, value: Any) -> list[tuple[str, Any]]:
    """Return the inputs that one choice brings, under the names they have then: "size.width"."""
    option = next((choice for choice in _choices(choosing.settings) if str(choice.get("key")) == str(value)), {})
    answer = option.get("inputs")
    parts = [answer.get(name) for name in ("required", "optional")] if isinstance(answer, dict) else []
    groups = [part for part in parts if isinstance(part, dict)]
    return [(f"{choosing.name}.{name}", spec) for part in groups for name, spec in part.items()]


def _choices(settings: Mapping[str, Any]) -> list[dict[str, Any]]:
    options = settings.get("options")
    return [option for option in options if isinstance(option, dict)] if isinstance(options, list) else []


def _growing(name: str, settings: Mapping[str, Any]) -> list[Socket]:
    """Return the inputs of a group that grows as they are taken, as many as an empty node has."""
    template = _template(settings)
    groups = template.get("input")
    parts = [part for part in groups.values() if isinstance(part, dict)] if isinstance(groups, dict) else []
    specs = [spec for part in parts for spec in part.values()]
    given, names = template.get("min"), template.get("names")
    least = given if isinstance(given, int) and 0 <= given <= MAX_GROWN else 1
    prefix = str(template.get("prefix") or "")
    listed = names if isinstance(names, list) else [f"{prefix}{number}" for number in range(least + 1)]
    kind = _type(specs[0]) if specs else "*"
    return [Socket(name=f"{name}.{item}", type="*" if kind == MATCHING else kind) for item in listed[: least + 1]]


def _template(settings: Mapping[str, Any]) -> dict[str, Any]:
    template = settings.get("template")
    return template if isinstance(template, dict) else {}


def _type(spec: Any) -> str:
    if not isinstance(spec, list) or not spec:
        return "*"
    return "COMBO" if isinstance(spec[0], list) else str(spec[0])


def _settings(spec: Any) -> dict[str, Any]:
    settings = spec[1] if isinstance(spec, list) and len(spec) > 1 else None
    return settings if isinstance(settings, dict) else {}
