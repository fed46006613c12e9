"""A kept workflow taken apart for people: its nodes, what of a request goes into which inputs, what comes out. Pure.

A graph is JSON {"3": {"class_type", "inputs": {name: value | [node, output]}, "_meta": {"title"}}}; a mapping names
inputs as {"node", "input"}, one or several for each value.
"""

import json
import math
from typing import Any, Final

from generation.replaced_options import REPLACED
from lazy import dataclass
from texts.text import _

SHOWN_VALUE_CHARS: Final = 300
FIELDS: Final = {
    "prompt": _("What is drawn"),
    "negative": _("What is not wanted"),
    "seed": _("The same number, the same picture"),
    "width": _("Width in pixels"),
    "height": _("Height in pixels"),
    "steps": _("How many steps"),
    "cfg_scale": _("How closely the prompt is followed"),
    "guidance": _("The same for distilled models"),
    "sampler": _("The sampler"),
    "scheduler": _("The scheduler"),
    "denoising_strength": _("How much of an input picture changes"),
    "batch": _("How many pictures at once"),
    "model": _("The model's file"),
    "loras": _("LoRA files"),
    "images": _("Input pictures"),
    "masks": "Masks",
}


@dataclass(frozen=True, kw_only=True)
class Input:
    """One input of a node: a plain value, or a link to another node's output."""

    name: str
    value: str | int | float | bool | None
    link: tuple[str, int] | None


@dataclass(frozen=True, kw_only=True)
class Node:
    """One node of the graph."""

    id: str
    class_type: str
    title: str
    inputs: tuple[Input, ...]


@dataclass(frozen=True, kw_only=True)
class Parts:
    """The whole. `fields` has every value a workflow may take; its places are written "node.input"."""

    fields: dict[str, tuple[str, ...]]
    nodes: tuple[Node, ...]
    outputs: tuple[str, ...]
    options: dict[str, tuple[str, ...]]  # those of its own, with their places


def take_apart(graph: str, mapping: str) -> Parts:
    """Read both from JSON. Blocks for some milliseconds with a large graph."""
    answer: dict[str, Any] = json.loads(graph)
    places: Any = json.loads(mapping)
    named: dict[str, Any] = places if isinstance(places, dict) else {}
    options = {str(item["name"]): _places(item["slots"]) for item in named.get("options", ())}
    replaced = {REPLACED[name] for name in options if name in REPLACED}
    return Parts(
        fields={name: () if name in replaced else _places(named.get(name)) for name in FIELDS},
        nodes=tuple(_node(node, about) for node, about in answer.items() if isinstance(about, dict)),
        outputs=tuple(str(node) for node, __ in named.get("outputs", ())),
        options=options,
    )


def _places(slots: Any) -> tuple[str, ...]:
    single = [slots] if slots else []
    listed = slots if isinstance(slots, list) else single
    return tuple(f"{item['node']}.{item['input']}" for item in listed)


def _node(node: str, about: dict[str, Any]) -> Node:
    class_type = str(about.get("class_type", ""))
    title = (about.get("_meta") or {}).get("title") or class_type
    inputs = tuple(_input(name, value) for name, value in (about.get("inputs") or {}).items())
    return Node(id=node, class_type=class_type, title=str(title), inputs=inputs)


def _input(name: str, value: Any) -> Input:
    if isinstance(value, list) and len(value) == 2 and isinstance(value[1], int):
        return Input(name=name, value=None, link=(str(value[0]), value[1]))
    if isinstance(value, bool | int) or value is None or (isinstance(value, float) and math.isfinite(value)):
        return Input(name=name, value=value, link=None)
    text = value if isinstance(value, str) else json.dumps(value)
    return Input(name=name, value=text[:SHOWN_VALUE_CHARS], link=None)
