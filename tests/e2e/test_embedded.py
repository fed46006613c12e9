"""The engine inside through the whole product: Discord, the API, the command line; its child draws without torch."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import httpx
import pytest
from PIL import Image

import main
from api.app import create_app
from app.build import build
from app.doors import make_door
from backends.base import BackendConfig
from backends.embedded.backend import EmbeddedBackend
from config import read_settings
from tests.backends.embedded.inside import drawn_by, let_be_installed, put_two_models, settings_with
from tests.discord_server import DiscordServer
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import Easel, is_finished
from tests.fakes import FakeBackend
from tests.waiting import until

ASK = "!dream a red fox --size 64x64 --steps 4 --seed 812"


@pytest.fixture
def models(tmp_path: Path) -> Path:
    return put_two_models(tmp_path)


@pytest.fixture
def embedded(models: Path) -> EmbeddedBackend:
    options = {"models": str(models / "models"), "hf_home": str(models)}
    return drawn_by(BackendConfig(name="embedded", kind="embedded", options=options))


@pytest.fixture
def installed(models: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Let the packages be there, and return the settings of an Easel that has nothing but models."""
    let_be_installed(monkeypatch)
    return settings_with(models)


async def test_discord_draws_on_it_and_goes_on_after_kill_9_of_its_child(
    start: StartEasel, embedded: EmbeddedBackend
) -> None:
    easel: Easel = await start(embedded)
    answer = await easel.dream(ASK)
    assert "fox-sd15" in answer.content
    assert "sketch" not in answer.content
    pid = embedded._child.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    again = await easel.dream(ASK.replace("812", "813"))
    assert len(again.attachments) == 1
    assert embedded._child.pid != pid


async def test_a_list_of_models_names_the_licence_that_is_known(start: StartEasel, embedded: EmbeddedBackend) -> None:
    easel: Easel = await start(embedded)
    answer = await easel.answer_to(await easel.say("!list_models"))
    await easel.server.wait_for(lambda: "`FLUX.1 schnell` · Apache-2.0" in answer.content)
    assert "`fox-sd15`\n" in answer.content


async def test_discord_shows_how_far_it_is_and_cancels(
    start: StartEasel, embedded: EmbeddedBackend, discord: DiscordServer
) -> None:
    easel = await start(embedded)
    answer = await easel.answer_to(await easel.say(ASK.replace("a red fox", "hold")))
    await discord.wait_for(lambda: "▰" in answer.content or "▱" in answer.content)
    await discord.user("mia").click(answer, "Cancel")
    await discord.wait_for(lambda: "ancelled" in answer.content)
    pid = embedded._child.pid
    assert len((await easel.dream(ASK)).attachments) == 1
    assert embedded._child.pid == pid, "the model stays in memory"


async def test_a_crash_moves_the_picture_to_another_engine(start: StartEasel, embedded: EmbeddedBackend) -> None:
    other = FakeBackend("other")
    easel = await start(embedded, other)
    answer = await easel.dream(ASK.replace("a red fox", "abort --backend embedded"))
    assert is_finished(answer)
    assert "crashed on this picture" in answer.text
    easel.now.registry.get("embedded")
    answer = await easel.dream(ASK)
    assert len(answer.attachments) == 1


async def test_the_api_draws_on_it_and_its_models_are_those_of_this_machine(
    installed: dict[str, str], tmp_path: Path
) -> None:
    easel = await build(read_settings(tmp_path / "none", installed))
    await easel.start()
    door = make_door(easel)
    transport = httpx.ASGITransport(create_app(door.web), client=("127.0.0.1", 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1", timeout=30) as client:
        await until(lambda: easel.registry.get("embedded").capabilities or easel.registry.get("embedded").error)
        body = {"prompt": "a red fox", "width": 64, "height": 64, "model": "flux-schnell"}
        answer = (await client.post("/v1/generate-image", json=body)).json()
        assert answer["model"] in {"FLUX.1 schnell", "flux-schnell"}
        engines = (await client.get("/api/engines")).json()
        assert "embedded" in str(engines)
        assert (await client.get("/v1/model-info")).json()["loaded"] is True
        await easel.registry.get("embedded").backend.unload()
        assert (await client.get("/v1/model-info")).json()["loaded"] is False
        loaded = (await client.post("/v1/load-model?model_name=fox-sd15")).json()
        assert loaded["status"] == "success"
        info = (await client.get("/v1/model-info")).json()
        assert (info["current_model"], info["device"], info["dtype"]) == ("fox-sd15", "a fake cpu", "float32")
        assert (info["offload"], info["memory_total_mb"], info["memory_used_mb"]) == ("whole", 8000, 0)
        assert info["loaded_since"]
    await door.close()
    await easel.queue.stop()
    await easel.close()


def test_the_command_line_draws_on_it(
    installed: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("os.environ", installed | {"WEB": "false", "PATH": os.environ["PATH"]})
    assert main.main(["generate", "a red fox", "--size", "64x64", "--steps", "4", "-o", "fox.png"]) == 0
    with Image.open(tmp_path / "fox.png") as picture:
        assert picture.size == (64, 64)
    assert "sketch" not in capsys.readouterr().out
