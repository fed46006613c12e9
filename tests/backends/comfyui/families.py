"""Well-known graphs of several families, and the table of the page that says where their values go."""

import json
from pathlib import Path
from typing import Final

from backends.comfyui.graphs.graph import Slot, class_of
from backends.comfyui.graphs.nodes import ObjectInfo
from backends.comfyui.workflows.workflow import Mapping, Workflow, analyse, read_workflow
from tests.engines.comfyui_engine import DATA, recorded

CASES: Final = DATA.parent / "cases"
FAMILIES: Final = {
    "SD 1.5, SDXL": DATA / "workflows" / "txt2img_sdxl.api.json",
    "Flux dev": DATA / "workflows" / "flux_dev_split_files.api.json",
    "HiDream": CASES / "comfyui" / "08-encoders-hidream.json",
    "Flux Kontext": CASES / "comfyui" / "09-strength-kontext.json",
    "Qwen-Image-Edit": CASES / "comfyui" / "09b-strength-qwen-edit.json",
    "Wan, from words": CASES / "19-video-only.json",
    "Wan, from a picture": DATA / "families" / "wan_image_to_video.api.json",
}
COLUMNS: Final = ("prompt", "negative", "seed", "size", "steps", "CFG or guidance", "picture", "frames, fps")
NOWHERE: Final = "-"


def family_info() -> ObjectInfo:
    """Return what recorded servers say of all the nodes of these graphs."""
    more = (CASES / "comfyui" / "core-nodes.object_info.json", DATA / "families" / "nodes.object_info.json")
    classes = recorded("object_info")
    for path in more:
        classes |= json.loads(path.read_text(encoding="utf-8"))
    return ObjectInfo(classes)


def family(name: str) -> Workflow:
    graph = read_workflow(FAMILIES[name].read_bytes())
    return Workflow(graph=graph, mapping=analyse(graph, family_info()))


def table() -> str:
    """Return the table of the page, from what is found in the graphs."""
    rows = [f"| family | {' | '.join(COLUMNS)} |", f"|{'---|' * (len(COLUMNS) + 1)}"]
    for name in FAMILIES:
        rows.append(
            f"| {name} | {' | '.join(_cell(family(name), slots) for slots in _columns(family(name).mapping))} |"
        )
    return "\n".join(rows)


def _columns(mapping: Mapping) -> list[tuple[Slot, ...]]:
    options = {option.name: option.slots for option in mapping.options}
    guided = mapping.guidance or mapping.cfg_scale
    return [
        mapping.prompt,
        mapping.negative,
        mapping.seed,
        (*mapping.width, *mapping.height),
        (mapping.steps,) if mapping.steps else (),
        (guided,) if guided else (),
        mapping.images,
        (*options.get("frames", ()), *options.get("fps", ())),
    ]


def _cell(workflow: Workflow, slots: tuple[Slot, ...]) -> str:
    """Write inputs as `Class` node.input, input; then the next node."""
    by_node: dict[str, list[str]] = {}
    for slot in slots:
        by_node.setdefault(slot.node, []).append(slot.input)
    places = [f"`{class_of(workflow.graph, node)}` {node}.{', '.join(names)}" for node, names in by_node.items()]
    return "; ".join(places) or NOWHERE


def page() -> str:
    return Path("docs/backends/comfyui.md").read_text(encoding="utf-8")
