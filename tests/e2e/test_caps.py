"""Caps as members meet them: a refusal with the right number, a button that draws it, and what is left today."""

from __future__ import annotations

from tests.discord_server import DiscordServer, Interaction, Message
from tests.discord_server.model import Role
from tests.discord_server.user import User
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import Easel, job_id, own, reply_to
from tests.fakes import FakeBackend
from tests.waiting import until


def chief(discord: DiscordServer) -> User:
    return discord.user("chief", permissions=["MANAGE_GUILD"])


async def limit(discord: DiscordServer, **options: object) -> str:
    done = await chief(discord).slash(discord.channel, "caps set", **options)
    return done.original.content


def fans(discord: DiscordServer) -> Role:
    """Return the one role of `fan`."""
    fan = discord.user("fan", permissions=["ADD_REACTIONS"])
    return discord.guild.roles[discord.guild.members[fan.id][1][0]]


async def answer(discord: DiscordServer, asked: Interaction) -> Message:
    await discord.wait_for(lambda: any(m and m.ephemeral and not m.loading for m in (*asked.followups, asked.original)))
    return next(m for m in (*reversed(asked.followups), asked.original) if m and m.ephemeral and not m.loading)


async def test_a_member_reads_what_is_right_and_draws_it_by_a_button(discord: DiscordServer, start: StartEasel) -> None:
    engine = FakeBackend()
    easel = await start(engine)
    assert "everybody: pictures of 1,048,576 pixels" in await limit(discord, size="1024x1024", steps=50)
    reply = await easel.say("!dream a fox --size 8000x8000")
    refused = await discord.wait_for(lambda: reply_to(reply) if reply_to(reply) and reply_to(reply).controls else None)
    assert "8000×8000 is too large: everybody may draw 1,048,576 pixels a picture" in refused.content
    assert engine.requests == []
    other = await discord.user("ann").click(refused, "Draw 1024×1024")
    assert "Only who asked" in (await answer(discord, other)).content
    await discord.user("mia").click(refused, "Draw 1024×1024")
    await easel.finished(refused)
    job = await easel.job(job_id(refused))
    assert (job.request.width, job.request.height, job.request.prompt) == (1024, 1024, "a fox")
    slow = await easel.slash("an owl", steps=90)
    reported = await answer(discord, slow)
    assert "90 steps are too many" in reported.content
    await discord.user("mia").click(reported, "Draw with 50 steps")
    await until(lambda: len(engine.requests) == 2)
    assert engine.requests[-1].steps == 50


async def test_the_button_works_after_a_restart(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend())
    await limit(discord, batch=2)
    reply = await easel.say("!dream a fox --batch 4")
    refused = await discord.wait_for(lambda: reply_to(reply) if reply_to(reply) and reply_to(reply).controls else None)
    await easel.stop()
    await easel.start()
    await discord.user("mia").click(refused, "Draw 2 pictures")
    await easel.finished(refused)


async def test_a_role_may_have_more_and_a_channel_less(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend())
    await limit(discord, steps=20)
    await limit(discord, role=fans(discord), steps=80)
    art = discord.add_channel("art")
    shown = await limit(discord, channel=art, steps=10)
    assert f"<#{art.id}>: 10 steps" in shown
    assert f"<@&{fans(discord).id}>: 80 steps" in shown
    await easel.dream("!dream a fox --steps 60", user="fan")
    for channel, user, expected in ((discord.channel, "mia", "20 steps"), (art, "fan", "10 steps")):
        reply = await discord.user(user).say(channel, "!dream a fox --steps 60")
        refused = await discord.wait_for(lambda reply=reply: reply_to(reply) if reply_to(reply) else None)
        assert refused.buttons == [f"Draw with {expected}"], refused.content


async def test_every_door_keeps_the_caps(discord: DiscordServer, start: StartEasel) -> None:
    engine = FakeBackend()
    easel = await start(engine, FakeBackend("other"))
    picture = await easel.dream("!dream a fox --steps 60 --size 512x512")
    await limit(discord, size="256x256", steps=10)
    drawn = len(engine.requests)
    mia = discord.user("mia")
    for asked in (
        await mia.click(picture, "Re-roll"),
        await mia.slash(discord.channel, "compare", prompt="a fox --steps 60"),
        await mia.submit((await mia.click(picture, "Remix")).modal),
    ):
        assert "too" in (await answer(discord, asked)).content
    assert len(engine.requests) == drawn


async def test_quota_shows_what_is_left_and_when_it_resets(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend())
    mia = discord.user("mia")
    assert "No limits are set for you here" in (await mia.slash(discord.channel, "quota")).original.content
    await limit(discord, daily=3, size="1.5MP")
    await easel.dream("!dream a fox --batch 2")
    shown = (await mia.slash(discord.channel, "quota")).original
    assert shown.ephemeral
    assert "1 of 3 pictures left today" in shown.content
    assert "00:00 UTC" in shown.content
    assert "1,500,000 pixels, such as 1224×1224 (everybody)" in shown.content
    asked = await easel.say("!quota")
    assert "1 of 3" in (await discord.wait_for(lambda: reply_to(asked))).content
    await easel.dream("!dream a fox")
    reply = await easel.say("!dream one more fox")
    refused = await discord.wait_for(lambda: reply_to(reply))
    assert "no pictures left today: everybody may have 3 a day" in refused.content
    asked = await discord.user("mia").slash(discord.channel, "forget")
    await discord.user("mia").click(asked.original, "Delete everything")
    await discord.wait_for(lambda: "Deleted" in asked.original.content)
    again = await easel.say("!dream one more fox")
    assert "no pictures left" in (await discord.wait_for(lambda: reply_to(again))).content, "forgetting is no new day"


async def test_only_managers_set_caps(discord: DiscordServer, start: StartEasel) -> None:
    easel: Easel = await start(FakeBackend())
    mod = discord.user("mod", permissions=["MANAGE_MESSAGES"])
    for asked in (
        await mod.slash(discord.channel, "caps set", steps=10),
        await mod.slash(discord.channel, "caps clear"),
        await mod.slash(discord.channel, "caps show"),
    ):
        assert "Only" in (await answer(discord, asked)).content
    wrong = await chief(discord).slash(discord.channel, "caps set", size="huge")
    assert "write 1024x1024, 1.5MP, or 0 for any" in (await answer(discord, wrong)).content
    await limit(discord, steps=10)
    cleared = await chief(discord).slash(discord.channel, "caps clear")
    assert "No limits are set here" in cleared.original.content
    await easel.dream("!dream a fox --steps 60")
    assert own(discord.channel)
