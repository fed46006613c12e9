"""Workflows by HTTP, with a stand-in ComfyUI: read, kept, corrected, forgotten, whose they are."""

import json

import pytest

from backends.base import BackendConfig
from backends.registry import Entry
from tests.api.conftest import SMALL
from tests.backends.comfyui.rig import connect
from tests.backends.comfyui.test_lacking import lacking
from tests.backends.comfyui.test_own import exported
from tests.engines.comfyui_server import ComfyUIServer

PATH = "/api/workflows/portrait"


@pytest.fixture
async def comfy(site):
    """A ComfyUI beside the sketch engine, of the settings."""
    async with ComfyUIServer() as server:
        config = BackendConfig(name="gpu1", kind="comfyui", label="The GPU", url=server.url)
        site.easel.registry.add(Entry(config=config, backend=connect(server)))
        await site.easel.registry.refresh("gpu1")
        yield server
        await site.easel.registry.remove("gpu1")


async def analyse(client, content=None):
    answer = await client.post("/api/workflows/analyse", content=content or exported())
    assert answer.status_code == 200, answer.text
    return answer.json()


def slots(reported):
    return {item["field"]: item["slots"] for item in reported["fields"] if item["slots"]}


async def test_a_file_is_read_as_nodes_links_and_values(comfy, client):
    reported = await analyse(client)
    assert slots(reported)["prompt"] == ["6.text"]
    sampler = next(node for node in reported["nodes"] if node["class_type"] == "KSampler")
    inputs = {item["name"]: item for item in sampler["inputs"]}
    assert inputs["positive"]["link"] == ["6", 0]
    assert inputs["steps"]["value"] > 0
    assert reported["outputs"] == ["9"]


async def test_a_read_file_is_kept_shown_corrected_and_forgotten(comfy, client):
    reported = await analyse(client)
    mapping = {name: places for name, places in slots(reported).items() if name != "seed"}
    kept = await client.put(PATH, json={"token": reported["token"], "mapping": mapping})
    assert kept.status_code == 200, kept.text
    assert "seed" not in slots(kept.json())
    assert (await client.get(PATH)).json() == kept.json()
    (listed,) = (await client.get("/api/workflows")).json()["workflows"]
    assert (listed["name"], listed["engine"], listed["owner"], listed["is_mine"]) == (
        "portrait", "comfyui", "easel", True,
    )  # fmt: skip
    changed = await client.patch(PATH, json={"field": "negative", "value": "none"})
    assert "negative" not in slots(changed.json())
    assert (await client.delete(PATH)).status_code == 204
    assert (await client.get(PATH)).status_code == 404


async def test_a_whole_graph_is_kept_at_once(comfy, client):
    kept = await client.put(PATH, json={"graph": json.loads(exported())})
    assert slots(kept.json())["prompt"] == ["6.text"]


async def test_a_correction_that_cannot_be_is_refused_and_nothing_is_kept(comfy, client):
    reported = await analyse(client)
    mapping = slots(reported) | {"prompt": ["99.text"]}
    answer = await client.put(PATH, json={"token": reported["token"], "mapping": mapping})
    assert (answer.status_code, answer.json()["field"]) == (400, "place")
    assert (await client.get("/api/workflows")).json() == {"workflows": []}


async def test_a_token_is_its_owners_alone(comfy, site, client):
    mia = await site.session_client("discord:7")
    token = (await analyse(client))["token"]
    assert (await mia.put(PATH, json={"token": token})).status_code == 410
    assert (await mia.put(PATH, json={})).status_code == 400


async def test_everybodys_workflows_are_changed_by_admins_only(comfy, site, client):
    mia = await site.session_client("discord:7")
    await client.put(PATH, json={"token": (await analyse(client))["token"]})
    (listed,) = (await mia.get("/api/workflows")).json()["workflows"]
    assert listed["is_mine"] is False
    assert (await mia.delete(PATH)).status_code == 403
    assert (await mia.patch(PATH, json={"field": "seed", "value": "none"})).status_code == 403
    assert (await mia.put(PATH, json={"token": (await analyse(mia))["token"]})).json()["owner"] == "user"
    assert (await mia.delete(PATH)).status_code == 204
    assert (await client.get(PATH)).json()["owner"] == "easel"


@pytest.mark.parametrize(("content", "status"), [(b"no json", 400), (b'{"nodes": []}', 400), (b"{}", 400)])
async def test_a_file_that_is_no_workflow_is_refused_in_words(comfy, client, content, status):
    answer = await client.post("/api/workflows/analyse", content=content)
    assert answer.status_code == status
    assert answer.json()["error"]


async def test_without_an_engine_for_it_the_way_is_told(client):
    answer = await client.post("/api/workflows/analyse", content=exported())
    assert (answer.status_code, answer.json()["code"]) == (422, "not_capable")


async def test_an_input_becomes_an_option_that_is_shown_checked_drawn_with_and_kept(comfy, site, client):
    await client.put(PATH, json={"graph": json.loads(exported())})
    answer = await client.patch(PATH, json={"field": "option detail", "value": "3.denoise --range 0..2"})
    (option,) = answer.json()["options"]
    assert option == {
        "name": "detail", "kind": "number", "low": 0, "high": 1, "default": "1", "choices": [], "slots": ["3.denoise"],
    }  # fmt: skip
    job = await site.draw(workflow="portrait", options={"detail": 0.5})
    assert job["request"]["options"] == {"detail": "0.5"}
    assert "--detail 0.5" in job["command"]
    assert comfy.engine.submitted[-1].graph["3"]["inputs"]["denoise"] == 0.5
    again = await client.post(f"/api/jobs/{job['id']}/again", json={})
    await site.ended(again.json()["jobs"][0]["id"])
    assert comfy.engine.submitted[-1].graph["3"]["inputs"]["denoise"] == 0.5
    refused = await client.post("/api/jobs", json={"prompt": "a fox", "workflow": "portrait", "options": {"detail": 5}})
    assert refused.status_code == 400
    assert "--detail cannot be “5”. Allowed: a number from 0 to 1" in refused.json()["error"]
    text = await site.draw(prompt=None, text="a fox --workflow portrait --detail 0.25 --other 3")
    assert text["request"]["options"] == {"detail": "0.25"}
    assert any("--other ignored: this workflow has --detail" in note for note in text["notes"])


async def test_keeping_it_anew_with_another_mapping_leaves_its_options(comfy, client):
    await client.put(PATH, json={"graph": json.loads(exported())})
    await client.patch(PATH, json={"field": "option detail", "value": "3.denoise"})
    await client.patch(PATH, json={"field": "seed", "value": "none"})
    assert [item["name"] for item in (await client.get(PATH)).json()["options"]] == ["detail"]


async def test_a_file_the_engine_lacks_is_a_problem_until_another_is_named(comfy, site, client):
    content, place = lacking("model")
    reported = await analyse(client, content)
    (problem,) = reported["problems"]
    assert "no model “gone.safetensors”" in problem
    kept = await client.put(PATH, json={"token": reported["token"]})
    assert (kept.status_code, kept.json()["problems"]) == (200, [problem])
    body = {"prompt": "a fox", "workflow": "portrait"} | SMALL
    refused = await client.post("/api/jobs", json=body)
    assert (refused.status_code, "no model “gone.safetensors”" in refused.text) == (422, True), refused.text
    job = await site.draw(workflow="portrait", model="sdxl_tiny")
    assert (job["status"], job["request"]["model"]) == ("done", "sdxl_tiny.safetensors")
    changed = await client.patch(PATH, json={"field": place, "value": "sdxl_tiny"})
    assert (changed.json()["problems"], (await client.get(PATH)).json()["problems"]) == ([], [])
    assert (await site.draw(workflow="portrait"))["status"] == "done"
