"""Edits through every engine's own client and its stand-in: size in is size out, and a mask's black stays."""

import base64
import io
import json
from dataclasses import replace

import pytest
from PIL import Image

from easel_sketch.backend import SketchBackend
from generation.capabilities import Fit, fit
from generation.job import Progress
from generation.request import GenerationRequest, Mode, SourceImage
from generation.result import GenerationResult
from scheduling.executor import run_job
from tests.engines.test_same_meaning import INPAINTERS, WITH_PICTURES, mask_received, sent
from tests.engines_faults.engines import ENGINES
from tests.engines_faults.rig import Rig, fault_rig
from tests.fakes import FakeClock
from tests.jobs import make_job, make_request
from tests.utils.test_canvas import kept_pixels, noise, png

SIZE = (331, 205)


async def ignore(_: object) -> None:
    pass


async def report(_: Progress) -> None:
    pass


async def run(rig: Rig, asked: GenerationRequest) -> Image.Image:
    """Run a job as the queue does, and return its picture."""
    fitted = rig.registry.fit("gpu", asked)
    assert isinstance(fitted, Fit), fitted

    async def load(source: SourceImage) -> SourceImage:
        return replace(source, data=rig.pictures[source.media_id])

    job = make_job(request=asked, drawn=fitted.request)
    outcome = await run_job(
        job, rig.backend, timeout_s=30, load=load, report=report, on_remote_id=ignore, clock=rig.clock
    )
    assert isinstance(outcome, GenerationResult), outcome
    return Image.open(io.BytesIO(outcome.images[0].data))


def edit(rig: Rig, source: Image.Image, mask: Image.Image | None = None, **reply: object) -> GenerationRequest:
    values = {
        "mode": Mode.INPAINT if mask else Mode.IMG2IMG, "init_image": rig.picture(png(source)),
        "mask_image": rig.picture(png(mask)) if mask else None, "denoising_strength": 0.8, "steps": 8, "sampler": None,
        "width": source.width, "height": source.height, "is_source_size": True,
    }  # fmt: skip
    return make_request(**(values | reply))


@pytest.mark.parametrize("kind", INPAINTERS)
async def test_what_the_mask_leaves_alone_stays(kind: str) -> None:
    source, mask = noise(SIZE), Image.new("L", SIZE, 0)
    mask.paste(255, (60, 40, 290, 180))
    async with fault_rig(ENGINES[kind]) as rig:
        made = await run(rig, edit(rig, source, mask))
        assert made.size == SIZE
        assert kept_pixels(made.convert("RGB"), mask) == kept_pixels(source, mask)
        assert made.convert("RGB").getpixel((170, 110)) != source.getpixel((170, 110))
        received = Image.open(io.BytesIO(mask_received_at(rig, mask)))
        entry = rig.registry.get("gpu")
        assert entry
        assert entry.capabilities
        assert not any(side % entry.capabilities.size_grid for side in received.size)
        assert received.convert("L").crop((0, 0, *SIZE)).tobytes() == mask.tobytes()


ODD_SIZES = [(1920, 1080), (700, 500), (333, 777), (1001, 63), (1, 1000), (1000, 1), (1, 1)]


def masked_middle(size: tuple[int, int]) -> Image.Image:
    """Return a mask that is white in the middle third, and there at least one pixel."""
    mask = Image.new("L", size, 0)
    x, y = size[0] // 3, size[1] // 3
    mask.paste(255, (x, y, max(x + 1, size[0] * 2 // 3), max(y + 1, size[1] * 2 // 3)))
    return mask


@pytest.mark.parametrize("kind", INPAINTERS)
async def test_a_picture_of_any_size_comes_back_as_large_and_changed_in_its_mask_alone(kind: str) -> None:
    async with fault_rig(ENGINES[kind]) as rig:
        for size in ODD_SIZES:
            source, mask = noise(size), masked_middle(size)
            made = (await run(rig, edit(rig, source, mask))).convert("RGB")
            assert made.size == size
            assert kept_pixels(made, mask) == kept_pixels(source, mask), size


@pytest.mark.parametrize("kind", ENGINES)
async def test_a_picture_of_any_size_is_drawn_over_as_large(kind: str) -> None:
    async with fault_rig(ENGINES[kind], **WITH_PICTURES.get(kind, {})) as rig:
        for size in ODD_SIZES:
            assert (await run(rig, edit(rig, noise(size)))).size == size


@pytest.mark.parametrize("size", ODD_SIZES, ids=lambda size: "x".join(map(str, size)))
async def test_easels_own_painter_keeps_any_size_too(size: tuple[int, int]) -> None:
    source, mask = noise(size), masked_middle(size)
    painter = SketchBackend()
    asked = make_request(
        mode=Mode.INPAINT, init_image=SourceImage.of(png(source), *size), mask_image=SourceImage.of(png(mask), *size),
        width=size[0], height=size[1], is_source_size=True, steps=1, denoising_strength=0.8, sampler=None,
    )  # fmt: skip
    fitted = fit(asked, await painter.capabilities())
    assert isinstance(fitted, Fit)
    job = make_job(request=asked, drawn=fitted.request)
    outcome = await run_job(
        job, painter, timeout_s=30, load=as_it_is, report=report, on_remote_id=ignore, clock=FakeClock()
    )
    assert isinstance(outcome, GenerationResult), outcome
    made = Image.open(io.BytesIO(outcome.images[0].data)).convert("RGB")
    assert made.size == size
    assert kept_pixels(made, mask) == kept_pixels(source, mask)


async def as_it_is(source: SourceImage) -> SourceImage:
    return source


def mask_received_at(rig: Rig, mask: Image.Image) -> bytes:
    if rig.engine.kind != "comfyui":
        return mask_received(rig)
    files = rig.server.engine.files.values()
    return next(data for data in files if Image.open(io.BytesIO(data)).mode == mask.mode)


@pytest.mark.parametrize("kind", ENGINES)
async def test_a_picture_drawn_over_keeps_its_size(kind: str) -> None:
    async with fault_rig(ENGINES[kind], **WITH_PICTURES.get(kind, {})) as rig:
        assert (await run(rig, edit(rig, noise(SIZE)))).size == SIZE


async def test_a_web_ui_gets_the_picture_on_its_grid_and_the_blur_that_was_asked_for() -> None:
    source, mask = noise(SIZE), Image.new("L", SIZE, 255)
    async with fault_rig(ENGINES["a1111"]) as rig:
        await run(rig, edit(rig, source, mask, mask_blur=0))
        body = sent(rig)
        picture = Image.open(io.BytesIO(base64.b64decode(body["init_images"][0])))
        assert picture.size == (body["width"], body["height"]) == (336, 208)
        assert picture.crop((0, 0, *SIZE)).tobytes() == source.tobytes()
        assert body["mask_blur"] == 0


async def test_a_blur_of_4_pixels_is_usual() -> None:
    source, mask = noise(SIZE), Image.new("L", SIZE, 0)
    mask.paste(255, (60, 40, 290, 180))
    async with fault_rig(ENGINES["a1111"]) as rig:
        unsaid, four, twelve = [
            (await run(rig, edit(rig, source, mask, **reply))).tobytes()
            for reply in ({}, {"mask_blur": 4}, {"mask_blur": 12})
        ]
    assert unsaid == four != twelve


async def test_the_graph_that_comfyui_writes_into_a_picture_is_kept() -> None:
    async with fault_rig(ENGINES["comfyui"]) as rig:
        made = await run(rig, edit(rig, noise(SIZE)))
        assert "KSampler" in {node["class_type"] for node in json.loads(made.info["prompt"]).values()}


@pytest.mark.parametrize("kind", ["a1111", "comfyui"])
@pytest.mark.parametrize("factor", [2.0, 1.5])
async def test_upscaling_goes_by_the_source_to_the_pixel(kind: str, factor: float) -> None:
    async with fault_rig(ENGINES[kind]) as rig:
        asked = edit(rig, noise((75, 41)), mode=Mode.UPSCALE, upscale_factor=factor)
        assert (await run(rig, asked)).size == (round(75 * factor), round(41 * factor))
