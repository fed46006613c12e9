"""The real source of a link: through reroutes, bypassed nodes, Set and Get, and the walls of subgraphs.

The rules are the editor's own, found by running it (1.58): a bypassed node hands on the input of the same place if its
type fits, else the first of the wanted type, else the first that fits; a muted one hands on nothing.
"""

from collections.abc import Iterator
from dataclasses import field
from typing import Any, Final

from backends.comfyui.editor.fields import Socket, sockets_of
from backends.comfyui.editor.saved import BYPASSED, INLET, MUTED, Layer, Saved, SavedInput, SavedNode
from backends.comfyui.graphs.nodes import ObjectInfo
from generation.errors import RequestRejected
from lazy import dataclass
from texts.text import _
from utils.text import cut

MAX_DEPTH: Final = 24
REROUTES: Final = frozenset({"Reroute", "Reroute (rgthree)"})
SETTERS: Final = frozenset({"SetNode", "easy setNode"})
GETTERS: Final = frozenset({"GetNode", "easy getNode"})
PRIMITIVE: Final = "PrimitiveNode"
# Drawn by the editor or a pack of nodes alone, without inputs or outputs that anything is made from.
NOTES: Final = frozenset({
    "Note", "MarkdownNote", "Label (rgthree)", "Bookmark (rgthree)", "Fast Groups Muter (rgthree)",
    "Fast Groups Bypasser (rgthree)", "Fast Muter (rgthree)", "Fast Bypasser (rgthree)",
    "Fast Actions Button (rgthree)",
})  # fmt: skip
VIRTUAL: Final = REROUTES | SETTERS | GETTERS | NOTES | {PRIMITIVE}


_Key = tuple[str, str, str, int, str]  # the graph's path, a node, one of its inputs or outputs, what is wanted


@dataclass(frozen=True, kw_only=True)
class NodeOutput:
    """The source of an input: an output of a node of the API graph."""

    node: str
    output: int


@dataclass(frozen=True, kw_only=True)
class Promoted:
    """The source of an input in the subgraph node around it: the value of that node's input of this number."""

    instance: "Instance"
    port: int


@dataclass(frozen=True, kw_only=True)
class Instance:
    """A graph where it is used. `path` goes before its nodes' ids: "57:"; `host` is the node that stands for it."""

    path: str
    layer: Layer
    parent: "Instance | None" = None
    host: SavedNode | None = None
    children: dict[str, "Instance"] = field(default_factory=dict)

    def walk(self) -> Iterator["Instance"]:
        """Yield this one and all in it, outer ones first."""
        waiting = [self]
        while waiting:
            instance = waiting.pop()
            yield instance
            waiting += reversed(instance.children.values())


def unfold(saved: Saved, most: int) -> Instance:
    """Return the whole graph with an instance for each use of a subgraph, at most `most` nodes in all.

    Raises:
        RequestRejected: a subgraph holds itself, or there is too much.
    """
    left = [most]
    return _unfold(saved, Instance(path="", layer=saved.root), left, frozenset())


def _unfold(saved: Saved, instance: Instance, left: list[int], above: frozenset[str]) -> Instance:
    left[0] -= len(instance.layer.nodes)
    if left[0] < 0:
        raise RequestRejected(_("This workflow is too large when its subgraphs are laid out."), field="workflow")
    for node in instance.layer.nodes.values():
        if node.type not in saved.subgraphs or (not above and node.mode in {MUTED, BYPASSED}):
            continue
        if node.type in above or len(above) >= MAX_DEPTH:
            name = cut(node.title or node.id, 40)
            raise RequestRejected(
                _("The subgraph “{name}” of this workflow holds itself.", name=name), field="workflow"
            )
        child = Instance(
            path=f"{instance.path}{node.id}:", layer=saved.subgraphs[node.type], parent=instance, host=node
        )
        instance.children[node.id] = _unfold(saved, child, left, above | {node.type})
    return instance


class Routes:
    """Follows links through one file, for the nodes that one server has."""

    def __init__(self, saved: Saved, info: ObjectInfo) -> None:
        self._saved = saved
        self._info = info
        self._inputs: dict[int, tuple[SavedInput, ...]] = {}
        self._known: dict[_Key, NodeOutput | Promoted | None] = {}

    def inputs_of(self, node: SavedNode) -> tuple[SavedInput, ...]:
        """Return the inputs of a node as the editor shows them: those of its class, then what else was saved."""
        if id(node) not in self._inputs:
            self._inputs[id(node)] = tuple(self._read_inputs(node))
        return self._inputs[id(node)]

    def find(self, instance: Instance, node: SavedNode, input: SavedInput) -> NodeOutput | Promoted | None:
        """Return what an input gets over its link; None if nothing.

        Raises:
            RequestRejected: the links run in a circle.
        """
        step: _Step | NodeOutput | Promoted | None = _Step(instance=instance, node=node, input=input, type=input.type)
        seen: dict[_Key, None] = {}
        while isinstance(step, _Step):
            key = (step.instance.path, step.node.id, step.input.name if step.input else "", step.output, step.type)
            if key in self._known:
                step = self._known[key]
                break
            if key in seen:
                sentence = _("The links of this workflow run in a circle at node {id}.", id=cut(node.id, 20))
                raise RequestRejected(sentence, field="workflow")
            seen[key] = None
            step = self._enter(step) if step.input else self._leave(step)
        self._known.update(dict.fromkeys(seen, step))
        return step

    def _read_inputs(self, node: SavedNode) -> Iterator[SavedInput]:
        if node.type in self._saved.subgraphs:
            ports = self._saved.subgraphs[node.type].inputs
            slots = [Socket(name=port.name, type=port.type) for port in ports]
        else:
            slots = sockets_of(node.type, self._info)
        saved = {item.name: item for item in node.inputs}
        for slot in slots:
            item = saved.get(slot.name)
            kind = item.type if item and slot.is_matching and item.type != "*" else slot.type
            widget = slot.name if slot.is_widget else None
            yield SavedInput(name=slot.name, type=kind, link=item.link if item else None, widget=widget)
        names = {slot.name for slot in slots}
        yield from (item for item in node.inputs if item.name not in names)

    def _enter(self, step: "_Step") -> "_Step | Promoted | None":
        """Go from an input to the output its link comes from."""
        instance = step.instance
        source = instance.layer.source_of(step.input.link if step.input else None)
        if source is None:
            return None
        node, output = source
        if node != INLET:
            return _Step(instance=instance, node=instance.layer.nodes[node], output=output, type=step.type)
        if instance.parent is None or instance.host is None or not 0 <= output < len(instance.layer.inputs):
            return None
        outer = self.inputs_of(instance.host)[output]
        if instance.parent.layer.source_of(outer.link) is None:
            return Promoted(instance=instance, port=output)
        return _Step(instance=instance.parent, node=instance.host, input=outer, type=outer.type)

    def _leave(self, step: "_Step") -> "_Step | NodeOutput | None":
        """Go from an output to what it hands on, or end at a node that makes something."""
        node, instance = step.node, step.instance
        if node.mode == MUTED:
            return None
        if node.mode == BYPASSED:
            through = self._passed(node, step.output, step.type)
            return _Step(instance=instance, node=node, input=through, type=through.type) if through else None
        if node.type in self._saved.subgraphs:
            return self._inside(step)
        if node.type in REROUTES | SETTERS:
            first = node.inputs[0] if node.inputs else None
            return _Step(instance=instance, node=node, input=first, type=step.type) if first else None
        if node.type in GETTERS:
            return self._set_by(step)
        if node.type in VIRTUAL:
            return None
        return NodeOutput(node=f"{instance.path}{node.id}", output=step.output)

    def _inside(self, step: "_Step") -> "_Step | None":
        child = step.instance.children.get(step.node.id)
        ports = child.layer.outputs if child else ()
        if child is None or not 0 <= step.output < len(ports) or not ports[step.output].links:
            return None
        source = child.layer.source_of(ports[step.output].links[0])
        if source is None:
            return None
        node, output = source
        if node != INLET:
            return _Step(instance=child, node=child.layer.nodes[node], output=output, type=step.type)
        inputs = self.inputs_of(step.node)
        outer = inputs[output] if 0 <= output < len(inputs) else None
        return _Step(instance=step.instance, node=step.node, input=outer, type=step.type) if outer else None

    def _set_by(self, step: "_Step") -> "_Step | None":
        """Go from a Get node to the Set node of its name: in the same graph, else in one around it."""
        name = _variable(step.node)
        instance: Instance | None = step.instance
        while instance is not None:
            for node in instance.layer.nodes.values():
                if node.type in SETTERS and _variable(node) == name and node.inputs:
                    return _Step(instance=instance, node=node, input=node.inputs[0], type=step.type)
            instance = instance.parent
        return None

    def _passed(self, node: SavedNode, output: int, wanted: str) -> SavedInput | None:
        """Return the input that a bypassed node hands on."""
        inputs = self.inputs_of(node)
        if not inputs:
            return None
        if wanted in {"*", ""}:
            return inputs[output] if output < len(inputs) else inputs[0]
        given = self._output_type(node, output)
        if output < len(inputs) and is_valid(inputs[output].type, given) and is_valid(inputs[output].type, wanted):
            return inputs[output]
        exact = next((item for item in inputs if item.type == wanted), None)
        fitting = (item for item in inputs if is_valid(item.type, given) and is_valid(item.type, wanted))
        return exact or next(fitting, None)

    def _output_type(self, node: SavedNode, output: int) -> str:
        if node.type in self._saved.subgraphs:
            kinds = tuple(port.type for port in self._saved.subgraphs[node.type].outputs)
        else:
            kinds = tuple(kind for kind, __ in self._info.outputs(node.type)) or node.output_types
        kind = kinds[output] if output < len(kinds) else "*"
        return "*" if kind.startswith("COMFY_") else kind


@dataclass(frozen=True, kw_only=True)
class _Step:
    """On the way: at an input, or at an output where `input` is None. `type` is what is wanted."""

    instance: Instance
    node: SavedNode
    input: SavedInput | None = None
    output: int = -1
    type: str


def is_valid(item: str, other: str) -> bool:
    """Return whether the editor lets two slots be joined, by their types: "A,B" stands for either, "*" for any."""
    if item in {"*", ""} or other in {"*", ""}:
        return True
    return not set(item.lower().split(",")).isdisjoint(other.lower().split(","))


def _variable(node: SavedNode) -> Any:
    values = node.values
    return values[0] if isinstance(values, list) and values else None
