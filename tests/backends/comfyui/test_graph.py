import json

import pytest

from backends.comfyui.graphs.graph import Slot, inputs_of, samplers, seed_of, spread, upstream
from backends.comfyui.workflows.workflow import read_workflow
from tests.engines.comfyui_engine import DATA

TXT2IMG = read_workflow((DATA / "workflows" / "txt2img_sd15.api.json").read_bytes())
SEEDS = (Slot(node="3", input="seed"),)


def test_each_picture_of_a_batch_has_a_seed_of_its_own_and_the_model_is_loaded_once() -> None:
    graph = spread(TXT2IMG, SEEDS, 40, 3)
    assert [seed_of(graph, node) for node in graph if graph[node]["class_type"] == "SaveImage"] == [40, 41, 42]
    assert sum(reported["class_type"] == "CheckpointLoaderSimple" for reported in graph.values()) == 1
    assert sum(reported["class_type"] == "CLIPTextEncode" for reported in graph.values()) == 2
    assert len(samplers(graph)) == 3


def test_copies_are_linked_to_copies() -> None:
    graph = spread(TXT2IMG, SEEDS, 40, 2)
    (second,) = (n for n in graph if graph[n]["class_type"] == "SaveImage" and n != "9")
    assert upstream(graph, second)[1] == "8:1"
    assert inputs_of(graph, "8:1")["samples"] == ["3:1", 0]
    assert inputs_of(graph, "3:1")["model"] == ["4", 0]


def test_original_stays_as_it_is() -> None:
    before = json.dumps(TXT2IMG)
    spread(TXT2IMG, SEEDS, 1, 3)
    assert json.dumps(TXT2IMG) == before


@pytest.mark.parametrize("count", [1, 4])
def test_graph_without_a_seed_is_drawn_once(count: int) -> None:
    assert spread(TXT2IMG, (), 1, count) == TXT2IMG


def test_id_of_a_copy_never_meets_one_that_is_there() -> None:
    graph = json.loads(json.dumps(TXT2IMG))
    graph["3:1"] = {"class_type": "PreviewImage", "inputs": {}}
    assert len(spread(graph, SEEDS, 1, 2)) == len(graph) + 3
