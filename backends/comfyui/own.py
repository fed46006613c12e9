"""Workflows that people upload: read, put into words, corrected by hand, and taken up again from what was kept."""

import json
from dataclasses import replace
from typing import Any, Final

from backends.base import ReadWorkflow
from backends.comfyui.changes import with_listed_names
from backends.comfyui.graph import Graph, Slot, class_of, inputs_of, read_link, title_of
from backends.comfyui.nodes import ObjectInfo
from backends.comfyui.options import NodeOption, read_range, split_option, with_option
from backends.comfyui.values import fault_in
from backends.comfyui.workflow import Mapping, Workflow, analyse, describe, mapping_from_json, mapping_to_json
from generation.errors import RequestRejected
from generation.request import WorkflowRef
from utils.text import cut

SEVERAL: Final = ("prompt", "negative", "seed", "width", "height", "images", "masks")
SINGLE: Final = ("steps", "cfg_scale", "guidance", "sampler", "scheduler", "denoising_strength", "batch", "model")
NUMBERS: Final = frozenset({"seed", "width", "height", "steps", "cfg_scale", "guidance", "denoising_strength", "batch"})
ALIASES: Final = {
    "negative_prompt": "negative", "cfg": "cfg_scale", "image": "images", "mask": "masks", "batch_size": "batch",
    "strength": "denoising_strength", "denoise": "denoising_strength", "sampler_name": "sampler",
}  # fmt: skip
NOWHERE: Final = frozenset({"none", "-", "nowhere"})
LISTED: Final = 12  # nodes or inputs named in a refusal


def read_upload(graph: Graph, info: ObjectInfo) -> ReadWorkflow:
    """Find out what the inputs of a graph are for, on this server."""
    graph = with_listed_names(graph, info)
    return _told(graph, analyse(graph, info))


def load_own(workflow: WorkflowRef) -> Workflow:
    """Take up what was kept.

    Raises:
        RequestRejected: it was not loaded for this run.
    """
    if not workflow.graph:
        raise RequestRejected(f"The workflow “{workflow.name}” is missing.", field="workflow", hint="Add it again.")
    graph: Graph = json.loads(workflow.graph)
    if fault := fault_in(graph):  # kept by an older version
        message = f"The workflow “{workflow.name}” cannot be used: {fault}."
        raise RequestRejected(message, field="workflow", hint="Correct it in ComfyUI and add it again.")
    return Workflow(graph=graph, mapping=mapping_from_json(json.loads(workflow.mapping), graph))


def correct(workflow: WorkflowRef, field: str, place: str) -> ReadWorkflow:
    """Say where a value goes: `place` is "node.input", several with commas between, or "none".

    The field "option NAME" lets an input be an option of that name; its place may end in "--range 0..2".

    Raises:
        RequestRejected: there is no such value, node or input; what there is is named.
    """
    own = load_own(workflow)
    if option := split_option(field, place):
        return _told(own.graph, _with_option(own, *option))
    name = field.strip().casefold().replace(" ", "_")
    name = ALIASES.get(name, name)
    if name not in (*SEVERAL, *SINGLE):
        raise RequestRejected(
            f"A workflow has no value “{cut(field, 40)}”. Those that can be set: {', '.join((*SEVERAL, *SINGLE))}.",
            field="field",
        )
    places = [] if place.strip().casefold() in NOWHERE else [one.strip() for one in place.split(",")]
    slots = tuple(_slot(own.graph, name, one) for one in places)
    if name in SINGLE and len(slots) > 1:
        raise RequestRejected(f"The {name.replace('_', ' ')} goes to one place only.", field="place")
    changes: dict[str, Any] = {name: slots if name in SEVERAL else next(iter(slots), None)}
    mapping = replace(own.mapping, **changes)
    if not mapping.images:
        mapping = replace(mapping, needs_image=False)
    return _told(own.graph, mapping)


def _with_option(own: Workflow, name: str, place: str) -> Mapping:
    place, low, high = read_range(place)
    places = [] if place.casefold() in NOWHERE else place.split(",")
    slots = tuple(_free_slot(own.graph, one) for one in places)
    new = NodeOption(name=name, slots=slots, low=low, high=high)
    if (low is not None or high is not None) and not all(_is_number(own.graph, slot) for slot in slots):
        raise RequestRejected("Only numbers have a range, and that input holds none.", field="place")
    return replace(own.mapping, options=with_option(own.mapping.options, new))


def _told(graph: Graph, mapping: Mapping) -> ReadWorkflow:
    return ReadWorkflow(
        graph=json.dumps(graph),
        mapping=json.dumps(mapping_to_json(mapping)),
        lines=tuple(describe(graph, mapping)),
    )


def _slot(graph: Graph, name: str, place: str) -> Slot:
    slot = _free_slot(graph, place)
    if _is_number(graph, slot) is not (name in NUMBERS):
        kind = "number" if name in NUMBERS else "words"
        what = f"{slot.node}.{slot.input} holds no {kind}, which {name.replace('_', ' ')} takes."
        raise RequestRejected(what, field="place")
    return slot


def _is_number(graph: Graph, slot: Slot) -> bool:
    value = inputs_of(graph, slot.node).get(slot.input)
    return isinstance(value, int | float) and not isinstance(value, bool)


def _free_slot(graph: Graph, place: str) -> Slot:
    """Return the input that a place names, which takes a value and no link."""
    node, _, key = place.partition(".")
    node, key = node.strip(), key.strip()
    if node not in graph:
        nodes = [f"{one} ({cut(title_of(graph, one), 30)})" for one in graph]
        raise RequestRejected(
            f"This workflow has no node “{cut(node, 20)}”. It has: {_some(nodes)}.",
            field="place",
            hint="A place is written node.input, for example 6.text",
        )
    values = {one: value for one, value in inputs_of(graph, node).items() if read_link(value) is None}
    if key not in values:
        what = "takes that from another node" if key in inputs_of(graph, node) else f"has no input “{cut(key, 30)}”"
        raise RequestRejected(
            f"Node {node} ({cut(class_of(graph, node), 40)}) {what}. It has: {_some(list(values)) or 'none to set'}.",
            field="place",
        )
    return Slot(node=node, input=key)


def _some(names: list[str]) -> str:
    more = f" and {len(names) - LISTED} more" if len(names) > LISTED else ""
    return ", ".join(names[:LISTED]) + more
