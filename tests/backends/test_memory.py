"""The memory of their GPUs, where servers tell it: wrong and missing answers are no memory."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable

import httpx
import pytest

from backends.a1111.backend import A1111Backend
from backends.base import BackendConfig, DeviceMemory
from backends.comfyui.backend import ComfyUIBackend
from backends.registry import BackendRegistry, Entry
from tests.fakes import FakeBackend, FakeClock

GB = 1024**3
TWO = {
    "system": {"comfyui_version": "0.33.0"},
    "devices": [
        {"name": "cuda:0 NVIDIA RTX 4090", "type": "cuda", "index": 0, "vram_total": 24 * GB, "vram_free": 20 * GB},
        {"name": "cuda:1 NVIDIA RTX 3060", "type": "cuda", "index": 1, "vram_total": 12 * GB, "vram_free": GB},
        {"name": "cpu", "type": "cpu", "index": None, "vram_total": 64 * GB, "vram_free": 32 * GB},
    ],
}
ONE = {"ram": {"total": 64 * GB}, "cuda": {"system": {"free": 3 * GB, "used": 5 * GB, "total": 8 * GB}, "events": {}}}
MAKERS = {"comfyui": ComfyUIBackend, "a1111": A1111Backend}
PATHS = {"comfyui": "/system_stats", "a1111": "/sdapi/v1/memory"}


def telling(kind: str, answer: Callable[[httpx.Request], httpx.Response]) -> Entry:
    config = BackendConfig(name="gpu", kind=kind, url="http://127.0.0.1:9")
    return Entry(config=config, backend=MAKERS[kind](config, transport=httpx.MockTransport(answer)))


async def memory_of(entry: Entry, wait_s: float = 2.0) -> tuple[DeviceMemory, ...]:
    registry = BackendRegistry(FakeClock())
    registry.add(entry)
    found = await registry.memory(["gpu"], wait_s=wait_s)
    await registry.aclose()
    return found.get("gpu", ())


@pytest.mark.parametrize(
    ("kind", "reported", "wanted"),
    [
        ("comfyui", TWO, [("cuda:0 NVIDIA RTX 4090", 24, 20), ("cuda:1 NVIDIA RTX 3060", 12, 1)]),
        ("a1111", ONE, [("cuda", 8, 3)]),
    ],
)
async def test_each_gpu_is_told_with_what_is_free(
    kind: str, reported: object, wanted: list[tuple[str, int, int]]
) -> None:
    asked = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.path)
        return httpx.Response(200, json=reported)

    found = await memory_of(telling(kind, answer))
    assert [(item.device, item.total_bytes // GB, item.free_bytes // GB) for item in found] == wanted
    assert asked == [PATHS[kind]]


@pytest.mark.parametrize("kind", MAKERS)
@pytest.mark.parametrize(
    "body",
    [
        "", "[]", "null", "<html>", '{"devices": 5}', '{"devices": [5, {"type": "cuda"}]}',
        '{"cuda": {"error": "unavailable"}}',
        '{"cuda": {"system": {"free": "much", "total": -1}}}',
        json.dumps({"devices": [{"name": "x", "type": "cuda", "vram_total": -1, "vram_free": 1e400}]}),
    ],
)  # fmt: skip
async def test_what_is_no_memory_is_none(kind: str, body: str) -> None:
    assert await memory_of(telling(kind, lambda _: httpx.Response(200, text=body))) == ()


@pytest.mark.parametrize("kind", MAKERS)
async def test_a_server_that_refuses_or_takes_long_tells_none(kind: str) -> None:
    async def never(_: httpx.Request) -> httpx.Response:
        await asyncio.sleep(60)
        return httpx.Response(200)

    assert await memory_of(telling(kind, lambda _: httpx.Response(404))) == ()
    assert await memory_of(telling(kind, never), wait_s=0.02) == ()


async def test_an_engine_that_cannot_tell_or_is_gone_is_not_asked() -> None:
    config = BackendConfig(name="gpu", kind="fake")
    assert await memory_of(Entry(config=config, backend=FakeBackend("gpu"))) == ()
    assert await BackendRegistry(FakeClock()).memory(["nobody"]) == {}
