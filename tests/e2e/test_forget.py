"""`/forget`: asked twice, done once, and old buttons of a forgotten picture tell nothing."""

from __future__ import annotations

import asyncio

from tests.discord_server import DiscordServer
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import job_id, more, own, reply_to
from tests.e2e.pictures import png
from tests.fakes import FakeBackend
from tests.waiting import until


async def test_forget_deletes_everything_after_a_second_word(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend())
    answer = await easel.dream("!dream a xylograph of a fox")
    other = await easel.dream("!dream a blue fox", user="ann")
    asked = await discord.user("mia").slash(discord.channel, "forget")
    assert asked.original.ephemeral
    assert asked.original.buttons == ["Delete everything"]
    assert (await easel.job(job_id(answer))).request.prompt == "a xylograph of a fox", "nothing is done yet"
    await discord.user("mia").click(asked.original, "Delete everything")
    await discord.wait_for(lambda: "Deleted: 1 picture and the words of" in asked.original.content)
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
    await discord.wait_for(lambda: any("deleted" in item.content for item in discord.user("ann").sees(discord.channel)))
    assert len(engine.requests) == 1
    shown = await more(discord.user("ann"), answer, "Info")
    assert "xylograph" not in shown.original.content


async def forget(discord: DiscordServer, user: str = "mia") -> None:
    asked = await discord.user(user).slash(discord.channel, "forget")
    await discord.user(user).click(asked.original, "Delete everything")
    await discord.wait_for(lambda: "Deleted" in asked.original.content)


async def test_what_is_being_taken_in_is_not_drawn_once_its_person_is_forgotten(
    discord: DiscordServer, start: StartEasel
) -> None:
    engine = FakeBackend()
    easel = await start(engine)
    discord.fail("GET", "/attachments/*", delay_s=0.5)
    reply = await easel.say("!dream a xylograph", attachments=[("cat.png", png())])
    await until(lambda: easel.bot.desk._tasks)
    await forget(discord)
    await until(lambda: not easel.bot.desk._tasks)
    await discord.wait_for(lambda: reply_to(reply) and "deleted" in reply_to(reply).content)
    assert engine.requests == []
    rows = await easel.now.database.fetch("SELECT user_key FROM jobs")
    assert [row["user_key"] for row in rows if not row["user_key"].startswith("forgotten")] == []


async def test_what_waits_is_shown_as_cancelled_and_posted_nowhere_else(
    discord: DiscordServer, start: StartEasel
) -> None:
    engine = FakeBackend(hold=True)
    easel = await start(engine)
    shown = [await easel.answer_to(await easel.say(f"!dream a {colour} xylograph")) for colour in ("red", "blue")]
    await discord.wait_for(lambda: all(item.controls for item in shown))
    await until(lambda: engine.running)
    await forget(discord)
    await discord.wait_for(lambda: all("ancelled" in item.content for item in shown))
    engine.release(3)
    before = len(own(discord.channel))
    await easel.stop()
    await easel.start()
    last = await easel.dream("!dream the last one", user="ann")
    assert len(own(discord.channel)) == before + 1
    assert discord.user("mia").dms == []
    while due := await easel.now.jobs.undelivered("discord"):
        assert [job.id for job in due] == [job_id(last)]
        await asyncio.sleep(0.01)


async def test_a_comparison_under_way_is_forgotten_with_its_person(discord: DiscordServer, start: StartEasel) -> None:
    engines = [FakeBackend(hold=True, name="left"), FakeBackend(hold=True, name="right")]
    easel = await start(*engines)
    asked = await discord.user("mia").slash(discord.channel, "compare", prompt="a xylograph")
    await until(lambda: all(engine.running for engine in engines))
    await forget(discord)
    await discord.wait_for(lambda: "ancelled" in asked.original.content)
    await easel.stop()
    await easel.start()
    assert await easel.now.database.fetch("SELECT * FROM comparisons") == []
    assert [item for item in own(discord.channel) if not item.ephemeral] == [asked.original]
