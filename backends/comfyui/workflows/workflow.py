"""People's own workflows: read a file, find out what its parts are for, show and store that.

Two file formats exist: the API format, which the server runs, and the web interface's own, which it does not. The
second is what everybody saves first; it is converted by what the server says of its nodes.
"""

import json
from collections.abc import Mapping as AnyMapping
from dataclasses import asdict, field, fields, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from backends.comfyui.editor import convert, is_saved
from backends.comfyui.errors import check, check_nodes
from backends.comfyui.graphs.defaults import with_defaults
from backends.comfyui.graphs.graph import Graph, Slot, class_of, inputs_of, title_of
from backends.comfyui.graphs.guess import guess_info
from backends.comfyui.graphs.lacking import with_listed_names
from backends.comfyui.graphs.nodes import ObjectInfo
from backends.comfyui.graphs.trace import Trace
from backends.comfyui.graphs.values import fault_in
from backends.comfyui.workflows.changes import is_split
from backends.comfyui.workflows.options import NodeOption, describe_option, found_options, option_from_json
from backends.comfyui.workflows.shown import nothing_shown
from generation.errors import RequestRejected
from generation.replaced_options import REPLACED
from lazy import dataclass
from texts.text import _
from utils.picture_graph import graph_in_picture
from utils.text import cut

MAX_WORKFLOW_BYTES: Final = 8 * 1024 * 1024
MAX_NODES: Final = 2000
PARTS: Final = ("class_type", "inputs", "_meta")  # what else a node has is the editor's
WRAPPERS: Final = ("output", "prompt", "input", "workflow")
MAX_TITLE_CHARS: Final = 40
MAX_PLACES: Final = 12  # named for one value
USUAL: Final = {  # what most people look for, by the field it lies in
    "prompt": "prompt", "negative": "negative", "seed": "seed", "width": "size", "steps": "steps", "cfg_scale": "CFG",
    "sampler": "sampler", "scheduler": "scheduler", "model": "model",
}  # fmt: skip
NO_INFO: Final = ObjectInfo({})
EXPORT_HINT: Final = _("In ComfyUI choose Workflow → Save or Workflow → Export (API), then use that file.")


@dataclass(frozen=True, kw_only=True)
class Mapping:
    """The purposes of a workflow's inputs. Every slot can be corrected by hand; an empty one is not touched.

    `width` and `height` belong to the empty picture or the scaling of the source; `images` and `masks` take file
    names; `outputs` are the nodes that give files, with the kind of file.
    """

    prompt: tuple[Slot, ...] = ()
    negative: tuple[Slot, ...] = ()
    seed: tuple[Slot, ...] = ()
    steps: Slot | None = None
    cfg_scale: Slot | None = None
    guidance: Slot | None = None
    sampler: Slot | None = None
    scheduler: Slot | None = None
    denoising_strength: Slot | None = None
    width: tuple[Slot, ...] = ()
    height: tuple[Slot, ...] = ()
    batch: Slot | None = None
    model: Slot | None = None
    loras: tuple[Slot, ...] = ()
    model_link: tuple[str, int] | None = None  # where more LoRAs are spliced in
    clip_link: tuple[str, int] | None = None
    images: tuple[Slot, ...] = ()
    needs_image: bool = False  # the picture is what is drawn over, not a reference beside it
    masks: tuple[Slot, ...] = ()
    mask_links: tuple[tuple[str, int], ...] = ()  # masks painted into the alpha of an input picture
    outputs: tuple[tuple[str, str], ...] = ()
    options: tuple[NodeOption, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Workflow:
    """An API-format graph and what its parts are for."""

    graph: Graph = field(repr=False)
    mapping: Mapping


@dataclass(frozen=True, kw_only=True)
class EditorFile:
    """A file saved by ComfyUI's own editor, as JSON values: a graph for the API once a server has told of its nodes."""

    values: AnyMapping[str, Any] = field(repr=False)


def open_workflow(content: str | bytes | AnyMapping[str, Any]) -> Graph | EditorFile:
    """Read a file, as text, as a picture with one in it, or as JSON values: the graph of an API export is checked.

    Raises:
        RequestRejected: it is neither that nor a file of the editor; the hint says how to get one.
    """
    if isinstance(content, bytes) and content.lstrip()[:1] != b"{":
        content = graph_in_picture(content) or content
    values = _parse(content) if isinstance(content, str | bytes) else content
    if not isinstance(values, AnyMapping):
        raise _rejected(_("This file holds no workflow."))
    while inner := _wrapped(values):
        values = inner
    if is_saved(values):
        return EditorFile(values=values)
    nodes = {str(node): entry for node, entry in values.items() if isinstance(entry, dict) and "class_type" in entry}
    if not nodes or not all(_is_node(entry) for entry in nodes.values()):
        raise _rejected(_("This file holds no workflow."))
    return _checked({node: {key: entry[key] for key in PARTS if key in entry} for node, entry in nodes.items()})


def to_graph(opened: Graph | EditorFile, info: ObjectInfo) -> Graph:
    """Return the graph for the API; a file of the editor is converted by what a server says of its nodes.

    Raises:
        RequestRejected: the file is broken, or too large.
        CapabilityError: the server lacks nodes, or some cannot be converted; they are named, and why.
    """
    if not isinstance(opened, EditorFile):
        return opened
    if not info.is_told:
        raise _rejected(
            _("This server does not tell what its nodes take, so a file of the editor cannot be converted.")
        )
    return _checked(convert(opened.values, info, most=MAX_NODES, now=datetime.now(tz=UTC).astimezone()))


def read_workflow(content: str | bytes | AnyMapping[str, Any], info: ObjectInfo = NO_INFO) -> Graph:
    """Open a file and return its graph for the API; only one of the editor needs `info`.

    Raises:
        RequestRejected: it is no workflow, or broken.
        CapabilityError: it is the editor's, and the server lacks nodes or some cannot be converted; they are named.
    """
    return to_graph(open_workflow(content), info)


def analyse(graph: Graph, info: ObjectInfo) -> Mapping:
    """Find out what the inputs of a workflow are for, from its samplers back.

    Raises:
        CapabilityError: it needs nodes this server does not have; they are named. Files may be said otherwise later.
        RequestRejected: it gives no file.
    """
    if lacking := check_nodes(graph, info):
        raise lacking
    found = Trace(graph, info if info.is_told else guess_info(graph))
    if not found.outputs:
        raise _rejected(_("This workflow saves nothing: it needs a Save Image node."))
    prompt = found.texts("positive")
    sides = found.sides()
    model, loras, model_link = found.model()
    images, masks, mask_links, needs_image = found.pictures()
    return Mapping(
        prompt=prompt,
        negative=tuple(slot for slot in found.texts("negative") if slot not in prompt),
        seed=found.seeds(),
        steps=None if is_split(graph) else found.setting("steps"),
        cfg_scale=found.setting("cfg"),
        guidance=found.guidance(),
        sampler=found.setting("sampler_name"),
        scheduler=found.setting("scheduler"),
        denoising_strength=found.setting("denoise"),
        width=sides.width,
        height=sides.height,
        batch=None if found.is_moving else sides.batch,  # there it counts the frames
        model=model,
        loras=loras,
        model_link=model_link,
        clip_link=found.clip(prompt),
        images=images,
        needs_image=needs_image,
        masks=masks,
        mask_links=mask_links,
        outputs=found.outputs,
        options=found_options(graph, found.live, sides.batch) if found.is_moving else (),
    )


def without_replaced(mapping: Mapping) -> Mapping:
    """Return a mapping without the places that options of the workflow have taken over from Easel's own."""
    replaced = {REPLACED[option.name] for option in mapping.options if option.name in REPLACED}
    nothing: dict[str, Any] = {name: None for name in replaced if name in Mapping.__dataclass_fields__}
    return replace(mapping, **nothing)


def load_workflow(path: str, info: ObjectInfo) -> Workflow:
    """Read a workflow file that is drawn with as it is, and analyse it. Blocks: call it in a thread."""
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise _rejected(_("The workflow file of this engine cannot be read."), detail=str(error)) from error
    graph = with_listed_names(with_defaults(read_workflow(content, info), info), info)
    if lacking := check(graph, info):
        raise lacking
    return Workflow(graph=graph, mapping=analyse(graph, info))


def describe(graph: Graph, mapping: Mapping) -> list[str]:
    """Return the mapping as lines for people: what is taken from the request, and where it goes."""
    lines = []
    used = without_replaced(mapping)
    for name in (item.name for item in fields(mapping)):
        value = getattr(used, name)
        slots = value if isinstance(value, tuple) else (value,)
        found = [slot for slot in slots if isinstance(slot, Slot)]
        places = [_place(graph, slot) for slot in found[:MAX_PLACES]]
        if places:
            more = _(" and {count} more", count=len(found) - MAX_PLACES) if len(found) > MAX_PLACES else ""
            lines.append(f"{name.replace('_', ' ')}: {', '.join(places)}{more}")
    lines += [describe_option(graph, option) for option in mapping.options]
    lines += [
        _("output: {title} (node {node}), {kind}", title=_title(graph, node), node=node, kind=kind)
        for node, kind in mapping.outputs[:MAX_PLACES]
    ]
    if len(mapping.outputs) > MAX_PLACES:
        lines.append(_("and {count} more outputs", count=len(mapping.outputs) - MAX_PLACES))
    if unshown := nothing_shown(graph, mapping.outputs):
        lines.append(unshown)
    lines += [line for node, __ in mapping.outputs[:MAX_PLACES] if (line := _silence(graph, node))]
    if mapping.needs_image:
        lines.append(_("needs a picture to start from"))
    guided = {"cfg_scale", "guidance"} if mapping.cfg_scale or mapping.guidance else set()
    lacking = [word for name, word in USUAL.items() if not getattr(mapping, name) and name not in guided]
    if lacking:
        lines.append(_("no place found for, stays as exported: {lacking}", lacking=", ".join(lacking)))
    return lines


def mapping_to_json(mapping: Mapping) -> dict[str, Any]:
    """Return JSON values; what is empty is left out."""
    return {name: value for name, value in asdict(mapping).items() if value not in (None, (), False)}


def mapping_from_json(values: AnyMapping[str, Any], graph: Graph) -> Mapping:
    """Read what `mapping_to_json` wrote, corrected by hand perhaps.

    Raises:
        RequestRejected: it names a node or an input that the workflow does not have.
    """
    read: dict[str, Any] = {}
    for name, value in values.items():
        if name in {"prompt", "negative", "seed", "width", "height", "loras", "images", "masks"}:
            read[name] = tuple(_slot(item, graph) for item in value)
        elif name in {"model_link", "clip_link"}:
            read[name] = (str(value[0]), int(value[1]))
        elif name == "mask_links":
            read[name] = tuple((str(node), int(output)) for node, output in value)
        elif name == "outputs":
            read[name] = tuple((str(node), str(kind)) for node, kind in value)
        elif name == "options":
            read[name] = tuple(option_from_json(item) for item in value)
        elif name == "needs_image":
            read[name] = bool(value)
        elif name in Mapping.__dataclass_fields__:
            read[name] = _slot(value, graph)
    return Mapping(**read)


def _parse(content: str | bytes) -> Any:
    if len(content) > MAX_WORKFLOW_BYTES:
        raise _rejected(_("This workflow file is too large."))
    try:
        answer = json.loads(content)
        json.dumps(answer, ensure_ascii=False).encode()  # half a character could be kept, yet never shown
        return answer
    except (ValueError, RecursionError) as error:
        raise _rejected(_("This file is not JSON."), detail=str(error)) from error


def _wrapped(values: AnyMapping[str, Any]) -> AnyMapping[str, Any] | None:
    """Return the graph that other programs put into an envelope, with the editor's own beside it perhaps."""
    if isinstance(values.get("nodes"), list) or any(
        isinstance(value, dict) and "class_type" in value for value in values.values()
    ):
        return None
    return next((values[key] for key in WRAPPERS if isinstance(values.get(key), dict)), None)


def _checked(nodes: Graph) -> Graph:
    if len(nodes) > MAX_NODES:
        raise _rejected(_("This workflow has {count} nodes; the maximum is {most}.", count=len(nodes), most=MAX_NODES))
    if fault := fault_in(nodes):
        raise RequestRejected(
            _("This workflow cannot be used: {fault}.", fault=fault),
            field="workflow",
            hint=_("Correct it in ComfyUI and save it again."),
        )
    return {node: _as_file(entry) for node, entry in nodes.items()}


def _is_node(answer: object) -> bool:
    return isinstance(answer, dict) and bool(answer.get("class_type")) and isinstance(answer.get("inputs", {}), dict)


def _as_file(answer: dict[str, Any]) -> dict[str, Any]:
    """Let pictures that would come over the websocket only, and be lost with it, be made into files."""
    return {**answer, "class_type": "PreviewImage"} if answer["class_type"] == "SaveImageWebsocket" else answer


def _slot(value: AnyMapping[str, Any], graph: Graph) -> Slot:
    slot = Slot(node=str(value["node"]), input=str(value["input"]))
    if slot.input not in inputs_of(graph, slot.node):
        raise RequestRejected(
            _("This workflow has no input “{input}” at node {node}.", input=slot.input, node=slot.node),
            field="workflow",
        )
    return slot


def _silence(graph: Graph, node: str) -> str:
    """Return in words why a node that saves reports nothing, so that its picture is not found; empty if it does."""
    for name, value in inputs_of(graph, node).items():
        if "preview" in name.lower() and str(value).lower() == "false":
            return _(
                "node {node} may report no picture while {name} is false: switch it on",
                node=node,
                name=cut(name, MAX_TITLE_CHARS),
            )
    return ""


def _place(graph: Graph, slot: Slot) -> str:
    title, class_type = _title(graph, slot.node), class_of(graph, slot.node)
    name = title if title == class_type else f"{title} ({class_type})"
    return _("{name}, node {node}, {input}", name=name, node=slot.node, input=slot.input)


def _title(graph: Graph, node: str) -> str:
    return cut(" ".join(title_of(graph, node).split()), MAX_TITLE_CHARS)


def _rejected(what: str, detail: str = "") -> RequestRejected:
    return RequestRejected(what, field="workflow", detail=detail, hint=EXPORT_HINT)
