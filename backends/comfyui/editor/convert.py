"""From the editor's own format to the graph that the API runs, by what the server says of its nodes. Pure.

Checked against the editor itself (1.58), whose export is what comes out here.
"""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from backends.comfyui.editor.fields import Widget, WidgetKind, chosen_fields, constants_of, fields_of, unmade_inputs
from backends.comfyui.editor.groups import ungrouped
from backends.comfyui.editor.numbering import renumbered
from backends.comfyui.editor.promoting import Own, Promotions, Shown, primitive_values
from backends.comfyui.editor.routes import VIRTUAL, Instance, NodeOutput, Promoted, Routes, unfold
from backends.comfyui.editor.saved import BYPASSED, MUTED, Layer, Saved, SavedNode, read_saved
from backends.comfyui.editor.special import own_values
from backends.comfyui.editor.texts import SAVERS, file_prefix, settled
from backends.comfyui.editor.values import MISSING, Search, Unfit, assign, fits
from backends.comfyui.errors import missing_nodes
from backends.comfyui.graphs.graph import Graph, read_link
from backends.comfyui.graphs.nodes import ObjectInfo
from generation.errors import CapabilityError
from texts.text import _, _n, joined
from utils.text import cut

NAMED: Final = 5  # nodes told of in a refusal
NAME_CHARS: Final = 40
EVERYWHERE: Final = "Everywhere"  # no text: in the names of nodes that are linked to every open input of their type
ALIAS: Final = "Node name for S&R"  # no text: the server’s own


def convert(values: Mapping[str, Any], info: ObjectInfo, *, most: int, now: datetime) -> Graph:
    """Return the API graph of a file of the editor.

    Args:
        values: the file's JSON.
        info: what the server says of its nodes.
        most: how many nodes it may have, its subgraphs laid out.
        now: for dates in the names of files.

    Raises:
        RequestRejected: the file is broken, or too large.
        CapabilityError: the server lacks nodes, or some cannot be converted; they are named, and why.
    """
    return _Conversion(ungrouped(renumbered(read_saved(values)), info), info, most, now).graph()


class _Conversion:
    def __init__(self, saved: Saved, info: ObjectInfo, most: int, now: datetime) -> None:
        self._saved = saved
        self._info = info
        self._now = now
        self._root = unfold(saved, most)
        self._routes = Routes(saved, info)
        self._promotions = Promotions(saved, self._routes, self._own)
        self._search = Search()
        self._owned: dict[int, Own | Unfit] = {}
        self._handed: dict[int, dict[str, dict[str, Any]]] = {}

    def graph(self) -> Graph:
        live = [(instance, node) for instance in self._root.walk() for node in self._live(instance)]
        missing = dict.fromkeys(node.type for __, node in live if node.type not in self._info)
        if missing:
            raise missing_nodes(list(missing))
        sending = Unfit(reason=_("its links are made by code in the browser"))
        self._refuse([(instance, node, sending) for instance, node in live if EVERYWHERE in node.type])
        self._refuse([(instance, node, self._own(instance.layer, node)) for instance, node in live])
        hosts = [(item.parent, item.host) for item in self._root.walk() if item.parent and item.host]
        self._refuse([(outer, host, self._promotions.of(outer.layer, host)) for outer, host in hosts])
        made = [(instance, node, self._convert(instance, node)) for instance, node in live]
        self._refuse(made)
        graph = {f"{at.path}{node.id}": about for at, node, about in made if not isinstance(about, Unfit)}
        for about in graph.values():
            inputs = about["inputs"]
            links = {name: read_link(value) for name, value in inputs.items()}
            about["inputs"] = {n: v for n, v in inputs.items() if (link := links[n]) is None or link[0] in graph}
        return graph

    def _live(self, instance: Instance) -> list[SavedNode]:
        """Return the nodes of a graph that do something on the server."""
        nodes = instance.layer.nodes.values()
        is_gone = {MUTED, BYPASSED}
        return [
            node
            for node in nodes
            if node.mode not in is_gone and node.type not in VIRTUAL and node.type not in self._saved.subgraphs
        ]

    def _own(self, layer: Layer, node: SavedNode) -> Own | Unfit:
        if id(node) not in self._owned:
            self._owned[id(node)] = self._read_own(layer, node)
        return self._owned[id(node)]

    def _read_own(self, layer: Layer, node: SavedNode) -> Own | Unfit:
        """Return the values of a node's widgets, those that a primitive hands it among them."""
        fields = fields_of(node.type, self._info)
        inputs = self._routes.inputs_of(node)
        if unmade := unmade_inputs(node.type, self._info, {item.name for item in node.inputs}):
            return Unfit(reason=_("{unmade} is made by code in the browser", unmade=", ".join(unmade)))
        if made := [field.name for field in fields if field.kind is WidgetKind.IN_BROWSER]:
            return Unfit(reason=_("its {made} is made by code in the browser", made=", ".join(made)))
        linked = frozenset(item.name for item in inputs if layer.source_of(item.link))
        has_own = any(field.kind is not WidgetKind.FORCED for field in fields)
        shows = self._info.is_output(node.type) and not has_own  # in widgets that the browser adds
        self._search.may_drop = shows or self._info.is_core(node.type) or self._info.is_end(node.type)
        found = own_values(node) or assign(node, fields, linked, self._search)
        if isinstance(found, Unfit):
            return found
        known = {item.name: item for item in _with_chosen(fields, found)}
        if id(layer) not in self._handed:
            self._handed[id(layer)] = primitive_values(layer, self._routes)
        handed = self._handed[id(layer)].get(node.id, {})
        if wrong := [name for name, value in handed.items() if name in known and not fits(known[name], value)]:
            return Unfit(
                reason=_("the value that a primitive hands to its {wrong} is none for that", wrong=", ".join(wrong))
            )
        found |= {name: value for name, value in handed.items() if name in known}
        return Own(values=found | constants_of(node.type, self._info), fields=known)

    def _convert(self, instance: Instance, node: SavedNode) -> dict[str, Any] | Unfit:
        own = self._own(instance.layer, node)
        assert isinstance(own, Own)
        values = own.values
        if instance.parent and instance.host:
            shown = self._promotions.of(instance.parent.layer, instance.host)
            inside = shown.inside if isinstance(shown, Shown) else {}
            values = values | {name: value for (of, name), value in inside.items() if of == node.id}
        inputs = {name: self._sent(node, own.fields.get(name), name, value) for name, value in values.items()}
        linked = set(constants_of(node.type, self._info))
        for item in self._routes.inputs_of(node):
            if item.widget and item.name not in own.fields and item.name not in values:
                continue  # that widget is no more
            source = self._routes.find(instance, node, item) if item.link is not None else None
            if isinstance(source, NodeOutput):
                inputs[item.name] = [source.node, source.output]
                linked.add(item.name)
            elif isinstance(source, Promoted) and (value := self._promoted(source)) is not MISSING:
                inputs[item.name] = _wrapped(own.fields.get(item.name), value)
                linked.add(item.name)
        known = ((name, value, own.fields.get(name)) for name, value in values.items() if name not in linked)
        wrong = [name for name, value, about in known if about and not fits(about, value)]
        wrong += [name for name, about in own.fields.items() if about.kind is WidgetKind.COMBO and name not in inputs]
        if wrong:
            return Unfit(reason=_("its {wrong} has no value, and nothing is linked to it", wrong=", ".join(wrong)))
        title = node.title or self._info.title_of(node.type)
        return {"class_type": node.type, "inputs": inputs, "_meta": {"title": title}}

    def _promoted(self, source: Promoted) -> Any:
        instance = source.instance
        assert instance.parent
        assert instance.host
        shown = self._promotions.of(instance.parent.layer, instance.host)
        return shown.ports.get(source.port, MISSING) if isinstance(shown, Shown) else MISSING

    def _sent(self, node: SavedNode, about: Widget | None, name: str, value: Any) -> Any:
        if isinstance(value, str) and name == "filename_prefix" and node.type in SAVERS:
            return file_prefix(value, self._value_of, self._now)
        if isinstance(value, str) and about and about.settings.get("dynamicPrompts") is True:
            return settled(value)
        return _wrapped(about, value)

    def _value_of(self, name: str, widget: str) -> str | None:
        """Return a widget's value as text by its node's alias, or title."""
        layers = {id(item.layer): item.layer for item in self._root.walk()}
        nodes = [(layer, node) for layer in layers.values() for node in layer.nodes.values()]
        by_alias = [pair for pair in nodes if pair[1].properties.get(ALIAS) == name]
        for layer, node in by_alias or [pair for pair in nodes if pair[1].title == name]:
            own = self._own(layer, node) if node.type in self._info else None
            value = own.values.get(widget) if isinstance(own, Own) else None
            return None if value is None else str(value)
        return None

    def _called(self, node: SavedNode) -> str:
        return _title(node, _("a subgraph") if node.type in self._saved.subgraphs else node.type)

    def _refuse(self, read: Sequence[tuple[Instance, SavedNode, object]]) -> None:
        faults = {
            f"{instance.path}{node.id}": (node, found.reason)
            for instance, node, found in read
            if isinstance(found, Unfit)
        }
        if not faults:
            return
        named = [
            _("{called}, node {name}: {reason}", called=self._called(node), name=name, reason=reason)
            for name, (node, reason) in list(faults.items())[:NAMED]
        ]
        more = _("; and {count} more", count=len(faults) - NAMED) if len(faults) > NAMED else ""
        what = _n("A node", "{count} nodes", count=len(faults))
        raise CapabilityError(
            _(
                "{what} of this workflow cannot be converted from the editor's format: {named}{more}.",
                what=what,
                named=joined("; ", named),
                more=more,
            ),
            field="workflow",
            hint=_("Open the workflow in this ComfyUI, check those nodes, and use Workflow → Export (API)."),
        )


def _with_chosen(fields: list[Widget], values: Mapping[str, Any]) -> list[Widget]:
    """Return the widgets of a node with those that its choices have brought."""
    found: list[Widget] = []
    waiting = list(fields)
    while waiting:
        item = waiting.pop(0)
        found.append(item)
        if item.kind is WidgetKind.CHOOSING:
            waiting = chosen_fields(item, values.get(item.name)) + waiting
    return [item for item in found if item.is_sent]


def _wrapped(about: Widget | None, value: Any) -> Any:
    """Keep lists from being read as links, as the editor does."""
    if about and about.type == "CURVE" and value is not None:
        return {"__type__": "CURVE", "__value__": value}
    return {"__value__": value} if isinstance(value, list) else value


def _title(node: SavedNode, kind: str) -> str:
    name, kind = cut(" ".join(node.title.split()), NAME_CHARS), cut(" ".join(kind.split()), NAME_CHARS)
    return kind if not name or name == kind else f"{name} ({kind})"
