"""What no engine, no database and no JSON reader takes, though a workflow file can hold it."""

import math
from typing import Any, Final

from backends.comfyui.graph import Graph, inputs_of
from constants import MAX_SEED
from utils.text import cut

MAX_DEPTH: Final = 32  # of lists and objects within one input; honest ones have two or three


def fault_in(graph: Graph) -> str:
    """Return in words where a graph holds a value that cannot be used, empty if nowhere."""
    for node, about in graph.items():
        for name, value in inputs_of(graph, node).items():
            if fault := _fault(value):
                return f"node {cut(node, 20)}, {cut(name, 40)} {fault}"
        if fault := _fault({key: value for key, value in about.items() if key != "inputs"}):
            return f"node {cut(node, 20)} holds a value that {fault}"
    return ""


def _fault(value: Any) -> str:
    """Look through a value and what is in it, without recursion: depth is one of the faults."""
    level = [value]
    for _ in range(MAX_DEPTH):
        inner: list[Any] = []
        for one in level:
            if isinstance(one, dict):
                inner += one.values()
            elif isinstance(one, list):
                inner += one
            elif isinstance(one, float) and not math.isfinite(one):
                return "is no number that can be reckoned with"
            elif isinstance(one, int) and not -MAX_SEED <= one <= MAX_SEED:
                return "is a number of more than 64 bits"
        if not inner:
            return ""
        level = inner
    return "is nested too deeply"
