"""`/forget`: asked twice, done once, and old buttons of a forgotten picture tell nothing."""

from __future__ import annotations

from tests.discord_server import DiscordServer
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import job_id
from tests.fakes import FakeBackend


async def test_forget_deletes_everything_after_a_second_word(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend())
    answer = await easel.dream("!dream a xylograph of a fox")
    other = await easel.dream("!dream a blue fox", user="ann")
    asked = await discord.user("mia").slash(discord.channel, "forget")
    assert asked.original.ephemeral
    assert asked.original.buttons == ["Delete everything"]
    assert (await easel.job(job_id(answer))).request.prompt == "a xylograph of a fox", "nothing is done yet"
    await discord.user("mia").click(asked.original, "Delete everything")
    await discord.wait_for(lambda: "Deleted: 1 picture and what" in asked.original.content)
    assert asked.original.buttons == []
    forgotten = await easel.job(job_id(answer))
    assert (forgotten.request.prompt, forgotten.user_key.partition(":")[0]) == ("", "forgotten")
    assert (await easel.job(job_id(other))).request.prompt == "a blue fox"


async def test_old_buttons_of_a_forgotten_picture_say_so(discord: DiscordServer, start: StartEasel) -> None:
    engine = FakeBackend()
    easel = await start(engine)
    answer = await easel.dream("!dream a xylograph of a fox")
    asked = await discord.user("mia").slash(discord.channel, "forget")
    await discord.user("mia").click(asked.original, "Delete everything")
    await discord.wait_for(lambda: "Deleted" in asked.original.content)
    await discord.user("ann").click(answer, "Re-roll")
    await discord.wait_for(lambda: any("deleted" in one.content for one in discord.user("ann").sees(discord.channel)))
    assert len(engine.requests) == 1
    shown = await discord.user("ann").click(answer, "Info")
    assert "xylograph" not in shown.original.content
