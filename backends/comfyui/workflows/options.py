"""Inputs of nodes as options of a workflow: named by hand, or found where a video's length and speed are set.

What an input takes is asked of the server's `/object_info`; the value of the export is what nobody says.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from backends.comfyui.graphs.graph import Graph, Slot, class_of, inputs_of, read_link, title_of
from backends.comfyui.graphs.nodes import ObjectInfo
from generation.errors import RequestRejected
from generation.option_tokens import key_of
from generation.replaced_options import REPLACED, own_name
from generation.workflow_options import CHOICE, FLAG, NAME_FORM, NUMBER, WHOLE, WORDS, WorkflowOption, is_taken
from lazy import dataclass, pattern
from texts.text import _, joined
from utils.text import cut

MAX_OPTIONS: Final = 20  # of one workflow
MAX_PRIMITIVES: Final = 8  # one behind the other
FRAMES, FPS = "frames", "fps"
LENGTH_NAMES: Final = ("length", "num_frames", "video_length", "frame_count", "frames_number", "video_frames", "frames")
SPEED_NAMES: Final = ("fps", "frame_rate", "framerate")
KINDS: Final = {"INT": WHOLE, "FLOAT": NUMBER, "BOOLEAN": FLAG, "COMBO": CHOICE, "STRING": WORDS}
_END: Final = r"[+-]?(?:\d+\.?\d*|\.\d+)"
_RANGE: Final = pattern(rf"\s*(?:--|—|–)range\s*=?\s*({_END})\s*(?:\.{{2,3}}|…|:)\s*({_END})\s*", re.ASCII)
HINT: Final = _("For example: option detail 12.strength --range 0..2")


@dataclass(frozen=True, kw_only=True)
class NodeOption:
    """An option and the inputs it goes into, with the range it was given by hand."""

    name: str
    slots: tuple[Slot, ...]
    low: float | None = None
    high: float | None = None


def found_options(graph: Graph, nodes: Iterable[str], frames: Slot | None) -> tuple[NodeOption, ...]:
    """Return where the number of pictures of a video and their speed are set.

    Args:
        graph: a workflow that makes something that moves.
        nodes: of what it makes.
        frames: where the number is if no node has it by a name of its own: the size of a batch.
    """
    nodes = list(nodes)
    lengths = [
        _number_slot(graph, node, name)
        for node in nodes
        for name in LENGTH_NAMES
        if name != "length" or "width" in inputs_of(graph, node)  # of a text is one too
    ]
    speeds = [_number_slot(graph, node, name) for node in nodes for name in SPEED_NAMES]
    lengths = lengths if any(lengths) else [frames]
    named = ((FRAMES, lengths), (FPS, speeds))
    found = ((name, tuple(dict.fromkeys(slot for slot in slots if slot))) for name, slots in named)
    return tuple(NodeOption(name=name, slots=slots) for name, slots in found if slots)


def split_option(field: str, place: str) -> tuple[str, str] | None:
    """Return the name of an option and where it goes, if that is what a correction is about."""
    words = f"{field} {place}".split()
    if not words or words[0].casefold() not in ("option", "options"):
        return None
    name, rest = words[1] if len(words) > 1 else "", " ".join(words[2:])
    if not name or not rest:
        raise _rejected(_("An option needs a name and a place, written node.input."))
    return own_name(key_of(name.lstrip("-—–"))), rest


def read_range(place: str) -> tuple[str, float | None, float | None]:
    """Return a place without its `--range 0..2`, and the two ends.

    Raises:
        RequestRejected: it is no range.
    """
    found = _RANGE.search(place)
    if found is None:
        if "range" in place.casefold() and "--" in place:
            raise _rejected(_("“{place}” holds no range that can be read.", place=cut(place, 60)))
        return place.strip(), None, None
    low, high = (float(end) if "." in end else int(end) for end in found.groups())
    if low >= high:
        raise _rejected(_("A range of {low} to {high} leaves nothing to choose.", low=found[1], high=found[2]))
    return (place[: found.start()] + place[found.end() :]).strip(), low, high


def with_option(options: tuple[NodeOption, ...], new: NodeOption) -> tuple[NodeOption, ...]:
    """Return the options with one more, or without it where it goes nowhere.

    Raises:
        RequestRejected: its name is no name, or Easel's own; there are too many.
    """
    others = tuple(option for option in options if option.name != new.name)
    if not new.slots:
        if len(others) == len(options):
            there = ", ".join(option.name for option in options) or "none"
            raise _rejected(
                _("This workflow has no option “{name}”. It has: {there}.", name=cut(new.name, 40), there=there)
            )
        return others
    if not NAME_FORM.fullmatch(new.name):
        raise _rejected(
            _("An option cannot be called “{name}”: small letters, digits and _ make a name.", name=cut(new.name, 40))
        )
    if is_taken(new.name) and new.name not in REPLACED:
        free = f"{new.name[:20]}_{re.sub('[^a-z0-9]', '', new.slots[0].node.casefold())[:8]}"
        raise _rejected(
            _("--{name} is one of Easel's own options already. “{free}” is free.", name=new.name, free=free)
        )
    if len(others) >= MAX_OPTIONS:
        raise _rejected(_("A workflow has at most {most} options.", most=MAX_OPTIONS))
    return (*others, new)


def offered(graph: Graph, options: Iterable[NodeOption], info: ObjectInfo) -> tuple[WorkflowOption, ...]:
    """Return what each option takes on this server."""
    return tuple(_offered(graph, option, info) for option in options)


def set_options(graph: Graph, options: Iterable[NodeOption], given: Mapping[str, str], info: ObjectInfo) -> None:
    """Put the values of a request into a graph; what the workflow has no option for is left out."""
    for option in options:
        if option.name in given:
            value = _value(_offered(graph, option, info).kind, given[option.name])
            for slot in option.slots:
                inputs_of(graph, slot.node)[slot.input] = value


def describe_option(graph: Graph, option: NodeOption) -> str:
    """Return an option as a line of the mapping; one of Easel's own names says that it takes its place."""
    titles = [cut(" ".join(title_of(graph, slot.node).split()), 40) for slot in option.slots]
    places = joined(
        ", ",
        (
            _("{title}, node {node}, {input}", title=title, node=s.node, input=s.input)
            for title, s in zip(titles, option.slots, strict=True)
        ),
    )
    ends = (
        _(", {low:g} to {high:g}", low=option.low, high=option.high)
        if option.low is not None and option.high is not None
        else ""
    )
    own = _("; --{name} sets this, in place of Easel’s own", name=option.name) if option.name in REPLACED else ""
    return f"option --{option.name}: {places}{ends}{own}"


def option_from_json(answer: Mapping[str, Any]) -> NodeOption:
    """Read what was kept of one."""
    slots = tuple(Slot(node=str(item["node"]), input=str(item["input"])) for item in answer["slots"])
    return NodeOption(name=str(answer["name"]), slots=slots, low=answer.get("low"), high=answer.get("high"))


def _offered(graph: Graph, option: NodeOption, info: ObjectInfo) -> WorkflowOption:
    slot = option.slots[0]
    class_type, value = class_of(graph, slot.node), inputs_of(graph, slot.node).get(slot.input)
    choices = info.choices(class_type, slot.input)
    kind = CHOICE if choices else KINDS.get(info.type_of(class_type, slot.input)) or _kind_of(value)
    settings = info.settings_of(class_type, slot.input)
    is_number = kind in (WHOLE, NUMBER)
    # the server refuses what is beyond its own limits, whatever was said by hand
    lows = [end for end in (option.low, _number(settings.get("min"))) if end is not None and is_number]
    highs = [end for end in (option.high, _number(settings.get("max"))) if end is not None and is_number]
    return WorkflowOption(
        name=option.name,
        kind=WORDS if kind == CHOICE and not choices else kind,
        low=max(lows, default=None),
        high=min(highs, default=None),
        default=_text(value),
        choices=choices or (),
    )


def _value(kind: str, text: str) -> Any:
    if kind == WHOLE:
        return int(float(text)) if "." in text or "e" in text.casefold() else int(text)
    if kind == NUMBER:
        return float(text)
    return text == "yes" if kind == FLAG else text


def _kind_of(value: Any) -> str:
    if isinstance(value, bool):
        return FLAG
    if isinstance(value, int):
        return WHOLE
    return NUMBER if isinstance(value, float) else WORDS


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def _number(words: Any) -> float | None:
    return words if isinstance(words, int | float) and not isinstance(words, bool) else None


def _number_slot(graph: Graph, node: str, name: str) -> Slot | None:
    """Return the input that holds a number, behind primitive nodes if need be."""
    for __ in range(MAX_PRIMITIVES):
        value = inputs_of(graph, node).get(name)
        if _number(value) is not None:
            return Slot(node=node, input=name)
        link = read_link(value)
        values = [key for key, item in inputs_of(graph, link[0]).items() if _number(item) is not None] if link else []
        if link is None or len(values) > 1:  # which of them it would be is not known
            return None
        node, name = link[0], next(iter(values), "value")
    return None


def _rejected(what: str) -> RequestRejected:
    return RequestRejected(what, field="place", hint=HINT)
