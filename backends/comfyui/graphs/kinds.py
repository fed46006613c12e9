"""The types of what runs along a graph's links, behind nodes that pass on whatever comes in.

Such nodes say "*", or do not describe their inputs at all: as many as are linked appear in the editor.
"""

from typing import Final

from backends.comfyui.graphs.graph import Graph, class_of, inputs_of, read_link, sources
from backends.comfyui.graphs.nodes import ObjectInfo

ANYTHING: Final = frozenset({"", "*", "COMFY_MATCHTYPE_V3", "COMFY_AUTOGROW_V3"})
MAX_PASSED: Final = 8  # nodes one behind the other


def kind_of_input(graph: Graph, info: ObjectInfo, node: str, name: str) -> str:
    """Return the type of an input: what its class says of it, or what is linked to it; "" or "*" if none is known."""
    declared = info.type_of(class_of(graph, node), name)
    link = read_link(inputs_of(graph, node).get(name))
    if declared not in ANYTHING or link is None:
        return declared
    found = kind_of_output(graph, info, *link)
    return declared if found in ANYTHING else found


def kind_of_output(graph: Graph, info: ObjectInfo, node: str, output: int, depth: int = MAX_PASSED) -> str:
    """Return the type of an output, of one that is passed on the type of what comes in."""
    kinds = info.outputs(class_of(graph, node))
    kind = kinds[output][0] if output < len(kinds) else ""
    if kind not in ANYTHING or depth == 0 or not kinds:
        return kind
    for name, source, source_output in sources(graph, node):
        if info.type_of(class_of(graph, node), name) in ANYTHING:
            found = kind_of_output(graph, info, source, source_output, depth - 1)
            if found not in ANYTHING:
                return found
    return kind
