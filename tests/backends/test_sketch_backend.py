"""The sketch engine as the queue sees it: seeds, progress, previews, and stopping in the middle."""

import asyncio
import socket
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from backends.base import BackendConfig
from backends.kinds import make_backend
from config import read_settings
from easel_sketch import backend as sketch
from easel_sketch.backend import SketchBackend
from easel_sketch.painting import painter
from easel_sketch.painting.legend import TEXT
from easel_sketch.painting.painter import paint
from generation.capabilities import Fit, Refused, fit
from generation.errors import RequestRejected
from generation.request import GenerationRequest, Lora, Mode, SourceImage
from tests.contracts.backend_contract import BackendContract
from tests.utils.pictures import opened, picture
from utils import images

FOX = GenerationRequest(prompt="a red fox in the snow", width=128, height=96, steps=4, cfg_scale=7.0, seed=7)
SOURCE = SourceImage.of(picture(size=(64, 48), color=(200, 60, 60)))


@pytest.fixture
async def backend():
    engine = SketchBackend()
    yield engine
    await engine.aclose()


class SketchRig:
    """The painter is the engine: work is counted, and a failure put, where the backend calls it."""

    def __init__(self, backend):
        self.backend = backend
        self.working = 0
        self.fails = 0

    def is_working(self):
        return self.working > 0

    def fail_next(self):
        self.fails += 1

    async def take_down(self):
        await self.backend.aclose()

    def paint(self, painting, on_step):
        if self.fails:
            self.fails -= 1
            raise MemoryError
        self.working += 1
        try:
            return paint(painting, on_step)
        finally:
            self.working -= 1


class TestSketchContract(BackendContract):
    @asynccontextmanager
    async def rig(self, *, hold=False):
        rig = SketchRig(SketchBackend(delay_s=60 if hold else 0))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(painter, "paint", rig.paint)
            yield rig
        await rig.backend.aclose()


class Reports(list):
    async def __call__(self, progress):
        self.append(progress)


async def test_it_is_there_by_its_kind_and_says_what_it_is():
    engine = make_backend(BackendConfig(name="demo", kind="sketch", options={"delay_s": "0.5"}))
    capabilities = await engine.capabilities()
    assert (engine.name, engine.kind, engine.is_paid) == ("demo", "sketch", False)
    assert capabilities.remark == TEXT
    assert capabilities.modes == frozenset(Mode) - {Mode.RESTYLE}
    await engine.aclose()


async def test_it_asks_nobody_and_loads_nothing(backend, monkeypatch):
    def refuse(*_):
        raise AssertionError("it is no part of a network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    assert (await backend.generate(FOX, Reports())).images


async def test_its_limits_are_those_of_its_page(backend):
    can = await backend.capabilities()
    assert (can.min_side, can.max_side, can.size_grid, can.max_steps) == (64, 2048, 8, 150)
    assert (can.default_width, can.default_height, can.default_cfg_scale) == (512, 512, 7.0)
    assert isinstance(fit(replace(FOX, loras=(Lora(name="ink"),)), can), Refused)
    assert (sketch.THREADS, sketch.PREVIEW_EVERY_S) == (2, 1.0)


def test_the_delay_comes_from_the_settings():
    options = read_settings(Path("nowhere"), {"SKETCH_DELAY_S": "0.5"}).engines.fallback_options["sketch"]
    assert make_backend(BackendConfig(name="sketch", kind="sketch", options=dict(options)))._delay_s == 0.5


def test_a_wrong_delay_is_named():
    with pytest.raises(ValueError, match="delay_s of demo is 'slow'"):
        make_backend(BackendConfig(name="demo", kind="sketch", options={"delay_s": "slow"}))


async def test_the_same_request_gives_the_same_bytes(backend):
    first = await backend.generate(FOX, Reports())
    again = await backend.generate(FOX, Reports())
    other = await backend.generate(replace(FOX, seed=8), Reports())
    assert first == again
    assert first != other


async def test_a_batch_is_the_same_as_its_seeds_one_by_one(backend):
    batch = await backend.generate(replace(FOX, batch_size=3), Reports())
    single = await backend.generate(replace(FOX, seed=9), Reports())
    assert [image.seed for image in batch.images] == [7, 8, 9]
    assert batch.images[2] == single.images[0]


@pytest.mark.parametrize(
    ("request_", "size"),
    [
        (FOX, (128, 96)),
        (replace(FOX, mode=Mode.IMG2IMG, init_image=SOURCE, denoising_strength=0.5), (128, 96)),
        (replace(FOX, mode=Mode.INPAINT, init_image=SOURCE, mask_image=SOURCE, denoising_strength=0.5), (128, 96)),
        (replace(FOX, mode=Mode.UPSCALE, init_image=SOURCE, upscale_factor=3.0), (192, 144)),
        (replace(FOX, mode=Mode.UPSCALE, init_image=SOURCE), (128, 96)),
    ],
    ids=["txt2img", "img2img", "inpaint", "upscale", "upscale-without-factor"],
)
async def test_every_mode_gives_a_png_of_the_right_size(backend, request_, size):
    result = await backend.generate(request_, Reports())
    info = images.inspect(result.images[0].data, decode=True)
    assert (info.width, info.height, info.media_type) == (*size, "image/png")


async def test_black_in_the_mask_keeps_the_source(backend):
    mask = SourceImage.of(picture(size=(64, 48), color=0))
    request = replace(FOX, mode=Mode.INPAINT, init_image=SOURCE, mask_image=mask, denoising_strength=1.0)
    result = await backend.generate(request, Reports())
    assert opened(result.images[0].data).getpixel((64, 40)) == (200, 60, 60)


@pytest.mark.parametrize("data", [b"no picture", b""])
async def test_an_unreadable_source_is_refused_in_words(backend, data):
    request = replace(FOX, mode=Mode.IMG2IMG, init_image=SourceImage.of(data))
    with pytest.raises(RequestRejected) as caught:
        await backend.generate(request, Reports())
    assert caught.value.field == "init_image"


async def test_a_result_beyond_all_bounds_is_refused_before_it_is_made(backend):
    source = SourceImage.of(picture(size=(4096, 4096), mode="L"))
    with pytest.raises(RequestRejected, match="32768×32768") as caught:
        await backend.generate(replace(FOX, mode=Mode.UPSCALE, init_image=source, upscale_factor=8.0), Reports())
    assert caught.value.field == "upscale_factor"


async def test_progress_rises_to_the_end_over_the_whole_batch(backend):
    reports = Reports()
    await backend.generate(replace(FOX, batch_size=2), reports)
    fractions = [progress.fraction for progress in reports]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert {progress.steps for progress in reports} == {4}


async def test_previews_are_small_pictures(backend, monkeypatch):
    monkeypatch.setattr(sketch, "PREVIEW_EVERY_S", 0.0)
    reports = Reports()
    await backend.generate(FOX, reports)
    info = images.inspect(reports[0].preview, decode=True)
    assert max(info.width, info.height) <= 256


async def test_a_cancelled_run_leaves_no_thread_at_work():
    engine = SketchBackend("slow", delay_s=30)
    task = asyncio.create_task(engine.generate(FOX, Reports()))
    await asyncio.sleep(0.02)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    fast = asyncio.create_task(engine.generate(replace(FOX, mode=Mode.IMG2IMG), Reports()))
    with pytest.raises(RequestRejected):  # the pool is free at once
        await asyncio.wait_for(fast, 5)
    await engine.aclose()


async def test_a_run_that_waits_for_a_thread_is_cancelled_at_once():
    engine = SketchBackend("slow", delay_s=30)
    tasks = [asyncio.create_task(engine.generate(FOX, Reports())) for _ in range(sketch.THREADS + 1)]
    await asyncio.sleep(0.02)
    for task in reversed(tasks):
        task.cancel()
    assert [type(outcome) for outcome in await asyncio.gather(*tasks, return_exceptions=True)] == [
        asyncio.CancelledError
    ] * len(tasks)
    await engine.aclose()


async def test_what_it_cannot_do_is_bent_with_words(backend):
    capabilities = await backend.capabilities()
    fitted = fit(replace(FOX, width=4096, height=2048, sampler="Euler", model="sdxl"), capabilities)
    assert isinstance(fitted, Fit)
    assert (fitted.request.width, fitted.request.height) == (2048, 1024)
    assert len(fitted.notes) == 3
