"""Find values that no engine, no database and no JSON reader takes, though a workflow file can hold it."""

import math
import re
from typing import Any, Final

from backends.comfyui.graphs.graph import Graph, inputs_of
from constants import MAX_SEED
from texts.text import _
from utils.text import cut

MAX_DEPTH: Final = 32  # of lists and objects within one input; honest ones have two or three


def read_number(value: object) -> float | None:
    """Return a number, also one that is written as a string; None for anything else."""
    if isinstance(value, str) and re.fullmatch(r"\s*-?[0-9]{1,20}(\.[0-9]{1,17})?\s*", value):
        return float(value)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def fault_in(graph: Graph) -> str:
    """Return in words where a graph holds a value that cannot be used, empty if nowhere."""
    for node, about in graph.items():
        for name, value in inputs_of(graph, node).items():
            if fault := _fault(value):
                return _("node {node}, {name} {fault}", node=cut(node, 20), name=cut(name, 40), fault=fault)
        if fault := _fault({key: value for key, value in about.items() if key != "inputs"}):
            return _("node {node} holds a value that {fault}", node=cut(node, 20), fault=fault)
    return ""


def _fault(value: Any) -> str:
    """Look through a value and what is in it, without recursion: depth is one of the faults."""
    level = [value]
    for __ in range(MAX_DEPTH):
        inner: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                inner += item.values()
            elif isinstance(item, list):
                inner += item
            elif isinstance(item, float) and not math.isfinite(item):
                return _("is not a finite number")
            elif isinstance(item, int) and not -MAX_SEED <= item <= MAX_SEED:
                return _("is a number of more than 64 bits")
        if not inner:
            return ""
        level = inner
    return _("is nested too deeply")
