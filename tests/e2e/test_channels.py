"""Every kind of channel in which people can write: a request there is answered there, and its buttons work."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.discord_server import Channel, DiscordServer, model
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import is_finished, job_id, own, reply_to
from tests.fakes import FakeBackend
from tests.waiting import until

PLACES: dict[str, Any] = {
    "text": lambda server: server.add_channel("words"),
    "announcements": lambda server: server.add_channel("news", kind=model.NEWS),
    "voice": lambda server: server.add_channel("lounge", kind=model.VOICE),
    "stage": lambda server: server.add_channel("talk", kind=model.STAGE),
    "thread": lambda server: server.add_thread("idea", server.channel),
    "private thread": lambda server: server.add_thread("secret", server.channel, kind=model.PRIVATE_THREAD),
    "announcement thread": lambda server: server.add_thread(
        "comments", server.add_channel("news", kind=model.NEWS), kind=model.NEWS_THREAD
    ),
    "forum post": lambda server: server.add_thread("post", server.add_channel("forum", kind=model.FORUM)),
    "media post": lambda server: server.add_thread("post", server.add_channel("media", kind=model.MEDIA)),
    "direct message": lambda server: server.user("mia").dm_channel,
    # a thread that was archived when the bot came, or a channel made while its connection was cut
    "thread nobody told of": lambda server: server.add_thread("old", server.channel, is_announced=False),
    "post nobody told of": lambda server: server.add_thread(
        "old", server.add_channel("forum", kind=model.FORUM), is_announced=False
    ),
}


@pytest.mark.parametrize("place", PLACES)
async def test_dream_is_answered_where_it_was_said(discord: DiscordServer, start: StartEasel, place: str) -> None:
    await start(FakeBackend())
    channel: Channel = PLACES[place](discord)
    reply = await discord.user("mia").say(channel, "!dream a red fox")
    answer = await discord.wait_for(lambda: reply_to(reply))
    await discord.wait_for(lambda: is_finished(answer))
    assert answer.attachments
    assert own(channel) == [answer]


@pytest.mark.parametrize("place", PLACES)
async def test_slash_command_and_button_are_answered_there_too(
    discord: DiscordServer, start: StartEasel, place: str
) -> None:
    await start(FakeBackend())
    channel: Channel = PLACES[place](discord)
    mia = discord.user("mia")
    result = await mia.slash(channel, "generate", prompt="a red fox")
    await discord.wait_for(lambda: is_finished(result.original))
    pressed = await mia.click(result.original, "Re-roll")
    await discord.wait_for(lambda: is_finished(pressed.original))
    assert len(own(channel)) == 2


@pytest.mark.parametrize("place", PLACES)
async def test_a_restart_in_the_middle_finishes_the_same_message(
    discord: DiscordServer, start: StartEasel, place: str
) -> None:
    engine = FakeBackend(hold=True)
    easel = await start(engine)
    channel: Channel = PLACES[place](discord)
    reply = await discord.user("mia").say(channel, "!dream a red fox")
    answer = await discord.wait_for(lambda: reply_to(reply))
    await discord.wait_for(lambda: answer.controls)
    await until(lambda: engine.running)
    while (await easel.job(job_id(answer))).origin.message_id is None:
        await asyncio.sleep(0.01)
    await easel.kill()
    engine.release(5)
    await easel.start()
    await discord.wait_for(lambda: is_finished(answer))
    assert own(channel) == [answer]


@pytest.mark.parametrize(
    ("place", "missing", "words"),
    [
        ("text", "SEND_MESSAGES", "Send Messages"),
        ("voice", "ATTACH_FILES", "Attach Files"),
        ("stage", "SEND_MESSAGES", "Send Messages"),
        ("thread", "SEND_MESSAGES_IN_THREADS", "Send Messages in Threads"),
        ("forum post", "ATTACH_FILES", "Attach Files"),
        ("thread nobody told of", "ATTACH_FILES", "Attach Files"),
    ],
)
async def test_a_missing_permission_is_named_in_every_kind_of_channel(
    discord: DiscordServer, start: StartEasel, place: str, missing: str, words: str
) -> None:
    engine = FakeBackend()
    await start(engine)
    channel: Channel = PLACES[place](discord)
    discord.revoke(missing, channel=channel.parent or channel)
    await discord.user("mia").say(channel, "!dream a red fox")
    mia = discord.user("mia")
    reported = await discord.wait_for(lambda: [item for item in (*own(channel), *mia.dms) if words in item.content])
    assert "went wrong" not in reported[0].content
    assert engine.requests == []
