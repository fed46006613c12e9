"""Saved workflows as tools, on a stand-in ComfyUI: their own arguments are typed, and what is none is refused."""

from __future__ import annotations

from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from backends.base import BackendConfig
from backends.registry import Entry
from generation.errors import RequestRejected
from tests.assistants.conftest import assistant_at, served
from tests.backends.comfyui.rig import connect
from tests.engines.comfyui_server import ComfyUIServer

FILES = Path(__file__).parents[1] / "data" / "comfyui" / "workflows"


@asynccontextmanager
async def workflows_at(folder: Path, **files: str) -> Any:
    """Keep workflows by name, and connect an assistant."""
    async with ComfyUIServer() as server, served(folder) as (site, url), assistant_at(url) as client:
        config = BackendConfig(name="gpu1", kind="comfyui", label="The GPU", url=server.url)
        site.easel.registry.add(Entry(config=config, backend=connect(server)))
        await site.easel.registry.refresh("gpu1")
        for name, file in files.items():
            content = (FILES / f"{file}.api.json").read_bytes()
            token = (await site.client.post("/api/workflows/analyse", content=content)).json()["token"]
            assert (await site.client.put(f"/api/workflows/{name}", json={"token": token})).status_code == 200
        yield site, client


async def test_a_saved_workflow_is_listed_with_its_options_and_draws_by_them(tmp_path: Path) -> None:
    async with workflows_at(tmp_path, Portrait="txt2img_sd15") as (site, client):
        patch = {"field": "option detail", "value": "3.denoise --range 0..1"}
        assert (await site.client.patch("/api/workflows/Portrait", json=patch)).status_code == 200
        tools = {tool.name: tool for tool in (await client.list_tools()).tools}
        fields = tools["workflow_portrait"].input_schema["properties"]
        drawn = await client.call_tool("workflow_portrait", {"prompt": "a fox", "steps": 7, "seed": 5, "detail": 0.5})
        job = await site.web.services.generation.get(drawn.structured_content["job_id"])
    assert (fields["detail"]["type"], fields["detail"]["minimum"], fields["detail"]["maximum"]) == ("number", 0, 1)
    assert {"prompt", "picture", "negative_prompt", "steps", "seed", "wait_s"} <= set(fields)
    assert not drawn.is_error, drawn.content
    assert (job.request.workflow.name, job.drawn.steps, job.drawn.seed) == ("Portrait", 7, 5)
    assert dict(job.request.options) == {"detail": "0.5"}


async def test_wrong_arguments_of_a_workflow_are_named(tmp_path: Path) -> None:
    async with workflows_at(tmp_path, Portrait="txt2img_sd15") as (__, client):
        wrong = {"nope": 3, "steps": "many", "prompt": 5, "private": "maybe", "picture": "zz"}
        for name, value in wrong.items():
            refused = await client.call_tool("workflow_portrait", {"prompt": "a fox"} | {name: value})
            assert refused.is_error
            assert refused.structured_content["field"] == name


async def test_a_workflow_that_cannot_be_read_hides_no_other_tool(tmp_path: Path, monkeypatch: Any) -> None:
    async def load(workflow: object) -> None:
        raise RequestRejected("It is gone.")

    async with workflows_at(tmp_path, Portrait="txt2img_sd15") as (site, client):
        monkeypatch.setattr(site.web.services.workflows, "load", load)
        names = {tool.name for tool in (await client.list_tools()).tools}
    assert {"draw", "workflow_portrait"} <= names
