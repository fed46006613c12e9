"""Files of ComfyUI's own editor become the graphs that it would run itself.

`tests/data/comfyui/editor` holds files and, beside each, what the editor 1.58 makes of it (`.api.json`); the nodes are
described there as ComfyUI 0.33 does.
"""

import copy
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from backends.comfyui.editor import convert
from backends.comfyui.graphs.graph import Graph
from backends.comfyui.graphs.nodes import ObjectInfo
from backends.comfyui.workflows.workflow import open_workflow, read_workflow
from tests.engines.comfyui_engine import DATA

EDITOR = DATA / "editor"
CLASSES: dict[str, Any] = json.loads((EDITOR / "object_info.json").read_text())
NAMES = sorted(path.name.removesuffix(".api.json") for path in EDITOR.glob("*.api.json"))
NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


def file(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((EDITOR / f"{name}.json").read_text())
    return found


def node_of(values: dict[str, Any], number: int) -> dict[str, Any]:
    found: dict[str, Any] = next(node for node in values["nodes"] if node["id"] == number)
    return found


def converted(values: dict[str, Any], **classes: Any) -> Graph:
    return convert(values, ObjectInfo(CLASSES | classes), most=500, now=NOW)


def described(**widgets: Any) -> dict[str, Any]:
    return {"input": {"required": widgets}, "output": ["IMAGE"], "output_name": ["IMAGE"], "display_name": "Mine"}


def single(kind: str, values: Any, **more: Any) -> dict[str, Any]:
    return {"nodes": [{"id": 1, "type": kind, "mode": 0, "widgets_values": values} | more], "links": []}


@pytest.mark.parametrize("name", NAMES)
def test_graph_is_the_one_that_the_editor_runs(name: str) -> None:
    assert converted(file(name)) == json.loads((EDITOR / f"{name}.api.json").read_text())


@pytest.mark.parametrize("name", NAMES)
def test_file_is_left_as_it_was(name: str) -> None:
    values = file(name)
    before = copy.deepcopy(values)
    converted(values)
    assert values == before


def png(**texts: str) -> bytes:
    about = PngInfo()
    for name, text in texts.items():
        about.add_text(name, text)
    data = io.BytesIO()
    Image.new("RGB", (4, 4)).save(data, "PNG", pnginfo=about)
    return data.getvalue()


def exif(kind: str, text: str) -> bytes:
    about = Image.Exif()
    about[0x010F] = f"workflow:{text}"
    data = io.BytesIO()
    Image.new("RGB", (4, 4)).save(data, kind, exif=about)
    return data.getvalue()


def test_file_is_taken_alone_in_envelopes_and_out_of_pictures() -> None:
    values, info = file("plain"), ObjectInfo(CLASSES)
    text = json.dumps(values)
    expected = converted(values)
    inputs: list[str | bytes | dict[str, Any]] = [
        text, text.encode(), values, {"workflow": values}, {"extra": 1, "prompt": "words", "workflow": values},
        png(workflow=text), exif("JPEG", text), exif("WEBP", text),
    ]  # fmt: skip
    for content in inputs:
        assert read_workflow(content, info) == expected


def test_picture_with_both_is_read_for_its_api_graph() -> None:
    graph = {"9": {"class_type": "SaveImage", "inputs": {}}}
    assert open_workflow(png(prompt=json.dumps(graph), workflow=json.dumps(file("plain")))) == graph


def test_values_saved_by_name_are_taken_by_name() -> None:
    formats = {"h264": [["crf", "INT", {"default": 19}]]}
    combine = described(frame_rate=["FLOAT", {"default": 8}], format=[["h264"], {"formats": formats}])
    values = {"frame_rate": 12, "format": "h264", "crf": 21, "videopreview": {"hidden": False}}
    graph = converted(single("Combine", values), Combine=combine)
    assert graph["1"]["inputs"] == {"frame_rate": 12, "format": "h264", "crf": 21}


def test_values_by_name_decide_where_places_do_not() -> None:
    mine = described(a=["INT", {"default": 1}], new=["INT", {"default": 2}], b=["INT", {"default": 3}])
    graph = converted(single("Mine", [10, 30], widgets_values_named={"a": 10, "b": 30}), Mine=mine)
    assert graph["1"]["inputs"] == {"a": 10, "new": 2, "b": 30}


def test_old_values_by_name_do_not_matter_where_the_widgets_are_the_same() -> None:
    mine = described(a=["INT", {}], b=["INT", {}])
    graph = converted(single("Mine", [10, 30], widgets_values_named={"a": 9, "b": 30}), Mine=mine)
    assert graph["1"]["inputs"] == {"a": 10, "b": 30}


def test_old_values_by_name_do_not_matter_where_a_button_is_saved_as_well() -> None:
    mine = described(audio=[["a.mp3"], {"audio_upload": True}])
    names = {"audio": "old.mp3", "upload": None}
    graph = converted(single("Mine", ["new.mp3", None, None], widgets_values_named=names), Mine=mine)
    assert graph["1"]["inputs"] == {"audio": "new.mp3"}


def test_widgets_that_the_file_names_decide_where_places_do_not() -> None:
    mine = described(a=["INT", {"default": 1}], new=["INT", {"default": 2}], b=["INT", {"default": 3}])
    inputs = [{"name": name, "type": "INT", "widget": {"name": name}, "link": None} for name in ("a", "b")]
    graph = converted(single("Mine", [10, 30], inputs=inputs), Mine=mine)
    assert graph["1"]["inputs"] == {"a": 10, "new": 2, "b": 30}


def test_types_ranges_and_lists_decide_which_widget_is_new() -> None:
    mine = described(
        seed=["INT", {"control_after_generate": True}], new=[["x", "y"], {}], strength=["FLOAT", {"min": 0, "max": 1}],
        mode=[["fast", "slow"], {}],
    )  # fmt: skip
    graph = converted(single("Mine", [77, "fixed", 0.5, "slow"]), Mine=mine)
    assert graph["1"]["inputs"] == {"seed": 77, "new": "x", "strength": 0.5, "mode": "slow"}


def test_control_of_a_list_holds_two_places() -> None:
    mine = described(lora=[["a", "b"], {"control_after_generate": True}], weight=["FLOAT", {}])
    graph = converted(single("Mine", ["b", "increment", "", 0.5]), Mine=mine)
    assert graph["1"]["inputs"] == {"lora": "b", "weight": 0.5}


def test_loras_of_a_node_that_lists_them_are_sent_one_by_one() -> None:
    name = "Power Lora Loader (rgthree)"
    loras = [{"on": True, "lora": f"{item}.safetensors", "strength": 0.5} for item in "ab"]
    values = single(name, [{}, {"type": "PowerLoraLoaderHeaderWidget"}, *loras, {}, ""])
    graph = converted(values, **{name: described()})
    assert graph["1"]["inputs"] == {"lora_1": loras[0], "lora_2": loras[1]}


def test_buttons_in_place_of_the_control_of_a_seed_do_not_matter() -> None:
    graph = converted(single("Seed", [42, "", None, ""]), Seed=described(seed=["INT", {"default": 0}]))
    assert graph["1"]["inputs"] == {"seed": 42}


def test_lists_are_not_sent_as_links() -> None:
    mine = described(colors=["COLORS", {}], curve=["CURVE", {}])
    graph = converted(single("Mine", [["#fff", 3], [[0, 0], [1, 1]]]), Mine=mine)
    assert graph["1"]["inputs"]["colors"] == {"__value__": ["#fff", 3]}
    assert graph["1"]["inputs"]["curve"] == {"__type__": "CURVE", "__value__": [[0, 0], [1, 1]]}


def test_dates_in_the_names_of_files_are_filled_in() -> None:
    values = file("plain")
    node_of(values, 9)["widgets_values"] = ["%date:yyyy-MM-dd hh-mm-ss%/%date:yy M%"]
    assert converted(values)["9"]["inputs"]["filename_prefix"] == "2026-03-04 05-06-07/26 3"


def test_one_of_several_choices_in_a_prompt_is_taken() -> None:
    values = file("plain")
    node_of(values, 6)["widgets_values"] = ["a {red|blue {dark|light}} fox, {{big|small}|tiny}"]
    assert converted(values)["6"]["inputs"]["text"] == "a red fox, big"


def test_title_that_nobody_wrote_is_the_one_the_server_gives() -> None:
    assert converted(single("Mine", []), Mine=described())["1"]["_meta"] == {"title": "Mine"}


def test_get_inside_a_subgraph_finds_the_set_around_it() -> None:
    values = file("subgraph-own-values")
    inner = values["definitions"]["subgraphs"][0]
    sampler = next(node for node in inner["nodes"] if node["type"] == "KSampler")
    inner["nodes"].append({"id": 99, "type": "GetNode", "widgets_values": ["m"], "outputs": [{"type": "MODEL"}]})
    inner["links"].append({"id": 90, "origin_id": 99, "origin_slot": 0, "target_id": 33, "target_slot": 0})
    sampler["inputs"][0]["link"] = 90
    values["nodes"].append(
        {
            "id": 98,
            "type": "SetNode",
            "widgets_values": ["m"],
            "inputs": [{"name": "MODEL", "type": "MODEL", "link": 91}],
        }
    )
    values["links"].append([91, 4, 0, 98, 0, "MODEL"])
    assert converted(values)["57:33"]["inputs"]["model"] == ["4", 0]


def test_editor_data_is_complete() -> None:
    files = {path.name.removesuffix(".json") for path in EDITOR.glob("*.json")} - {"object_info"}
    assert {name for name in files if not name.endswith(".api")} == set(NAMES)
    assert Path(EDITOR / "object_info.json").stat().st_size < 64 * 1024


@pytest.mark.parametrize(
    ("proxies", "saved", "expected"),
    [
        ([["-1", "steps"], ["33", "cfg"], ["33", "control_after_generate"]], [17, 3.5], {"steps": 17, "cfg": 3.5}),
        ([["-1", "steps"], ["33", "cfg"], ["33", "seed"]], [17], {"steps": 17, "cfg": 6.5, "seed": 1}),
        (
            [["33", "cfg"], ["33", "control_after_generate"], ["-1", "steps"]],
            [None, None, 17],
            {"steps": 17, "cfg": 6.5},
        ),
        ([["33", "control_after_generate"], ["-1", "steps"]], ["fixed", 17], {"steps": 17}),
        ([["-1", "steps"], ["-1", "$$canvas-image-preview"]], [17], {"steps": 17}),
    ],
)
def test_widgets_of_a_subgraph_without_a_saved_value_keep_the_one_inside(
    proxies: list[list[str]], saved: list[Any], expected: dict[str, Any]
) -> None:
    values = file("proxy-widgets")
    shown = [["-1", "seed"], ["-1", "width"]]
    node_of(values, 57)["properties"]["proxyWidgets"] = shown + proxies
    node_of(values, 57)["widgets_values"] = [1, 320, *saved]
    inputs = converted(values)["57:33"]["inputs"]
    assert {name: inputs[name] for name in expected} == expected


@pytest.mark.parametrize("saved", [["", "a castle"], ["a castle"], [["a castle"], ["a hill"]], []])
def test_text_that_a_node_only_shows_is_no_value_of_it(saved: list[Any]) -> None:
    shows = {
        "input": {"required": {"text": ["STRING", {"forceInput": True}]}},
        "output": ["STRING"],
        "output_name": ["STRING"],
        "output_node": True,
        "display_name": "Show Text",
    }
    wired = [{"name": "text", "type": "STRING", "link": None, "widget": {"name": "text"}}]
    graph = converted(single("ShowText|pysssss", saved, inputs=wired), **{"ShowText|pysssss": shows})
    assert graph["1"]["inputs"] == {}
