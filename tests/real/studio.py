"""Easel as it is built for real, behind its HTTP door, with a real ComfyUI as its engine."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx

from backends.comfyui.graphs.graph import Graph
from tests.api.conftest import Site, site_at
from tests.real.comfy import RealComfyUI

END_LIMIT_S = 120.0
SMALL = {"width": 64, "height": 96, "steps": 2, "seed": 42}
WORDS = {"prompt": "a red fox", "negative_prompt": "blurry dog"}


class Studio:
    """The actions of a person at the studio, and what ComfyUI then ran."""

    def __init__(self, site: Site, comfyui: RealComfyUI) -> None:
        self._site = site
        self._client: httpx.AsyncClient = site.client
        self._comfyui = comfyui

    async def keep(self, graph: Any, name: str = "w") -> dict[str, Any]:
        """Add a workflow, and return how it was read."""
        answer = await self._client.put(f"/api/workflows/{name}", json={"graph": graph})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    async def upload(self, picture: bytes) -> str:
        answer = await self._client.post("/api/uploads", content=picture)
        assert answer.is_success, answer.text
        return str(answer.json()["media_id"])

    async def ask(self, **reply: Any) -> str:
        """Have something drawn, and return the job's id."""
        answer = await self._client.post("/api/jobs", json={"backend": "comfyui", **SMALL, **reply})
        assert answer.status_code == 202, answer.text
        return str(answer.json()["jobs"][0]["id"])

    async def refused(self, **reply: Any) -> str:
        """Ask for what is refused at once, and return what is said of it."""
        answer = await self._client.post("/api/jobs", json={"backend": "comfyui", **SMALL, **reply})
        assert answer.is_client_error, answer.text
        return str(answer.json()["error"])

    async def job(self, job_id: str) -> dict[str, Any]:
        return dict((await self._client.get(f"/api/jobs/{job_id}")).json())

    async def ended(self, job_id: str) -> dict[str, Any]:
        """Wait until a job has ended."""
        async with asyncio.timeout(END_LIMIT_S):
            async for view in self._site.web.services.generation.watch(job_id):
                if view.job.is_terminal:
                    break
        return await self.job(job_id)

    async def cancel(self, job_id: str) -> dict[str, Any]:
        assert (await self._client.post(f"/api/jobs/{job_id}/cancel")).is_success
        return await self.ended(job_id)

    async def engines(self) -> list[dict[str, Any]]:
        return list((await self._client.get("/api/engines")).raise_for_status().json()["engines"])

    async def draw(self, **reply: Any) -> dict[str, Any]:
        return await self.ended(await self.ask(**reply))

    async def drawn(self, **reply: Any) -> tuple[dict[str, Any], Graph]:
        """Have something drawn that works, and return the job and the graph that was run for it."""
        job = await self.draw(**reply)
        assert job["status"] == "done", job
        return job, await self._comfyui.ran()

    async def file(self, job: dict[str, Any], number: int = 0) -> bytes:
        """Return a file that a job made."""
        answer = await self._client.get(f"/api/media/{job['images'][number]['id']}")
        assert answer.is_success
        return answer.content


@asynccontextmanager
async def studio_with(comfyui: RealComfyUI, folder: Path) -> AsyncIterator[Studio]:
    async with site_at(folder, COMFYUI_URL=comfyui.url) as site:
        yield Studio(site, comfyui)


def changes(before: Graph, after: Graph) -> dict[str, Any]:
    """Return what was changed between two graphs, as {"node.input": new value}; new nodes by their class."""
    found: dict[str, Any] = {}
    for node, reported in after.items():
        old = before.get(node)
        if old is None:
            found[node] = reported["class_type"]
            continue
        for name, value in reported["inputs"].items():
            if old["inputs"].get(name) != value:
                found[f"{node}.{name}"] = value
    return found | {node: None for node in before if node not in after}
