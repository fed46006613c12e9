"""A server that answers by both of ComfyUI's APIs, and the backend connected to it."""

from collections.abc import AsyncIterator

import pytest

from backends.comfyui.backend import ComfyUIBackend
from tests.backends.comfyui.rig import connect
from tests.engines.comfyui_v2 import ComfyUIV2Server


@pytest.fixture
async def server() -> AsyncIterator[ComfyUIV2Server]:
    async with ComfyUIV2Server() as made:
        yield made


@pytest.fixture
async def backend(server: ComfyUIV2Server) -> AsyncIterator[ComfyUIBackend]:
    made = connect(server)
    yield made
    await made.aclose()
