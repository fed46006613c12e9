"""The same server as a process of its own, driven over HTTP."""

from __future__ import annotations

import asyncio
import base64
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import nextcord.http
import pytest

from tests.discord_server.sample_bot import RunningBot, make_bot

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
async def address(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[dict[str, Any]]:
    arguments = ("-m", "tests.discord_server", "--port", "0")
    process = await asyncio.create_subprocess_exec(
        sys.executable, *arguments, cwd=ROOT, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    assert process.stdout is not None
    about = json.loads(await process.stdout.readline())
    monkeypatch.setattr(nextcord.http.Route, "BASE", about["api_url"])
    yield about
    process.terminate()
    await process.communicate()


async def test_bot_is_driven_through_the_control_door(address: dict[str, Any]) -> None:
    bot = make_bot(lambda: None)
    running = RunningBot(bot, address["token"])
    await bot.wait_for("ready", timeout=10)
    async with aiohttp.ClientSession(address["url"]) as session:

        async def control(action: str, **body: Any) -> Any:
            async with session.post(f"/_control/{action}", json=body) as answer:
                return await answer.json()

        state = await control("wait", commands=["generate"])
        assert "generate" in state["commands"]
        image = {"filename": "in.png", "base64": base64.b64encode(b"1").decode()}
        outcome = await control("slash", name="generate", options={"prompt": "fox", "image": image})
        assert outcome["callback_type"] == 5
        shown = await control("wait", message=outcome["message"]["id"])
        assert shown["files"][0]["filename"] == "fox.png"
        pressed = await control("click", message=shown["id"], control="Again")
        assert pressed["message"]["content"] == "again!"
        assert "error" in await control("click", message=shown["id"], control="nothing")
        await control("say", content="hello")
        async with session.get("/_control/messages") as answer:
            assert [message["author"] for message in await answer.json()] == ["easel", "easel", "mia"]
        async with session.get("/_control/state") as answer:
            assert (await answer.json())["violations"] == []
    await running.close()
