"""No command is offered that nothing here can carry out; it comes when an engine is connected that can."""

from __future__ import annotations

from backends.base import BackendConfig
from backends.registry import Entry
from generation.errors import BackendGone
from tests.discord_server import DiscordServer
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import own
from tests.e2e.test_commands import writes
from tests.e2e.test_connections import Examine, connect, engine, examine
from tests.e2e.test_style import restyler
from tests.fakes import FakeBackend

__all__ = ["engine", "examine"]  # fixtures


async def test_restyle_comes_and_goes_with_an_engine_that_can(discord: DiscordServer, start: StartEasel) -> None:
    discord.commands.commands[None].clear()
    easel = await start()
    await easel.now.registry.refresh_all()
    assert not discord.commands.names() & {"restyle", "gpu"}
    discord.requests.clear()
    painter = restyler()
    easel.now.registry.add(Entry(config=BackendConfig(name="painter", kind=painter.kind), backend=painter))
    await easel.now.registry.refresh_all()
    await discord.wait_commands({"restyle"})
    assert writes(discord) == ["PUT"]
    await easel.now.registry.remove("painter")
    await discord.wait_for(lambda: "restyle" not in discord.commands.names())
    assert writes(discord) == ["PUT", "PUT"]
    await easel.dream("!dream a red fox")
    typed = await easel.say("!restyle")
    await discord.wait_for(lambda: [each for each in own(discord.channel) if each.reference is typed])


async def test_an_engine_that_is_away_keeps_its_command(discord: DiscordServer, start: StartEasel) -> None:
    painter = restyler()
    easel = await start(painter)
    await easel.now.registry.refresh_all()
    await discord.wait_commands({"restyle"})
    await easel.stop()
    painter.is_down = BackendGone()
    discord.requests.clear()
    await easel.start()
    await easel.now.registry.refresh_all()
    typed = await easel.say("!help")
    await discord.wait_for(lambda: [each for each in own(discord.channel) if each.reference is typed])
    assert "restyle" in discord.commands.names()
    assert writes(discord) == []


async def test_gpu_is_for_who_has_an_engine_of_their_own(
    discord: DiscordServer, start: StartEasel, engine: FakeBackend, examine: Examine
) -> None:
    discord.commands.commands[None].clear()
    easel = await start(examine=examine)
    assert "gpu" not in discord.commands.names()
    await connect(easel)
    await discord.wait_commands({"gpu"})
