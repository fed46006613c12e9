"""Files of ComfyUI's own editor ("Save"), read into nodes and links: `{"nodes": [...], "links": [...]}`.

Links are `[id, from, output, to, input, type]` or objects. A subgraph is a graph of its own under `definitions`, used
by nodes whose type is its id; its own inputs and outputs are nodes of the numbers -10 and -20. Source: files of the
editor 1.58 and of its predecessors.
"""

from collections.abc import Iterable, Mapping
from dataclasses import field, replace
from typing import Any, Final

from generation.errors import RequestRejected
from lazy import dataclass
from texts.text import _

ALWAYS, MUTED, BYPASSED = 0, 2, 4
INLET: Final = "-10"  # where a subgraph's inputs come in
Reached = tuple[str, int]  # a node and one of its outputs


@dataclass(frozen=True, kw_only=True)
class SavedInput:
    """One input as it was saved; `widget` names the value it can take the place of."""

    name: str
    type: str
    link: str | None = None
    widget: str | None = None


@dataclass(frozen=True, kw_only=True)
class SavedNode:
    """One node as it was saved. `values` are those of its widgets, by place or by name."""

    id: str
    type: str
    title: str = ""
    mode: int = ALWAYS
    inputs: tuple[SavedInput, ...] = ()
    output_types: tuple[str, ...] = ()
    values: list[Any] | dict[str, Any] | None = None
    named_values: dict[str, Any] | None = None
    properties: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class SavedLink:
    """One link; `source` may be `INLET`."""

    source: str
    output: int
    target: str
    input: int


@dataclass(frozen=True, kw_only=True)
class Port:
    """One input or output of a subgraph, and the links at its inner side."""

    name: str
    type: str
    links: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Layer:
    """A graph: the whole one, or a subgraph."""

    nodes: dict[str, SavedNode]
    links: dict[str, SavedLink]
    inputs: tuple[Port, ...] = ()
    outputs: tuple[Port, ...] = ()

    def source_of(self, link: str | None) -> Reached | None:
        """Return where a link comes from; None if there is none, or what it came from is gone."""
        about = self.links.get(link) if link is not None else None
        if about is None or (about.source != INLET and about.source not in self.nodes):
            return None
        return about.source, about.output


@dataclass(frozen=True, kw_only=True)
class Saved:
    """A whole file: its graph, its subgraphs by id, and the group nodes of older editors as they were saved."""

    root: Layer
    subgraphs: dict[str, Layer]
    groups: dict[str, dict[str, Any]]
    last_number: int = 0


def is_saved(values: Mapping[str, Any]) -> bool:
    """Return whether JSON values are a file of the editor, not a graph for its API."""
    return isinstance(values.get("nodes"), list)


def read_saved(values: Mapping[str, Any]) -> Saved:
    """Read a file of the editor.

    Raises:
        RequestRejected: it holds no nodes.
    """
    root = read_layer(values)
    if not root.nodes:
        hint = _("Save it in ComfyUI again, or use Workflow → Export (API).")
        raise RequestRejected(_("This workflow has no nodes."), field="workflow", hint=hint)
    definitions = _dict(values.get("definitions")).get("subgraphs") or values.get("subgraphs")
    subgraphs: dict[str, Layer] = {}
    waiting = list(_dicts(definitions))
    while waiting:
        answer = waiting.pop(0)
        subgraphs.setdefault(str(answer.get("id")), read_layer(answer))
        waiting = _dicts(_dict(answer.get("definitions")).get("subgraphs")) + waiting
    groups = _dict(_dict(values.get("extra")).get("groupNodes"))
    last = values.get("last_node_id", _dict(values.get("state")).get("lastNodeId"))
    return Saved(
        root=root,
        subgraphs=subgraphs,
        groups={str(name): entry for name, entry in groups.items() if isinstance(entry, dict)},
        last_number=last if isinstance(last, int) else 0,
    )


def read_layer(values: Mapping[str, Any]) -> Layer:
    """Read one graph; what is no node and no link is left out."""
    nodes = _first_of_each([read_node(entry) for entry in _dicts(values.get("nodes"))])
    links = dict(_links(values.get("links")))
    ends: dict[str, dict[str, int]] = {}
    for name, link in links.items():
        ends.setdefault(link.target, {})[name] = link.input
    return Layer(
        nodes={name: _joined(node, ends.get(name, {})) for name, node in nodes.items()},
        links=links,
        inputs=tuple(_port(entry) for entry in _dicts(values.get("inputs"))),
        outputs=tuple(_port(entry) for entry in _dicts(values.get("outputs"))),
    )


def read_node(answer: Mapping[str, Any]) -> SavedNode:
    """Read one node."""
    values = answer.get("widgets_values")
    return SavedNode(
        id=str(answer.get("id")),
        type=str(answer.get("type") or ""),
        title=str(answer.get("title") or ""),
        mode=answer["mode"] if isinstance(answer.get("mode"), int) else ALWAYS,
        inputs=tuple(_input(item) for item in _dicts(answer.get("inputs"))),
        output_types=tuple(_type(item) for item in _dicts(answer.get("outputs"))),
        values=values if isinstance(values, list | dict) else None,
        named_values=_dict(answer.get("widgets_values_named")) or None,
        properties=_dict(answer.get("properties")),
    )


def _input(answer: Mapping[str, Any]) -> SavedInput:
    widget, link = _dict(answer.get("widget")).get("name"), answer.get("link")
    return SavedInput(
        name=str(answer.get("name", "")),
        type=_type(answer),
        link=None if link is None else str(link),
        widget=None if widget is None else str(widget),
    )


def _links(words: Any) -> Iterable[tuple[str, SavedLink]]:
    for item in words if isinstance(words, list) else ():
        if isinstance(item, dict):
            parts = [item.get(key) for key in ("id", "origin_id", "origin_slot", "target_id", "target_slot")]
        else:
            parts = list(item[:5]) if isinstance(item, list) else []
        if len(parts) == 5 and isinstance(parts[2], int) and isinstance(parts[4], int) and parts[2] >= 0:
            yield (
                str(parts[0]),
                SavedLink(source=str(parts[1]), output=parts[2], target=str(parts[3]), input=parts[4]),
            )


def _joined(node: SavedNode, ends: Mapping[str, int]) -> SavedNode:
    """Return a node with the links that the graph lists for it: they count, whatever stands at its inputs."""
    takers: dict[str, int] = {}
    for number, item in enumerate(node.inputs):
        if item.link is not None and item.link in ends and (item.link not in takers or ends[item.link] == number):
            takers[item.link] = number
    inputs = [
        item if item.link is not None and takers.get(item.link) == number else replace(item, link=None)
        for number, item in enumerate(node.inputs)
    ]
    for name, place in ends.items():
        if name not in takers and 0 <= place < len(inputs) and inputs[place].link is None:
            inputs[place] = replace(inputs[place], link=name)
    return replace(node, inputs=tuple(inputs))


def _port(answer: Mapping[str, Any]) -> Port:
    links = answer.get("linkIds")
    named = tuple(str(link) for link in links) if isinstance(links, list) else ()
    return Port(name=str(answer.get("name", "")), type=_type(answer), links=named)


def _type(answer: Mapping[str, Any]) -> str:
    """Return the type of a slot; a list to choose from is "COMBO", none at all takes anything."""
    kind = answer.get("type")
    if isinstance(kind, list):
        return "COMBO"
    return kind if isinstance(kind, str) and kind else "*"


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _first_of_each(nodes: list[SavedNode]) -> dict[str, SavedNode]:
    """Return the nodes by number; of two that have the same the first counts."""
    found: dict[str, SavedNode] = {}
    for node in nodes:
        found.setdefault(node.id, node)
    return found
