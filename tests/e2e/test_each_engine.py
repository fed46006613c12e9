"""Every engine draws through Discord: progress in the message, cancel, and a restart of Easel in the middle."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from backends.base import Backend
from cogs import pacing
from tests.backends import (
    test_a1111_contract,
    test_ai_horde_contract,
    test_aipowergrid_contract,
    test_bfl_contract,
    test_fal_contract,
    test_gemini_contract,
    test_gradio_flux_contract,
    test_openai_images_contract,
    test_replicate_contract,
    test_stability_contract,
)
from tests.backends.comfyui import rig as comfyui_rig
from tests.discord_server import DiscordServer, Message
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import COMMANDS, Easel, is_finished, labels, own, reply_to
from tests.easel_process import processes
from tests.engines.listener import Fault
from tests.engines_faults.engines import ENGINES, KEYS, Engine, without_rates
from tests.waiting import until

ASK = "!dream a red fox --size 256x256 --steps 8 --seed 812"
UNDER_WAY = re.compile("[▰▱]|being drawn|waiting for a worker|starting|ahead of it")
CONNECT: dict[str, Callable[[Any], Backend]] = {
    "a1111": test_a1111_contract.connect,
    "comfyui": comfyui_rig.connect,
    "gradio_flux": test_gradio_flux_contract.connect,
    "ai_horde": lambda server: without_rates(test_ai_horde_contract.connect(server)),
    "aipowergrid": lambda server: without_rates(test_aipowergrid_contract.connect(server)),
    "openai_images": test_openai_images_contract.connect,
    "stability": test_stability_contract.connect,
    "replicate": test_replicate_contract.connect,
    "gemini": test_gemini_contract.connect,
    "bfl": test_bfl_contract.connect,
    "fal": test_fal_contract.connect,
}
SIZES = {
    "openai_images": "816×816",
    "stability": "1216×1216",
    "replicate": "512×512",
    "gemini": "512×512",
}  # no picture there is smaller
ASKS = {
    "aipowergrid",
    "openai_images",
    "stability",
    "gemini",
}  # no job ids, and they may charge: nothing is sent again unasked
AGAIN = {"a1111", "gradio_flux"}  # no job ids and no price: drawn once more with the same seed
EVERY_ENGINE = pytest.mark.parametrize("kind", ENGINES)


@pytest.fixture(autouse=True)
def _progress_at_once(start: StartEasel, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pacing, "SOON_S", 0.02)


async def asked(easel: Easel, engine: Engine, server: Any) -> Message:
    """Ask for a picture and wait until the engine is at work on it and the message says so."""
    answer = await easel.answer_to(await easel.say(ASK))
    await until(lambda: engine.is_working(server))
    await easel.server.wait_for(lambda: UNDER_WAY.search(answer.content))
    return answer


@EVERY_ENGINE
async def test_it_draws_and_tells_how_far_it_is(start: StartEasel, kind: str) -> None:
    engine = ENGINES[kind]
    async with engine.server() as server:
        engine.hold(server)
        easel = await start(CONNECT[kind](server))
        answer = await asked(easel, engine, server)
        assert "sketch" not in answer.content
        engine.release(server)
        await easel.finished(answer)
        assert len(answer.attachments) == 1
        assert SIZES.get(kind, "256×256") in answer.content
        assert engine.taken(server) == 1


@EVERY_ENGINE
async def test_cancel_is_told_at_once_and_the_next_picture_is_drawn(
    discord: DiscordServer, start: StartEasel, kind: str
) -> None:
    engine = ENGINES[kind]
    async with engine.server() as server:
        engine.hold(server)
        easel = await start(CONNECT[kind](server))
        answer = await asked(easel, engine, server)
        await discord.user("mia").click(answer, "Cancel")
        await easel.finished(answer)
        assert "~~a red fox~~" in answer.content
        assert not answer.attachments
        engine.release(server)
        again = await easel.dream(ASK.replace("812", "7"))
        assert len(again.attachments) == 1


@EVERY_ENGINE
async def test_a_killed_easel_goes_on_with_the_job(start: StartEasel, kind: str) -> None:
    engine = ENGINES[kind]
    async with engine.server() as server:
        engine.hold(server)
        easel = await start(CONNECT[kind](server))
        answer = await asked(easel, engine, server)
        await easel.kill()
        engine.release(server)
        easel.backends = [CONNECT[kind](server)]
        await easel.start()
        await easel.finished(answer)
        assert len(own(easel.server.channel)) == 1
        if kind in ASKS:
            assert "may already have charged" in answer.content
            assert "🎲 Run again" in str(labels(answer))
        else:
            assert len(answer.attachments) == 1
        assert engine.taken(server) == (2 if kind in AGAIN else 1)


@pytest.mark.parametrize("kind", ["replicate", "bfl", "fal"])
async def test_killed_while_a_paid_job_is_on_its_way_it_asks_and_sends_nothing_again(
    start: StartEasel, kind: str
) -> None:
    """Nobody knows whether it arrived: there is no id yet, and none is found."""
    engine = ENGINES[kind]
    async with engine.server() as server:
        server.faults.append(Fault(kind="hang", path=engine.job))
        easel = await start(CONNECT[kind](server))
        answer = await easel.answer_to(await easel.say(ASK))
        await until(lambda: server.count("POST", "") == 1)
        await easel.kill()
        easel.backends = [CONNECT[kind](server)]
        await easel.start()
        await easel.finished(answer)
        assert "may already have charged" in answer.content
        assert "🎲 Run again" in str(labels(answer))
        assert server.count("POST", "") == 1
        rows = await easel.now.database.fetch("SELECT state, usd FROM charges")
        assert [(row["state"], row["usd"] > 0) for row in rows] == [("unsure", True)]


@pytest.mark.timeout(60)
@pytest.mark.xdist_group("processes")
@pytest.mark.parametrize(
    ("kind", "setting"),
    [
        ("ai_horde", "AI_HORDE_URL"),
        ("comfyui", "COMFYUI_URL"),
        ("replicate", "REPLICATE_URL"),
        ("bfl", "BFL_URL"),
        ("fal", "FAL_URL"),
    ],
)
async def test_after_kill_9_the_remote_job_is_taken_up_not_sent_again(
    discord: DiscordServer, tmp_path: Path, kind: str, setting: str
) -> None:
    engine = ENGINES[kind]
    async with engine.server() as server, processes(tmp_path) as begin:
        settings = {
            "DISCORD_TOKEN": discord.token, "DISCORD_API_URL": discord.api_url, "DATA_DIR": str(tmp_path / "data"),
            setting: server.url,
        }  # fmt: skip
        settings |= {f"{kind.upper()}_KEY": KEYS[kind]} if kind in KEYS else {}
        engine.hold(server)
        first = begin(**settings)
        await discord.wait_commands(COMMANDS)
        reply = await discord.user("mia").say(discord.channel, ASK)
        await discord.wait_for(lambda: reply_to(reply), 10)
        await until(lambda: engine.is_working(server))
        await until_kept(tmp_path)
        first.kill()
        await first.wait()
        begin(**settings)
        engine.release(server)
        answer = await discord.wait_for(lambda: reply_to(reply) if is_finished(reply_to(reply)) else None, 20)
        assert len(answer.attachments) == 1
        assert engine.taken(server) == 1
        assert "Traceback" not in (tmp_path / "log").read_text()


async def until_kept(folder: Path) -> None:
    """Wait until the id of the remote job lies in the database."""

    def kept() -> bool:
        with closing(sqlite3.connect(f"file:{folder / 'data' / 'easel.sqlite3'}?mode=ro", uri=True)) as database:
            return bool(database.execute("SELECT 1 FROM jobs WHERE remote_id IS NOT NULL").fetchone())

    await until(kept)
