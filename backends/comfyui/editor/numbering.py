"""Numbers of nodes: those of a subgraph that are taken already get new ones, in the order the editor gives them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from backends.comfyui.editor.saved import Layer, Saved, SavedNode


def renumbered(saved: Saved) -> Saved:
    """Return a file in which no two graphs have a node of the same number."""
    used = set(saved.root.nodes)
    last = max([saved.last_number, *(int(node) for node in used if node.isdecimal())])
    changed: dict[str, dict[str, str]] = {}
    for name, layer in saved.subgraphs.items():
        changed[name] = {}
        for node in layer.nodes:
            number = node
            if node in used:
                last += 1
                while str(last) in used:
                    last += 1
                number = changed[name][node] = str(last)
            elif node.isdecimal():
                last = max(last, int(node))
            used.add(number)
    subgraphs = {name: _with_numbers(layer, changed[name], changed) for name, layer in saved.subgraphs.items()}
    return replace(saved, root=_with_numbers(saved.root, {}, changed), subgraphs=subgraphs)


def _with_numbers(layer: Layer, new: Mapping[str, str], all_new: Mapping[str, Mapping[str, str]]) -> Layer:
    nodes = [_with_number(node, new.get(node.id, node.id), all_new.get(node.type, {})) for node in layer.nodes.values()]
    links = {
        name: replace(link, source=new.get(link.source, link.source), target=new.get(link.target, link.target))
        for name, link in layer.links.items()
    }
    return replace(layer, nodes={node.id: node for node in nodes}, links=links)


def _with_number(node: SavedNode, number: str, inside: Mapping[str, str]) -> SavedNode:
    proxies = node.properties.get("proxyWidgets")
    properties = node.properties
    if inside and isinstance(proxies, list):
        properties = properties | {"proxyWidgets": [_proxy(proxy, inside) for proxy in proxies]}
    return replace(node, id=number, properties=properties)


def _proxy(proxy: Any, inside: Mapping[str, str]) -> Any:
    return [inside.get(str(proxy[0]), proxy[0]), *proxy[1:]] if isinstance(proxy, list) and proxy else proxy
