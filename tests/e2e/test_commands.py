"""Registration of the commands with Discord: at once, and only when they have changed."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from cogs import command_sync
from tests.discord_server import DiscordServer
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import COMMANDS, own

IN_PRACTICE = {"rate_limits": {"command_write": (5, 20.0)}}


def writes(discord: DiscordServer) -> list[str]:
    return [
        item.method
        for item in discord.requests
        if item.path.split("?")[0].endswith("/commands") and item.method != "GET"
    ]


def texts(commands: dict[int, dict[str, Any]]) -> dict[str, tuple[str, int]]:
    return {item["name"]: (item["description"], len(item.get("options", []))) for item in commands.values()}


@pytest.fixture(autouse=True)
def quick_retries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command_sync, "RETRY_S", (0.02,))


@pytest.fixture
def unknown(discord: DiscordServer) -> DiscordServer:
    """A Discord which has never seen this bot's commands."""
    discord.commands.commands[None].clear()
    return discord


@pytest.mark.parametrize("discord", [IN_PRACTICE], indirect=True)
async def test_the_first_start_registers_all_commands_with_one_write(unknown: DiscordServer, start: StartEasel) -> None:
    await start()
    assert unknown.commands.names() >= COMMANDS
    assert writes(unknown) == ["PUT"]
    assert unknown.rate_limited == 0


async def test_a_later_start_writes_nothing_and_commands_work(unknown: DiscordServer, start: StartEasel) -> None:
    easel = await start()
    await easel.stop()
    unknown.requests.clear()
    await easel.start()
    assert writes(unknown) == []
    result = await easel.slash("a red fox")
    await easel.finished(result.original)


@pytest.mark.parametrize("change", ["words", "option", "gone", "added"])
async def test_what_another_version_registered_is_replaced_at_once(
    unknown: DiscordServer, start: StartEasel, change: str
) -> None:
    easel = await start()
    await easel.stop()
    known = unknown.commands.commands[None]
    before = deepcopy(known)
    command_id = next(key for key, command in known.items() if command["name"] == "generate")
    if change == "words":
        known[command_id]["description"] = "as it was in an older version"
    elif change == "option":
        known[command_id]["options"] = known[command_id]["options"][:-1]
    elif change == "gone":
        del known[command_id]
    else:
        unknown.commands.remember([{"name": "imagine", "description": "of another program", "type": 1}])
    unknown.requests.clear()
    await easel.start()
    # names that are all there do not tell that it has been written
    await unknown.wait_for(lambda: texts(unknown.commands.commands[None]) == texts(before))
    assert writes(unknown) == ["PUT"]


async def test_named_servers_get_their_commands_with_one_write_each(unknown: DiscordServer, start: StartEasel) -> None:
    other = unknown.add_guild("Other")
    easel = await start(guild_ids=(unknown.guild.id, other.id))
    await unknown.wait_for(lambda: len(unknown.commands.commands.get(other.id, {})) >= len(COMMANDS))
    assert writes(unknown) == ["PUT", "PUT"]
    assert unknown.commands.commands[None] == {}
    result = await easel.slash("a red fox")
    await easel.finished(result.original)


async def test_named_servers_know_their_commands_at_once_and_a_later_start_writes_nothing(
    unknown: DiscordServer, start: StartEasel
) -> None:
    easel = await start(guild_ids=(unknown.guild.id,))
    offered = await unknown.user("mia").autocomplete(unknown.channel, "templates", "template", "pixel")
    assert offered[0]["value"] == "pixel", "nobody had to press a command first"
    await easel.stop()
    unknown.requests.clear()
    await easel.start()
    assert writes(unknown) == []


async def test_a_server_that_refuses_commands_leaves_the_others_theirs(
    unknown: DiscordServer, start: StartEasel, caplog: pytest.LogCaptureFixture
) -> None:
    await start(guild_ids=(123456789012345678, unknown.guild.id))
    assert len(unknown.commands.commands[unknown.guild.id]) >= len(COMMANDS)
    assert "applications.commands" in caplog.text


async def test_a_failing_discord_is_asked_again(unknown: DiscordServer, start: StartEasel) -> None:
    order = unknown.fail("PUT", "/applications/*/commands", status=503, times=7)
    await start()
    assert order.hits == 7
    assert unknown.commands.names() >= COMMANDS


async def test_a_new_session_asks_nothing_again(unknown: DiscordServer, start: StartEasel) -> None:
    easel = await start()
    unknown.requests.clear()
    unknown.close_gateway(resumable=False)
    await unknown.wait_for(lambda: unknown.gateway.identifies == 2 and unknown.gateway.live, 10)
    await easel.dream()
    assert [item.path for item in unknown.requests if "/commands" in item.path] == []
    assert len(own(unknown.channel)) == 1
