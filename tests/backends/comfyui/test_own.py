"""Workflows that people upload: read on a server, corrected by hand, drawn with beside the built-in graphs."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from backends.base import WorkflowBackend
from backends.comfyui.workflows.own import SEVERAL, SINGLE, load_own
from generation.capabilities import Fit, fit_workflow
from generation.errors import CapabilityError, RequestRejected
from generation.request import Mode, WorkflowRef
from tests.backends.comfyui.rig import connect, ignore, make_request
from tests.engines.comfyui_engine import DATA
from tests.engines.comfyui_server import ComfyUIServer


def exported(name: str = "txt2img_sd15", **nodes: Any) -> bytes:
    graph = json.loads((DATA / "workflows" / f"{name}.api.json").read_text())
    return json.dumps(graph | nodes).encode()


async def uploaded(backend: WorkflowBackend, content: bytes | None = None) -> WorkflowRef:
    read = await backend.read_workflow(content or exported())
    return WorkflowRef(name="portrait", id="1", graph=read.graph, mapping=read.mapping)


async def test_upload_is_told_in_words_and_runs_beside_the_built_in_graphs() -> None:
    async with ComfyUIServer() as server:
        backend = connect(server)
        assert isinstance(backend, WorkflowBackend)
        read = await backend.read_workflow(exported())
        assert "prompt: Positive (CLIPTextEncode), node 6, text" in read.lines
        workflow = WorkflowRef(name="portrait", id="1", graph=read.graph, mapping=read.mapping)
        await backend.generate(make_request(workflow=workflow, prompt="a lighthouse"), ignore)
        await backend.generate(make_request(prompt="a fox"), ignore)
        first, second = (job.graph for job in server.engine.submitted)
        assert first["6"]["inputs"]["text"] == "a lighthouse"
        assert first["9"]["class_type"] == "SaveImage"
        assert {node["class_type"] for node in second.values()} != {node["class_type"] for node in first.values()}
        await backend.aclose()


async def test_words_nobody_said_stay_as_they_were_exported() -> None:
    async with ComfyUIServer() as server:
        backend = connect(server)
        workflow = await uploaded(backend)
        await backend.generate(make_request(workflow=workflow, prompt=""), ignore)
        (job,) = server.engine.submitted
        before = json.loads(exported())
        for node in ("6", "7"):
            assert job.graph[node]["inputs"]["text"] == before[node]["inputs"]["text"]
        await backend.aclose()


async def test_defaults_of_a_workflow_are_its_own_values() -> None:
    async with ComfyUIServer() as server:
        backend = connect(server)
        can = await backend.workflow_capabilities(await uploaded(backend))
        sampler = json.loads(exported())["3"]["inputs"]
        assert can.default_steps == sampler["steps"]
        assert can.modes == {Mode.TXT2IMG}
        await backend.aclose()


async def test_steps_a_workflow_has_no_place_for_are_told() -> None:
    async with ComfyUIServer() as server:
        backend = connect(server)
        workflow = await uploaded(backend)
        read = await backend.correct_workflow(workflow, "steps", "none")
        workflow = replace(workflow, mapping=read.mapping)
        result = fit_workflow(make_request(workflow=workflow, steps=99), await backend.workflow_capabilities(workflow))
        assert isinstance(result, Fit)
        assert any("steps ignored" in note for note in result.notes)
        await backend.aclose()


async def test_file_of_the_editor_is_converted_by_what_the_server_has() -> None:
    saved = (DATA / "editor" / "plain.json").read_bytes().replace(b"tiny.safetensors", b"sd15_tiny.safetensors")
    async with ComfyUIServer() as server:
        backend = connect(server)
        workflow = await uploaded(backend, saved)
        assert json.loads(workflow.graph)["3"]["inputs"]["scheduler"] == "karras"
        await backend.generate(make_request(workflow=workflow, prompt="a lighthouse"), ignore)
        (job,) = server.engine.submitted
        assert job.graph["6"]["inputs"]["text"] == "a lighthouse"
        server.engine.info.pop("VAEDecode")
        with pytest.raises(CapabilityError, match="VAEDecode"):
            await backend.read_workflow(saved)
        await backend.aclose()


async def test_file_that_is_no_workflow_is_refused_even_while_the_server_is_away() -> None:
    backend = connect("http://127.0.0.1:9")
    with pytest.raises(RequestRejected, match="no workflow") as caught:
        await backend.read_workflow(b'{"nodes": "none"}')
    assert "Export (API)" in caught.value.hint
    await backend.aclose()


async def test_missing_node_is_named_until_it_is_installed() -> None:
    async with ComfyUIServer() as server:
        backend = connect(server)
        workflow = await uploaded(backend)
        reported = server.engine.info.pop("VAEDecode")
        other = connect(server)
        with pytest.raises(CapabilityError, match="VAEDecode"):
            await other.workflow_capabilities(workflow)
        with pytest.raises(CapabilityError, match="VAEDecode"):
            await other.read_workflow(exported())
        server.engine.info["VAEDecode"] = reported
        assert (await other.workflow_capabilities(workflow)).modes
        await backend.aclose()
        await other.aclose()


async def test_owner_may_switch_uploads_off() -> None:
    async with ComfyUIServer() as server:
        for options, is_on in (({}, True), ({"own_workflows": "no"}, False)):
            backend = connect(server, options=options)
            assert (await backend.capabilities()).supports_workflows is is_on
            await backend.aclose()


@pytest.mark.parametrize(
    ("field", "place", "line"),
    [
        ("prompt", "7.text", "prompt: Negative (CLIPTextEncode), node 7, text"),
        ("Negative prompt", "none", "no place found for, stays as exported: negative"),
        ("cfg", "3.denoise", "cfg scale: KSampler, node 3, denoise"),
        ("prompt", "6.text, 7.text", "prompt: Positive (CLIPTextEncode), node 6, text, Negative"),
    ],
)
async def test_correction_is_shown(field: str, place: str, line: str) -> None:
    async with ComfyUIServer() as server:
        backend = connect(server)
        read = await backend.correct_workflow(await uploaded(backend), field, place)
        assert any(item.startswith(line) for item in read.lines), read.lines
        await backend.aclose()


def test_the_fields_of_the_page_are_those_that_can_be_set() -> None:
    page = Path("docs/backends/comfyui.md").read_text(encoding="utf-8")
    (listed,) = re.findall(r"The fields:\s(.+?)\.", page, re.DOTALL)
    assert tuple(re.findall("`(.+?)`", listed)) == (*SEVERAL, *SINGLE)


@pytest.mark.parametrize(
    ("field", "place", "says"),
    [
        ("colour", "6.text", "no value “colour”. Those that can be set: prompt"),
        ("prompt", "66.text", "no node “66”. It has: "),
        ("prompt", "text", "no node “text”"),
        ("prompt", "6.txt", "has no input “txt”. It has: text"),
        ("prompt", "3.positive", "takes that from another node"),
        ("steps", "6.text", "6.text holds no number, which steps takes"),
        ("prompt", "3.steps", "3.steps holds no words, which prompt takes"),
        ("steps", "3.steps, 3.seed", "one place only"),
    ],
)
async def test_correction_that_cannot_be_names_what_there_is(field: str, place: str, says: str) -> None:
    async with ComfyUIServer() as server:
        backend = connect(server)
        with pytest.raises(RequestRejected, match=says.replace(".", r"\.")):
            await backend.correct_workflow(await uploaded(backend), field, place)
        await backend.aclose()


def test_workflow_that_was_not_loaded_is_refused_in_words() -> None:
    with pytest.raises(RequestRejected, match="portrait"):
        load_own(WorkflowRef(name="portrait", id="1"))
