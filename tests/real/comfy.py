"""A real ComfyUI, run from a checkout that is there, on a folder of its own with models of random weights.

`COMFYUI_DIR` is the checkout and `COMFYUI_PYTHON` the interpreter that has what its requirements.txt asks for; without
it, the checkout's own `venv` or `.venv`. Nothing of the checkout's models, nodes or pictures is used or changed.
"""

import asyncio
import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import httpx

from backends.comfyui.graphs.graph import Graph
from tests.easel_process import free_port
from tests.real.comfy_weights import write_models
from tests.utils.pictures import picture

CHECKED = "0.33.0, commit 783545f6"
HERE = Path(__file__).parent
TOLD = HERE.parent / "data" / "cases" / "comfyui" / "custom-nodes.object_info.json"
START_LIMIT_S = 180.0
OPTIONS = ("--cpu", "--force-fp32", "--disable-api-nodes", "--disable-auto-launch")
QUIET = {"HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}  # threads that wait for each other on a busy machine crawl
WITHIN = ("venv/bin/python", ".venv/bin/python", "venv/Scripts/python.exe", ".venv/Scripts/python.exe")


def checkout() -> Path:
    """Return where ComfyUI is, or nothing."""
    return Path(os.environ.get("COMFYUI_DIR") or "nowhere")


def python() -> Path | None:
    """Return the interpreter that runs it."""
    named = os.environ.get("COMFYUI_PYTHON")
    found = [Path(named)] if named else [checkout() / item for item in WITHIN]
    return next((item.absolute() for item in found if item.is_file()), None)


def lacking() -> str:
    """Return in one sentence what is missing for these tests, empty if nothing is."""
    if not (checkout() / "main.py").is_file():
        return f"These tests need COMFYUI_DIR, the folder of a ComfyUI checkout (last run with {CHECKED})."
    if python() is None:
        return "These tests need COMFYUI_PYTHON, a Python in which ComfyUI's requirements.txt is installed."
    return ""


def prepare(base: Path) -> None:
    """Lay out the folder that ComfyUI works in. Blocks: call it in a thread."""
    write_models(base / "models")
    nodes = base / "custom_nodes" / "easel_tests"
    shutil.copytree(HERE / "comfy_nodes", nodes, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(TOLD, nodes)
    (base / "input").mkdir()
    for name in ("example.png", "init.png"):
        (base / "input" / name).write_bytes(picture("PNG", (64, 64)))


class RealComfyUI:
    """One server in `base`, which can be killed and started again at the same address."""

    def __init__(self, base: Path) -> None:
        port = free_port()
        self.base = base
        self.url = f"http://127.0.0.1:{port}"
        self._port = port
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        return (self.base / "log").read_text(errors="replace")

    async def start(self, *options: str) -> None:
        """Start it, and wait until it answers."""
        with (self.base / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [str(python()), "main.py", *OPTIONS, "--port", str(self._port), "--base-directory", self.base,
                 "--database-url", f"sqlite:///{self.base}/comfyui.db", *options],
                cwd=checkout(), env=os.environ | QUIET, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        try:
            async with asyncio.timeout(START_LIMIT_S):
                while not await self._answers():
                    await asyncio.sleep(0.05)
        except (TimeoutError, ConnectionError) as error:
            self.kill()
            raise RuntimeError(f"ComfyUI did not start:\n{self.log[-4000:]}") from error

    def kill(self) -> None:
        """End it as `kill -9` does."""
        if self._process:
            self._process.kill()
            self._process.wait()

    async def get(self, path: str) -> Any:
        """Return what it answers on a path, as JSON values."""
        async with httpx.AsyncClient(trust_env=False, timeout=30.0) as client:
            return json.loads((await client.get(self.url + path)).raise_for_status().content)

    async def post(self, path: str, content: dict[str, Any]) -> Any:
        """Return what it answers to JSON values, None for nothing."""
        async with httpx.AsyncClient(trust_env=False, timeout=30.0) as client:
            body = (await client.post(self.url + path, json=content)).raise_for_status().content
            return json.loads(body) if body else None

    async def queued(self) -> tuple[list[Any], list[Any]]:
        """Return the items that run and those that wait."""
        reported = await self.get("/queue")
        return reported["queue_running"], reported["queue_pending"]

    async def ran(self, prompt_id: str | None = None) -> Graph:
        """Return the graph that it ran under an id, or the newest one."""
        reported = await self.get(f"/history/{prompt_id}" if prompt_id else "/history?max_items=1")
        (entry,) = reported.values()
        graph: Graph = entry["prompt"][2]
        return graph

    async def _answers(self) -> bool:
        if self._process and self._process.poll() is not None:
            raise ConnectionError
        try:
            await self.get("/system_stats")
        except httpx.TransportError:
            return False
        return True
