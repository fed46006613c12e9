"""Samplers one after the other are set together where they agreed; inputs that an export lacks get their defaults."""

from typing import Any

import pytest

from backends.comfyui.builtin.graphs import Uploads
from backends.comfyui.graphs.defaults import missing_inputs, with_defaults
from backends.comfyui.graphs.nodes import ObjectInfo
from backends.comfyui.workflows.apply import apply, workflow_changes
from backends.comfyui.workflows.own import read_upload
from backends.comfyui.workflows.workflow import Workflow, analyse
from tests.backends.comfyui.rig import make_request
from tests.engines.comfyui_engine import recorded

INFO = recorded("object_info")
CHECKPOINT = next(iter(ObjectInfo(INFO).choices("CheckpointLoaderSimple", "ckpt_name") or ()))


def chained(**second: Any) -> dict[str, Any]:
    """A base and a refiner, as exported; `second` is what the refiner has otherwise."""
    sampler = {"cfg": 8.0, "sampler_name": "euler", "scheduler": "normal", "steps": 20, "add_noise": "enable",
               "positive": ["6", 0], "negative": ["7", 0], "model": ["4", 0]}  # fmt: skip
    first = {**sampler, "latent_image": ["5", 0], "noise_seed": 1, "start_at_step": 0, "end_at_step": 15,
             "return_with_leftover_noise": "enable"}  # fmt: skip
    after = {**sampler, "latent_image": ["10", 0], "noise_seed": 1, "start_at_step": 15, "end_at_step": 10000,
             "return_with_leftover_noise": "disable", "add_noise": "disable", **second}  # fmt: skip
    return {
        "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": CHECKPOINT}},
        "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 512, "height": 512, "batch_size": 1}},
        "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a castle", "clip": ["4", 1]}},
        "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "ugly", "clip": ["4", 1]}},
        "10": {"class_type": "KSamplerAdvanced", "inputs": first},
        "11": {"class_type": "KSamplerAdvanced", "inputs": after},
        "8": {"class_type": "VAEDecode", "inputs": {"samples": ["11", 0], "vae": ["4", 2]}},
        "9": {"class_type": "SaveImage", "inputs": {"images": ["8", 0], "filename_prefix": "x"}},
    }


def drawn(graph: dict[str, Any], **reply: Any) -> tuple[dict[str, Any], list[str]]:
    workflow = Workflow(graph=graph, mapping=analyse(graph, ObjectInfo(INFO)))
    request = make_request(**reply)
    return apply(graph, workflow.mapping, request, Uploads()).graph, workflow_changes(workflow, request)


def test_samplers_that_agree_are_set_together() -> None:
    graph, notes = drawn(chained(), cfg_scale=4.0, sampler="dpmpp_2m", scheduler="karras")
    for node in ("10", "11"):
        inputs = graph[node]["inputs"]
        assert (inputs["cfg"], inputs["sampler_name"], inputs["scheduler"]) == (4.0, "dpmpp_2m", "karras")
    assert not [note for note in notes if "keeps" in note]


def test_one_that_differs_keeps_its_own_and_that_is_said() -> None:
    graph, notes = drawn(chained(cfg=2.5), cfg_scale=4.0, sampler="dpmpp_2m")
    values = {node: graph[node]["inputs"]["cfg"] for node in ("10", "11")}
    assert sorted(values.values()) in ([2.5, 4.0], [4.0, 8.0])
    (note,) = [note for note in notes if note.startswith("CFG set at node ")]
    assert "keeps" in note


def test_what_nobody_said_changes_nothing_and_says_nothing() -> None:
    before = chained(cfg=2.5, sampler_name="dpmpp_2m")
    mapping = analyse(before, ObjectInfo(INFO))
    assert mapping.cfg_scale is not None
    own = before[mapping.cfg_scale.node]["inputs"]
    graph, notes = drawn(before, cfg_scale=own["cfg"], sampler=own["sampler_name"], scheduler="normal")
    for node in ("10", "11"):
        assert graph[node]["inputs"]["cfg"] == before[node]["inputs"]["cfg"]
        assert graph[node]["inputs"]["sampler_name"] == before[node]["inputs"]["sampler_name"]
    assert not [note for note in notes if "keeps" in note]


def test_an_input_that_the_server_wants_by_now_gets_its_default() -> None:
    reported = {**INFO, "SaveImage": {**INFO["SaveImage"], "input": {"required": {
        **INFO["SaveImage"]["input"]["required"], "quality": ["INT", {"default": 90}], "mask": ["MASK"],
    }}}}  # fmt: skip
    info, graph = ObjectInfo(reported), chained()
    assert [(slot.node, slot.input, value) for slot, value in missing_inputs(graph, info).items()] == [
        ("9", "quality", 90)
    ]
    assert with_defaults(graph, info)["9"]["inputs"]["quality"] == 90
    assert "quality" not in graph["9"]["inputs"]
    read = read_upload(graph, info)
    assert "node 9 (SaveImage) lacks quality: this server's default is used, 90" in read.lines


@pytest.mark.parametrize("default", [True, "fast", 0.5])
def test_defaults_of_every_kind_are_used(default: object) -> None:
    info = ObjectInfo({"Odd": {"input": {"required": {"x": ["ANY", {"default": default}]}}}})
    assert with_defaults({"1": {"class_type": "Odd", "inputs": {}}}, info)["1"]["inputs"] == {"x": default}
