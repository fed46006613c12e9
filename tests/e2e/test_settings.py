"""`/settings`: what mia, a channel or a server always wants, set, told and used."""

from __future__ import annotations

from typing import Any

from tests.discord_server import DiscordServer
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import Easel, job_id, reply_to
from tests.e2e.pictures import rich_backend
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


async def test_every_value_of_a_picture_is_explained_with_where_it_comes_from(
    discord: DiscordServer, start: StartEasel
) -> None:
    easel = await start(rich_backend("gpu1"), FakeBackend("grid"))
    discord.user("boss", permissions=("MANAGE_GUILD",))
    lines = (await ask(easel, "explain")).split("\n")
    assert lines[1:9] == [
        "engine gpu1 · chosen for you now",
        "model its own · gpu1’s",
        "size 512×512 · gpu1’s",
        "steps 20 · gpu1’s",
        "CFG 7 · gpu1’s",
        "private off · Easel’s",
        "spoiler off · Easel’s",
        "previews on · Easel’s",
    ]
    await ask(easel, "set", options="--steps 33 --lora add_detail:0.5", private=True)
    await ask(easel, "set", "boss", options="--steps 12 --cfg 4 --negative blurry --backend gpu1", scope="server")
    explained = await ask(easel, "explain")
    for line in (
        "engine gpu1 · this server’s",
        "steps 33 · yours",
        "CFG 4 · this server’s",
        "without blurry · this server’s",
        "`--lora add_detail:0.5` · yours",
        "private on · yours",
    ):
        assert f"\n{line}\n" in explained, explained
    by_prefix = await easel.answer_to(await easel.say("!settings explain"))
    assert by_prefix.content == explained


async def test_settings_are_explained_where_nothing_draws(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(has_fallback=False)
    await ask(easel, "set", options="--steps 33")
    explained = await ask(easel, "explain")
    assert "There is no engine here yet" in explained
    assert "\n`--steps 33` · yours\n" in explained
    assert "\npings on · Easel’s\n" in explained


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
