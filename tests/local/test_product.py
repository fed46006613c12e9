"""Discord, the API and the command line on real tiny models of both makers: previews, cancel, kill -9 in between."""

# ruff: noqa: F811  # fixtures of others, which tests name

import os
import re
import signal

import httpx
import pytest
from PIL import Image

import main
from api.app import create_app
from app.build import build
from app.doors import make_door
from config import read_settings
from tests.e2e.conftest import discord, quick_edits, start  # noqa: F401  # fixtures
from tests.e2e.harness import COMMANDS, is_finished, own, reply_to
from tests.easel_process import processes
from tests.local.orders import opened
from tests.local.product import (
    LONG,
    MAKERS,
    QUICK,
    SIDES,
    children_of,
    engine_on,
    is_there,
    put_model,
    settings_on,
)
from tests.local.soon import edit_soon
from tests.waiting import until

pytestmark = pytest.mark.parametrize("maker", MAKERS)
IN_A_STEP = re.compile(r"(/|of )150\b")
LONG_S = 200.0  # libraries are loaded first


@pytest.fixture
def models(maker, tmp_path, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "1")  # the other processor is for Easel
    put_model(maker, tmp_path / "models")
    return tmp_path / "models"


@pytest.mark.usefixtures("quick_edits")
async def test_discord_has_previews_cancels_in_a_step_and_goes_on_after_kill_9_of_the_child(
    maker, start, discord, models
):
    engine = engine_on(models)
    easel = await start(engine, job_timeout_s=2 * LONG_S)
    answer = await easel.answer_to(await easel.say(LONG[maker]))
    await discord.wait_for(lambda: [file for file in answer.attachments if file.filename == "preview.jpg"], LONG_S)
    assert IN_A_STEP.search(answer.content)
    pid = engine._child.pid
    await discord.user("mia").click(answer, "Cancel")
    await discord.wait_for(lambda: "ancelled" in answer.content)
    assert len((await easel.dream(QUICK)).attachments) == 1
    assert engine._child.pid == pid, "the model stays in memory"
    answer = await easel.answer_to(await easel.say(LONG[maker]))
    await discord.wait_for(lambda: IN_A_STEP.search(answer.content), LONG_S)
    os.kill(pid, signal.SIGKILL)
    await easel.finished(answer, LONG_S)
    assert len(answer.attachments) == 1
    assert opened(answer.attachments[0].data).size == (SIDES[maker],) * 2
    assert engine._child.pid != pid
    assert len(own(discord.channel)) == 3


async def test_kill_9_of_easel_ends_the_child_and_the_picture_is_drawn_once(discord, models, tmp_path):
    settings = settings_on(models) | {
        "DISCORD_TOKEN": discord.token, "DISCORD_API_URL": discord.api_url, "DATA_DIR": str(tmp_path / "data"),
    }  # fmt: skip
    async with processes(tmp_path) as begin:
        process = begin(prepare=edit_soon, **settings)
        await discord.wait_commands(COMMANDS, LONG_S)
        asked = await discord.user("mia").say(discord.channel, LONG["diffusers"])
        await discord.wait_for(lambda: reply_to(asked) and IN_A_STEP.search(reply_to(asked).content), LONG_S)
        (child,) = children_of(process._process.pid)
        process.kill()
        await process.wait()
        await until(lambda: not is_there(child), LONG_S)
        begin(**settings)
        await discord.wait_for(lambda: is_finished(reply_to(asked)), LONG_S)
        (answer,) = own(discord.channel)
        assert "fox" in answer.content
        assert "sketch" not in answer.content
        assert len(answer.attachments) == 1
    assert "Traceback" not in (tmp_path / "log").read_text()


async def test_the_api_draws_previews_cancels_and_tells_what_is_loaded(maker, models, tmp_path):
    easel = await build(read_settings(tmp_path / "none", settings_on(models) | {"DATA_DIR": str(tmp_path / "data")}))
    await easel.start()
    door = make_door(easel)
    transport = httpx.ASGITransport(create_app(door.web), client=("127.0.0.1", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", timeout=LONG_S) as client:
        await until(lambda: easel.registry.get("embedded").capabilities or easel.registry.get("embedded").error)
        loaded = (await client.post("/v1/load-model?model_name=fox")).json()
        assert loaded["status"] == "success"
        info = (await client.get("/v1/model-info")).json()
        kinds = {"diffusers": {"bfloat16", "float32"}, "openvino": {"openvino"}}
        assert (info["current_model"], info["offload"]) == ("fox", "whole")
        assert info["dtype"] in kinds[maker]
        assert info["loaded_since"]
        body = {"prompt": "a red fox", "width": 64, "height": 64, "num_inference_steps": 4, "seed": 812}
        drawn = (await client.post("/v1/generate-image", json=body)).json()
        assert drawn["model"] == "fox"
        body = {"prompt": "a red fox", "width": SIDES[maker], "height": SIDES[maker], "steps": 150}
        (job,) = (await client.post("/api/jobs", json=body)).json()["jobs"]
        answers = []

        async def is_previewed():
            answers.append(await client.get(f"/api/jobs/{job['id']}/preview"))
            return answers[-1].status_code == 200

        await until(is_previewed, LONG_S)
        assert max(opened(answers[-1].content).size) <= 256
        assert (await client.post(f"/api/jobs/{job['id']}/cancel")).status_code == 200
        await until(lambda: not easel.registry.get("embedded").backend._child._turn.locked())
        assert (await client.get(f"/api/jobs/{job['id']}")).json()["status"] == "cancelled"
    await door.close()
    await easel.queue.stop()
    await easel.close()


def test_the_command_line_draws(models, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    environ = settings_on(models) | {"DATA_DIR": str(tmp_path / "data"), "WEB": "false", "PATH": os.environ["PATH"]}
    monkeypatch.setattr("os.environ", environ)
    assert main.main(["generate", "a red fox", "--size", "64x64", "--steps", "4", "-o", "fox.png"]) == 0
    with Image.open(tmp_path / "fox.png") as picture:
        assert picture.size == (64, 64)
    printed = capsys.readouterr().out
    assert "fox" in printed
    assert "sketch" not in printed
    assert main.main(["models", "list"]) == 0
    assert "fox" in capsys.readouterr().out
