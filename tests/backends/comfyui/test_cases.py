"""Workflows as people really have them: each says where the words, the size and the picture belong."""

import json
import math
from pathlib import Path

import pytest

from backends.comfyui.facts import read_facts
from backends.comfyui.graphs.graph import Graph, Slot, inputs_of
from backends.comfyui.graphs.lacking import with_listed_names
from backends.comfyui.graphs.nodes import ObjectInfo
from backends.comfyui.graphs.trace import Trace
from backends.comfyui.workflows.apply import workflow_capabilities
from backends.comfyui.workflows.changes import BOUNDS, set_loras, set_steps
from backends.comfyui.workflows.workflow import Mapping, Workflow, describe, read_workflow
from generation.request import Lora
from tests.engines.comfyui_engine import recorded

CASES = Path("tests/data/cases/comfyui")
NODES = [json.loads((CASES / f"{kind}-nodes.object_info.json").read_text()) for kind in ("core", "custom")]
INFO = ObjectInfo(recorded("object_info") | NODES[0] | NODES[1])


def trace(name: str) -> Trace:
    (path,) = CASES.glob(f"{name}-*.json")
    return Trace(read_workflow(path.read_bytes()), INFO)


def places(slots: tuple[Slot, ...]) -> list[str]:
    return sorted(f"{slot.node}.{slot.input}" for slot in slots)


@pytest.mark.parametrize(
    ("name", "prompt", "negative"),
    [
        ("05", ["6.text"], ["7.text"]),
        ("06", ["32.text"], ["7.text"]),
        ("07", ["32.value"], ["7.text"]),
        ("08", ["16.clip_g", "16.clip_l", "16.llama", "16.t5xxl"], ["40.text"]),
        ("08b", ["6.clip_g", "6.clip_l", "6.t5xxl"], ["7.text"]),
        ("09", ["6.text"], []),
        ("09b", ["76.prompt"], ["77.prompt"]),
        ("09c", ["6.text"], ["7.text"]),
        ("14", ["6.text"], ["7.text"]),
        ("14b", ["6.text"], ["7.text"]),
        ("15", ["1.positive"], ["1.negative"]),
        ("16", ["6.text"], ["7.text"]),
        ("16b", ["6.text"], ["40.text"]),
        ("16c", ["1.positive"], ["1.negative"]),
        ("16d", ["6.user_prompt"], ["7.text"]),
    ],
)
def test_words_find_their_place_by_what_nodes_are(name: str, prompt: list[str], negative: list[str]) -> None:
    found = trace(name)
    assert (places(found.texts("positive")), places(found.texts("negative"))) == (prompt, negative)


@pytest.mark.parametrize(
    ("name", "width"),
    [("05", "5.width"), ("15", "1.empty_latent_width"), ("16", "5.width"), ("16c", "1.empty_latent_width")],
)
def test_size_is_found_behind_switches_and_in_loaders(name: str, width: str) -> None:
    assert places(trace(name).sides().width) == [width]


def test_node_that_draws_and_saves_in_one_is_an_output() -> None:
    assert trace("15").outputs == (("3", "images"),)


def graph_of(name: str) -> Graph:
    (path,) = CASES.glob(f"{name}-*")
    return read_workflow(path.read_bytes())


def test_picture_goes_to_the_first_slot_and_not_where_it_is_only_previewed() -> None:
    assert places(trace("10").pictures()[0][:1]) == ["78.image"]
    assert trace("12").pictures()[0] == ()


def test_steps_of_a_split_sampler_are_scaled_together() -> None:
    graph = graph_of("11")
    set_steps(graph, Slot(node="3", input="steps"), 40)
    bounds = [[inputs_of(graph, node)[name] for name in ("steps", *BOUNDS)] for node in ("3", "11")]
    assert bounds == [[40, 0, 32], [40, 32, 10000]]


def test_lora_that_the_graph_loads_gets_its_weight() -> None:
    graph = graph_of("20")
    assert set_loras(graph, [Lora(name="tiny_style.safetensors", weight=0.5)]) == []
    assert inputs_of(graph, "44")["lora_1"] == {"on": True, "lora": "tiny_style.safetensors", "strength": 0.5}


def test_graph_in_a_picture_is_read() -> None:
    assert "KSampler" in {node["class_type"] for node in graph_of("13").values()}


def test_graph_in_an_envelope_is_read_and_nan_beside_the_inputs_is_no_fault() -> None:
    nodes = {"9": {"class_type": "SaveImage", "inputs": {}, "is_changed": [math.nan]}}
    content = json.dumps({"input": {"workflow": nodes}}).encode()
    assert read_workflow(content) == {"9": {"class_type": "SaveImage", "inputs": {}}}


@pytest.mark.parametrize("name", ["09c", "17"])
def test_what_nobody_says_has_the_value_of_the_export(name: str) -> None:
    graph = graph_of(name)
    found = trace(name)
    denoise, sides = found.setting("denoise"), found.sides()
    mapping = Mapping(denoising_strength=denoise, width=sides.width, height=sides.height, images=found.pictures()[0])
    can = workflow_capabilities(Workflow(graph=graph, mapping=mapping), read_facts("0.33.0", INFO, {}), {})
    assert can.default_strength == 1.0
    if name == "17":
        assert (can.default_width, can.default_height) == (512, 768)


def test_save_node_that_reports_nothing_is_told_when_it_is_added() -> None:
    lines = describe(graph_of("18"), Mapping(outputs=trace("18").outputs))
    assert "node 9 may report no picture while show_previews is false: switch it on" in lines


def test_folders_match_whichever_way_their_names_are_joined() -> None:
    info = ObjectInfo({"Loader": {"input": {"required": {"ckpt_name": [["sub\\a.safetensors"], {}]}}}})
    graph = {"1": {"class_type": "Loader", "inputs": {"ckpt_name": "sub/a.safetensors"}}}
    assert with_listed_names(graph, info)["1"]["inputs"]["ckpt_name"] == "sub\\a.safetensors"
    assert graph["1"]["inputs"]["ckpt_name"] == "sub/a.safetensors"


CONTEXT = "Context Big (rgthree)"
MORE = {"steps": "INT", "sampler": "COMBO"}  # what a context carries beside
CARRIED = ("model", "clip", "vae", "positive", "negative", "latent", "images", "seed", *MORE)


def with_wide_contexts() -> ObjectInfo:
    class_info = json.loads(json.dumps(NODES[1][CONTEXT]))
    class_info["input"]["optional"] |= {name: [kind] for name, kind in MORE.items()}
    class_info["output"] += MORE.values()
    class_info["output_name"] += [name.upper() for name in MORE]
    return ObjectInfo(recorded("object_info") | NODES[0] | NODES[1] | {CONTEXT: class_info})


def behind_two_contexts() -> Graph:
    """Return a graph whose sampler takes all from a context that took it from another."""
    graph = graph_of("05")
    graph["40"]["inputs"] |= {"steps": 20, "sampler": "euler"}
    graph["50"] = {"class_type": CONTEXT, "inputs": {"base_ctx": ["40", 0]}}
    outputs = {name: ["50", number] for number, name in enumerate(CARRIED, 1)}
    graph["3"]["inputs"] |= {"latent_image": outputs["latent"], "sampler_name": outputs["sampler"]} | {
        name: outputs[name] for name in ("model", "positive", "negative", "seed", "steps")
    }
    return graph


def test_everything_is_found_behind_contexts_one_behind_the_other() -> None:
    found = Trace(behind_two_contexts(), with_wide_contexts())
    names = ("seed", "steps", "sampler_name")
    slots = [slot for name in names if (slot := found.setting(name))]
    assert [f"{slot.node}.{slot.input}" for slot in slots] == ["41.seed", "40.steps", "40.sampler"]
    assert (places(found.texts("positive")), places(found.texts("negative"))) == (["6.text"], ["7.text"])
    assert places(found.sides().width) == ["5.width"]


def test_what_a_context_does_not_carry_is_not_its_seed() -> None:
    graph = behind_two_contexts()
    graph["3"]["inputs"]["steps"] = ["40", CARRIED.index("steps") + 1]
    del graph["40"]["inputs"]["steps"]
    assert Trace(graph, with_wide_contexts()).setting("steps") is None


def test_size_is_found_behind_the_embeds_of_a_wrapper() -> None:
    def told(inputs: dict[str, str], output: str) -> dict[str, object]:
        specs = {name: [kind, {"multiline": True}] for name, kind in inputs.items()}
        return {"input": {"required": specs}, "output": [output], "output_name": [output.lower()]}

    numbers = {"steps": "INT", "cfg": "FLOAT", "shift": "FLOAT", "seed": "INT"}
    embeds = {"text_embeds": "WANVIDEOTEXTEMBEDS", "image_embeds": "WANVIDIMAGE_EMBEDS"}
    words = {"positive_prompt": "STRING", "negative_prompt": "STRING"}
    info = ObjectInfo(recorded("object_info") | {
        "WanVideoTextEncode": told(words, "WANVIDEOTEXTEMBEDS"),
        "WanVideoEmptyEmbeds": told(dict.fromkeys(("width", "height", "num_frames"), "INT"), "WANVIDIMAGE_EMBEDS"),
        "WanVideoSampler": told(numbers | embeds, "LATENT"),
        "WanVideoDecode": told({"samples": "LATENT"}, "IMAGE"),
    })  # fmt: skip
    settings = {"steps": 30, "cfg": 6.0, "shift": 5.0, "seed": 1057}
    links = {"text_embeds": ["16", 0], "image_embeds": ["37", 0]}
    graph = {
        "16": {"class_type": "WanVideoTextEncode", "inputs": {"positive_prompt": "a dog", "negative_prompt": "bad"}},
        "37": {"class_type": "WanVideoEmptyEmbeds", "inputs": {"width": 832, "height": 480, "num_frames": 81}},
        "27": {"class_type": "WanVideoSampler", "inputs": settings | links},
        "28": {"class_type": "WanVideoDecode", "inputs": {"samples": ["27", 0]}},
        "9": {"class_type": "SaveImage", "inputs": {"images": ["28", 0], "filename_prefix": "x"}},
    }
    found = Trace(graph, info)
    assert (places(found.texts("positive")), places(found.texts("negative"))) == (
        ["16.positive_prompt"], ["16.negative_prompt"],
    )  # fmt: skip
    assert (places(found.sides().width), places(found.sides().height)) == (["37.width"], ["37.height"])
