"""Inputs that a server's nodes require and an older export does not have: the server's own defaults are used."""

from typing import Any

from backends.comfyui.graphs.graph import Graph, Slot, class_of, inputs_of
from backends.comfyui.graphs.nodes import ObjectInfo


def with_defaults(graph: Graph, info: ObjectInfo) -> Graph:
    """Return a graph in which every required input that has a default has a value."""
    result = dict(graph)
    for slot, value in missing_inputs(graph, info).items():
        about = result[slot.node]
        result[slot.node] = {**about, "inputs": {**inputs_of(result, slot.node), slot.input: value}}
    return result


def missing_inputs(graph: Graph, info: ObjectInfo) -> dict[Slot, Any]:
    """Return the required inputs that a graph lacks and the server has a default for, with the default."""
    found: dict[Slot, Any] = {}
    for node in graph:
        class_type, there = class_of(graph, node), inputs_of(graph, node)
        for name, _ in info.ordered_inputs(class_type, is_required=True):
            default = info.settings_of(class_type, name).get("default")
            if name not in there and isinstance(default, str | int | float):
                found[Slot(node=node, input=name)] = default
    return found
