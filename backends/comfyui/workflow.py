"""People's own workflows: read an export, find out what its parts are for, show and store that.

Two file formats exist: the API format, which the server runs, and the web interface's own, which it does not. The
second is what everybody saves first, so it is recognised and the right export is explained.
"""

import json
from collections.abc import Mapping as AnyMapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Final

from backends.comfyui.changes import is_split
from backends.comfyui.failures import check
from backends.comfyui.graph import Graph, Slot, class_of, inputs_of, title_of
from backends.comfyui.guess import guess_info
from backends.comfyui.nodes import ObjectInfo
from backends.comfyui.options import NodeOption, describe_option, found_options, option_from_json
from backends.comfyui.shown import nothing_shown
from backends.comfyui.trace import Trace
from backends.comfyui.values import fault_in
from generation.errors import RequestRejected
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
EXPORT_HINT: Final = (
    "In ComfyUI choose Workflow → Export (API), in older versions switch on Dev mode in the settings and press "
    "“Save (API Format)”, then use that file."
)


@dataclass(frozen=True, kw_only=True)
class Mapping:
    """What the inputs of a workflow are for. Every slot can be corrected by hand; an empty one is not touched.

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


def read_workflow(content: str | bytes | AnyMapping[str, Any]) -> Graph:
    """Return the graph of an API-format export, as text or as JSON values.

    Raises:
        RequestRejected: it is none; for the web interface's format the hint says how to export the right one.
    """
    if isinstance(content, bytes) and content.lstrip()[:1] != b"{":
        content = graph_in_picture(content) or content
    values = _parse(content) if isinstance(content, str | bytes) else content
    if not isinstance(values, AnyMapping):
        raise _rejected("This file holds no workflow.")
    while inner := _wrapped(values):
        values = inner
    if isinstance(values.get("nodes"), list):
        raise _rejected("This workflow was saved for ComfyUI's own editor, which its API cannot run.")
    nodes = {str(node): told for node, told in values.items() if isinstance(told, dict) and "class_type" in told}
    if not nodes or not all(_is_node(told) for told in nodes.values()):
        raise _rejected("This file holds no workflow in the API format.")
    if len(nodes) > MAX_NODES:
        raise _rejected(f"This workflow has {len(nodes)} nodes; {MAX_NODES} is the most.")
    nodes = {node: {key: told[key] for key in PARTS if key in told} for node, told in nodes.items()}
    if fault := fault_in(nodes):
        raise RequestRejected(
            f"This workflow cannot be used: {fault}.",
            field="workflow",
            hint="Correct it in ComfyUI and export it again.",
        )
    return {node: _as_file(told) for node, told in nodes.items()}


def analyse(graph: Graph, info: ObjectInfo) -> Mapping:
    """Find out what the inputs of a workflow are for, from its samplers back.

    Raises:
        CapabilityError: it needs nodes or files this server does not have; they are named.
        RequestRejected: it gives no file.
    """
    lacking = check(graph, info)
    if lacking:
        raise lacking
    found = Trace(graph, info if info.is_told else guess_info(graph))
    if not found.outputs:
        raise _rejected("This workflow saves nothing: it needs a Save Image node.")
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


def load_workflow(path: str, info: ObjectInfo) -> Workflow:
    """Read a workflow file and analyse it. Blocks: call it in a thread."""
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise _rejected("The workflow file of this engine cannot be read.", detail=str(error)) from error
    graph = read_workflow(content)
    return Workflow(graph=graph, mapping=analyse(graph, info))


def describe(graph: Graph, mapping: Mapping) -> list[str]:
    """Return the mapping as lines for people: what is taken from the request, and where it goes."""
    lines = []
    for name in (one.name for one in fields(mapping)):
        value = getattr(mapping, name)
        slots = value if isinstance(value, tuple) else (value,)
        found = [slot for slot in slots if isinstance(slot, Slot)]
        places = [_place(graph, slot) for slot in found[:MAX_PLACES]]
        if places:
            more = f" and {len(found) - MAX_PLACES} more" if len(found) > MAX_PLACES else ""
            lines.append(f"{name.replace('_', ' ')}: {', '.join(places)}{more}")
    lines += [describe_option(graph, option) for option in mapping.options]
    lines += [f"output: {_title(graph, node)} (node {node}), {kind}" for node, kind in mapping.outputs[:MAX_PLACES]]
    if len(mapping.outputs) > MAX_PLACES:
        lines.append(f"and {len(mapping.outputs) - MAX_PLACES} more outputs")
    if unshown := nothing_shown(graph, mapping.outputs):
        lines.append(unshown)
    lines += [line for node, _ in mapping.outputs[:MAX_PLACES] if (line := _silence(graph, node))]
    if mapping.needs_image:
        lines.append("needs a picture to start from")
    guided = {"cfg_scale", "guidance"} if mapping.cfg_scale or mapping.guidance else set()
    lacking = [word for name, word in USUAL.items() if not getattr(mapping, name) and name not in guided]
    if lacking:
        lines.append(f"no place found for, stays as exported: {', '.join(lacking)}")
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
            read[name] = tuple(_slot(one, graph) for one in value)
        elif name in {"model_link", "clip_link"}:
            read[name] = (str(value[0]), int(value[1]))
        elif name == "mask_links":
            read[name] = tuple((str(node), int(output)) for node, output in value)
        elif name == "outputs":
            read[name] = tuple((str(node), str(kind)) for node, kind in value)
        elif name == "options":
            read[name] = tuple(option_from_json(one) for one in value)
        elif name == "needs_image":
            read[name] = bool(value)
        elif name in Mapping.__dataclass_fields__:
            read[name] = _slot(value, graph)
    return Mapping(**read)


def _parse(content: str | bytes) -> Any:
    if len(content) > MAX_WORKFLOW_BYTES:
        raise _rejected("This workflow file is too large.")
    try:
        told = json.loads(content)
        json.dumps(told, ensure_ascii=False).encode()  # half a character could be kept, yet never shown
        return told
    except (ValueError, RecursionError) as error:
        raise _rejected("This file is no JSON.", detail=str(error)) from error


def _wrapped(values: AnyMapping[str, Any]) -> AnyMapping[str, Any] | None:
    """Return the graph that other programs put into an envelope, with the editor's own beside it perhaps."""
    if isinstance(values.get("nodes"), list) or any(
        isinstance(one, dict) and "class_type" in one for one in values.values()
    ):
        return None
    return next((values[key] for key in WRAPPERS if isinstance(values.get(key), dict)), None)


def _is_node(told: object) -> bool:
    return isinstance(told, dict) and bool(told.get("class_type")) and isinstance(told.get("inputs", {}), dict)


def _as_file(told: dict[str, Any]) -> dict[str, Any]:
    """Let pictures that would come over the websocket only, and be lost with it, be made into files."""
    return {**told, "class_type": "PreviewImage"} if told["class_type"] == "SaveImageWebsocket" else told


def _slot(value: AnyMapping[str, Any], graph: Graph) -> Slot:
    slot = Slot(node=str(value["node"]), input=str(value["input"]))
    if slot.input not in inputs_of(graph, slot.node):
        raise RequestRejected(f"This workflow has no input “{slot.input}” at node {slot.node}.", field="workflow")
    return slot


def _silence(graph: Graph, node: str) -> str:
    """Return in words why a node that saves reports nothing, so that its picture is not found; empty if it does."""
    for name, value in inputs_of(graph, node).items():
        if "preview" in name.lower() and str(value).lower() == "false":
            return f"node {node} may report no picture while {cut(name, MAX_TITLE_CHARS)} is false: switch it on"
    return ""


def _place(graph: Graph, slot: Slot) -> str:
    title, class_type = _title(graph, slot.node), class_of(graph, slot.node)
    name = title if title == class_type else f"{title} ({class_type})"
    return f"{name}, node {slot.node}, {slot.input}"


def _title(graph: Graph, node: str) -> str:
    return cut(" ".join(title_of(graph, node).split()), MAX_TITLE_CHARS)


def _rejected(what: str, detail: str = "") -> RequestRejected:
    return RequestRejected(what, field="workflow", detail=detail, hint=EXPORT_HINT)
