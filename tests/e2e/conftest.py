from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from functools import partial
from pathlib import Path
from typing import Any

import nextcord.http
import pytest

from cogs import bot, command_sync, pacing, spender
from tests.discord_server import DiscordServer
from tests.e2e.harness import COMMANDS, Easel
from tests.read_once import commands_are_read_once as commands_are_read_once

SOON_S = 0.3  # sooner than people need it, so that no test waits for it
KNOWN_COMMANDS: list[dict[str, Any]] = []  # what the first start of all has registered
EDIT_GAP_S = 0.1
StartEasel = Callable[..., Awaitable[Easel]]


@pytest.fixture
async def discord(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[DiscordServer]:
    """A local Discord; `@pytest.mark.parametrize("discord", [{...}], indirect=True)` sets it up otherwise."""
    async with DiscordServer(**getattr(request, "param", {})) as server:
        monkeypatch.setattr(nextcord.http.Route, "BASE", server.api_url)
        monkeypatch.setattr(bot, "GUILD_READY_TIMEOUT_S", 0.01)
        server.commands.remember(KNOWN_COMMANDS)
        yield server
        assert server.violations == []
        if not KNOWN_COMMANDS and server.commands.names() >= COMMANDS:
            KNOWN_COMMANDS.extend(server.commands.offered(None))


@pytest.fixture
def quick_edits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let progress follow progress sooner than Discord would."""
    monkeypatch.setattr(spender, "GAP_S", EDIT_GAP_S)
    monkeypatch.setattr(pacing, "READ_S", EDIT_GAP_S)
    monkeypatch.setattr(pacing, "MOST_EDITS", 100)
    monkeypatch.setattr(spender, "_Bucket", partial(spender._Bucket, gap_s=EDIT_GAP_S))


@pytest.fixture
async def start(discord: DiscordServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[StartEasel]:
    """Start Easel with these backends (none: sketch); it is stopped at the end of the test."""
    monkeypatch.setattr(pacing, "SOON_S", SOON_S)
    monkeypatch.setattr(command_sync, "LOOK_EVERY_S", 0.05)
    started: list[Easel] = []

    async def begin(*backends: Any, in_folder: Path | None = None, is_awaited: bool = True, **settings: Any) -> Easel:
        started.append(Easel(discord, in_folder or tmp_path, backends, **settings))
        return await started[-1].start(is_awaited=is_awaited)

    yield begin
    for easel in started:
        if easel.running:
            await easel.stop()
