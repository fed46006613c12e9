"""Changes of a workflow that concern more than one input: steps shared by several samplers, weights of LoRAs."""

import re
from collections.abc import Collection, Iterable, Iterator
from typing import Any, Final

from backends.comfyui.graphs.graph import Graph, Slot, class_of, inputs_of, read_link
from backends.comfyui.graphs.lacking import file_key
from backends.comfyui.graphs.values import read_number
from generation.request import Lora
from lazy import dataclass, pattern

SAMPLER_INPUTS: Final = frozenset({"seed", "noise_seed", "steps", "cfg", "sampler_name", "scheduler", "denoise"})
LEAST_INPUTS: Final = 3  # of those make a sampler of a node
BOUNDS: Final = ("start_at_step", "end_at_step")
WEIGHT: Final = pattern(r"strength|weight|(?:^|_)wt(?:_|$)")


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


def alike(graph: Graph, slot: Slot | None) -> tuple[Slot, ...]:
    """Return an input and those of other samplers that hold the same: chained ones are set together."""
    if slot is None or slot.node not in graph:
        return ()
    before = inputs_of(graph, slot.node).get(slot.input)
    return (slot, *(item for item in samplers_like(graph, slot) if inputs_of(graph, item.node)[item.input] == before))


def samplers_like(graph: Graph, slot: Slot) -> list[Slot]:
    """Return the same input of the other samplers, where it is no link."""
    class_type, found = class_of(graph, slot.node), []
    for node in graph:
        inputs = inputs_of(graph, node)
        is_sampler = class_of(graph, node) == class_type or len(SAMPLER_INPUTS & inputs.keys()) >= LEAST_INPUTS
        if node != slot.node and is_sampler and slot.input in inputs and not read_link(inputs[slot.input]):
            found.append(Slot(node=node, input=slot.input))
    return found


@dataclass(frozen=True, kw_only=True)
class _LoadedLora:
    """A LoRA of a graph: the input it is named at, the values it lies among (a node's, or a part), and its weights."""

    slot: Slot
    values: dict[str, Any]
    key: str  # of the file's name in `values`
    weights: tuple[str, ...]

    def set(self, lora: Lora) -> None:
        self.values.update(dict.fromkeys(self.weights, lora.weight))

    def replace(self, lora: Lora) -> None:
        self.values[self.key] = lora.name
        self.set(lora)


def set_loras(graph: Graph, loras: Iterable[Lora]) -> list[Lora]:
    """Set the weights of LoRAs that the graph loads already; return the others."""
    present: dict[str, list[_LoadedLora]] = {}
    for loaded in _loaded(graph):
        present.setdefault(file_key(loaded.values[loaded.key]), []).append(loaded)
    missing = []
    for lora in loras:
        found = present.get(file_key(lora.name), [])
        for loaded in found:
            loaded.set(lora)
        if not found:
            missing.append(lora)
    return missing


def replace_loras(graph: Graph, slots: Collection[Slot], loras: Iterable[Lora]) -> list[Lora]:
    """Put LoRAs in the places of those at `slots`, in order, with their weights; return those left over."""
    left = list(loras)
    for loaded in [item for item in _loaded(graph) if item.slot in slots][: len(left)]:
        loaded.replace(left.pop(0))
    return left


def _loaded(graph: Graph) -> Iterator[_LoadedLora]:
    for node in graph:
        inputs = inputs_of(graph, node)
        for name, value in inputs.items():
            slot = Slot(node=node, input=name)
            if isinstance(value, dict) and isinstance(value.get("lora"), str):
                yield _LoadedLora(slot=slot, values=value, key="lora", weights=_weights(value, ""))
            elif isinstance(value, str) and "lora" in name.lower():
                number = re.search(r"[0-9]*$", name)
                weights = _weights(inputs, number[0] if number else "")
                yield _LoadedLora(slot=slot, values=inputs, key=name, weights=weights)


def _weights(values: dict[str, Any], number: str) -> tuple[str, ...]:
    named = [name for name, value in values.items() if WEIGHT.search(name.lower()) and read_number(value) is not None]
    return tuple(name for name in named if re.fullmatch(rf".*?[^0-9]{number}", name))
