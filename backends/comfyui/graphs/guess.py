"""Guess node types from a graph: for servers that do not say it, as those that speak API v2 alone.

Only what a graph shows is guessed, and what all graphs hold: which nodes give files, and which inputs are pictures or
words. Nothing is known of lists, limits or missing nodes; the server itself refuses what it does not have.
"""

from typing import Any, Final

from backends.comfyui.graphs.graph import Graph, class_of, inputs_of, read_link
from backends.comfyui.graphs.nodes import ObjectInfo

SAVING: Final = ("save", "preview", "videocombine", "export")
LOADING: Final = ("loadimage", "loadvideo")
WORDS: Final = frozenset({"text", "prompt", "text_g", "text_l", "clip_l", "t5xxl", "positive", "negative"})


def guess_info(graph: Graph) -> ObjectInfo:
    """Return what the nodes of a graph seem to be."""
    used = {link[0] for node in graph for value in inputs_of(graph, node).values() if (link := read_link(value))}
    classes: dict[str, dict[str, Any]] = {}
    for node in graph:
        class_type = class_of(graph, node)
        answer = classes.setdefault(class_type, {"input": {"optional": {}}, "output_node": False})
        answer["output_node"] |= node not in used or _is_named(class_type, SAVING)
        for name, value in inputs_of(graph, node).items():
            if spec := _spec(class_type, name, value):
                answer["input"]["optional"][name] = spec
    return ObjectInfo(classes)


def _spec(class_type: str, name: str, value: Any) -> list[Any] | None:
    if isinstance(value, str) and name in {"image", "video"} and _is_named(class_type, LOADING):
        return ["COMBO", {f"{name}_upload": True}]
    if isinstance(value, str) and name in WORDS:
        return ["STRING", {"multiline": True}]
    return None


def _is_named(class_type: str, words: tuple[str, ...]) -> bool:
    low = class_type.lower()
    return any(word in low for word in words)
