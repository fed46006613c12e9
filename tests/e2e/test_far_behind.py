"""Jobs that wait far behind cost no task each; whatever becomes of them is shown all the same, once."""

from __future__ import annotations

import asyncio

import pytest

from cogs.jobs import messages
from tests.discord_server import DiscordServer, Message
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import Easel, job_id, own
from tests.fakes import FakeBackend
from tests.waiting import until

COUNT = 6


@pytest.fixture(autouse=True)
def near(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(messages, "FAR", 2)


async def asked(easel: Easel) -> list[Message]:
    answers = [await easel.answer_to(await easel.say(f"!dream fox {number}")) for number in range(COUNT)]
    await until(lambda: all(map(job_id, answers)))
    async with asyncio.timeout(10):  # until it is noted which message shows each
        while not all([(await easel.job(job_id(answer))).origin.message_id for answer in answers]):
            await asyncio.sleep(0.01)
    return answers


def followed(easel: Easel, answers: list[Message]) -> list[bool]:
    return [job_id(answer) in easel.now.bot.messages._followers for answer in answers]


async def test_who_waits_far_behind_is_followed_when_its_turn_comes_near(
    discord: DiscordServer, start: StartEasel
) -> None:
    easel = await start(FakeBackend(hold=True))
    answers = await asked(easel)
    easel.now.queue.watchers.ring_queued([easel.backends[0].name])
    await until(lambda: followed(easel, answers) == [True] * 3 + [False] * 3)
    easel.backends[0].release()
    await until(lambda: followed(easel, answers)[3])
    easel.backends[0].release(COUNT)
    for answer in answers:
        await easel.finished(answer)
    assert own(discord.channel) == answers


async def test_after_a_restart_they_are_read_when_their_turn_comes_near(
    discord: DiscordServer, start: StartEasel
) -> None:
    engine = FakeBackend(hold=True)
    easel = await start(engine)
    answers = await asked(easel)
    await easel.kill()
    await easel.start()
    await until(lambda: followed(easel, answers)[:3] == [True] * 3)
    assert followed(easel, answers)[3:] == [False] * 3
    engine.release(COUNT + 1)
    for answer in answers:
        await easel.finished(answer)
    assert own(discord.channel) == answers


async def test_one_far_behind_that_is_cancelled_tells_so(discord: DiscordServer, start: StartEasel) -> None:
    easel = await start(FakeBackend(hold=True))
    answers = await asked(easel)
    await easel.kill()
    await easel.start()
    await until(lambda: followed(easel, answers)[0])
    await easel.now.queue.cancel(job_id(answers[-1]))
    await discord.wait_for(lambda: "ancelled" in answers[-1].content)
    assert len(own(discord.channel)) == COUNT
