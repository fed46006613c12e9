"""Fixtures for ComfyUI's API v2."""

import asyncio
import io

from PIL import Image

from backends.comfyui.backend import ComfyUIBackend
from generation.request import SourceImage
from tests.engines.comfyui_engine import DATA
from tests.engines.comfyui_server import ComfyUIServer

WORKFLOW = str(DATA / "workflows" / "txt2img_sd15.api.json")


def picture(width: int = 100, height: int = 80, colour: str = "red") -> SourceImage:
    target = io.BytesIO()
    Image.new("RGB", (width, height), colour).save(target, "PNG")
    return SourceImage.of(target.getvalue())


async def finish(backend: ComfyUIBackend, remote_id: str) -> None:
    async with asyncio.timeout(5):
        while not (state := await backend.poll(remote_id)).is_finished:
            await asyncio.sleep(state.poll_after_s)


def paths(server: ComfyUIServer) -> list[str]:
    return [f"{method} {path}" for method, path, _ in server.requests]


async def nobody() -> tuple[str, ...]:
    return ()
