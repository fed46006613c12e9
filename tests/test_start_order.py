"""The order of a start: ports first, then Discord, the web framework last."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import httpx
import pytest

from tests.discord_server import DiscordServer
from tests.easel_process import Begin, free_port, processes


@pytest.fixture
async def discord() -> AsyncIterator[DiscordServer]:
    async with DiscordServer() as server:
        yield server


@pytest.fixture
async def begin(tmp_path: Path) -> AsyncIterator[Begin]:
    async with processes(tmp_path) as begin:
        yield partial(begin, PROBE_LOCAL_PORTS="false")


async def test_a_port_that_is_taken_ends_the_start_before_discord_hears_of_it(begin: Begin, discord: DiscordServer):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        easel = begin(DISCORD_TOKEN=discord.token, DISCORD_API_URL=discord.api_url, WEB="true", PORT=port)
        assert f"Port {port} is in use" in await easel.said()
    assert easel.returncode == 1
    assert not discord.commands.names()


async def test_who_comes_to_the_studio_while_it_starts_waits_and_is_answered(begin: Begin, discord: DiscordServer):
    port = free_port()
    begin(DISCORD_TOKEN=discord.token, DISCORD_API_URL=discord.api_url, WEB="true", PORT=str(port))
    async with asyncio.timeout(20), httpx.AsyncClient(timeout=20) as client:
        while True:
            with contextlib.suppress(httpx.ConnectError):
                answer = await client.get(f"http://127.0.0.1:{port}/healthz")  # the first that is let in
                break
            await asyncio.sleep(0.01)
    assert answer.status_code == 200
