"""ComfyUI's API v2 as its makers serve it: `comfy-api-proxy` in an environment of its own, in front of any ComfyUI."""

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import httpx
import pytest
from aiohttp import web

from tests.easel_process import free_port
from tests.engines.fault_proxy import HOP_HEADERS
from tests.real.apps import ENVIRONMENTS

PACKAGE = "comfy-api-proxy==0.1.6"
START_LIMIT_S = 30.0


def program() -> Path:
    """Return the proxy's program, installed where it is not there yet; skips where it cannot be."""
    folder = ENVIRONMENTS / ".venv-comfy-proxy"
    found = folder / ("Scripts/comfy-api-proxy.exe" if os.name == "nt" else "bin/comfy-api-proxy")
    if not found.exists():
        uv = (sys.executable, "-m", "uv")
        try:
            subprocess.run([*uv, "venv", "--quiet", "--clear", "--python", sys.executable, folder], check=True)
            subprocess.run([*uv, "pip", "install", "--quiet", "--python", folder, PACKAGE], check=True)
        except (subprocess.CalledProcessError, OSError):
            shutil.rmtree(folder, ignore_errors=True)
            pytest.skip(f"{PACKAGE} cannot be installed here: is there a way to the package index?")
    return found


@asynccontextmanager
async def proxy(comfyui: str, *options: str, port: int = 0) -> AsyncIterator[str]:
    """Run the proxy in front of a ComfyUI until the end of the block; return its address."""
    port = port or free_port()
    process = await asyncio.create_subprocess_exec(
        await asyncio.to_thread(program), "--comfyui", comfyui, "--port", str(port), *options,
        stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    url = f"http://127.0.0.1:{port}"
    try:
        await _answering(url, process)
        yield url
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _answering(url: str, process: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(START_LIMIT_S), httpx.AsyncClient(trust_env=False) as client:
        while process.returncode is None:
            try:
                if (await client.get(f"{url}/api/v2/health")).is_success:
                    return
            except httpx.TransportError:
                await asyncio.sleep(0.05)
    raise RuntimeError("the proxy did not start")


@asynccontextmanager
async def one_address(comfyui: str, v2: str) -> AsyncIterator[str]:
    """Answer at one address for a ComfyUI and the proxy in front of it, as nginx would, but for websockets."""

    async def pass_on(request: web.Request) -> web.StreamResponse:
        target = f"{v2 if request.path.startswith('/api/v2/') else comfyui}{request.path_qs}"
        headers = {name: value for name, value in request.headers.items() if name.lower() not in HOP_HEADERS}
        try:
            async with session.request(
                request.method, target, headers=headers, data=await request.read(), allow_redirects=False
            ) as answer:
                kept = {name: value for name, value in answer.headers.items() if name.lower() not in HOP_HEADERS}
                stream = web.StreamResponse(status=answer.status, headers=kept)
                await stream.prepare(request)
                async for part in answer.content.iter_any():
                    await stream.write(part)
                return stream
        except aiohttp.ClientConnectorError:
            return web.Response(status=502, text="<html>Bad Gateway</html>", content_type="text/html")

    app = web.Application(client_max_size=16 * 1024 * 1024)
    app.router.add_route("*", "/{path:.*}", pass_on)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    async with aiohttp.ClientSession(auto_decompress=False) as session:
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", port := free_port())
        await site.start()
        yield f"http://127.0.0.1:{port}"
        await runner.cleanup()
