"""Find which of a workflow's files people can see, before it runs; sounds and other programs' videos stay behind."""

from typing import Any, Final

from backends.comfyui.graphs.graph import Graph, class_of, inputs_of, title_of
from texts.text import _
from utils.text import cut

UNSHOWN: Final = frozenset({"audio"})
# parts of the names that nodes give to the files they write; "auto" is what ComfyUI takes mp4 for
SHOWN_FORMATS: Final = ("auto", "mp4", "webm", "gif", "webp", "png", "jpg", "jpeg", "h264", "h265", "av1", "nvenc")
MAX_NAMED: Final = 3


def nothing_shown(graph: Graph, outputs: tuple[tuple[str, str], ...]) -> str:
    """Return in words why nothing that a workflow saves can be shown, empty where something can."""
    if not outputs or any(_is_shown(graph, node, kind) for node, kind in outputs):
        return ""
    nodes = [
        _(
            "{title} (node {node}: {written})",
            title=cut(title_of(graph, node), 40),
            node=node,
            written=_written(graph, node, kind),
        )
        for node, kind in outputs
    ]
    more = _(" and {count} more", count=len(nodes) - MAX_NAMED) if len(nodes) > MAX_NAMED else ""
    return _(
        "nothing it saves can be shown here: {nodes}{more}. It needs a Save Image node, or one that saves mp4 or webm",
        nodes=", ".join(nodes[:MAX_NAMED]),
        more=more,
    )


def _is_shown(graph: Graph, node: str, kind: str) -> bool:
    words = _format(graph, node)
    return kind not in UNSHOWN and (not words or any(part in words for part in SHOWN_FORMATS))


def _written(graph: Graph, node: str, kind: str) -> str:
    return "sound" if kind in UNSHOWN else cut(_format(graph, node), 20) or class_of(graph, node)


def _format(graph: Graph, node: str) -> str:
    words: Any = inputs_of(graph, node).get("format")
    return words.strip().casefold() if isinstance(words, str) else ""
