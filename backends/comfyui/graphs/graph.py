"""Graphs in ComfyUI's API format, and what is done to every one of them.

`{id: {"class_type": ..., "inputs": {name: value or [id, slot]}, "_meta": {"title": ...}}}`. Ids are strings of any kind
("57:8" comes from a subgraph).
"""

import copy
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator
from collections.abc import Mapping as AnyMapping
from typing import Any, Final

from generation.request import Lora, seed_after
from lazy import dataclass, pattern

Graph = dict[str, dict[str, Any]]
Link = list[Any]  # [node id, output slot]


_NUMBER: Final = pattern(r"[0-9]{1,15}")


@dataclass(frozen=True, kw_only=True)
class Slot:
    """One input of one node."""

    node: str
    input: str


def read_link(value: Any) -> tuple[str, int] | None:
    """Return the node and the output an input comes from; None for a plain value."""
    if isinstance(value, list) and len(value) == 2 and isinstance(value[1], int) and not isinstance(value[1], bool):
        return str(value[0]), value[1]
    return None


def read_graph(value: Any) -> Graph:
    """Return a graph as a server tells it; what is no node is left out."""
    nodes = value if isinstance(value, dict) else {}
    return {str(node): about for node, about in nodes.items() if isinstance(about, dict)}


def class_of(graph: Graph, node: str) -> str:
    return str(graph.get(node, {}).get("class_type") or "")


def inputs_of(graph: Graph, node: str) -> dict[str, Any]:
    found = graph.get(node, {}).get("inputs")
    return found if isinstance(found, dict) else {}


def title_of(graph: Graph, node: str) -> str:
    meta = graph.get(node, {}).get("_meta")
    return str((meta.get("title") if isinstance(meta, dict) else "") or class_of(graph, node))


def sources(graph: Graph, node: str) -> Iterator[tuple[str, str, int]]:
    """Yield each linked input of a node with the node and output it comes from, where that exists."""
    for name, value in inputs_of(graph, node).items():
        link = read_link(value)
        if link and link[0] in graph:
            yield name, link[0], link[1]


def upstream(graph: Graph, start: str, known: Collection[str] = ()) -> list[str]:
    """Return a node and everything it depends on, nearest first, but for what is `known` and lies behind that."""
    found = {start: None}
    waiting = deque([start])
    while waiting:
        for _, source, _ in sources(graph, waiting.popleft()):
            if source not in found and source not in known:
                found[source] = None
                waiting.append(source)
    return list(found)


def users_of(graph: Graph, nodes: Iterable[str]) -> dict[str, list[tuple[str, int]]]:
    """Return by whom each output is used among `nodes`: source -> (user, output of the source) ..."""
    users: dict[str, list[tuple[str, int]]] = {}
    for node in nodes:
        for _, source, output in sources(graph, node):
            users.setdefault(source, []).append((node, output))
    return users


def downstream(graph: Graph, roots: Iterable[str]) -> list[str]:
    """Return some nodes and everything that depends on them, in the graph's order."""
    found = reached(users_of(graph, graph), roots)
    return [node for node in graph if node in found]


def reached(users: AnyMapping[str, list[tuple[str, int]]], roots: Iterable[str]) -> set[str]:
    """Return some nodes and everything that depends on them."""
    found = set(roots)
    waiting = list(found)
    while waiting:
        more = {user for user, _ in users.get(waiting.pop(), ())} - found
        found |= more
        waiting += more
    return found


def is_sampler(graph: Graph, node: str) -> bool:
    """Return whether a node is where the work is done: KSampler, SamplerCustomAdvanced and their like."""
    names = inputs_of(graph, node).keys()
    return "latent_image" in names and ({"positive", "negative"} <= names or "guider" in names)


def samplers(graph: Graph) -> list[str]:
    return [node for node in graph if is_sampler(graph, node)]


def seed_of(graph: Graph, node: str) -> int | None:
    """Return the seed that a node's result comes from: the nearest one up the graph."""
    for source in upstream(graph, node):
        for name in ("seed", "noise_seed"):
            value = inputs_of(graph, source).get(name)
            if isinstance(value, int) and not isinstance(value, bool):
                return value
    return None


def free_id(graph: Graph) -> str:
    """Return an id that is not taken; a number, as older web interfaces want."""
    return str(max((int(node) for node in graph if _NUMBER.fullmatch(node)), default=0) + 1)


def rewire(graph: Graph, old: tuple[str, int], new: Link, keep: Callable[[str], bool]) -> None:
    """Let every input that comes from `old` come from `new`, but for the nodes that `keep` says to leave."""
    for node in graph:
        if keep(node):
            continue
        inputs = inputs_of(graph, node)
        for name, value in inputs.items():
            if read_link(value) == old:
                inputs[name] = list(new)


def splice_loras(graph: Graph, loras: Iterable[Lora], model: tuple[str, int], clip: tuple[str, int] | None) -> None:
    """Put LoraLoader nodes, one behind the other, between a model (and its text encoder) and what uses it."""
    added: set[str] = set()
    last_model, last_clip = list(model), list(clip) if clip else None
    for lora in loras:
        node = free_id(graph)
        weights = {"lora_name": lora.name, "strength_model": lora.weight}
        if last_clip:
            inputs = {"model": last_model, "clip": last_clip, **weights, "strength_clip": lora.weight}
            graph[node] = {"class_type": "LoraLoader", "inputs": inputs}
            last_clip = [node, 1]
        else:
            graph[node] = {"class_type": "LoraLoaderModelOnly", "inputs": {"model": last_model, **weights}}
        last_model = [node, 0]
        added.add(node)
    rewire(graph, model, last_model, added.__contains__)
    if clip and last_clip:
        rewire(graph, clip, last_clip, added.__contains__)


def spread(graph: Graph, seeds: Iterable[Slot], seed: int, count: int) -> Graph:
    """Return a graph that draws `count` pictures with the seeds `seed`, `seed + 1` ...

    Everything that depends on a seed is there `count` times; the rest, above all the model, once. A batch of the
    engine's own would draw all of them from one seed, and no single one of them could be drawn again.
    """
    slots = [slot for slot in seeds if slot.node in graph]
    result = copy.deepcopy(graph)
    for slot in slots:
        result[slot.node]["inputs"][slot.input] = seed
    if not slots:
        return result
    moving = downstream(graph, {slot.node for slot in slots})
    for n in range(1, count):
        names = {node: _copy_id(result, node, n) for node in moving}
        for node in moving:
            twin = copy.deepcopy(graph[node])
            for name, source, output in sources(graph, node):
                if source in names:
                    twin["inputs"][name] = [names[source], output]
            result[names[node]] = twin
        for slot in slots:
            result[names[slot.node]]["inputs"][slot.input] = seed_after(seed, n)
    return result


def _copy_id(graph: Graph, node: str, number: int) -> str:
    name = f"{node}:{number}"
    while name in graph:
        name += "_"
    return name
