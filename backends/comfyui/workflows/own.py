"""Workflows that people upload: read, put into words, corrected by hand, and taken up again from what was kept."""

import json
from dataclasses import replace
from typing import Any, Final

from backends.base import ReadWorkflow
from backends.comfyui.builtin.graphs import Drawing, Uploads
from backends.comfyui.errors import check
from backends.comfyui.facts import ComfyFacts
from backends.comfyui.graphs.defaults import missing_inputs, with_defaults
from backends.comfyui.graphs.graph import Graph, Slot, class_of, inputs_of, read_link, title_of
from backends.comfyui.graphs.lacking import Ways, lacking_files, no_files, with_listed_names
from backends.comfyui.graphs.nodes import ObjectInfo
from backends.comfyui.graphs.values import fault_in
from backends.comfyui.workflows.apply import apply, missing_pictures
from backends.comfyui.workflows.options import NodeOption, read_range, set_options, split_option, with_option
from backends.comfyui.workflows.workflow import (
    Mapping,
    Workflow,
    analyse,
    describe,
    mapping_from_json,
    mapping_to_json,
    without_replaced,
)
from generation.errors import RequestRejected
from generation.named import nearest
from generation.request import GenerationRequest, WorkflowRef
from generation.samplers import match_name
from texts.text import _
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
    filled = missing_inputs(graph, info)
    graph = with_listed_names(with_defaults(graph, info), info)
    read = _told(graph, analyse(graph, info), info)
    lines = [
        _(
            "node {node} ({graph}) lacks {input}: this server's default is used, {value}",
            node=slot.node,
            graph=class_of(graph, slot.node),
            input=slot.input,
            value=value,
        )
        for slot, value in [*filled.items()][:LISTED]
    ]
    return replace(read, lines=(*read.lines, *lines))


def draw(workflow: Workflow, request: GenerationRequest, uploads: Uploads, info: ObjectInfo) -> Drawing:
    """Return a workflow with a request's values in it, and its files by the names this server lists.

    Raises:
        CapabilityError: the server lacks a node, or a file for which the request names no other.
    """
    graph = with_listed_names(with_defaults(workflow.graph, info), info)
    lacking = {lacking_file.slot for lacking_file in lacking_files(graph, info)}
    drawing = apply(graph, without_replaced(workflow.mapping), request, uploads, lacking)
    set_options(drawing.graph, workflow.mapping.options, dict(request.options), info)
    drawing = replace(drawing, graph=with_listed_names(drawing.graph, info))
    if error := check(drawing.graph, info, _ways(workflow.mapping)):
        raise error
    return drawing


def look_over(workflow: Workflow, request: GenerationRequest, facts: ComfyFacts) -> list[str]:
    """Return remarks on how a request would be drawn.

    Raises:
        CapabilityError: as `draw`.
    """
    pictures = [image.media_id for image in (request.init_image, *request.more_images) if image]
    mask = request.mask_image.media_id if request.mask_image else ""
    uploads = Uploads(init=next(iter(pictures), ""), more=tuple(pictures[1:]), mask=mask)
    drawing = draw(workflow, request, uploads, facts.info)
    return missing_pictures(workflow.mapping, drawing.graph, facts, len(pictures))


def load_own(workflow: WorkflowRef) -> Workflow:
    """Take up what was kept.

    Raises:
        RequestRejected: it was not loaded for this run.
    """
    if not workflow.graph:
        raise RequestRejected(
            _("The workflow “{name}” is missing.", name=workflow.name), field="workflow", hint=_("Add it again.")
        )
    graph: Graph = json.loads(workflow.graph)
    if fault := fault_in(graph):  # kept by an older version
        message = _("The workflow “{name}” cannot be used: {fault}.", name=workflow.name, fault=fault)
        raise RequestRejected(message, field="workflow", hint=_("Correct it in ComfyUI and add it again."))
    return Workflow(graph=graph, mapping=mapping_from_json(json.loads(workflow.mapping), graph))


def correct(workflow: WorkflowRef, field: str, place: str, info: ObjectInfo | None = None) -> ReadWorkflow:
    """Set where a value goes: `place` is "node.input", several with commas between, or "none".

    The field "option NAME" lets an input be an option of that name; its place may end in "--range 0..2". Where the
    field is an input itself ("4.ckpt_name", or "model") and the place one of the server's files, that is put there.
    `info`: what the server has, None where it is not known.

    Raises:
        RequestRejected: there is no such value, node or input; what there is is named.
    """
    own = load_own(workflow)
    if option := split_option(field, place):
        return _told(own.graph, _with_option(own, *option), info)
    if slot := _file_slot(own, field, place):
        if info is None:
            raise RequestRejected(_("Which files the engine has is not known while it does not answer."), field="place")
        return _told(_with_file(own.graph, slot, place, info), own.mapping, info)
    name = field.strip().casefold().replace(" ", "_")
    name = ALIASES.get(name, name)
    if name not in (*SEVERAL, *SINGLE):
        raise RequestRejected(
            _(
                "A workflow has no value “{field}”. Those that can be set: {fields}.",
                field=cut(field, 40),
                fields=", ".join((*SEVERAL, *SINGLE)),
            ),
            field="field",
        )
    places = [] if place.strip().casefold() in NOWHERE else [item.strip() for item in place.split(",")]
    slots = tuple(_slot(own.graph, name, item) for item in places)
    if name in SINGLE and len(slots) > 1:
        raise RequestRejected(_("The {name} goes to one place only.", name=name.replace("_", " ")), field="place")
    changes: dict[str, Any] = {name: slots if name in SEVERAL else next(iter(slots), None)}
    mapping = replace(own.mapping, **changes)
    if not mapping.images:
        mapping = replace(mapping, needs_image=False)
    return _told(own.graph, mapping, info)


def _file_slot(own: Workflow, field: str, place: str) -> Slot | None:
    """Return the input that a file is to be put into, None where that is not what is asked for."""
    if field.strip().casefold() == "model":
        is_place = place.partition(".")[0].strip() in own.graph or place.strip().casefold() in NOWHERE
        return None if is_place else own.mapping.model
    node, __, key = field.partition(".")
    slot = Slot(node=node.strip(), input=key.strip())
    return slot if isinstance(inputs_of(own.graph, slot.node).get(slot.input), str) else None


def _with_file(graph: Graph, slot: Slot, name: str, info: ObjectInfo) -> Graph:
    choices = info.choices(class_of(graph, slot.node), slot.input)
    found = match_name(name, choices or ())
    if found is None:
        near = ", ".join(nearest(name, choices or ()))
        what = (
            _("has nothing called “{name}”", name=cut(name, 60))
            if choices is not None
            else _("takes no name from a list")
        )
        raise RequestRejected(
            _(
                "Node {node}, {input} {what} on this engine.{near}",
                node=slot.node,
                input=slot.input,
                what=what,
                near=_(" Near: {near}.", near=near) if near else "",
            ),
            field="place",
            hint=_("A part of a file's name will do."),
        )
    inputs = {**inputs_of(graph, slot.node), slot.input: found}
    return {**graph, slot.node: {**graph[slot.node], "inputs": inputs}}


def _ways(mapping: Mapping) -> Ways:
    """Return how the file of an input can be overridden, in words."""

    def way(slot: Slot) -> str:
        options = [option.name for option in mapping.options if slot in option.slots]
        name = "--lora" if slot in mapping.loras else ""
        name = "--model" if slot == mapping.model else name
        name = f"--{options[0]}" if options else name
        lasting = _("`workflow set NAME {node}.{input} FILE`", node=slot.node, input=slot.input)
        if name:
            return _("say another with {name}, or for good with {lasting}", name=name, lasting=lasting)
        return _("put another in its place with {lasting}, or make it an option", lasting=lasting)

    return way


def _with_option(own: Workflow, name: str, place: str) -> Mapping:
    place, low, high = read_range(place)
    places = [] if place.casefold() in NOWHERE else place.split(",")
    slots = tuple(_free_slot(own.graph, item) for item in places)
    new = NodeOption(name=name, slots=slots, low=low, high=high)
    if (low is not None or high is not None) and not all(_is_number(own.graph, slot) for slot in slots):
        raise RequestRejected(_("Only numbers have a range, and that input holds none."), field="place")
    return replace(own.mapping, options=with_option(own.mapping.options, new))


def _told(graph: Graph, mapping: Mapping, info: ObjectInfo | None) -> ReadWorkflow:
    lacking = no_files(lacking_files(graph, info), _ways(mapping)) if info else None
    problems = (lacking.user_message,) if lacking else ()
    return ReadWorkflow(
        graph=json.dumps(graph),
        mapping=json.dumps(mapping_to_json(mapping)),
        lines=tuple(describe(graph, mapping)),
        problems=problems,
    )


def _slot(graph: Graph, name: str, place: str) -> Slot:
    slot = _free_slot(graph, place)
    if _is_number(graph, slot) is not (name in NUMBERS):
        kind = "number" if name in NUMBERS else "words"
        what = _(
            "{node}.{input} holds no {kind}, which {name} takes.",
            node=slot.node,
            input=slot.input,
            kind=kind,
            name=name.replace("_", " "),
        )
        raise RequestRejected(what, field="place")
    return slot


def _is_number(graph: Graph, slot: Slot) -> bool:
    value = inputs_of(graph, slot.node).get(slot.input)
    return isinstance(value, int | float) and not isinstance(value, bool)


def _free_slot(graph: Graph, place: str) -> Slot:
    """Return the input that a place names, which takes a value and no link."""
    node, __, key = place.partition(".")
    node, key = node.strip(), key.strip()
    if node not in graph:
        nodes = [f"{item} ({cut(title_of(graph, item), 30)})" for item in graph]
        raise RequestRejected(
            _("This workflow has no node “{node}”. It has: {some}.", node=cut(node, 20), some=_some(nodes)),
            field="place",
            hint=_("A place is written node.input, for example 6.text"),
        )
    values = {item: value for item, value in inputs_of(graph, node).items() if read_link(value) is None}
    if key not in values:
        what = (
            _("takes that from another node")
            if key in inputs_of(graph, node)
            else _("has no input “{key}”", key=cut(key, 30))
        )
        raise RequestRejected(
            _(
                "Node {node} ({graph}) {what}. It has: {some}.",
                node=node,
                graph=cut(class_of(graph, node), 40),
                what=what,
                some=_some(list(values)) or _("none to set"),
            ),
            field="place",
        )
    return Slot(node=node, input=key)


def _some(names: list[str]) -> str:
    more = _(" and {count} more", count=len(names) - LISTED) if len(names) > LISTED else ""
    return ", ".join(names[:LISTED]) + more
