"""Switches whose export says which of several inputs they pass on: the others have no part in what is drawn."""

from collections.abc import Mapping
from typing import Any, Final

from backends.comfyui.graphs.graph import Graph, inputs_of, read_link
from lazy import pattern

NUMBERED: Final = frozenset({"select", "index", "input", "selected", "selection", "switch", "choice"})
LETTERED: Final = frozenset({"boolean", "boolean_value", "switch", "cond", "condition", "value"})
YES, NO = ("on_true", "true", "tt_value", "if_true", "a"), ("on_false", "false", "ff_value", "if_false", "b")
_NUMBER: Final = pattern(r"^(.*?\D)_?0*(\d{1,3})$")


def without_idle(graph: Graph) -> Graph:
    """Return a graph without the links of switches that are not passed on; what is not known to be idle stays."""
    result = dict(graph)
    for node, about in graph.items():
        inputs = inputs_of(graph, node)
        if idle := _idle(inputs):
            result[node] = {**about, "inputs": {name: value for name, value in inputs.items() if name not in idle}}
    return result


def _idle(inputs: Mapping[str, Any]) -> set[str]:
    links = [name for name, value in inputs.items() if read_link(value)]
    if len(links) < 2:
        return set()
    for name, value in inputs.items():
        if isinstance(value, bool) and name.lower() in LETTERED:
            return _unchosen(links, value)
        if isinstance(value, int) and not isinstance(value, bool) and name.lower() in NUMBERED:
            return _other_numbers(links, value)
    return set()


def _unchosen(links: list[str], is_on: bool) -> set[str]:
    """Return the input for the other answer, where there is one for either."""
    for yes, no in zip(YES, NO, strict=True):
        pairs = [(_ended(links, yes), _ended(links, no))]
        for first, second in pairs:
            if first and second and first.removesuffix(yes) == second.removesuffix(no):
                return {second if is_on else first}
    return set()


def _ended(links: list[str], end: str) -> str | None:
    return next((name for name in links if name == end or name.endswith(f"_{end}")), None)


def _other_numbers(links: list[str], chosen: int) -> set[str]:
    numbers = {name: match for name in links if (match := _NUMBER.match(name))}
    stems = {match[1] for match in numbers.values()}
    kept = {name for name, match in numbers.items() if int(match[2]) == chosen}
    return set(numbers) - kept if len(stems) == 1 and kept else set()
