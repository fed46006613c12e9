"""Throw-away environments with one gradio version each, and the app of `flux_app.py` running in one."""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

ROOT = Path(__file__).parent.parent.parent
ENVIRONMENTS = Path(os.environ.get("EASEL_REAL_ENVS", ROOT))
APP = Path(__file__).parent / "flux_app.py"
START_LIMIT_S = 120.0
# gradio 4 asks for "any version" of parts that have moved on since; Python 3.13 lost a module that it needs.
PACKAGES = {
    4: ("gradio==4.*", "pydantic<2.11", "huggingface_hub<1", "fastapi<0.113", "starlette<0.39",
        "audioop-lts; python_version >= '3.13'"),
    5: ("gradio==5.*",),
    6: ("gradio==6.*",),
}  # fmt: skip
QUIET = {"GRADIO_ANALYTICS_ENABLED": "False", "GRADIO_SSR_MODE": "false", "HF_HUB_OFFLINE": "1"}


def environment(major: int) -> Path:
    """Return the interpreter of one gradio version's environment, made where it is not there yet."""
    folder = ENVIRONMENTS / f".venv-gradio{major}"
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    done = folder / "installed"
    if not done.exists():
        uv = (sys.executable, "-m", "uv")
        subprocess.run([*uv, "venv", "--quiet", "--clear", "--python", sys.executable, folder], check=True)
        subprocess.run([*uv, "pip", "install", "--quiet", "--python", python, *PACKAGES[major]], check=True)
        done.touch()
    return python


class RealApp:
    """One running app. `lines` are what its pipeline printed: "BEGIN <prompt>", "END <prompt>"."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.lines: list[str] = []


@asynccontextmanager
async def running(major: int, *options: str) -> AsyncIterator[RealApp]:
    """Run the app on a free port until the end of the block."""
    python = await asyncio.to_thread(environment, major)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = await asyncio.create_subprocess_exec(
        python, "-u", APP, "--port", str(port), *options, env=os.environ | QUIET,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    app = RealApp(f"http://127.0.0.1:{port}")
    assert process.stdout
    reader = asyncio.create_task(_read(process.stdout, app.lines))
    try:
        await _answering(app.url, process)
        yield app
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await reader


async def _read(stream: asyncio.StreamReader, lines: list[str]) -> None:
    async for line in stream:
        lines.append(line.decode().strip())


async def _answering(url: str, process: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(START_LIMIT_S), httpx.AsyncClient(trust_env=False) as client:
        while process.returncode is None:
            try:
                if (await client.get(f"{url}/config")).status_code in {200, 401}:
                    return
            except httpx.TransportError:
                await asyncio.sleep(0.05)
    raise RuntimeError("the gradio app did not start")
