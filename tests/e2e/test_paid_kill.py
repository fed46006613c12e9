"""Easel is killed while a service that charges draws: the job is never sent again by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.discord_server import DiscordServer
from tests.e2e.harness import COMMANDS, is_finished, labels, reply_to
from tests.e2e.test_each_engine import ASK
from tests.easel_process import processes
from tests.engines_faults.engines import ENGINES, KEYS
from tests.waiting import until

SETTINGS = {
    "openai_images": {"OPENAI_API_KEY": KEYS["openai_images"], "OPENAI_IMAGES_DIALECT": "openai"},
    "stability": {"STABILITY_API_KEY": KEYS["stability"]},
    "gemini": {"GEMINI_API_KEY": KEYS["gemini"]},
}


@pytest.mark.timeout(60)
@pytest.mark.xdist_group("processes")
@pytest.mark.parametrize(
    ("kind", "url"),
    [("openai_images", "OPENAI_BASE_URL"), ("stability", "STABILITY_URL"), ("gemini", "GEMINI_URL")],
)
async def test_after_kill_9_a_paid_job_is_never_sent_again(
    discord: DiscordServer, tmp_path: Path, kind: str, url: str
) -> None:
    engine = ENGINES[kind]
    async with engine.server() as server, processes(tmp_path) as begin:
        settings = {
            "DISCORD_TOKEN": discord.token, "DISCORD_API_URL": discord.api_url, "DATA_DIR": str(tmp_path / "data"),
            url: server.url,
        } | SETTINGS[kind]  # fmt: skip
        engine.hold(server)
        first = begin(**settings)
        await discord.wait_commands(COMMANDS)
        message = await discord.user("mia").say(discord.channel, ASK)
        await discord.wait_for(lambda: reply_to(message), 10)
        await until(lambda: engine.is_working(server))
        first.kill()
        await first.wait()
        begin(**settings)
        engine.release(server)
        answer = await discord.wait_for(lambda: reply_to(message) if is_finished(reply_to(message)) else None, 20)
        assert "may already have charged" in answer.content
        assert "🎲 Run again" in str(labels(answer))
        assert engine.taken(server) == 1
        log = (tmp_path / "log").read_text()
        assert "Traceback" not in log
        assert KEYS[kind] not in log
