"""Workflows that are no honest ones: numbers without end, thousands of nodes in a row or beside each other."""

import json
import sys
from collections.abc import Callable
from typing import Any

import pytest

from backends.comfyui.answers import HistoryEntry, read_outputs
from backends.comfyui.facts import read_facts
from backends.comfyui.graphs.graph import Graph, Slot, downstream, free_id, read_graph, spread
from backends.comfyui.graphs.nodes import ObjectInfo
from backends.comfyui.graphs.values import MAX_DEPTH
from backends.comfyui.workflows.apply import workflow_capabilities
from backends.comfyui.workflows.own import load_own, read_upload
from backends.comfyui.workflows.workflow import MAX_NODES, Workflow, analyse, describe, read_workflow
from constants import MAX_SEED
from generation.errors import RequestRejected
from generation.request import WorkflowRef
from tests.engines.comfyui_engine import DATA, recorded

INFO = ObjectInfo(recorded("object_info"))
HOSTILE = DATA / "hostile"
MODEL = INFO.choices("CheckpointLoaderSimple", "ckpt_name")[0]


def sampled(more: Graph, *, positive: str, model: str = "4") -> Graph:
    """A whole workflow around some nodes."""
    settings = {"seed": 1, "steps": 20, "cfg": 7.0, "sampler_name": "euler", "scheduler": "normal", "denoise": 1}
    links = {"model": [model, 0], "positive": [positive, 0], "negative": ["7", 0], "latent_image": ["5", 0]}
    return more | {
        "3": {"class_type": "KSampler", "inputs": settings | links},
        "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": MODEL}},
        "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 512, "height": 512, "batch_size": 1}},
        "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "a fox", "clip": ["4", 1]}},
        "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "blurry", "clip": ["4", 1]}},
        "8": {"class_type": "VAEDecode", "inputs": {"samples": ["3", 0], "vae": ["4", 2]}},
        "9": {"class_type": "SaveImage", "inputs": {"filename_prefix": "x", "images": ["8", 0]}},
    }


def words_in_a_row(count: int) -> Graph:
    """The prompt comes to the sampler through so many nodes."""
    own = {"guidance": 3.5}
    chain = {
        str(100 + n): {
            "class_type": "FluxGuidance",
            "inputs": own | {"conditioning": [str(99 + n) if n else "6", 0]},
        }
        for n in range(count)
    }
    return sampled(chain, positive=str(99 + count))


def samplers_in_a_row(count: int) -> Graph:
    """Each refines the last one's picture, with words of its own."""
    graph = sampled({}, positive="6")
    last = "3"
    for n in range(count // 2):
        words, sampler = str(100 + n), str(100_000 + n)
        graph[words] = {"class_type": "CLIPTextEncode", "inputs": {"text": f"a fox {n}", "clip": ["4", 1]}}
        own = graph["3"]["inputs"] | {"positive": [words, 0], "latent_image": [last, 0]}
        graph[sampler] = {"class_type": "KSampler", "inputs": own}
        last = sampler
    graph["8"]["inputs"]["samples"] = [last, 0]
    return graph


def outputs_in_a_heap(count: int) -> Graph:
    """Every picture that comes in is saved by a node of its own, behind all there is."""
    graph = sampled({}, positive="6")
    for n in range(count // 2):
        graph[str(100 + n)] = {"class_type": "LoadImage", "inputs": {"image": f"{n}.png"}}
        graph[str(100_000 + n)] = {
            "class_type": "SaveImage",
            "inputs": {"filename_prefix": "x", "images": [str(100 + n), 0], "more": ["8", 0]},
        }
    return graph


SHAPES = {"a row": words_in_a_row, "samplers": samplers_in_a_row, "a heap": outputs_in_a_heap}


def calls_of(work: Callable[[], Any]) -> int:
    """Count the calls of functions: how long something takes, whatever the machine."""
    count = 0

    def note(frame: Any, event: str, argument: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(None)
    return count


def whole_way(graph: Graph) -> None:
    """Everything that is done with a workflow, from the file to what is sent for four pictures."""
    mapping = analyse(graph, INFO)
    describe(graph, mapping)
    workflow_capabilities(Workflow(graph=graph, mapping=mapping), read_facts("0.33", INFO, {}), {})
    sent = spread(graph, mapping.seed[:1], 7, 2)
    read_outputs(HistoryEntry(prompt=[0, "id", sent], outputs={node: {} for node in sent}))


@pytest.mark.parametrize("shape", SHAPES)
def test_twice_the_nodes_take_about_twice_the_time(shape: str) -> None:
    whole_way(SHAPES[shape](10))  # what is put together once
    small, large = (calls_of(lambda count=count: whole_way(SHAPES[shape](count))) for count in (300, 600))  # type: ignore[misc]
    assert large < 2.5 * small


@pytest.mark.parametrize("shape", SHAPES)
def test_the_most_nodes_are_read_without_a_deep_stack(shape: str) -> None:
    graph = read_workflow(json.dumps(SHAPES[shape](MAX_NODES - 10)))
    mapping = analyse(graph, INFO)
    assert mapping.prompt[:1] == (Slot(node="6", input="text"),)
    assert mapping.seed[:1] == (Slot(node="3", input="seed"),)
    assert mapping.steps == Slot(node="3", input="steps")
    kept = read_upload(graph, INFO)
    assert sum(map(len, kept.lines)) < 20_000
    assert len(downstream(graph, ["4"])) > 5


def test_nodes_in_a_ring_end() -> None:
    graph = sampled({}, positive="6")
    graph["6"]["inputs"] = {"conditioning": ["20", 0]}
    graph["6"]["class_type"] = graph_type = "FluxGuidance"
    graph["20"] = {"class_type": graph_type, "inputs": {"conditioning": ["6", 0]}}
    graph["5"]["inputs"]["width"] = ["3", 0]
    whole_way(graph)


@pytest.mark.parametrize(
    ("name", "where"),
    [
        ("infinite-cfg", "node 3, cfg is not a finite number"),
        ("infinite-width", "node 5, width is not a finite number"),
    ],
)
def test_a_number_without_end_is_refused_when_it_is_added(name: str, where: str) -> None:
    with pytest.raises(RequestRejected) as caught:
        read_workflow((HOSTILE / f"{name}.json").read_bytes())
    assert where in caught.value.user_message


@pytest.mark.parametrize("text", ["1e400", "-1e400", "NaN", "Infinity", "9" * 40, "[[1e999]]", '{"a": NaN}'])
def test_so_is_any_other_that_cannot_be_reckoned_with(text: str) -> None:
    content = json.dumps(sampled({}, positive="6")).replace('"steps": 20', f'"steps": {text}')
    with pytest.raises(RequestRejected, match="node 3, steps"):
        read_workflow(content)
    kept = WorkflowRef(name="old", graph=content, mapping="{}")  # by a version that took it
    with pytest.raises(RequestRejected, match="node 3, steps"):
        load_own(kept)


@pytest.mark.parametrize("depth", [MAX_DEPTH + 1, 900, 100_000])
def test_a_value_that_is_nested_too_deeply_is_refused(depth: int) -> None:
    content = json.dumps(sampled({}, positive="6")).replace('"steps": 20', f'"steps": {"[" * depth}{"]" * depth}')
    with pytest.raises(RequestRejected):
        read_workflow(content)


def test_the_largest_seed_of_comfyui_is_kept() -> None:
    graph = read_workflow((HOSTILE / "seed-2p64-1.json").read_bytes())
    assert graph["3"]["inputs"]["seed"] == MAX_SEED
    mapping = analyse(graph, INFO)
    can = workflow_capabilities(Workflow(graph=graph, mapping=mapping), read_facts("0.33", INFO, {}), {})
    assert can.max_seed == MAX_SEED
    twice = spread(graph, mapping.seed, MAX_SEED, 2)
    assert [about["inputs"]["seed"] for about in twice.values() if "seed" in about["inputs"]] == [MAX_SEED, 0]


def test_a_node_with_a_smaller_range_of_seeds_says_so() -> None:
    reported = recorded("object_info")
    reported["KSampler"]["input"]["required"]["seed"] = ["INT", {"default": 0, "min": 0, "max": 2**31}]
    info = ObjectInfo(reported)
    graph = sampled({}, positive="6")
    workflow = Workflow(graph=graph, mapping=analyse(graph, info))
    assert workflow_capabilities(workflow, read_facts("0.33", info, {}), {}).max_seed == 2**31


@pytest.mark.parametrize("reported", [None, [], "x", {"3": []}, {"3": None, "4": {"inputs": "x"}}])
def test_what_a_server_tells_as_a_graph_need_not_be_one(reported: Any) -> None:
    assert read_outputs(HistoryEntry(prompt=[0, "id", reported], outputs={"3": {"images": [{"filename": "a.png"}]}}))
    assert all(isinstance(about, dict) for about in read_graph(reported).values())


@pytest.mark.parametrize("node", ["²", "٣", "9" * 5000, "-1", ""])
def test_an_id_that_only_looks_like_a_number_counts_for_none(node: str) -> None:
    assert free_id({node: {}, "7": {}}) == "8"
