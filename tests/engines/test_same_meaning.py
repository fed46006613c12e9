"""The same words mean the same on every engine: strength, mask, sizes and samplers, as the servers receive them."""

import base64
import io
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageChops

from generation.capabilities import Capabilities, Fit, fit
from generation.job import JobStatus, Progress
from generation.request import GenerationRequest, MaskFill, Mode
from generation.result import GenerationResult
from tests.engines_faults.engines import ENGINES
from tests.engines_faults.rig import Rig, fault_rig
from tests.jobs import make_request

WITH_PICTURES = {"gradio_flux": {"major": 6, "recorded": "two-tabs-gradio6"}}  # flux-webui itself takes none
INPAINTERS = ("a1111", "comfyui", "ai_horde", "openai_images", "stability", "replicate")
BY_RATIO = {"stability", "replicate", "gemini"}  # they draw in sizes of their own
BY_WORDS = {"openai_images", "gemini", "bfl", "fal"}  # they have no such thing as a strength
# Rows S4-84 to S4-87: what each engine is told; None: it has no samplers to choose from and says so.
ASKED = ("euler_a", "dpm++_2m", "ddim", "plms")
SAMPLERS = {
    "a1111": ("Euler a", "DPM++ 2M", "DDIM", "PLMS"),
    "comfyui": ("euler_ancestral", "dpmpp_2m", "ddim", "ddim"),
    "gradio_flux": (None, None, None, None),
    "ai_horde": ("k_euler_a", "k_dpmpp_2m", "DDIM", "DDIM"),
    "aipowergrid": ("euler_ancestral", "dpmpp_2m", "ddim", "ddim"),
    "openai_images": (None, None, None, None),
    "stability": (None, None, None, None),
    "gemini": (None, None, None, None),
    "bfl": (None, None, None, None),
    "fal": (None, None, None, None),
    "replicate": ("K_EULER_ANCESTRAL", "DPMSolverMultistep", "DDIM", "PNDM"),
}
EVERY_ENGINE = pytest.mark.parametrize("kind", ENGINES)


async def ignore(_: Progress) -> None:
    pass


def png(colour: str = "navy", left: str | None = None) -> bytes:
    image = Image.new("RGB", (512, 512), colour)
    if left:
        image.paste(left, (0, 0, 256, 512))
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def sent(rig: Rig) -> dict[str, Any]:
    """Return what the server was told, in its own words."""
    server, kind = rig.server, rig.engine.kind
    if kind == "a1111":
        return dict(server.submitted[-1])
    if kind == "comfyui":
        nodes = server.engine.submitted[-1].graph.values()
        return dict(next(node["inputs"] for node in nodes if node["class_type"] == "KSampler"))
    if kind == "gradio_flux":
        return dict(server.engine.submitted[-1])
    return dict(server.submitted[-1] | server.submitted[-1].get("params", {}))


def capabilities(rig: Rig) -> Capabilities:
    entry = rig.registry.get("gpu")
    assert entry
    assert entry.capabilities
    return entry.capabilities


async def draw(rig: Rig, request: GenerationRequest) -> tuple[GenerationRequest, list[str], GenerationResult]:
    """Bend a request to the engine and have it drawn; return it, all that was said of it, and the result."""
    fitted = fit(request, capabilities(rig))
    assert isinstance(fitted, Fit), fitted
    result = await rig.backend.generate(fitted.request, ignore)
    return fitted.request, [*fitted.notes, *result.notes], result


@EVERY_ENGINE
async def test_strength_0_keeps_the_picture_and_1_ignores_it(kind: str) -> None:
    name = {
        "comfyui": "denoise",
        "gradio_flux": "Strength",
        "aipowergrid": "strength",
        "stability": "strength",
        "replicate": "prompt_strength",
    }.get(kind, "denoising_strength")
    async with fault_rig(ENGINES[kind], **WITH_PICTURES.get(kind, {})) as rig:
        for strength in (0.0, 0.5, 1.0):
            request = make_request(
                mode=Mode.IMG2IMG, init_image=rig.picture(png()), denoising_strength=strength, sampler=None, steps=8
            )
            _, notes, _ = await draw(rig, request)
            if kind in BY_WORDS:
                assert any(note.startswith("denoising strength ignored") for note in notes)
                continue
            reported = sent(rig)[name]
            if kind == "aipowergrid":  # a recipe may take only part of the range, which is said
                assert reported == min(0.95, max(0.55, strength))
                assert any(note.startswith(f"denoising strength {strength:g} → {reported:g}") for note in notes)
            else:
                assert float(reported) == pytest.approx(strength, abs=0.01)  # a Horde takes no 0


@pytest.mark.parametrize("kind", INPAINTERS)
async def test_white_in_the_mask_is_what_changes(kind: str) -> None:
    async with fault_rig(ENGINES[kind]) as rig:
        mask = rig.picture(png("black", left="white"))
        request = make_request(
            mode=Mode.INPAINT, init_image=rig.picture(png()), mask_image=mask, denoising_strength=0.8, sampler=None,
            steps=8, mask_fill=MaskFill.ORIGINAL,
        )  # fmt: skip
        await draw(rig, request)
        image = Image.open(io.BytesIO(mask_received(rig))).convert("L")
        left, right = (image.getpixel((int(image.width * part), image.height // 2)) for part in (0.25, 0.75))
        assert (left, right) == (255, 0)
        if kind == "a1111":
            assert sent(rig)["inpainting_mask_invert"] == 0
        if kind == "comfyui":
            classes = {node["class_type"] for node in rig.server.engine.submitted[-1].graph.values()}
            assert "InvertMask" not in classes


def mask_received(rig: Rig) -> bytes:
    if rig.engine.kind == "comfyui":
        graph = rig.server.engine.submitted[-1].graph
        uploads = [node["inputs"]["image"] for node in graph.values() if node["class_type"] == "LoadImage"]
        files = [rig.server.engine.files[rig.server.engine.locate(name)] for name in uploads]
        return next(data for data in files if Image.open(io.BytesIO(data)).getpixel((0, 0)) == (255, 255, 255))
    if rig.engine.kind == "stability" and "mask" in rig.server.jobs[-1].files:
        return bytes(rig.server.jobs[-1].files["mask"])
    if rig.engine.kind == "stability":  # what lies at the edge of a picture is continued, without a mask
        mask, out = Image.new("L", (512, 512), "black"), io.BytesIO()
        mask.paste(255, (0, 0, int(sent(rig)["left"]), 512))
        mask.save(out, "PNG")
        return out.getvalue()
    if rig.engine.kind == "openai_images":  # transparent is what changes
        image = Image.open(io.BytesIO(rig.server.jobs[-1].files["mask"][0])).getchannel("A")
        out = io.BytesIO()
        ImageChops.invert(image).save(out, "PNG")
        return out.getvalue()
    if rig.engine.kind == "replicate":
        return bytes(list(rig.server.runs.values())[-1].sources["mask"])
    return base64.b64decode(sent(rig)["mask" if rig.engine.kind == "a1111" else "source_mask"])


@EVERY_ENGINE
async def test_a_size_off_the_grid_snaps_and_is_told(kind: str) -> None:
    async with fault_rig(ENGINES[kind]) as rig:
        can = capabilities(rig)
        width, height, grid = can.default_width + 18, can.default_height + 98, can.size_grid
        request, notes, result = await draw(rig, make_request(width=width, height=height, sampler=None, steps=8))
        assert request.width % grid == request.height % grid == 0
        assert abs(request.width - width) <= grid / 2
        assert f"size {width}×{height} → {request.width}×{request.height}" in notes
        drawn = Image.open(io.BytesIO(result.images[0].data)).size
        if kind in BY_RATIO:
            assert drawn[0] / drawn[1] == pytest.approx(width / height, rel=0.1)
            return
        assert drawn == (request.width, request.height)


@EVERY_ENGINE
async def test_the_samplers_of_the_bus_are_mapped(kind: str) -> None:
    takes_any = {"aipowergrid": "LabModel SD15", "replicate": "SDXL Lightning"}
    changes = {"model": takes_any[kind]} if kind in takes_any else {}
    async with fault_rig(ENGINES[kind]) as rig:
        for wanted, name in zip(ASKED, SAMPLERS[kind], strict=True):
            request = make_request(sampler=wanted, width=512, height=512, steps=8, **changes)
            fitted, notes, _ = await draw(rig, request)
            assert fitted.sampler == name
            if name is None:
                assert any(note.startswith(f"sampler {wanted} ignored") for note in notes)
                continue
            assert name in [sent(rig).get(place) for place in ("sampler_name", "sampler", "scheduler")]
            is_nearest = wanted == "plms" and name.lower() == "ddim"
            assert (f"sampler plms → {name}" in notes) == is_nearest
            job = await rig.run(sampler=wanted, **changes)
            assert job.status is JobStatus.DONE


def table() -> dict[str, dict[str, str]]:
    """Return what docs/backends/README.md says that each engine can do, row by row."""
    page = Path("docs/backends/README.md").read_text(encoding="utf-8")
    rows = [
        line.strip("|").split("|") for line in page[page.index("## What each can do") :].splitlines() if "|" in line
    ]
    rows = [[cell.strip() for cell in row] for row in rows]
    kinds = rows[0][1:]
    return {row[0]: dict(zip(kinds, row[1:], strict=True)) for row in rows[2:] if len(row) == len(rows[0])}


@EVERY_ENGINE
async def test_what_each_can_do_is_as_the_table_has_it(kind: str) -> None:
    reported = {row: cells[kind] for row, cells in table().items()}
    async with fault_rig(ENGINES[kind]) as rig:
        can = capabilities(rig)
        modes = {"from a text": Mode.TXT2IMG, "from a picture": Mode.IMG2IMG, "part of a picture (mask)": Mode.INPAINT,
                 "upscale": Mode.UPSCALE}  # fmt: skip
        for row, mode in modes.items():
            if reported[row] in {"yes", "no", "as post-processing"}:
                assert (mode in can.modes) is (reported[row] == "yes"), row
        assert can.supports_progress is not reported["progress"].startswith("only")
        assert can.supports_preview is ("previews" in reported["progress"])
        assert can.supports_cancel is not reported["cancel stops the work"].startswith("no")
        assert can.is_deterministic is (reported["same seed, same picture"] == "yes")
