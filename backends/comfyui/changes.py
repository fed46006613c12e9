"""Changes of a workflow that concern more than one input: steps shared by several samplers, weights of LoRAs."""

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

from backends.comfyui.graph import Graph, Slot, inputs_of, read_link
from backends.comfyui.nodes import ObjectInfo
from generation.request import Lora

BOUNDS: Final = ("start_at_step", "end_at_step")
WEIGHT: Final = re.compile(r"strength|weight|(?:^|_)wt(?:_|$)")


def read_number(value: object) -> float | None:
    """Return a number, also one that is written as a string; None for anything else."""
    if isinstance(value, str) and re.fullmatch(r"\s*-?[0-9]{1,17}(\.[0-9]{1,17})?\s*", value):
        return float(value)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def is_split(graph: Graph) -> bool:
    """Return whether samplers of a graph share their steps in a way that cannot be scaled: by links."""
    for node in graph:
        inputs = inputs_of(graph, node)
        if any(name in inputs for name in BOUNDS) and any(read_link(inputs.get(name)) for name in (*BOUNDS, "steps")):
            return True
    return False


def set_steps(graph: Graph, slot: Slot, steps: int) -> None:
    """Set the steps, and where samplers divide them among themselves let each keep its share."""
    before = read_number(inputs_of(graph, slot.node).get(slot.input))
    graph[slot.node]["inputs"][slot.input] = steps
    if before is None or before <= 0 or not any(name in inputs_of(graph, slot.node) for name in BOUNDS):
        return
    for node in graph:
        inputs = inputs_of(graph, node)
        own = before if node == slot.node else read_number(inputs.get("steps"))
        if own != before or not any(name in inputs for name in BOUNDS):
            continue
        inputs["steps"] = steps
        for name in BOUNDS:
            bound = read_number(inputs.get(name))
            if bound is not None and 0 < bound <= before:  # a larger one means the last step
                inputs[name] = min(steps, max(1, round(bound * steps / before)))


def set_loras(graph: Graph, loras: Iterable[Lora]) -> list[Lora]:
    """Set the weights of LoRAs that the graph loads already; return the others."""
    present: dict[str, list[tuple[dict[str, Any], list[str]]]] = {}
    for name, values, weights in _loaded(graph):
        present.setdefault(_plain(name), []).append((values, weights))
    missing = []
    for lora in loras:
        found = present.get(_plain(lora.name), [])
        for values, weights in found:
            values |= dict.fromkeys(weights, lora.weight)
        if not found:
            missing.append(lora)
    return missing


def with_listed_names(graph: Graph, info: ObjectInfo) -> Graph:
    """Return a graph whose files are named as this server lists them, whichever slash joins their folders."""
    result = graph
    for node, about in graph.items():
        for name, value in inputs_of(graph, node).items():
            if isinstance(value, str) and ("/" in value or "\\" in value):
                choices = info.choices(str(about.get("class_type")), name) or ()
                listed = next((one for one in choices if _plain(one) == _plain(value)), value)
                if listed != value and value not in choices:
                    inputs = {**inputs_of(result, node), name: listed}
                    result = {**result, node: {**result[node], "inputs": inputs}}
    return result


def _loaded(graph: Graph) -> Iterator[tuple[str, dict[str, Any], list[str]]]:
    """Yield each LoRA of a graph: its file, and where its weights lie (a node's inputs, or a value with parts)."""
    for node in graph:
        inputs = inputs_of(graph, node)
        for name, value in inputs.items():
            if isinstance(value, dict) and isinstance(value.get("lora"), str):
                yield value["lora"], value, _weights(value, "")
            elif isinstance(value, str) and "lora" in name.lower():
                number = re.search(r"[0-9]*$", name)
                yield value, inputs, _weights(inputs, number[0] if number else "")


def _weights(values: dict[str, Any], number: str) -> list[str]:
    named = [name for name, value in values.items() if WEIGHT.search(name.lower()) and read_number(value) is not None]
    return [name for name in named if re.fullmatch(rf".*?[^0-9]{number}", name)]


def _plain(name: str) -> str:
    return name.replace("\\", "/")
