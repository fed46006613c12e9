"""Group nodes, which editors before 2025's subgraphs had: each is made a subgraph, its values put to the nodes inside.

`extra.groupNodes[name]` holds `nodes` without ids, `links` `[node, output, node, input]` between them by their places,
and `external` outputs. What is not linked inside is an input of the group, in the order of its nodes; all its widgets'
values lie one behind the other on the group.
"""

from collections.abc import Iterator
from dataclasses import field, replace
from typing import Any

from backends.comfyui.editor.fields import CONTROLS, Widget, WidgetKind, fields_of, sockets_of
from backends.comfyui.editor.routes import PRIMITIVE, REROUTES
from backends.comfyui.editor.saved import INLET, Layer, Port, Saved, SavedInput, SavedLink, SavedNode, read_node
from backends.comfyui.graphs.nodes import ObjectInfo
from generation.errors import CapabilityError
from lazy import dataclass
from texts.text import _
from utils.text import cut

STARTS = ("workflow>", "workflow/")


def ungrouped(saved: Saved, info: ObjectInfo) -> Saved:
    """Return a file with subgraphs in place of its group nodes.

    Raises:
        CapabilityError: the values of one cannot be put to the nodes in it.
    """
    nodes, subgraphs, new = dict(saved.root.nodes), dict(saved.subgraphs), dict[str, str]()
    last = saved.last_number
    for node in saved.root.nodes.values():
        name = next((node.type.removeprefix(start) for start in STARTS if node.type.startswith(start)), "")
        if name and name in saved.groups:
            kind = f"group {node.id}"  # no text: a name inside the graph
            subgraphs[kind] = _Group(saved.groups[name], info, last + 1).layer(node)
            last += len(subgraphs[kind].nodes) + 1
            new[node.id] = str(last)
            del nodes[node.id]
            nodes[new[node.id]] = replace(node, id=new[node.id], type=kind, values=None, named_values=None)
    links = {
        name: replace(link, source=new.get(link.source, link.source), target=new.get(link.target, link.target))
        for name, link in saved.root.links.items()
    }
    return replace(saved, root=replace(saved.root, nodes=nodes, links=links), subgraphs=subgraphs)


@dataclass(kw_only=True)
class _Inside:
    """One node of a group while it is read; `linked` are the names of its inputs that are linked inside."""

    node: SavedNode
    fields: list[Widget]
    converted: list[str]
    linked: set[str] = field(default_factory=set)


class _Group:
    def __init__(self, saved: dict[str, Any], info: ObjectInfo, first: int) -> None:
        self._info = info
        self._first = first
        nodes, links, external = (saved.get(key) for key in ("nodes", "links", "external"))
        read = [item for item in nodes if isinstance(item, dict)] if isinstance(nodes, list) else []
        self._links = [link for link in _places(links, 4) if max(link[0], link[2]) < len(read)]
        self._external = {(place, output) for place, output in _places(external, 2)}
        config = saved.get("config")
        self._config: dict[str, Any] = config if isinstance(config, dict) else {}
        self._inside = [self._read(place, node) for place, node in enumerate(read)]
        self._ports: list[tuple[str, int, str]] = []
        self._seen: dict[str, int] = {}

    def layer(self, group: SavedNode) -> Layer:
        """Return what is inside one use of the group, its nodes numbered on from `first` as the editor does."""
        self._name_ports()
        self._hand_out(group)
        links: dict[str, SavedLink] = {}
        for number, (source, output, target, slot) in enumerate(self._links):
            links[f"{number}"] = SavedLink(source=self._id(source), output=output, target=self._id(target), input=slot)
        nodes = [item.node for item in self._inside]
        inputs, outputs = [], []
        for number, (name, place, own) in enumerate(self._ports):
            links[f"in {number}"] = SavedLink(source=INLET, output=number, target=self._id(place), input=0)
            nodes[place] = _with_link(nodes[place], own, f"in {number}")  # no text: a name inside the graph
            inputs.append(Port(name=name, type="*", links=(f"in {number}",)))  # no text: a name inside the graph
        for number, (source, output, kind) in enumerate(self._outputs()):
            links[f"out {number}"] = SavedLink(source=self._id(source), output=output, target="-20", input=number)
            outputs.append(Port(name=kind, type=kind, links=(f"out {number}",)))  # no text: a name inside the graph
        return Layer(nodes={node.id: node for node in nodes}, links=links, inputs=tuple(inputs), outputs=tuple(outputs))

    def _id(self, place: int) -> str:
        return str(self._first + place)

    def _read(self, place: int, words: dict[str, Any]) -> _Inside:
        node = read_node(words | {"id": self._id(place)})
        slots = {link[3]: str(number) for number, link in enumerate(self._links) if link[2] == place}
        inputs = tuple(replace(item, link=slots.get(slot)) for slot, item in enumerate(node.inputs))
        fields = [] if node.type in REROUTES else fields_of(node.type, self._info)
        if node.type == PRIMITIVE and any(link[0] == place for link in self._links):
            fields = [Widget(name="value", kind=WidgetKind.WHOLE)]
        return _Inside(
            node=replace(node, inputs=inputs),
            fields=[item for item in fields if item.kind is not WidgetKind.FORCED],
            converted=[item.name for item in inputs if item.widget],
            linked={item.name for item in inputs if item.link is not None},
        )

    def _name_ports(self) -> None:
        """Name the inputs of the group as its node has them: widgets turned into inputs come last."""
        last: list[tuple[int, str]] = []
        for place, item in enumerate(self._inside):
            own = [about.name for about in item.fields if about.is_sent and item.node.type != PRIMITIVE]
            names = [name for name in own if name not in item.converted]
            names += [name for name in self._sockets(item) if name not in item.linked]
            self._ports += [(self._name(place, name), place, name) for name in names]
            last += [(place, name) for name in item.converted if name not in item.linked]
        self._ports += [(self._name(place, name), place, name) for place, name in last]

    def _sockets(self, item: _Inside) -> list[str]:
        if item.node.type in REROUTES:
            return [saved.name for saved in item.node.inputs]
        return [slot.name for slot in sockets_of(item.node.type, self._info) if not slot.is_widget]

    def _name(self, place: int, own: str) -> str:
        node = self._inside[place].node
        name = str(self._custom(place, "input", own).get("name") or own)
        key = name
        if name in self._seen:
            prefix = f"{node.title or node.type} "
            key = name = f"{prefix}{own}"
            if name in self._seen:
                name = f"{prefix}{self._seen[name]} {own}"
        self._seen[key] = self._seen.get(key, 1) + 1
        return name

    def _hand_out(self, group: SavedNode) -> None:
        """Put the values that the group holds to the nodes inside."""
        values = group.values if isinstance(group.values, list) else []
        place = 0
        for item in self._inside if values else ():
            given = list(item.node.values) if isinstance(item.node.values, list) else []
            for number, about in enumerate(item.fields):
                if about.name in item.converted:
                    continue
                if place >= len(values) or number > len(given) or about.kind is WidgetKind.CHOOSING:
                    raise _unfit(group, len(values))
                given[number : number + 1] = [values[place]]
                place += 1
            if item.node.type == PRIMITIVE and item.fields and place < len(values) and values[place] in CONTROLS:
                place += 1
            item.node = replace(item.node, values=given)
        loose = [(item, name) for item in self._inside for name in item.converted if name not in item.linked]
        if place not in {len(values), len(values) - len(loose)}:
            raise _unfit(group, len(values))
        for (item, name), value in zip(loose, values[place:], strict=False):
            at = next((place for place, about in enumerate(item.fields) if about.name == name), None)
            if at is not None and isinstance(item.node.values, list) and at < len(item.node.values):
                item.node.values[at] = value

    def _outputs(self) -> Iterator[tuple[int, int, str]]:
        """Yield the outputs of the group: those not linked inside, and those said to go out."""
        used = {(source, output) for source, output, __, __ in self._links}
        for place, item in enumerate(self._inside):
            kinds = [kind for kind, __ in self._info.outputs(item.node.type)] or list(item.node.output_types)
            for output, kind in enumerate(kinds if item.node.type != PRIMITIVE else ()):
                is_shown = (place, output) not in used or (place, output) in self._external
                if self._custom(place, "output", str(output)).get("visible", is_shown):
                    yield place, output, kind

    def _custom(self, place: int, side: str, name: str) -> dict[str, Any]:
        """Return what somebody has set for one input or output of a node inside: its `name`, whether `visible`."""
        found: Any = self._config
        for key in (str(place), side, name):
            found = found.get(key) if isinstance(found, dict) else None
        return found if isinstance(found, dict) else {}


def _places(words: Any, count: int) -> list[tuple[int, ...]]:
    """Return the first numbers of each entry of a list; what has others is left out."""
    rows = [tuple(item[:count]) for item in words if isinstance(item, list)] if isinstance(words, list) else []
    return [row for row in rows if len(row) == count and all(type(item) is int and item >= 0 for item in row)]


def _with_link(node: SavedNode, name: str, link: str) -> SavedNode:
    """Return a node whose input `name` has a link, as an input it had or a new one."""
    inputs = [replace(item, link=link) if item.name == name else item for item in node.inputs]
    if name not in {item.name for item in inputs}:
        inputs.append(SavedInput(name=name, type="*", link=link, widget=name))
    return replace(node, inputs=tuple(inputs))


def _unfit(group: SavedNode, count: int) -> CapabilityError:
    name = cut(group.title or group.type, 40)
    return CapabilityError(
        _(
            "The group node “{name}” (node {id}) of this workflow cannot be converted: it was saved with {count} "
            "values, which do not fit the nodes in it.",
            name=name,
            id=group.id,
            count=count,
        ),
        field="workflow",
        hint=_("Open the workflow in this ComfyUI, which makes it a subgraph, check it, and save it again."),
    )
