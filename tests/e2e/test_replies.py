"""A reply in plain words to a picture changes that picture; talk is left alone; there is always a way back."""

from __future__ import annotations

import pytest

from generation.capabilities import Capabilities
from generation.job import JobStatus
from generation.request import Mode
from tests.discord_server import DiscordServer, Message
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import Easel, job_id, labels, own, reply_to
from tests.e2e.pictures import png, rich_backend
from tests.fakes import FakeBackend


async def reply(easel: Easel, picture: Message, text: str, user: str = "mia", **options: object) -> Message:
    """Reply to a picture and return the finished answer."""
    return await easel.dream(text, user=user, reply_to=picture, **options)


def link_to(message: Message) -> str:
    return f"https://discord.com/channels/{message.channel.guild.id}/{message.channel.id}/{message.id}"


async def answer(easel: Easel, picture: Message, text: str, **options: object) -> Message:
    return await easel.answer_to(await easel.say(text, reply_to=picture, **options))


@pytest.mark.parametrize(
    ("text", "mode", "remark", "deed"),
    [
        ("make it night", Mode.IMG2IMG, "read as: change the picture", "✏️ changed"),
        ("remvoe the hat pls", Mode.IMG2IMG, "read as: change a part", "✏️ changed"),
        ("b&w", Mode.IMG2IMG, "read as: change the colours", "✏️ changed"),
        ("put it on the moon", Mode.IMG2IMG, "read as: change the background", "✏️ changed"),
        ("slightly different", Mode.IMG2IMG, "read as: a variation", "🪄 varied"),
        ("zoom out", Mode.INPAINT, "read as: show more around it", "🔭 zoomed out"),
        ("extend it to the left", Mode.INPAINT, "read as: show more around it", "⬅️ continued"),
        ("2x", Mode.UPSCALE, "read as: make it larger", "⬆️ 2×"),
        ("again", Mode.TXT2IMG, "read as: draw it again", "🎲 again"),
        ("16:9", Mode.TXT2IMG, "read as: another shape", "📐 640×360"),
    ],
)
async def test_each_operation_is_read_and_drawn_and_said(
    start: StartEasel, text: str, mode: Mode, remark: str, deed: str
) -> None:
    engine = rich_backend()
    easel = await start(engine)
    picture = await easel.dream("!dream a red fox --seed 7")
    changed = await reply(easel, picture, text)
    assert engine.requests[-1].mode is mode
    assert remark in changed.content
    assert f" · [{deed}](<{link_to(picture)}>)\n" in changed.content
    assert "↩️" in str(labels(changed))
    assert "a red fox" in engine.requests[-1].prompt or mode is Mode.UPSCALE


async def test_the_picture_of_somebody_else_stays_theirs_in_the_first_line(
    discord: DiscordServer, start: StartEasel
) -> None:
    easel = await start(rich_backend())
    picture = await easel.dream("!dream a red fox --batch 4")
    changed = await reply(easel, picture, "the second one but at night", user="ann")
    mia = discord.user("mia")
    assert f" · ✏️ changed from {mia.mention}'s [picture](<{link_to(picture)}>)\n" in changed.content


async def test_anybody_may_change_what_they_see_and_it_is_theirs(discord: DiscordServer, start: StartEasel) -> None:
    engine = rich_backend()
    easel = await start(engine)
    picture = await easel.dream("!dream a red fox")
    changed = await reply(easel, picture, "make it night", user="ann")
    assert f"<@{discord.user('ann').id}>" in changed.content
    assert engine.requests[-1].prompt == "a red fox, night"


async def test_talk_and_replies_to_others_are_left_alone(discord: DiscordServer, start: StartEasel) -> None:
    engine = rich_backend()
    easel = await start(engine)
    picture = await easel.dream("!dream a red fox")
    talk = await easel.say("look, a fox")
    for text in ("nice!", "lol thanks", "why does it have six fingers lol", "I like the background"):
        await easel.say(text, reply_to=picture)
    await easel.say("make it night", reply_to=talk)
    await easel.say("make it night")
    mia = discord.user("mia")
    await easel.dream("!dream the end")
    assert [request.prompt for request in engine.requests] == ["a red fox", "the end"]
    assert own(mia.dm_channel) == []


async def test_praise_in_a_direct_message_or_with_the_bots_name_is_not_drawn(
    discord: DiscordServer, start: StartEasel
) -> None:
    engine = rich_backend()
    easel = await start(engine)
    mia = discord.user("mia")
    await mia.say(mia.dm_channel, "a red fox")
    (picture,) = await discord.wait_for(lambda: [each for each in own(mia.dm_channel) if each.attachments])
    await mia.say(mia.dm_channel, "so nice!", reply_to=picture)
    await mia.say(mia.dm_channel, "make it night", reply_to=picture)
    await discord.wait_for(lambda: sum(bool(each.attachments) for each in own(mia.dm_channel)) == 2)
    public = await easel.dream("!dream a heron")
    await easel.say(f"<@{discord.bot.id}> thanks!", reply_to=public)
    await easel.dream(f"<@{discord.bot.id}> make it night", reply_to=public)
    assert [request.prompt for request in engine.requests] == [
        "a red fox", "a red fox, night", "a heron", "a heron, night"
    ]  # fmt: skip


async def test_seed_and_info_are_answered_in_words(start: StartEasel) -> None:
    easel = await start(rich_backend())
    picture = await easel.dream("!dream a red fox --seed 4242")
    assert "4242" in (await answer(easel, picture, "seed?")).content
    info = await answer(easel, picture, "info")
    assert "!dream a red fox" in info.content


async def test_a_reply_to_a_grid_asks_which_one(discord: DiscordServer, start: StartEasel) -> None:
    engine = rich_backend()
    easel = await start(engine)
    grid = await easel.dream("!dream a red fox --batch 3")
    question = await answer(easel, grid, "make it night")
    assert question.content.startswith("Which one?")
    assert question.buttons == ["1", "2", "3"]
    await easel.stop()
    await easel.start()
    press = await discord.user("mia").click(question, "2")
    await discord.wait_for(lambda: press.original and press.original.attachments)
    assert (await easel.job(job_id(press.original))).origin.via == "reply-1"
    assert engine.requests[-1].init_image
    assert "read as: change the picture" in press.original.content


async def test_one_of_a_grid_may_be_named_at_once(start: StartEasel) -> None:
    engine = rich_backend()
    easel = await start(engine)
    grid = await easel.dream("!dream a red fox --batch 3")
    enlarged = await reply(easel, grid, "upscale the third one")
    assert (await easel.job(job_id(enlarged))).origin.via == "reply-2"
    assert engine.requests[-1].mode is Mode.UPSCALE
    refused = await answer(easel, grid, "upscale the fourth one")
    assert "shows 3 pictures" in refused.content


async def test_a_mask_in_the_reply_keeps_the_rest(start: StartEasel) -> None:
    engine = rich_backend()
    easel = await start(engine)
    picture = await easel.dream("!dream a red fox --size 64x64")
    mask = png(colour="white")
    changed = await reply(easel, picture, "replace the hat with a crown", attachments=[("mask.png", mask)])
    assert engine.requests[-1].mode is Mode.INPAINT
    assert engine.requests[-1].prompt == "a crown"
    assert "no mask" not in changed.content
    without = await reply(easel, picture, "replace the hat with a crown")
    assert "no mask" in without.content


async def test_a_second_picture_is_not_dropped_silently(start: StartEasel) -> None:
    easel = await start(rich_backend())
    picture = await easel.dream("!dream a red fox")
    changed = await reply(easel, picture, "make it night", attachments=[("cat.png", png())])
    assert "not used: cat.png" in changed.content


async def test_what_no_engine_can_do_is_said_with_what_can(discord: DiscordServer, start: StartEasel) -> None:
    engine = FakeBackend(capabilities=Capabilities(modes=frozenset({Mode.TXT2IMG, Mode.IMG2IMG})))
    easel = await start(engine, has_fallback=False)
    picture = await easel.dream("!dream a red fox")
    for text in ("zoom out", "2x", "remove the background"):
        refused = await answer(easel, picture, text)
        assert "No engine here can" in refused.content
    menu = refused.controls[0]
    assert "make it larger" not in str(menu["options"])
    press = await discord.user("mia").select(refused, "Do this instead…", ["draw it again"])
    await discord.wait_for(lambda: press.original and press.original.attachments)
    assert engine.requests[-1].mode is Mode.TXT2IMG
    assert len(engine.requests) == 2


async def test_what_was_read_wrongly_is_done_otherwise_or_taken_back(discord: DiscordServer, start: StartEasel) -> None:
    engine = rich_backend()
    easel = await start(engine)
    picture = await easel.dream("!dream a red fox")
    changed = await reply(easel, picture, "darker")
    await easel.stop()
    await easel.start()
    asked = await discord.user("mia").click(changed, "↩️")
    await discord.wait_for(lambda: asked.original and not asked.original.loading)
    assert "I read “darker” as: change the colours" in asked.original.content
    assert asked.ephemeral
    other = await discord.user("mia").select(asked.original, "Do this instead…", ["change the picture"])
    await discord.wait_for(lambda: other.original and other.original.attachments)
    assert "read as: change the picture" in other.original.content
    assert "↩️" in str(labels(other.original))
    assert engine.requests[-1].prompt == "a red fox, darker"
    await discord.user("mia").click(asked.original, "Undo")
    await discord.wait_for(lambda: changed.deleted)
    assert "Taken back" in asked.original.content


async def test_only_its_owner_takes_a_picture_back(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(rich_backend())
    picture = await easel.dream("!dream a red fox")
    changed = await reply(easel, picture, "darker")
    asked = await discord.user("ann").click(changed, "↩️")
    await discord.wait_for(lambda: asked.original and not asked.original.loading)
    refused = await discord.user("ann").click(asked.original, "Undo")
    assert "Only the person who asked" in refused.message.content
    assert not changed.deleted


async def test_what_waits_may_be_read_otherwise_at_once(discord: DiscordServer, start: StartEasel) -> None:
    engine = rich_backend(hold=True)
    easel = await start(engine)
    engine.release()
    picture = await easel.dream("!dream a red fox")
    waiting = await answer(easel, picture, "darker")
    assert "↩️ Not what I meant" in str(labels(waiting))
    asked = await discord.user("mia").click(waiting, "Not what I meant")
    await discord.wait_for(lambda: asked.original and not asked.original.loading)
    await discord.user("mia").click(asked.original, "Undo")
    await discord.wait_for(lambda: waiting.deleted)
    assert (await easel.job(job_id(waiting))).status is JobStatus.CANCELLED
    engine.release(1)


async def test_a_reply_is_carried_out_once_however_it_is_corrected(discord: DiscordServer, start: StartEasel) -> None:
    engine = rich_backend()
    easel = await start(engine)
    picture = await easel.dream("!dream a red fox")
    asking = await easel.say("mkae it night", reply_to=picture)
    await discord.user("mia").edit(asking, "make it night")
    await easel.finished(await easel.answer_to(asking))
    await discord.user("mia").edit(asking, "make it day")
    await easel.dream("!dream the end")
    assert [request.prompt for request in engine.requests] == ["a red fox", "a red fox, night", "the end"]


async def test_what_is_made_from_a_private_picture_stays_private(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(rich_backend())
    await easel.say("!dream a red fox --private")
    mia = discord.user("mia")
    (letter,) = await discord.wait_for(lambda: [each for each in own(mia.dm_channel) if each.attachments])
    await mia.say(mia.dm_channel, "make it night", reply_to=letter)
    await discord.wait_for(lambda: sum(bool(each.attachments) for each in own(mia.dm_channel)) == 2)
    assert own(discord.channel) == []


async def test_a_picture_that_is_still_drawn_is_not_changed_yet(start: StartEasel) -> None:
    engine = rich_backend(hold=True)
    easel = await start(engine)
    running = await easel.answer_to(await easel.say("!dream a red fox"))
    asking = await easel.say("make it night", reply_to=running)
    refused = await easel.server.wait_for(lambda: reply_to(asking))
    assert "still being made" in refused.content
    engine.release(1)


async def test_a_reply_in_a_thread_nobody_told_of_is_carried_out(discord: DiscordServer, start: StartEasel) -> None:
    engine = rich_backend()
    easel = await start(engine)
    thread = discord.add_thread("aside", discord.channel, is_announced=False)
    asking = await discord.user("mia").say(thread, "!dream a red fox")
    picture = await easel.finished(await easel.answer_to(asking))
    changed = await discord.user("mia").say(thread, "make it night", reply_to=picture)
    await easel.finished(await easel.answer_to(changed))
    assert engine.requests[-1].prompt == "a red fox, night"
