"""Parts of the editor's files that cannot be converted are named, and why; a broken file is refused in a sentence."""

import contextlib
import json
import random
from typing import Any

import pytest

from backends.comfyui.editor import convert
from backends.comfyui.graphs.nodes import ObjectInfo
from backends.comfyui.workflows.workflow import load_workflow
from generation.errors import CapabilityError, GenerationError, RequestRejected
from tests.backends.comfyui.test_editor import CLASSES, NAMES, NOW, converted, described, file, node_of, single


def test_class_that_the_server_lacks_is_named() -> None:
    values = file("plain")
    node_of(values, 8)["type"] = "FancyDecode"
    node_of(values, 5)["type"] = "FancyLatent"
    with pytest.raises(CapabilityError, match="lacks 2 nodes the workflow needs: FancyLatent, FancyDecode"):
        converted(values)


@pytest.mark.parametrize("mode", [2, 4])
def test_class_that_the_server_lacks_does_not_matter_where_it_is_off(mode: int) -> None:
    values = file("plain")
    node_of(values, 9).update(type="FancySave", mode=mode)
    assert "9" not in converted(values)


@pytest.mark.parametrize("kind", ["Anything Everywhere", "Anything Everywhere?", "Prompts Everywhere"])
def test_node_that_the_browser_links_to_all_others_is_named(kind: str) -> None:
    values = file("plain")
    values["nodes"].append({"id": 50, "type": kind, "mode": 0, "inputs": [], "widgets_values": []})
    with pytest.raises(CapabilityError, match=r"Everywhere.*, node 50: its links are made by code in the browser"):
        converted(values, **{kind: described()})
    values["nodes"][-1]["mode"] = 4
    assert "50" not in converted(values, **{kind: described()})


MINE = described(a=["INT", {"default": 1}], b=["INT", {"default": 2}], c=["INT", {"default": 3}])


def test_values_that_could_belong_to_several_widgets_are_refused() -> None:
    with pytest.raises(CapabilityError, match=r"Mine, node 1: .*2 values where this engine's node has 3.*several ways"):
        converted(single("Mine", [7, 8]), Mine=MINE)


def test_all_nodes_that_cannot_be_converted_are_named_together() -> None:
    values = single("Mine", [7, 8], title="First")
    values["nodes"] += [{"id": n, "type": "Mine", "widgets_values": ["x", 1, 2]} for n in range(2, 9)]
    with pytest.raises(CapabilityError) as caught:
        converted(values, Mine=MINE)
    assert "8 nodes of this workflow cannot be converted" in caught.value.user_message
    assert "First (Mine), node 1" in caught.value.user_message
    assert "Mine, node 5" in caught.value.user_message
    assert "and 3 more" in caught.value.user_message
    assert "Export (API)" in caught.value.hint


@pytest.mark.parametrize("values", [["word", 2, 3], [1.5, 2, 3], [True, 2, 3], [None, 2, 3], [{}, 2, 3]])
def test_value_that_no_widget_takes_is_refused(values: list[Any]) -> None:
    with pytest.raises(CapabilityError, match="node 1"):
        converted(single("Mine", values), Mine=MINE)


@pytest.mark.parametrize("values", [[1, 2, 3, "shown"], ["shown", 1, 2, 3]])
def test_value_too_many_matters_but_at_nodes_of_comfyui_itself(values: list[Any]) -> None:
    with pytest.raises(CapabilityError, match="4 values"):
        converted(single("Mine", values), Mine=MINE)
    own = MINE | {"python_module": "comfy_extras.nodes_mine"}
    assert converted(single("Mine", values), Mine=own)["1"]["inputs"] == {"a": 1, "b": 2, "c": 3}


def test_node_without_values_has_the_defaults_of_its_widgets() -> None:
    assert converted(single("Mine", []), Mine=MINE)["1"]["inputs"] == {"a": 1, "b": 2, "c": 3}


@pytest.mark.parametrize("names", [{"a": 1, "x": "word", "c": 2, "b": 3}, {"b": 1, "a": 2, "c": 3}, {"a": 2, "x": 1}])
def test_values_by_name_that_do_not_agree_are_refused(names: dict[str, Any]) -> None:
    with pytest.raises(CapabilityError, match="node 1"):
        converted(single("Mine", [1, 2, 3], widgets_values_named=names), Mine=MINE)


def test_widget_that_code_in_the_browser_makes_is_named() -> None:
    mine = described(points=["POINTS_EDITOR", {}])
    with pytest.raises(CapabilityError, match="points is made by code in the browser"):
        converted(single("Mine", ["[1,2]"]), Mine=mine)
    inputs = [{"name": "points", "type": "POINTS_EDITOR", "link": None}]
    assert converted(single("Mine", [], inputs=inputs), Mine=mine)["1"]["inputs"] == {}


def test_value_without_a_widget_is_refused_where_it_may_mean_something() -> None:
    loader = {"input": {"required": {}, "optional": {"model": ["MODEL"]}}, "output": ["MODEL"]}
    values = [{}, {"on": True, "lora": "x.safetensors", "strength": 1}, ""]
    with pytest.raises(CapabilityError, match=r"Some Lora Loader, node 1: .*3 values"):
        converted(single("Some Lora Loader", values), **{"Some Lora Loader": loader})


def test_value_that_a_node_only_shows_does_not_matter() -> None:
    shower = {"input": {"required": {}}, "output": [], "output_node": True}
    assert converted(single("Show", [[{"url": "a"}]]), Show=shower)["1"]["inputs"] == {}


def test_widget_without_a_value_whose_source_is_off_is_named() -> None:
    values = file("muted")
    node_of(values, 3)["widgets_values"][2] = None
    with pytest.raises(CapabilityError, match="KSampler, node 3: its steps has no value"):
        converted(values)


@pytest.mark.parametrize("values", [[], ["image"], {"other": 1}])
def test_file_that_was_not_saved_is_not_replaced_by_another(values: Any) -> None:
    saved = file("pictures")
    node_of(saved, 1)["widgets_values"] = values
    with pytest.raises(CapabilityError, match="LoadImage, node 1: its image has no value"):
        converted(saved)


def test_links_are_those_that_the_graph_lists() -> None:
    values = file("plain")
    before = converted(values)
    for node in values["nodes"]:
        for taken in node.get("inputs", []):
            taken["link"] = None
    assert converted(values) == before
    values["links"] = []
    assert converted(values)["3"]["inputs"].keys() == {
        "seed", "steps", "cfg", "sampler_name", "scheduler", "denoise",
    }  # fmt: skip


def test_value_of_a_primitive_that_its_widget_does_not_take_is_named() -> None:
    values = file("primitives")
    node_of(values, 30)["widgets_values"] = ["word", "fixed"]
    with pytest.raises(CapabilityError, match="node 3: the value that a primitive hands to its seed"):
        converted(values)


def test_subgraph_with_other_values_than_it_shows_is_named() -> None:
    values = file("subgraph")
    node_of(values, 57)["widgets_values"] = [1, 2]
    with pytest.raises(CapabilityError, match=r"Draw \(a subgraph\), node 57: .*2 values where its subgraph shows 3"):
        converted(values)
    node_of(values, 57)["widgets_values"] = ["word", 2, 3]
    with pytest.raises(CapabilityError, match="node 57: its value for seed"):
        converted(values)


def test_group_node_with_other_values_than_its_nodes_is_named() -> None:
    values = file("group-node")
    node_of(values, 60)["widgets_values"].pop()
    with pytest.raises(CapabilityError, match="group node “My group”"):
        converted(values)


def test_subgraph_that_holds_itself_is_refused() -> None:
    values = file("subgraph")
    inner = values["definitions"]["subgraphs"][0]
    inner["nodes"].append({"id": 90, "type": inner["id"]})
    with pytest.raises(RequestRejected, match="holds itself"):
        converted(values)


def test_subgraphs_that_multiply_are_refused() -> None:
    subgraphs = [{"id": f"s{n}", "nodes": [{"id": i, "type": f"s{n + 1}"} for i in range(10)]} for n in range(20)]
    values = {"nodes": [{"id": 1, "type": "s0"}], "definitions": {"subgraphs": subgraphs}}
    with pytest.raises(RequestRejected, match="too large"):
        converted(values)


@pytest.mark.parametrize("kind", ["Reroute", "SetNode"])
def test_links_in_a_circle_are_refused(kind: str) -> None:
    values = file("plain")
    values["nodes"] += [
        {"id": n, "type": kind, "inputs": [{"name": "", "type": "*", "link": link}]} for n, link in ((70, 71), (71, 70))
    ]
    values["links"] += [[70, 70, 0, 71, 0, "*"], [71, 71, 0, 70, 0, "*"], [72, 70, 0, 9, 0, "IMAGE"]]
    node_of(values, 9)["inputs"][0]["link"] = 72
    with pytest.raises(RequestRejected, match="circle"):
        converted(values)


def test_long_chains_are_followed() -> None:
    values = file("plain")
    chain = range(100, 490)
    values["nodes"] += [
        {"id": n, "type": "Reroute", "inputs": [{"name": "", "type": "*", "link": n}], "outputs": [{}]} for n in chain
    ]
    values["links"] += [[n, 8 if n == 100 else n - 1, 0, n, 0, "IMAGE"] for n in chain] + [[999, 489, 0, 9, 0, "IMAGE"]]
    node_of(values, 9)["inputs"][0]["link"] = 999
    assert converted(values)["9"]["inputs"]["images"] == ["8", 0]


def test_search_for_places_ends() -> None:
    many = described(**{f"n{n}": [kind, {}] for n in range(60) for kind in ("INT", "FLOAT")})
    values = single("Mine", [*range(30), "word"])
    values["nodes"] += [values["nodes"][0] | {"id": number} for number in range(2, 200)]
    with pytest.raises(CapabilityError, match="199 nodes"):
        converted(values, Mine=many)


JUNK: list[Any] = [None, True, -1, 10**400, 1.5, "", "x", [], [1], {}, {"a": 1}, [[]], [{}], "-10"]


@pytest.mark.parametrize("name", NAMES)
def test_file_with_anything_anywhere_is_converted_or_refused(name: str) -> None:
    chance = random.Random(name)
    for _ in range(60):
        values = file(name)
        for _ in range(chance.randint(1, 3)):
            holder: Any = values
            while True:
                keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
                if not keys:
                    break
                key = chance.choice(keys)
                if isinstance(holder[key], dict | list) and holder[key] and chance.random() < 0.85:
                    holder = holder[key]
                    continue
                holder[key] = chance.choice(JUNK)
                break
        with contextlib.suppress(GenerationError):
            json.dumps(convert(values, ObjectInfo(CLASSES), most=500, now=NOW))


@pytest.mark.parametrize("junk", JUNK)
def test_description_with_anything_in_it_breaks_nothing(junk: Any) -> None:
    inputs: list[Any] = [junk, {"required": junk}, {"required": {"a": junk}}, {"required": {"a": ["INT", junk]}}]
    inputs += [{"required": {"a": [kind, {"options": junk, "template": junk}]}} for kind in CLASS_TYPES]
    for reported in inputs:
        classes = {"Mine": {"input": reported, "input_order": junk, "output": junk}}
        with contextlib.suppress(GenerationError):
            convert(single("Mine", [1]), ObjectInfo(classes), most=9, now=NOW)


CLASS_TYPES = ("COMBO", "COMFY_DYNAMICCOMBO_V3", "COMFY_AUTOGROW_V3", "COMFY_MATCHTYPE_V3", "COLOR")


def test_workflow_of_an_engine_may_be_one_of_the_editor(tmp_path: Any) -> None:
    path = tmp_path / "workflow.json"
    path.write_text(json.dumps(file("plain")))
    classes = json.loads(json.dumps(CLASSES))
    classes["CheckpointLoaderSimple"]["input"]["required"]["ckpt_name"][0] = ["tiny.safetensors"]
    workflow = load_workflow(str(path), ObjectInfo(classes))
    assert workflow.mapping.prompt[0].node == "6"
