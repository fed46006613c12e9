"""A real ComfyUI with models of random weights: the graphs that Easel brings along, cancelling, failures, restarts."""

import asyncio
import io
import os
import shutil
import sqlite3
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from backends.comfyui.backend import ComfyUIBackend
from generation.job import Progress
from tests.backends.comfyui.rig import make_request
from tests.easel_process import EaselProcess, free_port, processes
from tests.real.comfy import RealComfyUI
from tests.real.comfy_graphs import failing, plain, slow
from tests.real.comfy_weights import ALSO, LORA, UPSCALER
from tests.real.studio import WORDS, Studio, studio_with
from tests.utils.pictures import noise, opened
from tests.waiting import until

pytestmark = pytest.mark.timeout(300)

WAIT_S = 60.0
SIZE = (64, 96)


def of_class(graph: dict[str, Any], class_type: str) -> dict[str, Any]:
    """Return the inputs of the only node of a class."""
    (reported,) = (reported["inputs"] for reported in graph.values() if reported["class_type"] == class_type)
    return dict(reported)


async def test_words_seed_and_numbers_reach_the_sampler_and_decide_the_picture(studio: Studio) -> None:
    job, ran = await studio.drawn(**WORDS, cfg_scale=5.5, sampler="DPM++ 2M Karras")
    sampler = of_class(ran, "KSampler")
    assert [ran[sampler[side][0]]["inputs"]["text"] for side in ("positive", "negative")] == list(WORDS.values())
    asked = {"seed": 42, "steps": 2, "cfg": 5.5, "denoise": 1.0, "sampler_name": "dpmpp_2m", "scheduler": "karras"}
    assert {name: sampler[name] for name in asked} == asked
    first = opened(await studio.file(job))
    assert first.size == SIZE
    for change in ({"seed": 43}, {"prompt": "a blue car"}, {"loras": [{"name": LORA, "weight": 1.0}]}):
        other, _ = await studio.drawn(**WORDS | {"cfg_scale": 5.5, "sampler": "DPM++ 2M Karras"} | change)
        assert opened(await studio.file(other)).tobytes() != first.tobytes(), change


async def test_pictures_of_a_batch_have_the_seeds_that_follow(studio: Studio) -> None:
    job, _ = await studio.drawn(**WORDS, batch_size=2)
    assert [image["seed"] for image in job["images"]] == [42, 43]
    alone, _ = await studio.drawn(**WORDS, seed=43)
    assert opened(await studio.file(job, 1)).tobytes() == opened(await studio.file(alone)).tobytes()


async def test_picture_is_drawn_over_as_strongly_as_was_said(studio: Studio) -> None:
    media_id = await studio.upload(noise(SIZE))
    _, ran = await studio.drawn(**WORDS, init_image=media_id, denoising_strength=0.5)
    sampler = of_class(ran, "KSampler")
    assert (sampler["denoise"], sampler["seed"]) == (0.5, 42)
    assert of_class(ran, "LoadImage")["image"].endswith(" [temp]")


async def test_only_what_the_mask_is_white_over_changes(studio: Studio) -> None:
    source, mask, file = noise(SIZE), Image.new("L", SIZE), io.BytesIO()
    mask.paste(255, (SIZE[0] // 2, 0, *SIZE))
    mask.save(file, "PNG")
    reply = {"init_image": await studio.upload(source), "mask_image": await studio.upload(file.getvalue())}
    job, ran = await studio.drawn(**WORDS, **reply, denoising_strength=1.0)
    assert of_class(ran, "SetLatentNoiseMask")
    drawn, before = opened(await studio.file(job)).convert("RGB"), opened(source)
    left, right = (0, 0, 16, SIZE[1]), (48, 0, 64, SIZE[1])
    assert drawn.crop(left).tobytes() == before.crop(left).tobytes()
    assert drawn.crop(right).tobytes() != before.crop(right).tobytes()


async def test_upscaler_of_the_engine_enlarges(studio: Studio) -> None:
    media_id = await studio.upload(noise(SIZE))
    job, ran = await studio.drawn(mode="upscale", init_image=media_id, upscale_factor=2.0, width=None, height=None)
    assert of_class(ran, "UpscaleModelLoader")["model_name"] == UPSCALER
    assert opened(await studio.file(job)).size == (128, 192)


async def test_second_pass_is_larger(studio: Studio) -> None:
    job, _ = await studio.drawn(**WORDS, hires={"factor": 2.0, "denoising_strength": 0.5})
    assert opened(await studio.file(job)).size == (128, 192)


async def test_progress_rises_and_shows_what_is_being_drawn(backend: ComfyUIBackend) -> None:
    seen: list[Progress] = []

    async def report(progress: Progress) -> None:
        seen.append(progress)

    await backend.generate(make_request(steps=12, seed=77), report)
    fractions = [progress.fraction for progress in seen]
    assert fractions == sorted(fractions)
    assert len(set(fractions)) > 3
    previews = [progress.preview for progress in seen if progress.preview]
    assert previews
    assert opened(previews[-1]).format == "JPEG"


async def test_running_job_is_stopped(studio: Studio, comfyui: RealComfyUI) -> None:
    await studio.keep(slow(60.0))
    job_id = await studio.ask(workflow="w", **WORDS)
    await until(lambda: _is_running(comfyui, WORDS["prompt"]), WAIT_S)
    assert (await studio.cancel(job_id))["status"] == "cancelled"
    await until(lambda: _is_idle(comfyui), WAIT_S)
    (entry,) = (await comfyui.get("/history?max_items=1")).values()
    assert "execution_interrupted" in [reported[0] for reported in entry["status"]["messages"]]


async def test_waiting_job_is_taken_out_and_somebody_elses_runs_on(studio: Studio, comfyui: RealComfyUI) -> None:
    theirs = await comfyui.post("/prompt", {"prompt": slow(60.0)})
    await until(lambda: _is_running(comfyui, "a dog"), WAIT_S)
    job_id = await studio.ask(**WORDS)
    await until(lambda: _count_waiting(comfyui), WAIT_S)
    assert (await studio.cancel(job_id))["status"] == "cancelled"
    await until(lambda: _has_none_waiting(comfyui), WAIT_S)
    assert await _is_running(comfyui, "a dog")
    await comfyui.post("/interrupt", {"prompt_id": theirs["prompt_id"]})
    await until(lambda: _is_idle(comfyui), WAIT_S)


async def _is_running(comfyui: RealComfyUI, words: str) -> bool:
    return any(words in str(item[2]) for item in (await comfyui.queued())[0])


async def _is_idle(comfyui: RealComfyUI) -> bool:
    return await comfyui.queued() == ([], [])


async def _count_waiting(comfyui: RealComfyUI) -> int:
    return len((await comfyui.queued())[1])


async def _has_none_waiting(comfyui: RealComfyUI) -> bool:
    return not await _count_waiting(comfyui)


@pytest.mark.parametrize(("how", "code"), [("memory", "out_of_memory"), ("broken", "backend_error")])
async def test_failure_inside_is_told_without_paths(studio: Studio, how: str, code: str) -> None:
    await studio.keep(failing(how))
    job = await studio.draw(workflow="w", **WORDS)
    assert (job["status"], job["error"]["code"]) == ("failed", code)
    for sign in ("/srv", "Traceback", ".py", "Error"):
        assert sign not in f"{job['error']['message']} {job['error']['hint']}"


async def test_job_that_a_kill_of_comfyui_lost_is_drawn_when_it_is_back(studio: Studio, comfyui: RealComfyUI) -> None:
    await studio.keep(slow(5.0))
    job_id = await studio.ask(workflow="w", **WORDS)
    await until(lambda: _is_running(comfyui, WORDS["prompt"]), WAIT_S)
    comfyui.kill()
    await comfyui.start()
    job = await studio.ended(job_id)
    assert (job["status"], len(job["images"])) == ("done", 1), job
    assert len(await comfyui.get("/history")) == 1


async def test_job_that_runs_while_easel_is_killed_is_taken_up_not_sent_again(
    comfyui: RealComfyUI, tmp_path: Path
) -> None:
    port = free_port()
    settings = {
        "DATA_DIR": str(tmp_path / "data"), "MEDIA_CACHE_DIR": str(tmp_path / "data"), "WEB": "true",
        "PORT": str(port), "PROBE_LOCAL_PORTS": "false", "COMFYUI_URL": comfyui.url,
    }  # fmt: skip
    words = {"prompt": "a fox that outlives a kill"}
    reply = {**words, "backend": "comfyui", "width": 64, "height": 64, "steps": 2, "workflow": "w"}
    async with (
        processes(tmp_path) as begin,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}", trust_env=False, timeout=WAIT_S) as client,
    ):
        first = begin(**settings)
        await _ready(first, client)
        assert (await client.put("/api/workflows/w", json={"graph": slow(15.0)})).is_success
        job_id = (await client.post("/api/jobs", json=reply)).json()["jobs"][0]["id"]
        await until(lambda: _is_running(comfyui, words["prompt"]), WAIT_S)
        await until(lambda: _knows_the_remote_job(tmp_path / "data"), WAIT_S)
        first.kill()
        await first.wait()
        await _ready(begin(**settings), client)
        await until(lambda: _is_done(client, job_id), WAIT_S)
    sent = [entry for entry in (await comfyui.get("/history")).values() if words["prompt"] in str(entry["prompt"])]
    assert len(sent) == 1


async def _ready(easel: EaselProcess, client: httpx.AsyncClient) -> None:
    async def answers() -> bool:
        assert easel.returncode is None, easel.log.read_text()
        with suppress(httpx.TransportError):
            return (await client.get("/healthz")).is_success
        return False

    await until(answers, WAIT_S)


def _knows_the_remote_job(data: Path) -> bool:
    with closing(sqlite3.connect(f"file:{data / 'easel.sqlite3'}?mode=ro", uri=True)) as database:
        return bool(database.execute("SELECT 1 FROM jobs WHERE remote_id IS NOT NULL").fetchone())


async def _is_done(client: httpx.AsyncClient, job_id: str) -> bool:
    return (await client.get(f"/api/jobs/{job_id}")).json()["status"] == "done"


async def test_model_with_an_odd_name_draws(studio: Studio) -> None:
    name = ALSO["checkpoints"][1]
    _, ran = await studio.drawn(**WORDS, model=name)
    assert of_class(ran, "CheckpointLoaderSimple")["ckpt_name"] == name


@pytest.mark.skipif(os.name == "nt", reason="there names are no bytes")
async def test_file_whose_name_is_no_text_hinders_nobody(comfyui: RealComfyUI, tmp_path: Path) -> None:
    loras = os.fsencode(comfyui.base / "models" / "loras")
    odd = os.path.join(loras, b"\xc4\xe3model.safetensors")
    await asyncio.to_thread(shutil.copyfile, os.path.join(loras, os.fsencode(LORA)), odd)
    try:
        async with studio_with(comfyui, tmp_path) as studio:
            await studio.drawn(**WORDS)
            (engine,) = [each for each in await studio.engines() if each["name"] == "comfyui"]
            assert engine["state"] == "up", engine
            assert [name for name in engine["capabilities"]["loras"] if name.endswith("model.safetensors")]
    finally:
        os.unlink(odd)


async def test_picture_is_found_under_whatever_name_it_was_saved(studio: Studio) -> None:
    graph = plain()
    graph["9"]["inputs"]["filename_prefix"] = "ünï <b>&amp; 'zwei'%25/a b#c?d=e/%width%"
    await studio.keep(graph)
    job, _ = await studio.drawn(workflow="w", **WORDS)
    assert opened(await studio.file(job)).size == SIZE


async def test_name_that_leads_out_of_the_folder_is_told_without_paths(studio: Studio) -> None:
    graph = plain()
    graph["9"]["inputs"]["filename_prefix"] = "../../outside"
    await studio.keep(graph)
    job = await studio.draw(workflow="w", **WORDS)
    assert job["status"] == "failed"
    assert "/" not in job["error"]["message"]
