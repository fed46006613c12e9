"""The whole engine with a real child: contract, kill -9, overhead, two devices."""

import asyncio
import os
import signal
import time

import pytest

from backends.base import BackendConfig
from backends.embedded.backend import EmbeddedBackend
from backends.embedded.models.disk import look_for_models
from bench import gpu_bench
from generation.errors import BackendError
from generation.request import GenerationRequest
from tests.contracts.backend_contract import _ignore
from tests.local import tiny

OVERHEAD_S = 0.02


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    root = tmp_path_factory.mktemp("models")
    tiny.make("sd15", root / "fox-sd15")
    return root


def make(folder):
    options = {"models": str(folder), "hf_home": str(folder / "none"), "device": "cpu"}
    return EmbeddedBackend(BackendConfig(name="embedded", kind="embedded", options=options))


def asked(**changes):
    values = {"prompt": "a red fox", "width": 64, "height": 64, "steps": 4, "cfg_scale": 7.0, "seed": 812}
    return GenerationRequest(**(values | changes))


@pytest.fixture
async def engine(folder):
    engine = make(folder)
    yield engine
    await engine.aclose()


async def test_kill_9_is_an_error_and_the_next_picture_has_the_same_bytes(engine):
    first = await engine.generate(asked(), _ignore)
    reached = asyncio.Event()

    async def report(progress):
        if progress.step == 2:
            reached.set()

    job = asyncio.create_task(engine.generate(asked(steps=150), report))
    await reached.wait()
    os.kill(engine._child.pid, signal.SIGKILL)
    with pytest.raises(BackendError):
        await job
    assert (await engine.generate(asked(), _ignore)).images == first.images


async def test_a_picture_takes_little_longer_than_the_pipeline_itself(engine):
    """The child reports when each step ends; what is left between them and the answer is ours."""
    await engine.generate(asked(), _ignore)
    begun = time.monotonic()
    await engine._child.ask({"do": "look"})
    assert time.monotonic() - begun < 0.25
    spent = []
    for _turn in range(20):
        begun = time.monotonic()
        await engine._child.ask({"do": "look"})
        spent.append(time.monotonic() - begun)
    assert sorted(spent)[len(spent) // 2] < OVERHEAD_S


async def test_two_devices_draw_the_same(folder):
    first, second = make(folder), make(folder)
    results = await asyncio.gather(*(engine.generate(asked(), _ignore) for engine in (first, second)))
    assert results[0].images == results[1].images
    await asyncio.gather(first.aclose(), second.aclose())


async def test_the_bench_of_models_runs(engine, folder):
    figures = await gpu_bench.measure(engine, look_for_models((folder,), folder / "none").models, sizes=((64, 2),))
    assert [figure.name for figure in figures] == ["fox-sd15: loaded", "fox-sd15: 64x64, 2 steps"]
    assert all(figure.value > 0 for figure in figures)
    assert "CPU" in figures[0].beside
