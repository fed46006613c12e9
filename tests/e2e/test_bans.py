"""A ban holds at every door, cancels what waits, tells its reason to whom it concerns, and outlives a restart."""

from __future__ import annotations

import pytest

from generation.errors import Barred
from generation.job import Origin
from generation.request import Draft
from tests.discord_server import DiscordServer, Interaction
from tests.discord_server.user import User
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import job_id, own, reply_to
from tests.fakes import FakeBackend
from tests.waiting import until

REASON = "spam in three channels"


def chief(discord: DiscordServer) -> User:
    return discord.user("chief", permissions=["MANAGE_GUILD"])


async def ban(discord: DiscordServer, user: str = "mia", **options: str) -> Interaction:
    done = await chief(discord).slash(discord.channel, "ban", user=discord.user(user), reason=REASON, **options)
    await discord.wait_for(lambda: done.original and not done.original.loading)
    return done


def refusal(discord: DiscordServer, user: str = "mia") -> str:
    """Return what somebody was told last in a direct message."""
    return discord.user(user).dms[-1].content if discord.user(user).dms else ""


def in_the_open(discord: DiscordServer) -> int:
    return sum(message.visible_to is None for message in own(discord.channel))


async def shown(discord: DiscordServer, done: Interaction) -> str:
    """Return the words that whoever pressed or typed reads alone."""
    await discord.wait_for(lambda: any(m.ephemeral and not m.loading for m in (*done.followups, done.original) if m))
    return next(m.content for m in (*reversed(done.followups), done.original) if m and m.ephemeral and not m.loading)


async def test_a_banned_person_is_refused_at_every_door_and_alone_reads_why(
    discord: DiscordServer, start: StartEasel
) -> None:
    engine = FakeBackend()
    easel = await start(engine, FakeBackend("other"))
    picture = await easel.dream("!dream a red fox", user="ann")
    mia = discord.user("mia")
    own_picture = await easel.dream("!dream a blue fox")
    assert "can ask for no more pictures here" in (await ban(discord)).original.content
    await discord.wait_for(lambda: REASON in refusal(discord))
    drawn = len(engine.requests)
    before = in_the_open(discord)

    await easel.say("!dream another fox")
    await discord.wait_for(lambda: "You cannot ask for pictures" in refusal(discord))
    assert REASON in refusal(discord)
    for asked in (
        await easel.slash("a fox by slash"),
        await mia.click(picture, "Re-roll"),
        await mia.context_menu("Upscale 2×", own_picture),
        await mia.slash(discord.channel, "compare", prompt="a fox"),
    ):
        reported = await shown(discord, asked)
        assert "You cannot ask for pictures" in reported, reported
        assert REASON in reported
    form = await mia.click(own_picture, "Remix")
    assert REASON in await shown(discord, await mia.submit(form.modal))
    at_home = Origin(door="api", user_id=str(mia.id), account=f"discord:{mia.id}")
    with pytest.raises(Barred):  # the studio of the only server the bot is in
        await easel.now.service.submit(Draft(prompt="a fox"), at_home)
    assert len(engine.requests) == drawn
    assert in_the_open(discord) == before, "nobody else reads anything of it"
    assert await easel.dream("!dream a green fox", user="ann"), "others draw on"


async def test_what_waits_of_a_banned_person_is_cancelled_and_says_by_whom(
    discord: DiscordServer, start: StartEasel
) -> None:
    engine = FakeBackend(hold=True)
    easel = await start(engine)
    shown = [await easel.answer_to(await easel.say(f"!dream a {colour} fox")) for colour in ("red", "blue")]
    others = await easel.answer_to(await easel.say("!dream an owl", user="ann"))
    await until(lambda: engine.running)
    done = await ban(discord)
    assert "2 waiting jobs were cancelled" in done.original.content
    await discord.wait_for(lambda: all("Cancelled by a moderator" in item.content for item in shown))
    assert not any(REASON in item.content for item in shown), "the reason is not for the channel"
    engine.release(3)
    await easel.finished(others)


async def test_a_ban_ends_by_itself_and_outlives_a_restart(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend())
    await ban(discord, duration="2h")
    await easel.stop()
    await easel.start()
    await easel.say("!dream a fox")
    await discord.wait_for(lambda: "until" in refusal(discord) and "cannot" in refusal(discord))
    easel.clock.offset_s = 2 * 3600 + 1
    await easel.dream("!dream a fox")


async def test_a_ban_is_lifted_and_both_stand_in_the_audit(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend())
    await ban(discord)
    listed = await chief(discord).slash(discord.channel, "bans")
    assert REASON in listed.original.content
    await chief(discord).slash(discord.channel, "unban", user=discord.user("mia"))
    await discord.wait_for(lambda: "again" in refusal(discord))
    await easel.dream("!dream a fox")
    again = await chief(discord).slash(discord.channel, "unban", user=discord.user("mia"))
    assert "not banned here" in again.original.content
    audit = await chief(discord).slash(discord.channel, "audit")
    lines = audit.original.content.splitlines()[1:]
    assert ["lifted the ban of" in lines[0], "banned" in lines[1]] == [True, True], lines
    assert REASON in lines[1]
    only = await chief(discord).slash(discord.channel, "audit", action="unban")
    assert len(only.original.content.splitlines()) == 2
    about = await chief(discord).slash(discord.channel, "audit", user=discord.user("ann"))
    assert "Nothing is in the audit" in about.original.content


async def test_only_moderators_ban_and_nobody_bans_whom_they_may_not(discord: DiscordServer, start: StartEasel) -> None:
    await start(FakeBackend(), admins=(discord.user("boss").id,))
    mia, ann = discord.user("mia"), discord.user("ann")
    for command, options in {
        "ban": {"user": ann, "reason": "x"},
        "unban": {"user": ann},
        "bans": {},
        "audit": {},
    }.items():
        reported = await shown(discord, await mia.slash(discord.channel, command, **options))
        assert "Only moderators may do that" in reported, (command, reported)
    for target in (chief(discord), discord.user("boss")):
        asked = await chief(discord).slash(discord.channel, "ban", user=target, reason="x")
        assert "cannot" in await shown(discord, asked)
    bad = await chief(discord).slash(discord.channel, "ban", user=ann, reason="x", duration="soon")
    assert "write 30m, 12h, 7d or 2w" in await shown(discord, bad)


async def test_a_ban_of_one_server_is_none_in_another(discord: DiscordServer, start: StartEasel) -> None:
    guild = discord.add_guild("Foreign")
    far = discord.add_channel("far", guild=guild)
    easel = await start(FakeBackend())
    mia = discord.user("mia")
    guild.members[mia.id] = (mia, [])
    await ban(discord)
    answer = await easel.answer_to(await mia.say(far, "!dream a fox"))
    await easel.finished(answer)
    await mia.say(mia.dm_channel, "!dream a fox")
    await discord.wait_for(lambda: any(item.controls for item in mia.dms))


async def test_pages_of_the_audit_are_for_moderators_alone(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend())
    for name in [f"person-{number:02}" for number in range(13)]:
        await ban(discord, name)
    audit = await chief(discord).slash(discord.channel, "audit")
    first = audit.original.content
    await chief(discord).click(audit.original, "Older")
    await discord.wait_for(lambda: audit.original.content != first)
    assert len(audit.original.content.splitlines()) == 4
    help_ = await easel.say("!help")
    answer = await discord.wait_for(lambda: reply_to(help_))
    pressed = await discord.user("mia").forge(answer, "m1:audit:0::")
    assert "Only moderators" in (await shown(discord, pressed))
    assert job_id(answer)


async def test_forget_takes_names_and_leaves_the_ban(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend())
    mia = discord.user("mia")
    await ban(discord)
    asked = await mia.slash(discord.channel, "forget")
    await mia.click(asked.original, "Delete everything")
    await discord.wait_for(lambda: "Deleted" in asked.original.content)
    await easel.say("!dream a fox")
    await discord.wait_for(lambda: "cannot ask for pictures" in refusal(discord))
    database = easel.now.database
    [banned] = await database.fetch("SELECT user_key, user_name FROM bans")
    [audited] = await database.fetch("SELECT target, target_name FROM audit")
    assert (*banned, *audited) == (f"discord:{mia.id}", "", f"discord:{mia.id}", "")


async def test_what_moderators_do_to_others_pictures_stands_in_the_audit(
    discord: DiscordServer, start: StartEasel
) -> None:
    engine = FakeBackend(hold=True)
    easel = await start(engine)
    waiting = await easel.answer_to(await easel.say("!dream a red fox"))
    await discord.wait_for(lambda: waiting.controls)
    mod = discord.user("mod", permissions=["MANAGE_MESSAGES"])
    await mod.click(waiting, "Cancel")
    await discord.wait_for(lambda: "ancelled" in waiting.content)
    own_one = await easel.answer_to(await easel.say("!dream a blue fox"))
    await discord.wait_for(lambda: own_one.controls)
    await discord.user("mia").click(own_one, "Cancel")
    await discord.wait_for(lambda: "ancelled" in own_one.content)
    engine.release(3)
    done = await easel.dream("!dream an owl")
    asked = await mod.click(done, "🗑️")
    await mod.click(asked.message, "Delete")
    await discord.wait_for(lambda: done.deleted)
    audit = await chief(discord).slash(discord.channel, "audit")
    lines = audit.original.content.splitlines()[1:]
    assert [word in line for word, line in zip(("deleted a picture of", "cancelled"), lines, strict=True)] == [True] * 2
    assert all(f"<@{mod.id}>" in line and f"<@{discord.user('mia').id}>" in line for line in lines)
