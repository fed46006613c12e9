"""The world around Easel for a benchmark: a local Discord and engines, each a process of its own."""

import asyncio
import json
import os
import socket
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import nextcord

from app.build import Easel, build
from app.doors import make_bot
from config import read_settings
from utils.lean import uncollected

COMMANDS = ["generate"]


@dataclass(frozen=True, kw_only=True)
class World:
    """A running Easel, in this process, and the way to play users of the local Discord."""

    easel: Easel
    control: httpx.AsyncClient
    engine: httpx.AsyncClient

    async def act(self, action: str, **values: Any) -> Any:
        """Play a user: "say", "slash", "wait" and so on; see `tests/discord_server/control.py`."""
        response = await self.control.post(f"/_control/{action}", json=values)
        response.raise_for_status()
        return response.json()

    async def messages(self, channel: str) -> list[dict[str, Any]]:
        return list((await self.control.get("/_control/messages", params={"channel": channel})).json())

    async def wait_for_pictures(self, channel: str, count: int, timeout_s: float) -> list[dict[str, Any]]:
        """Wait until `count` messages of a channel show a finished picture."""
        async with asyncio.timeout(timeout_s):
            while True:
                done = [message for message in await self.messages(channel) if shows_picture(message)]
                if len(done) >= count:
                    return done
                await asyncio.sleep(0.1)


def shows_picture(message: dict[str, Any]) -> bool:
    """Return whether a message shows a finished picture, not a preview of it."""
    ids = (item.get("custom_id", "") for row in message["components"] for item in row["components"])
    return bool(message["files"]) and any(":more:" in custom_id for custom_id in ids)


@asynccontextmanager
async def world(*, seconds_per_image: float, image_bytes: int, **environ: str) -> AsyncIterator[World]:
    """Start Discord, an A1111 stand-in and Easel, connected; stop them in order."""
    arguments = ("--seconds", str(seconds_per_image), "--image-bytes", str(image_bytes))
    async with stand_in("tests.engines.a1111_server", *arguments) as url, discord_world(A1111_URL=url, **environ) as it:
        yield it


@asynccontextmanager
async def discord_world(**environ: str) -> AsyncIterator[World]:
    """Start Discord and Easel with the engines of these settings."""
    async with AsyncExitStack() as stack:
        discord = await stack.enter_async_context(process("tests.discord_server", "--port", "0", says_json=True))
        engine = await stack.enter_async_context(httpx.AsyncClient(base_url=environ.get("A1111_URL", ""), timeout=60))
        easel = await stack.enter_async_context(running_easel(PING_AFTER="0", **environ))
        await stack.enter_async_context(_bot(easel, discord))
        control = await stack.enter_async_context(httpx.AsyncClient(base_url=discord["url"], timeout=60))
        here = World(easel=easel, control=control, engine=engine)
        await here.act("wait", commands=COMMANDS, timeout_s=60)
        yield here


@asynccontextmanager
async def running_easel(**environ: str) -> AsyncIterator[Easel]:
    """Build Easel from settings, as `main` does, and start it without a door; all engines have been asked once."""
    with tempfile.TemporaryDirectory() as folder:
        values = {"DATA_DIR": folder, "MAX_WAITING_PER_USER": "1000", "GRACEFUL_STOP": "0"}
        with uncollected():  # as a start does: what modules made is not looked through again and again
            easel = await build(read_settings(Path(folder) / "none", {**values, **environ}))
            await easel.start()
        try:
            await easel.registry.refresh_all()
            yield easel
        finally:
            await easel.queue.stop()
            await easel.close()


@asynccontextmanager
async def stand_in(module: str, *arguments: str) -> AsyncIterator[str]:
    """Start a stand-in engine as a process of its own; yields its address once it answers."""
    port = free_port()
    async with process(module, "--port", str(port), *arguments):
        await answers(port)
        yield f"http://127.0.0.1:{port}"


@asynccontextmanager
async def _bot(easel: Easel, discord: dict[str, Any]) -> AsyncIterator[None]:
    nextcord.http.Route.BASE = discord["api_url"]
    bot = make_bot(easel)
    task = asyncio.create_task(bot.start(discord["token"]))
    try:
        yield
    finally:
        await bot.close()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def process(module: str, *arguments: str, says_json: bool = False) -> AsyncIterator[dict[str, Any]]:
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-W",
        "ignore",
        "-m",
        module,
        *arguments,
        stdout=asyncio.subprocess.PIPE if says_json else asyncio.subprocess.DEVNULL,
        env=os.environ,
    )
    try:
        reply = json.loads(await child.stdout.readline()) if child.stdout else {}
        yield reply
    finally:
        child.kill()
        await child.wait()


async def answers(port: int) -> None:
    async with asyncio.timeout(20):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
