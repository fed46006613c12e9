"""Tests against real programs: only through `make test-real`, never in `make test`."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from backends.comfyui.backend import ComfyUIBackend
from backends.comfyui.news.following import ComfyPace
from tests.backends.comfyui.rig import connect
from tests.real.comfy import RealComfyUI, lacking, prepare
from tests.real.studio import Studio, studio_with

collect_ignore_glob = [] if os.environ.get("EASEL_TEST_REAL") else ["test_*.py"]


@pytest.fixture(scope="session")
def comfyui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealComfyUI]:
    """One ComfyUI for all tests; a test that kills it starts it again."""
    if missing := lacking():
        pytest.skip(missing)
    base = tmp_path_factory.mktemp("comfyui")
    prepare(base)
    server = RealComfyUI(base)
    try:
        asyncio.run(server.start())
        yield server
    finally:
        server.kill()


@pytest.fixture
async def studio(comfyui: RealComfyUI, tmp_path: Path) -> AsyncIterator[Studio]:
    async with studio_with(comfyui, tmp_path) as studio:
        yield studio


@pytest.fixture
async def backend(comfyui: RealComfyUI) -> AsyncIterator[ComfyUIBackend]:
    backend = connect(comfyui.url, ComfyPace(report_s=0.02), timeout_s=60.0)
    yield backend
    await backend.aclose()
