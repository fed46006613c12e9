"""`/settings`: what mia, a channel or a server always wants, set, told and used."""

from __future__ import annotations

from typing import Any

from tests.discord_server import DiscordServer
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import Easel, job_id, reply_to
from tests.fakes import FakeBackend


async def ask(easel: Easel, what: str, user: str = "mia", **options: Any) -> str:
    answer = await easel.server.user(user).slash(easel.server.channel, f"settings {what}", **options)
    await easel.server.wait_for(lambda: answer.message is not None or answer.followups)
    message = answer.message or answer.followups[0]
    assert message.ephemeral
    return str(message.content)


async def test_what_is_set_is_drawn_with_and_told_with_its_place(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend())
    discord.user("boss", permissions=("MANAGE_GUILD",))
    assert "Nothing is set" in await ask(easel, "show")
    assert "`--steps 33` · yours" in await ask(easel, "set", options="--steps 33 --size 640x448")
    await ask(easel, "set", "boss", options="--steps 12 --cfg 4", scope="server")
    shown = await ask(easel, "show")
    assert "`--size 640x448` · yours" in shown
    assert "~~`--steps 12` · this server’s~~" in shown
    assert "`--cfg 4` · this server’s" in shown
    request = (await easel.job(job_id(await easel.dream("!dream a red fox")))).request
    assert (request.steps, request.width, request.height, request.cfg_scale) == (33, 640, 448, 4)
    other = (await easel.job(job_id(await easel.dream("!dream a red fox", user="ann")))).request
    assert (other.steps, other.cfg_scale) == (12, 4)
    assert "--steps 33" not in await ask(easel, "reset", options="steps")
    assert "yours" not in await ask(easel, "reset")


async def test_a_servers_settings_are_for_who_manages_it(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend())
    assert "manage this server" in await ask(easel, "set", options="--steps 3", scope="server")
    assert "moderators" in await ask(easel, "set", options="--steps 3", scope="channel")
    assert "cannot be kept" in await ask(easel, "set", options="a red fox")
    assert "Nothing is set" in await ask(easel, "show")


async def test_by_prefix_they_are_ones_own(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend())
    for text, expected in (
        ("set --steps 33", "--steps 33"),
        ("", "--steps 33"),
        ("steps 20", "settings reset steps"),
        ("reset", "Nothing is set"),
    ):
        reply = await easel.say(f"!settings {text}")
        answer = await discord.wait_for(lambda reply=reply: reply_to(reply))
        assert expected in answer.content


async def test_they_go_with_everything_else_that_is_forgotten(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend())
    await ask(easel, "set", options="--steps 33")
    asked = await discord.user("mia").slash(discord.channel, "forget")
    await discord.user("mia").click(asked.original, "Delete everything")
    await discord.wait_for(lambda: "Deleted" in asked.original.content)
    assert "Nothing is set" in await ask(easel, "show")
