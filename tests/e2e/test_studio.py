"""From a picture in Discord into the studio, and what is drawn there back into the channel: both on one queue."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from io import BytesIO
from pathlib import Path

import httpx
import pytest
from PIL import Image

from api.app import create_app
from app.build import build
from app.doors import make_bot, make_door
from cogs.bot import EaselBot
from config import read_settings
from tests.discord_server import DiscordServer, Message
from tests.e2e.harness import COMMANDS, is_finished, more, own, reply_to

PUBLIC = "https://easel.example.org"
DREAM = "!dream a red fox --size 64x64 --steps 4 --seed 5"


@pytest.fixture
async def page(discord: DiscordServer, tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """A browser elsewhere, at the studio of an Easel that is in the local Discord."""
    reply = {"DATA_DIR": str(tmp_path), "PROBE_LOCAL_PORTS": "false", "GRACEFUL_STOP": "0", "PUBLIC_URL": PUBLIC}
    easel = await build(read_settings(tmp_path / "none", reply))
    await easel.start()
    door = make_door(easel)
    async with _bot(make_bot(easel), discord):
        transport = httpx.ASGITransport(create_app(door.web), client=("203.0.113.9", 1))
        async with httpx.AsyncClient(transport=transport, base_url=PUBLIC) as browser:
            yield browser
    await door.close()
    await easel.queue.stop()
    await easel.close()


@asynccontextmanager
async def _bot(bot: EaselBot, discord: DiscordServer) -> AsyncIterator[None]:
    task = asyncio.create_task(bot.start(discord.token))
    await discord.wait_for(lambda: discord.gateway.live and discord.commands.names() >= COMMANDS, 15)
    await bot.wait_until_ready()
    yield
    await bot.close()
    await asyncio.gather(task, return_exceptions=True)


async def dream(discord: DiscordServer, user: str = "mia") -> Message:
    reply = await discord.user(user).say(discord.channel, DREAM)
    answer = await discord.wait_for(lambda: reply_to(reply), 5)
    return await discord.wait_for(lambda: answer if is_finished(answer) else None, 8)


async def enter(page: httpx.AsyncClient, discord: DiscordServer, message: Message, user: str) -> dict[str, object]:
    """Press Studio, follow the link, and return the session."""
    pressed = await more(discord.user(user), message, "Studio")
    link = re.search(r"\((https?://[^)]+)\)", pressed.original.content)
    assert pressed.original.ephemeral
    assert link
    opened = await page.get(link[1])
    assert opened.status_code in (302, 303, 307)
    session = (await page.get("/api/session")).json()
    page.headers["Sec-Fetch-Site"] = "same-origin"
    return session


async def test_a_mask_painted_in_the_studio_comes_back_into_the_channel(
    discord: DiscordServer, page: httpx.AsyncClient
) -> None:
    answer = await dream(discord)
    session = await enter(page, discord, answer, "mia")
    job_id = session["open_job"]
    assert session["user"]["how"] == "link"
    assert not session["user"]["is_admin"]
    shown = (await page.get(f"/api/jobs/{job_id}")).json()
    assert shown["prompt"] == "a red fox"
    mask = BytesIO()
    Image.new("L", (64, 64), 255).save(mask, "PNG")
    painted = (await page.post("/api/uploads", content=mask.getvalue())).json()
    body = {
        "prompt": "a blue fox",
        "init_image": shown["images"][0]["id"],
        "mask_image": painted["media_id"],
        "reply_to": job_id,
    }
    taken = await page.post("/api/jobs", json=body)
    assert taken.status_code == 202
    posted = await discord.wait_for(
        lambda: next((m for m in own(discord.channel) if m is not answer and is_finished(m)), None), 8
    )
    assert "a blue fox" in posted.content
    assert discord.user("mia").mention in posted.content


async def test_somebody_else_may_open_it_and_what_they_draw_is_theirs(
    discord: DiscordServer, page: httpx.AsyncClient
) -> None:
    answer = await dream(discord, "mia")
    session = await enter(page, discord, answer, "ann")
    job_id = session["open_job"]
    shown = (await page.get(f"/api/jobs/{job_id}")).json()
    assert not shown["is_mine"]
    assert (await page.delete(f"/api/jobs/{job_id}")).status_code == 403
    again = await page.post(f"/api/jobs/{job_id}/again", json={"changes": {"prompt": "a green fox"}})
    assert again.json()["jobs"][0]["is_mine"]


async def test_without_a_link_nothing_is_shown(discord: DiscordServer, page: httpx.AsyncClient) -> None:
    await dream(discord)
    assert (await page.get("/api/jobs")).status_code == 401
    assert (await page.get("/open?t=1.a.b&job=x~1.a")).status_code in (400, 403, 410)
    assert (await page.get("/api/session")).status_code == 401
