"""Easel as `main` builds it, behind its HTTP door on a free port of this machine, in the tests' own event loop."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
from PIL import Image

from api.door import WebDoor
from api.events import Hub
from app.build import Easel, build
from app.doors import open_web
from config import read_settings
from generation.job import Progress

SMALL = {"width": 64, "height": 64, "steps": 2}
JOB_S = 20.0
TABLES = (
    "image_favorites", "collection_images", "image_collections", "generated_images", "image_generation_stats", "jobs",
)  # fmt: skip


class Studio:
    """One running Easel. `url` is its page; the server can be cut off and brought back on the same port."""

    def __init__(self, easel: Easel) -> None:
        self.easel = easel
        self.url = ""
        self.client = httpx.AsyncClient(timeout=20)
        self._door: WebDoor | None = None

    async def open(self) -> None:
        self._door, (self.url,) = await open_web(self.easel)
        port = int(self.url.rstrip("/").rsplit(":", 1)[1])
        self.easel.settings = self.easel.settings.changed(web={"port": port})

    async def cut(self) -> None:
        """Close the door; jobs go on behind it."""
        if self._door:
            await self._door.close()
            self._door = None

    async def close(self) -> None:
        await self.client.aclose()
        await self.cut()
        await self.easel.queue.stop()
        await self.easel.close()

    async def get(self, path: str) -> Any:
        answer = await self.client.get(self.url + path.lstrip("/"))
        assert answer.status_code == 200, answer.text
        return answer.json()

    @property
    def hub(self) -> Hub:
        """Return what feeds the streams of the pages."""
        assert self._door, "it is open"
        return self._door.web.hub

    async def counts(self, path: str, total: int) -> None:
        """Wait until a list has so many entries: the page shows a change before the server has taken it."""
        async with asyncio.timeout(10):
            while (await self.get(path))["total"] != total:
                await asyncio.sleep(0.02)

    async def file(self, path: str) -> bytes:
        answer = await self.client.get(self.url + path.lstrip("/"))
        assert answer.status_code == 200, answer.text
        return answer.content

    async def ask(self, **reply: Any) -> dict[str, Any]:
        """Put a small job in the queue."""
        answer = await self.client.post(f"{self.url}api/jobs", json={"prompt": "a red fox"} | SMALL | reply)
        assert answer.status_code == 202, answer.text
        return answer.json()["jobs"][0]

    async def draw(self, **reply: Any) -> dict[str, Any]:
        """Have a small picture drawn; return its job when it is done."""
        job = await self.ended((await self.ask(**reply))["id"])
        assert job["status"] == "done", job["error"]
        return job

    async def draw_as(self, person: str, name: str, **reply: Any) -> dict[str, Any]:
        """Have a small picture drawn for somebody from Discord; return its job as the local person sees it."""
        cookies = {"easel_link": self.easel.web.access.sign_in_link(f"discord:{person}", name, 60.0)}
        async with httpx.AsyncClient(timeout=20, cookies=cookies) as other:
            other.headers["Sec-Fetch-Site"] = "same-origin"
            answer = await other.post(f"{self.url}api/jobs", json={"prompt": "a red fox"} | SMALL | reply)
        assert answer.status_code == 202, answer.text
        return await self.ended(answer.json()["jobs"][0]["id"])

    async def ended(self, job_id: str) -> dict[str, Any]:
        async with asyncio.timeout(JOB_S):
            async for view in self.easel.services.generation.watch(job_id):
                if view.job.is_terminal:
                    break
        return await self.get(f"api/jobs/{job_id}")

    async def newest(self) -> dict[str, Any]:
        return (await self.get("api/jobs?scope=mine&limit=1"))["jobs"][0]

    async def clear(self) -> None:
        """Take away what a test left, as if nothing had ever been asked for."""
        for job in (await self.get("api/jobs?scope=active&limit=200"))["jobs"]:
            await self.client.post(f"{self.url}api/jobs/{job['id']}/cancel")
            await self.ended(job["id"])
        for engine in (await self.get("api/engines"))["engines"]:
            if engine["is_mine"] and engine["owner"] == "user":
                await self.client.delete(f"{self.url}api/engines/{engine['name']}")
        for table in TABLES:
            await self.easel.database.write(f"DELETE FROM {table}")

    @contextmanager
    def held(self, engine: str = "sketch") -> Iterator[asyncio.Event]:
        """Let each job of an engine come to a quarter, with a preview, and no further until the event is set."""
        backend: Any = self.easel.registry.get(engine).backend
        released, generate = asyncio.Event(), backend.generate

        async def wait(request: Any, report: Any) -> Any:
            if not released.is_set():
                await report(Progress(fraction=0.25, step=5, steps=20, preview=jpeg(64, 64, "#cc6633")))
            await released.wait()
            return await generate(request, report)

        backend.generate = wait
        try:
            yield released
        finally:
            released.set()
            del backend.generate

    @contextmanager
    def failing(self, error: Exception) -> Iterator[None]:
        """Let each job of the sketch engine fail."""

        async def refuse(*_: object) -> None:
            raise error

        backend: Any = self.easel.registry.get("sketch").backend
        backend.generate = refuse
        try:
            yield
        finally:
            del backend.generate


@asynccontextmanager
async def studio_at(folder: Path, **environ: str) -> AsyncIterator[Studio]:
    """Build Easel in a folder, start it and listen."""
    reply = {"DATA_DIR": str(folder), "PROBE_LOCAL_PORTS": "false", "GRACEFUL_STOP": "0", "PORT": "0"}
    easel = await build(read_settings(folder / "none.env", reply | environ))
    await easel.start()
    for entry in easel.registry:
        await easel.registry.refresh(entry.name)
    studio = Studio(easel)
    await studio.open()
    try:
        yield studio
    finally:
        await studio.close()


def picture(width: int = 64, height: int = 64, colour: str = "#336699", kind: str = "PNG") -> bytes:
    """A picture file of one colour."""
    out = BytesIO()
    Image.new("RGB", (width, height), colour).save(out, kind)
    return out.getvalue()


def jpeg(width: int, height: int, colour: str) -> bytes:
    return picture(width, height, colour, "JPEG")
