"""A report goes to the moderators with what they need; each decision reaches whom it concerns; one appeal is open."""

from __future__ import annotations

import pytest

from tests.discord_server import DiscordServer, Interaction, Message
from tests.discord_server.user import User
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import Easel, job_id, own
from tests.fakes import FakeBackend

WHY = "this is my face"


class Desk:
    """A server with a channel for reports, a picture of mia's, and who is needed."""

    def __init__(self, discord: DiscordServer, easel: Easel) -> None:
        self.discord, self.easel = discord, easel
        self.mods = discord.add_channel("moderators")
        self.mia, self.ann = discord.user("mia"), discord.user("ann")
        self.mod = discord.user("chief", permissions=["MANAGE_GUILD"])

    async def open(self) -> Desk:
        panel = (await self.mod.slash(self.discord.channel, "setup start")).message
        form = await self.mod.click(panel, "Channels and roles")
        await self.mod.submit(form.modal, {"reports": [self.mods]})
        assert f"**Reports go to:** <#{self.mods.id}>" in panel.content
        self.picture = await self.easel.dream("!dream a xylograph of ann")
        return self

    async def report(self, user: User | None = None, why: str = WHY) -> Interaction:
        form = await (user or self.ann).select(self.picture, f"e1:more:{job_id(self.picture)}", ["report"])
        return await (user or self.ann).submit(form.modal, {"reason": why})

    async def card(self, words: str = "Reported") -> Message:
        return await self.discord.wait_for(
            lambda: next((message for message in own(self.mods) if words in message.content), None)
        )

    async def told(self, user: User, words: str) -> Message:
        return await self.discord.wait_for(
            lambda: next((message for message in user.dms if words in message.content), None)
        )


@pytest.fixture
async def desk(discord: DiscordServer, start: StartEasel) -> Desk:
    return await Desk(discord, await start(FakeBackend())).open()


async def kept(easel: Easel, message: Message) -> int:
    """Count what is left of a message's picture in the store of files and the history."""
    job = await easel.job(job_id(message))
    assert job.result is not None
    files = [await easel.now.media.get(image.media_id) for image in job.result.images]
    gallery = "SELECT * FROM generated_images WHERE job_id = ? AND deleted_at IS NULL AND expires_at > 0"
    rows = await easel.now.database.fetch(gallery, (job.id,))
    return len([file for file in files if file]) + len(rows)


async def test_a_report_shows_moderators_what_they_need_to_decide(discord: DiscordServer, desk: Desk) -> None:
    done = await desk.report()
    assert "Thank you" in done.original.content
    assert done.original.ephemeral
    card = await desk.card()
    for part in ("||a xylograph of ann||", f"<@{desk.mia.id}>", WHY, f"<@{desk.ann.id}>", "No other picture of theirs"):
        assert part in card.content, part
    assert f"channels/{discord.guild.id}/{discord.channel.id}/{desk.picture.id}" in card.content
    assert [file.filename[:8] for file in card.files] == ["SPOILER_"]
    assert card.buttons == ["Remove", "Warn", "Remove and ban", "Dismiss"]
    bob = discord.user("bob")
    found = await bob.context_menu("Report picture", desk.picture)
    await bob.submit(found.modal, {"reason": "mine too"})
    await discord.wait_for(lambda: "mine too" in card.content)
    assert len(own(desk.mods)) == 1


async def test_a_removed_picture_is_gone_everywhere_and_all_are_told(discord: DiscordServer, desk: Desk) -> None:
    await desk.report()
    card = await desk.card()
    picture = desk.picture
    shown = job_id(picture)
    await discord.user("bob").react(picture, "⭐")
    await desk.mod.click(card, "Remove")
    await discord.wait_for(lambda: "removed this picture" in picture.content)
    assert (picture.files, picture.controls) == ([], [])
    await discord.wait_for(lambda: "removed the picture" in card.content)
    assert (card.files, card.controls) == ([], [])
    job = await desk.easel.job(shown)
    assert [await desk.easel.now.media.get(image.media_id) for image in job.result.images] == [None]
    rows = "SELECT * FROM generated_images WHERE job_id = ? AND deleted_at IS NULL"
    assert await desk.easel.now.database.fetch(rows, (shown,)) == []
    assert (await desk.told(desk.mia, "removed a picture of yours")).buttons == ["Appeal"]
    assert "removed the picture" in (await desk.told(desk.ann, "You reported")).content
    audit = await desk.mod.slash(discord.channel, "audit")
    assert [word in audit.original.content for word in ("reported a picture of", "removed a picture of")] == [True] * 2


async def test_a_dismissed_report_leaves_the_picture_and_its_owner_in_peace(discord: DiscordServer, desk: Desk) -> None:
    await desk.report()
    await desk.mod.click(await desk.card(), "Dismiss")
    await desk.told(desk.ann, "dismissed the report")
    assert await kept(desk.easel, desk.picture) == 2
    assert desk.mia.dms == []
    again = await desk.mod.select(desk.picture, f"e1:more:{job_id(desk.picture)}", ["report"])
    assert "have looked at this picture already" in again.original.content


async def test_a_ban_by_a_report_can_be_appealed_once_and_is_lifted(discord: DiscordServer, desk: Desk) -> None:
    await desk.report()
    card = await desk.card()
    form = await desk.mod.click(card, "Remove and ban")
    await desk.mod.submit(form.modal, {"reason": "no faces of others", "duration": "7d"})
    notice = await desk.told(desk.mia, "no faces of others")
    assert len(desk.mia.dms) == 1, "a ban by a report is told once"
    await desk.easel.say("!dream a fox")
    await desk.told(desk.mia, "You cannot ask for pictures")
    form = await desk.mia.click(notice, "Appeal")
    await desk.mia.submit(form.modal, {"appeal": "it was my own face"})
    await discord.wait_for(lambda: "it was my own face" in card.content)
    assert card.buttons == ["Grant the appeal", "Refuse it"]
    second = await desk.mia.click(notice, "Appeal")
    assert "You have appealed already" in second.original.content
    await desk.mod.click(card, "Grant the appeal")
    await desk.told(desk.mia, "granted your appeal")
    await discord.wait_for(lambda: card.controls == [])
    await desk.easel.dream("!dream a fox")


async def test_a_warning_leaves_the_picture_and_a_refused_appeal_the_decision(
    discord: DiscordServer, desk: Desk
) -> None:
    await desk.report()
    card = await desk.card()
    await desk.mod.click(card, "Warn")
    notice = await desk.told(desk.mia, "warn you about")
    assert await kept(desk.easel, desk.picture) == 2
    await desk.mia.submit((await desk.mia.click(notice, "Appeal")).modal, {"appeal": "why?"})
    await discord.wait_for(lambda: "why?" in card.content)
    await desk.mod.click(card, "Refuse it")
    await desk.told(desk.mia, "refused your appeal")


async def test_what_was_reported_before_a_restart_is_posted_and_decided_after_it(
    discord: DiscordServer, desk: Desk
) -> None:
    discord.fail("POST", f"/channels/{desk.mods.id}/messages", status=503, times=50)
    await desk.report()
    await desk.easel.stop()
    discord.faults.clear() if hasattr(discord, "faults") else None
    await desk.easel.start()
    desk.easel.clock.offset_s = 3600.0
    desk.easel.now.easel.services.moderation.notices.wake()
    card = await desk.card()
    await desk.easel.stop()
    await desk.easel.start()
    await desk.mod.click(card, "Remove")
    await desk.told(desk.mia, "removed a picture of yours")
    assert len(own(desk.mods)) == 1


async def test_of_two_moderators_one_decides(discord: DiscordServer, desk: Desk) -> None:
    await desk.report()
    card = await desk.card()
    await desk.mod.click(card, "Dismiss")
    other = discord.user("second", permissions=["MANAGE_GUILD"])
    report = card_id(card, await desk.easel.now.database.fetch("SELECT id FROM reports"))
    late = await other.forge(card, f"m1:remove:{report}")
    assert "chief has decided about this report already" in await answered(discord, late)
    assert await kept(desk.easel, desk.picture) == 2


async def test_strangers_decide_and_appeal_nothing(discord: DiscordServer, desk: Desk) -> None:
    await desk.report()
    card = await desk.card()
    [row] = await desk.easel.now.database.fetch("SELECT id FROM reports")
    for action in ("remove", "warn", "dismiss", "ban", "grant", "refuse"):
        pressed = await desk.ann.forge(card, f"m1:{action}:{row['id']}")
        words = await answered(discord, pressed)
        assert "Only moderators" in words, (action, words)
    formed = await desk.ann.forge(card, f"m1:banned:{row['id']}", form={"reason": "x", "duration": ""})
    assert "Only moderators" in await answered(discord, formed)
    for action, form in (("appeal", None), ("appealed", {"appeal": "x"})):
        pressed = await desk.ann.forge(card, f"m1:{action}:{row['id']}", form=form)
        assert "no decision to appeal against" in await answered(discord, pressed)
    guild = discord.add_guild("Foreign")
    far = discord.add_channel("far", guild=guild)
    zoe = discord.add_user("zoe", permissions=["MANAGE_GUILD"], guild=guild)
    reply = await zoe.say(far, "!help")
    answer = await discord.wait_for(lambda: own(far)[-1] if own(far) else None)
    assert reply
    pressed = await zoe.forge(answer, f"m1:remove:{row['id']}")
    assert "no such report here" in await answered(discord, pressed)
    assert await kept(desk.easel, desk.picture) == 2


async def test_own_pictures_and_places_without_moderators_are_told_so(
    discord: DiscordServer, start: StartEasel
) -> None:
    easel = await start(FakeBackend())
    picture = await easel.dream("!dream a fox")
    for user, words in (("mia", "This picture is your own"), ("ann", "has not chosen where reports go")):
        asked = await discord.user(user).context_menu("Report picture", picture)
        assert words in asked.original.content
    reply = await easel.say("hello")
    asked = await discord.user("ann").context_menu("Report picture", reply)
    assert "Only my pictures can be reported" in asked.original.content


async def answered(discord: DiscordServer, pressed: Interaction) -> str:
    """Return what whoever pressed reads alone."""

    def shown() -> list[Message]:
        return [m for m in (*pressed.followups, pressed.original) if m and m.ephemeral and not m.loading]

    return (await discord.wait_for(lambda: shown()[-1] if shown() else None)).content


def card_id(card: Message, rows: list[dict[str, str]]) -> str:
    assert len(rows) == 1, card
    return rows[0]["id"]


async def test_nobody_reports_more_than_twenty_a_day(discord: DiscordServer, desk: Desk) -> None:
    add = (
        "INSERT INTO reports (id, guild_id, channel_id, message_id, job_id, owner, owner_name, created_at, state) "
        "VALUES (?, '1', '', '', ?, 'discord:1', '', 1, 'open')"
    )
    now = desk.easel.clock.now().timestamp()
    for number in range(20):
        await desk.easel.now.database.write(add, (f"r{number}", f"j{number}"))
        reason = "INSERT INTO report_reasons VALUES (?, ?, '', '', ?)"
        await desk.easel.now.database.write(reason, (f"r{number}", f"discord:{desk.ann.id}", now))
    assert "20 pictures today" in (await desk.report()).original.content
    assert "Thank you" in (await desk.report(discord.user("bob"))).original.content


async def test_forget_takes_names_and_words_out_of_reports(discord: DiscordServer, desk: Desk) -> None:
    await desk.report()
    await desk.mod.click(await desk.card(), "Warn")
    notice = await desk.told(desk.mia, "warn you about")
    await desk.mia.submit((await desk.mia.click(notice, "Appeal")).modal, {"appeal": "a secret reason"})
    await discord.wait_for(lambda: any("a secret reason" in message.content for message in own(desk.mods)))
    for user in (desk.mia, desk.ann):
        asked = await user.slash(discord.channel, "forget")
        await user.click(asked.original, "Delete everything")
        await discord.wait_for(lambda asked=asked: "Deleted" in asked.original.content)
    database = desk.easel.now.database
    [report] = await database.fetch("SELECT owner_name, appeal FROM reports")
    [reason] = await database.fetch("SELECT reporter, reporter_name, reason FROM report_reasons")
    assert (*report, *reason[1:]) == ("", "", "", "")
    assert reason["reporter"].startswith("forgotten:")
    texts = await database.fetch("SELECT reason FROM audit WHERE action IN ('report', 'appeal')")
    assert [row["reason"] for row in texts] == ["", ""]
