"""`/admin reload`: admins have the settings read again, and hear what came of it."""

from __future__ import annotations

from tests.discord_server import DiscordServer
from tests.e2e.conftest import StartEasel


async def test_admins_alone_reload_the_settings(discord: DiscordServer, start: StartEasel) -> None:
    boss = discord.user("boss")
    await start(admins=(boss.id,))
    answer = await boss.slash(discord.channel, "admin reload")
    await discord.wait_for(lambda: answer.original and not answer.original.loading)
    assert "was not started from a .env" in answer.original.content  # the tests' Easel has none
    assert answer.original.ephemeral
    refused = await discord.user("mia").slash(discord.channel, "admin reload")
    await discord.wait_for(lambda: refused.original and not refused.original.loading)
    assert "Only admins of this bot may do that." in refused.original.content
