"""Easel as it is built for real, on SQLite and the sketch engine, behind its HTTP door; no port is opened."""

import asyncio
from collections.abc import Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
from fastapi import FastAPI
from PIL import Image

from api.app import create_app
from api.context import Web
from api.door import WebDoor
from app.build import Easel, build
from app.doors import make_door
from config import read_settings
from generation.capabilities import Capabilities
from settings.web import WebSettings
from store.folder import DATABASE_NAME
from tests.store.ready import lay_cache, lay_database

NEAR, FAR = ("127.0.0.1", 50000), ("203.0.113.9", 50000)
HERE = "http://127.0.0.1"
SMALL = {"width": 64, "height": 64, "steps": 4}


@dataclass
class Site:
    """One Easel and ways to call it. `client` is whoever sits at this machine."""

    easel: Easel
    door: WebDoor
    app: FastAPI
    client: httpx.AsyncClient
    clients: list[httpx.AsyncClient] = field(default_factory=list)

    @property
    def web(self) -> Web:
        return self.door.web

    def visitor(self, *, near: bool = False, **options: Any) -> httpx.AsyncClient:
        """A client of its own: from elsewhere, without any credentials."""
        transport = httpx.ASGITransport(self.app, client=NEAR if near else FAR, raise_app_exceptions=False)
        client = httpx.AsyncClient(**{"transport": transport, "base_url": HERE} | options)
        self.clients.append(client)
        return client

    async def key_client(self, *scopes: str, user_key: str | None = None) -> httpx.AsyncClient:
        """A program elsewhere with a key of these scopes."""
        _, token = await self.easel.web.access.create_key("test", scopes, user_key=user_key)
        return self.visitor(headers={"Authorization": f"Bearer {token}"})

    async def session_client(self, user_key: str, name: str = "Mia") -> httpx.AsyncClient:
        """Somebody who signed in with a browser, which says with a change whose page asks."""
        _, cookie = await self.easel.web.access.open_session(user_key, name)
        return self.visitor(cookies={"easel_session": cookie}, headers={"Origin": HERE})

    async def draw(self, client: httpx.AsyncClient | None = None, **reply: Any) -> dict[str, Any]:
        """Have a small picture drawn, and return its job when it is done."""
        client = client or self.client
        answer = await client.post("/api/jobs", json={"prompt": "a red fox", "seed": 5} | SMALL | reply)
        assert answer.status_code == 202, answer.text
        return await self.ended(answer.json()["jobs"][0]["id"], client)

    async def ended(self, job_id: str, client: httpx.AsyncClient | None = None) -> dict[str, Any]:
        """Wait until a job has ended."""
        async with asyncio.timeout(20):
            async for view in self.web.services.generation.watch(job_id):
                if view.job.is_terminal:
                    break
        return (await (client or self.client).get(f"/api/jobs/{job_id}")).json()


def add_second_sketch(site: Site) -> None:
    """Let the sketch engine be there under another name, too: a comparison takes two."""
    sketch = site.easel.registry.get("sketch")
    assert sketch is not None
    site.easel.registry.add(replace(sketch, config=replace(sketch.config, name="other")))


@cache
def app_with(settings: WebSettings) -> FastAPI:
    return create_app(cast(Web, SimpleNamespace(settings=settings)))


def app_of(web: Web) -> FastAPI:
    """The application with its routes, which take a while to prepare, on another Easel than in the test before."""
    app = app_with(web.settings)
    app.state.web = web
    return app


@asynccontextmanager
async def site_at(folder: Path, *, job_timeout_s: float | None = None, **environ: str) -> Any:
    """Build Easel in a folder and start it. `job_timeout_s`: shorter than anybody may set."""
    reply = {
        "DATA_DIR": str(folder),
        "PROBE_LOCAL_PORTS": "false",
        "SKETCH_DELAY_S": "0",
        "GRACEFUL_STOP": "0",
        "PORT": "0",
    }
    settings = read_settings(folder / "none.env", reply | environ)
    await lay_database(settings.storage.data_dir / DATABASE_NAME)
    await lay_cache(settings.storage.media_folder)
    easel = await build(settings)
    await easel.start()
    await draw_small(easel)
    door = make_door(easel)
    if job_timeout_s:
        door.web = replace(door.web, job_timeout_s=job_timeout_s)
    app = app_of(door.web)
    pump = asyncio.create_task(door.web.hub.run())
    near = httpx.AsyncClient(transport=httpx.ASGITransport(app, client=NEAR), base_url=HERE)
    site = Site(easel=easel, door=door, app=app, client=near, clients=[near])
    try:
        yield site
    finally:
        for client in site.clients:
            await client.aclose()
        pump.cancel()
        await asyncio.gather(pump, return_exceptions=True)
        await easel.queue.stop()
        await easel.close()


async def draw_small(easel: Easel) -> None:
    """Return where no size is asked for, 96x96 does as well as 512x512."""
    sketch = next((entry.backend for entry in easel.registry if entry.is_fallback), None)
    if sketch is None:
        return
    offered = replace(await sketch.capabilities(), default_width=96, default_height=96)

    async def capabilities() -> Capabilities:
        return offered

    sketch.capabilities = capabilities
    await easel.registry.refresh("sketch")


@pytest.fixture
async def site(tmp_path):
    async with site_at(tmp_path) as opened:
        yield opened


@pytest.fixture
def client(site):
    return site.client


@contextmanager
def held(site: Site) -> Iterator[asyncio.Event]:
    """Keep the sketch engine from finishing anything until the event is set."""
    backend = site.easel.registry.get("sketch").backend
    released, generate = asyncio.Event(), backend.generate

    async def wait(request: Any, report: Any) -> Any:
        await released.wait()
        return await generate(request, report)

    backend.generate = wait
    try:
        yield released
    finally:
        released.set()
        backend.generate = generate


def png(width: int = 64, height: int = 64, colour: str = "#336699") -> bytes:
    """A picture file of one colour."""
    out = BytesIO()
    Image.new("RGB", (width, height), colour).save(out, "PNG")
    return out.getvalue()
