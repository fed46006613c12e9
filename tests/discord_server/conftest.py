from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable

import nextcord.http
import pytest
from nextcord.ext import commands

from tests.discord_server import DiscordServer
from tests.discord_server.sample_bot import RunningBot, make_bot

COMMANDS = {"generate", "secret", "silent", "styles", "Reuse prompt"}
Connect = Callable[..., Awaitable[commands.Bot]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "discord_server" in str(item.path):
            # both nextcord lines pass ws_connect a plain number, which aiohttp has deprecated
            item.add_marker(pytest.mark.filterwarnings("ignore:parameter 'timeout' of type 'float':DeprecationWarning"))


@pytest.fixture
async def discord(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[DiscordServer]:
    async with DiscordServer() as server:
        monkeypatch.setattr(nextcord.http.Route, "BASE", server.api_url)
        yield server


@pytest.fixture
async def connect(discord: DiscordServer) -> AsyncIterator[Connect]:
    """Start the sample bot; it is there, with its commands, when the call returns."""
    running: list[RunningBot] = []

    async def start(**intents: bool) -> commands.Bot:
        running.append(RunningBot(make_bot(discord.changed, **intents), discord.token))
        ended = running[-1].task
        ended.add_done_callback(lambda _: discord.changed())
        await discord.wait_for(lambda: ended.done() or discord.commands.names() >= COMMANDS, 15)
        if ended.done():
            ended.result()
        await running[-1].bot.wait_until_ready()
        return running[-1].bot

    yield start
    for each in running:
        await each.close()
