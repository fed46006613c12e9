"""Widgets of a subgraph that its node shows, and nodes that hand a value to others' widgets.

A subgraph's input that goes to a widget is a widget of the node outside, and that node's values count. Files of 2025
name such widgets in the property `proxyWidgets`, `[[node inside, widget], ...]`, -1 for an input of the subgraph.
"""

from collections.abc import Callable, Mapping
from dataclasses import field
from itertools import zip_longest
from typing import Any, Final

from backends.comfyui.editor.fields import Widget
from backends.comfyui.editor.routes import PRIMITIVE, Routes
from backends.comfyui.editor.saved import Layer, Saved, SavedInput, SavedNode
from backends.comfyui.editor.values import MISSING, Unfit, fits
from lazy import dataclass
from texts.text import _, joined

INPUT: Final = "-1"
NOT_SENT: Final = frozenset({"control_after_generate", "control_before_generate"})  # only the browser reads them


@dataclass(frozen=True, kw_only=True)
class Own:
    """The values of one node's widgets by name, and what those widgets are."""

    values: dict[str, Any]
    fields: Mapping[str, Widget]


@dataclass(frozen=True, kw_only=True)
class Shown:
    """The values that a subgraph's node sets: by the number of its input, and by node and widget inside."""

    ports: dict[int, Any] = field(default_factory=dict)
    inside: dict[tuple[str, str], Any] = field(default_factory=dict)
    fields: dict[int, Widget | None] = field(default_factory=dict)


class Promotions:
    """Finds the values that subgraph nodes show, from the inside out. `own_of` returns a plain node's values."""

    def __init__(self, saved: Saved, routes: Routes, own_of: Callable[[Layer, SavedNode], Own | Unfit]) -> None:
        self._saved = saved
        self._routes = routes
        self._own_of = own_of
        self._found: dict[int, Shown | Unfit] = {}

    def of(self, layer: Layer, host: SavedNode) -> Shown | Unfit:
        """Return what a subgraph's node sets; the subgraph does not hold itself."""
        if id(host) not in self._found:
            self._found[id(host)] = self._read(layer, host)
        return self._found[id(host)]

    def _read(self, layer: Layer, host: SavedNode) -> Shown | Unfit:
        inner = self._saved.subgraphs[host.type]
        shown = Shown()
        for number, port in enumerate(inner.inputs):
            for link in port.links:
                if promoted := self._at(inner, link):
                    shown.fields[number], shown.ports[number] = promoted
                    break
        saved = host.values if isinstance(host.values, list) else []
        proxies = host.properties.get("proxyWidgets")
        if isinstance(proxies, list) and proxies:
            fault = self._set_by_proxies(host, inner, shown, proxies, saved)
        else:
            fault = self._set_in_order(host, inner, shown, saved)
        for number, value in _handed(layer, host, self._routes).items():
            if number in shown.ports:
                fault = fault or self._set(host, inner, shown, number, value, is_handed=True)
        return Unfit(reason=fault) if fault else shown

    def _at(self, inner: Layer, link: str) -> tuple[Widget | None, Any] | None:
        """Return the widget that an inner link ends at, with its own value; None where it ends at none."""
        about = inner.links.get(link)
        node = inner.nodes.get(about.target) if about else None
        if node is None:
            return None
        taken = next((item for item in node.inputs if item.link == link), None)
        if taken is None:
            return None
        if node.type in self._saved.subgraphs:
            nested = self.of(inner, node)
            number = _port_number(self._saved.subgraphs[node.type], taken.name)
            if isinstance(nested, Unfit) or number not in nested.ports:
                return None
            return nested.fields[number], nested.ports[number]
        own = self._own_of(inner, node)
        if isinstance(own, Unfit):
            return (None, MISSING) if taken.widget else None
        return (own.fields[taken.name], own.values.get(taken.name, MISSING)) if taken.name in own.fields else None

    def _set_in_order(self, host: SavedNode, inner: Layer, shown: Shown, saved: list[Any]) -> str:
        numbers = sorted(shown.ports)
        names = {inner.inputs[number].name: number for number in numbers}
        named = host.named_values or {}
        if named and len(saved) != len(numbers) and named.keys() <= names.keys():
            pairs = [(names[name], value) for name, value in named.items()]
        elif len(saved) not in {0, len(numbers)}:
            return _(
                "it was saved with {count} values where its subgraph shows {numbers}",
                count=len(saved),
                numbers=len(numbers),
            )
        else:
            pairs = list(zip(numbers, saved, strict=False))
        return joined("; ", filter(None, (self._set(host, inner, shown, number, value) for number, value in pairs)))

    def _set(
        self, host: SavedNode, inner: Layer, shown: Shown, number: int, value: Any, *, is_handed: bool = False
    ) -> str:
        known, name = shown.fields[number], inner.inputs[number].name
        if known is not None and not fits(known, value) and (is_handed or not _is_linked(host, inner, number)):
            return _("its value for {name} is none that the widget inside takes", name=name)
        shown.ports[number] = value
        return ""

    def _set_by_proxies(self, host: SavedNode, inner: Layer, shown: Shown, proxies: list[Any], saved: list[Any]) -> str:
        if len(saved) > len(proxies):
            return _(
                "it was saved with {count} values where it shows {proxies} widgets",
                count=len(saved),
                proxies=len(proxies),
            )
        open_ports = {number for number in shown.ports if saved and not _is_linked(host, inner, number)}
        # Values stand at the places of their widgets; where none does, or the list has ended, the one inside counts.
        for proxy, value in zip_longest(proxies, saved):
            node, name = (str(proxy[0]), str(proxy[1])) if isinstance(proxy, list) and len(proxy) > 1 else ("", "")
            number = _port_number(inner, name) if node == INPUT else _linked_port(inner, node, name)
            open_ports.discard(-1 if number is None else number)
            if value is None or name in NOT_SENT:
                continue
            if number is not None and number in shown.ports:
                fault = self._set(host, inner, shown, number, value)
            else:
                fault = self._set_inside(inner, shown, node, name, value)
            if fault:
                return fault
        names = ", ".join(inner.inputs[number].name for number in sorted(open_ports))
        return _("it was saved without a value for {names}", names=names) if names else ""

    def _set_inside(self, inner: Layer, shown: Shown, node: str, name: str, value: Any) -> str:
        target = inner.nodes.get(node)
        if target is None or name.startswith("$$"):  # a picture shown, no value
            return ""
        if target.type == PRIMITIVE:
            shown.inside.update({place: value for place in targets_of(inner, target, self._routes)})
            return ""
        own = None if target.type in self._saved.subgraphs else self._own_of(inner, target)
        if isinstance(own, Own) and name in own.fields and fits(own.fields[name], value):
            shown.inside[(node, name)] = value
            return ""
        return _("its value for {name} of node {node} inside cannot be placed", name=name, node=node)


def _is_linked(host: SavedNode, inner: Layer, number: int) -> bool:
    return any(item.name == inner.inputs[number].name and item.link is not None for item in host.inputs)


def _handed(layer: Layer, host: SavedNode, routes: Routes) -> dict[int, Any]:
    """Return the values that primitives hand to a subgraph's node, by the number of its input."""
    inputs = [item.name for item in routes.inputs_of(host)]
    given = primitive_values(layer, routes).get(host.id, {})
    return {inputs.index(name): value for name, value in given.items() if name in inputs}


def primitive_values(layer: Layer, routes: Routes) -> dict[str, dict[str, Any]]:
    """Return the values that a graph's primitives hand to widgets, by node and widget."""
    found: dict[str, dict[str, Any]] = {}
    for name, link in layer.links.items():
        source, target = layer.nodes.get(link.source), layer.nodes.get(link.target)
        if source is None or target is None or source.type != PRIMITIVE:
            continue
        taken = _taking(routes.inputs_of(target), name)
        if taken and isinstance(source.values, list) and source.values:
            found.setdefault(target.id, {})[taken.name] = source.values[0]
    return found


def targets_of(layer: Layer, primitive: SavedNode, routes: Routes) -> list[tuple[str, str]]:
    """Return the widgets that a primitive hands its value to, by node and name."""
    found = []
    for name, link in layer.links.items():
        target = layer.nodes.get(link.target) if link.source == primitive.id else None
        taken = _taking(routes.inputs_of(target), name) if target else None
        if target and taken:
            found.append((target.id, taken.name))
    return found


def _taking(inputs: tuple[SavedInput, ...], link: str) -> SavedInput | None:
    return next((item for item in inputs if item.link == link), None)


def _port_number(inner: Layer, name: str) -> int | None:
    return next((number for number, port in enumerate(inner.inputs) if port.name == name), None)


def _linked_port(inner: Layer, node: str, name: str) -> int | None:
    """Return the input of a subgraph that is joined to a widget inside."""
    target = inner.nodes.get(node)
    taken = next((item for item in target.inputs if item.name == name), None) if target else None
    if taken is None or taken.link is None:
        return None
    return next((number for number, port in enumerate(inner.inputs) if taken.link in port.links), None)
