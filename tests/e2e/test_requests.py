"""Requests that one job costs at Discord: at most three where there is no progress to show."""

from __future__ import annotations

import pytest

from tests.discord_server import DiscordServer
from tests.e2e.conftest import StartEasel
from tests.fakes import FakeBackend

WITHOUT_PROGRESS = 3


@pytest.mark.parametrize("way", ["a message", "a slash command"])
async def test_a_job_without_progress_costs_three_requests(discord: DiscordServer, start: StartEasel, way: str) -> None:
    easel = await start(FakeBackend())
    before = len(discord.requests)
    if way == "a message":
        await easel.dream("!dream a red fox")
    else:
        answer = await easel.slash("a red fox")
        await discord.wait_for(lambda: answer.original and answer.original.attachments)
    asked = [(record.method, record.path) for record in discord.requests[before:]]
    asked = [each for each in asked if not each[1].endswith("/commands")]  # a slow start may still offer its commands
    assert len(asked) <= WITHOUT_PROGRESS, asked
