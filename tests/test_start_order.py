"""The order of a start: ports first, then Discord, the web framework last."""

import asyncio
import contextlib
import json
import os
import re
import socket
import sys
from collections.abc import AsyncIterator
from functools import partial
from importlib.metadata import packages_distributions
from pathlib import Path

import httpx
import pytest

import main
from tests.discord_server import DiscordServer
from tests.easel_process import Begin, free_port, processes

MAIN = Path(main.__file__)


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


# What an Easel without engines and without the studio loads that is neither Python's nor its own. Each name here
# costs every start and stays in memory: `python -X importtime main.py start` says how much.
BEFORE_READY = {
    "nextcord", "aiohttp", "aiohappyeyeballs", "aiosignal", "attr", "frozenlist", "multidict", "propcache", "yarl",
    "httpx", "certifi", "idna", "pydantic", "pydantic_core", "annotated_types",
    "typing_extensions", "typing_inspection", "aiosqlite", "PIL", "dotenv", "cryptography", "cffi", "_cffi_backend",
    "_openssl", "_distutils_hack", "audioop",  # of nextcord, where the standard library has no such module any more
}  # fmt: skip


async def test_only_what_is_needed_is_loaded_before_discord_is_heard(discord: DiscordServer, tmp_path: Path):
    loaded = await _loaded_at_start(discord, tmp_path)
    others = {name.split(".")[0] for name in loaded} & set(packages_distributions())
    assert "nextcord" in others
    assert others - BEFORE_READY == set()
    engines = {name.split(".")[1] for name in loaded if re.fullmatch(r"backends\.\w+\.(backend|client)", name)}
    assert not engines, "an engine's own code is loaded where there is such an engine"
    assert not loaded & OF_WHOM_IT_IS_SET, "loaded where it is set, or at its first use"


# Of Easel and of Python.
OF_WHOM_IT_IS_SET = {
    "text_engines.openai_chat", "text_engines.anthropic", "services.rentals.runpod", "services.rentals.vast",
    "html.entities", "tarfile",
}  # fmt: skip

# Run as `main.py start`; at its end it tells what is loaded.
RUN = """
import atexit, json, sys
atexit.register(lambda: print(json.dumps([name for name, module in sys.modules.items() if module])))
import main
sys.exit(main.main(["start"]))
"""


async def _loaded_at_start(discord: DiscordServer, folder: Path) -> set[str]:
    environ = {
        "PATH": os.environ["PATH"], "PYTHONPATH": str(MAIN.parent), "WEB": "false", "PROBE_LOCAL_PORTS": "false",
        "DISCORD_TOKEN": discord.token, "DISCORD_API_URL": discord.api_url,
    }  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-W", "ignore", "-c", RUN, env=environ, cwd=folder, stdout=asyncio.subprocess.PIPE
    )
    try:
        await discord.wait_commands({"generate"}, 20)
        process.terminate()
        printed, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
    return set(json.loads(printed.splitlines()[-1]))
