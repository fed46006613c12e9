"""Workflows as people have them, from the file to the graph that the server is sent: added, then drawn with, by HTTP.

What is asserted is what the stand-in for ComfyUI was sent, and what the person is told.
"""

import json
from pathlib import Path
from typing import Any

import pytest

from backends.base import BackendConfig
from backends.registry import Entry
from tests.api.test_picture_sizes import uploaded
from tests.backends.comfyui.rig import connect
from tests.engines.comfyui_engine import recorded
from tests.engines.comfyui_server import ComfyUIServer
from tests.utils.pictures import noise, picture

CASES = Path(__file__).parents[1] / "data/cases"
NODES = [json.loads((CASES / f"comfyui/{kind}-nodes.object_info.json").read_text()) for kind in ("core", "custom")]
SAID = "a red fox --seed 42 --steps 40 --negative blurry dog --workflow x"
FOX, DOG = "a red fox", "blurry dog"


def file_of(name: str) -> bytes:
    (path,) = [*CASES.glob(f"comfyui/{name}-*"), *CASES.glob(f"{name}-*.json")]
    return path.read_bytes()


@pytest.fixture
async def comfy(site):
    """A ComfyUI with the core nodes, some custom ones, and every file that a case names."""
    async with ComfyUIServer() as server:
        server.engine.info = with_files(recorded("object_info") | NODES[0] | NODES[1])
        config = BackendConfig(name="gpu1", kind="comfyui", label="The GPU", url=server.url)
        site.easel.registry.add(Entry(config=config, backend=connect(server)))
        await site.easel.registry.refresh("gpu1")
        yield server
        await site.easel.registry.remove("gpu1")


def with_files(info: dict[str, Any]) -> dict[str, Any]:
    """Let the server have the files, ranges and versions of nodes that the machine had from which each case comes."""
    info = json.loads(json.dumps(info))
    paths = [path for path in CASES.rglob("*-*.json") if "object_info" not in path.name]
    for node in (node for path in paths for node in nodes_of(path.read_bytes()).values()):
        required = info[node["class_type"]]["input"]["required"]
        for name, value in node["inputs"].items():
            spec = required.get(name)
            listed = choices_of(spec)
            if listed is not None and isinstance(value, str) and value not in listed:
                listed.append(value)
            if listed is None and isinstance(value, int) and spec and value < spec[1].get("min", value):
                spec[1]["min"] = value
    return info


def nodes_of(content: bytes) -> dict[str, Any]:
    reported = json.loads(content)
    graph = reported.get("output") or reported.get("prompt") or reported
    return {node: about for node, about in graph.items() if isinstance(about, dict) and "class_type" in about}


def choices_of(spec: Any) -> list[Any] | None:
    if not spec:
        return None
    if isinstance(spec[0], list):
        return spec[0]
    return spec[1].get("options") if spec[0] == "COMBO" else None


async def added(client: Any, name: str) -> dict[str, Any]:
    answer = await client.post("/api/workflows/analyse", content=file_of(name))
    assert answer.status_code == 200, answer.text
    kept = await client.put("/api/workflows/x", json={"token": answer.json()["token"]})
    assert kept.status_code == 200, kept.text
    return kept.json()


async def drawn(site: Any, text: str = SAID, **reply: Any) -> dict[str, Any]:
    answer = await site.client.post("/api/jobs", json={"text": text} | reply)
    assert answer.status_code == 202, answer.text
    return await site.ended(answer.json()["jobs"][0]["id"])


def sent(server: ComfyUIServer) -> dict[str, Any]:
    return server.engine.submitted[-1].graph


def values_of(graph: dict[str, Any], places: Any) -> dict[str, Any]:
    return {place: graph[place.partition(".")[0]]["inputs"].get(place.partition(".")[2]) for place in places}


@pytest.mark.parametrize(
    ("name", "inputs"),
    [
        ("05", {"6.text": FOX, "7.text": DOG, "41.seed": 42, "3.steps": 40}),
        ("06", {"31.delimiter": ", ", "32.text": FOX, "33.text": "masterpiece, best quality", "7.text": DOG}),
        ("07", {"31.string_a": "masterpiece, best quality", "32.value": FOX, "7.text": DOG}),
        ("08", {"16.clip_l": FOX, "16.clip_g": FOX, "16.t5xxl": FOX, "16.llama": FOX, "40.text": DOG, "3.steps": 40}),
        ("08b", {"6.clip_l": FOX, "6.clip_g": FOX, "6.t5xxl": FOX, "7.text": DOG}),
        ("11", {"3.steps": 40, "3.end_at_step": 32, "11.steps": 40, "11.start_at_step": 32, "11.end_at_step": 10000,
                "6.text": FOX, "15.text": FOX, "7.text": DOG, "16.text": DOG, "3.noise_seed": 42}),
        ("13", {"6.text": FOX, "7.text": DOG, "3.seed": 42, "3.steps": 40}),
        ("14", {"6.text": FOX, "7.text": DOG, "3.seed": 42, "3.steps": 40}),
        ("14b", {"6.text": FOX, "7.text": DOG, "3.seed": 42, "3.steps": 40}),
        ("15", {"1.positive": FOX, "1.negative": DOG, "2.seed": 42, "2.steps": 40}),
        ("16", {"6.text": FOX, "7.text": DOG, "3.seed": 42}),
        ("16b", {"6.text": FOX, "41.text": "second", "40.text": DOG, "25.noise_seed": 42, "17.steps": 40}),
        ("16c", {"1.positive": FOX, "1.negative": DOG, "2.seed": 42, "2.steps": 40}),
        ("16d", {"6.user_prompt": FOX, "6.system_prompt": "superior", "7.text": DOG}),
        ("17", {"6.text": FOX, "7.text": DOG, "3.steps": 40}),
    ],
)  # fmt: skip
async def test_what_is_said_stands_where_it_belongs_in_the_graph_that_is_sent(comfy, site, name, inputs):
    await added(site.client, name)
    job = await drawn(site)
    assert job["status"] == "done", job["error"]
    assert values_of(sent(comfy), inputs) == inputs
    assert not [note for note in job["notes"] if "ignored" in note]


@pytest.mark.parametrize(
    ("name", "reply", "inputs"),
    [
        ("05", "--size 640x512", {"5.width": 640, "5.height": 512}),
        ("11", "--size 640x512", {"5.width": 640, "5.height": 512}),
        ("15", "--size 512x640", {"1.empty_latent_width": 512, "1.empty_latent_height": 640}),
        ("16", "--size 640x512", {"5.width": 640, "5.height": 512}),
        ("16c", "--size 512x640", {"1.empty_latent_width": 512, "1.empty_latent_height": 640}),
        ("17", "", {"5.width": 512, "5.height": 768}),
        ("20", "--lora tiny_style:0.5",
         {"44.lora_1": {"on": True, "lora": "tiny_style.safetensors", "strength": 0.5}, "3.model": ["44", 0]}),
    ],
)  # fmt: skip
async def test_sizes_and_loras_are_set_where_the_workflow_has_them(comfy, site, name, reply, inputs):
    await added(site.client, name)
    job = await drawn(site, f"a fox --workflow x {reply}")
    assert job["status"] == "done", job["error"]
    graph = sent(comfy)
    numbers = {place: as_number(value) for place, value in values_of(graph, inputs).items()}
    assert numbers == inputs
    assert graph.keys() == nodes_of(file_of(name)).keys()  # nothing is spliced in


def as_number(value: Any) -> Any:
    return int(value) if isinstance(value, str) and value.isdigit() else value


@pytest.mark.parametrize(
    ("name", "place", "denoise"), [("09", "142.image", "31.denoise"), ("09b", "78.image", "3.denoise"),
                                   ("09c", "10.image", "3.denoise"), ("10", "78.image", "3.denoise")],
)  # fmt: skip
async def test_a_picture_goes_in_and_what_nobody_says_has_the_value_of_the_export(comfy, site, name, place, denoise):
    comfy.engine.files["input", "", "example.png"] = noise((64, 64))
    await added(site.client, name)
    brought = await uploaded(site, noise((96, 96), seed=3))
    job = await drawn(site, init_image=brought)
    assert job["status"] == "done", job["error"]
    graph = sent(comfy)
    (reference,) = values_of(graph, [place]).values()
    assert (
        comfy.engine.files[comfy.engine.locate(reference)] == (await site.client.get(f"/api/media/{brought}")).content
    )
    assert values_of(graph, [denoise]) == {denoise: 1}


async def test_a_picture_that_is_only_previewed_is_not_taken(comfy, site):
    comfy.engine.files["input", "", "example.png"] = noise((64, 64))
    await added(site.client, "12")
    brought = await uploaded(site, noise((96, 96)))
    mask = await uploaded(site, picture("PNG", (96, 96), "L", color=255))
    unused = ({}, "has no place for a picture"), ({"mask_image": mask}, "has no place for a picture")
    for reply, lack in unused:
        answer = await site.client.post("/api/jobs", json={"text": SAID, "init_image": brought} | reply)
        assert answer.status_code == 422
        assert f"the workflow “x” {lack}: draw without one" in answer.json()["error"]
    assert comfy.engine.submitted == []


async def test_a_workflow_whose_seed_needs_64_bits_is_shown_exactly(comfy, site):
    path = CASES.parent / "comfyui/hostile/seed-2p64-1.json"
    token = (await site.client.post("/api/workflows/analyse", content=path.read_bytes())).json()["token"]
    await site.client.put("/api/workflows/x", json={"token": token})
    await site.client.patch("/api/workflows/x", json={"field": "seed", "value": "none"})
    job = await drawn(site, "a red fox --workflow x")
    assert job["status"] == "done", job["error"]
    assert sent(comfy)["3"]["inputs"]["seed"] == 2**64 - 1
    gallery = await site.client.get("/api/gallery")
    assert gallery.status_code == 200
    assert '"18446744073709551615"' in gallery.text or ":18446744073709551615" in gallery.text


@pytest.mark.parametrize(("name", "words"), [("infinite-cfg", "cfg"), ("infinite-width", "width")])
async def test_a_number_that_is_none_is_refused_when_it_is_added(comfy, site, name, words):
    content = (CASES.parent / f"comfyui/hostile/{name}.json").read_bytes()
    for answer in (
        await site.client.post("/api/workflows/analyse", content=content),
        await site.client.put("/api/workflows/x", content=b'{"graph": ' + content + b"}"),
    ):
        assert answer.status_code in (400, 422), answer.text
    error = (await site.client.post("/api/workflows/analyse", content=content)).json()["error"]
    assert words in error
    assert "not a finite number" in error


async def lines_of(client: Any, name: str) -> list[str]:
    return (await client.post("/api/workflows/analyse", content=file_of(name))).json()["lines"]


async def test_a_save_node_that_reports_nothing_is_told_when_it_is_added(comfy, site):
    line = "node 9 may report no picture while show_previews is false: switch it on"
    assert line in await lines_of(site.client, "18")


async def test_a_workflow_that_makes_a_video_says_so_when_it_is_added_and_is_drawn_with(comfy, site):
    lines = await lines_of(site.client, "19")
    assert "output: SaveVideo (node 80), video" in lines
    assert "option --frames: EmptyHunyuanLatentVideo, node 74, length" in lines
    await added(site.client, "19")
    job = await drawn(site, f"{SAID} --frames 33")
    assert job["status"] == "done", job["error"]
    inputs = {"89.text": FOX, "72.text": DOG, "81.noise_seed": 42, "74.length": 33,
              "81.steps": 40, "81.start_at_step": 0, "81.end_at_step": 20,
              "78.steps": 40, "78.start_at_step": 20, "78.end_at_step": 40}  # fmt: skip
    assert values_of(sent(comfy), inputs) == inputs
