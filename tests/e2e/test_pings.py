"""A ping after a long wait: for a picture and for a failure, and the message of it does not stay."""

from __future__ import annotations

import pytest

from cogs import posting
from generation.errors import OutOfMemory
from tests.discord_server import DiscordServer
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import own
from tests.fakes import FakeBackend
from tests.waiting import until


@pytest.mark.parametrize(("fails", "words"), [(False, "your picture is ready."), (True, "could not be drawn.")])
async def test_a_ping_tells_how_it_ended_and_goes_again(
    discord: DiscordServer, start: StartEasel, monkeypatch: pytest.MonkeyPatch, fails: bool, words: str
) -> None:
    monkeypatch.setattr(posting, "PING_STAYS_S", 0.02)
    engine = FakeBackend(hold=True)
    easel = await start(engine)
    answer = await easel.answer_to(await easel.say("!dream a red fox"))
    await until(lambda: engine.running)
    easel.clock.offset_s = 40
    engine.fail = [OutOfMemory()] * 5 if fails else []
    engine.release(5)
    await discord.wait_for(lambda: any(message.pings for message in discord.channel.messages))
    [ping] = [message for message in discord.channel.messages if message.pings]
    assert ping.pings == [discord.user("mia")]
    assert words in ping.content
    assert ping.reference is answer
    await discord.wait_for(lambda: ping.deleted)
    assert own(discord.channel) == [answer]


async def test_a_ping_goes_when_easel_stops(discord: DiscordServer, start: StartEasel) -> None:
    engine = FakeBackend(hold=True)
    easel = await start(engine)
    answer = await easel.answer_to(await easel.say("!dream a red fox"))
    await until(lambda: engine.running)
    easel.clock.offset_s = 40
    engine.release()
    await discord.wait_for(lambda: any(message.pings for message in discord.channel.messages))
    await easel.stop()
    assert own(discord.channel) == [answer]
    await easel.start()
