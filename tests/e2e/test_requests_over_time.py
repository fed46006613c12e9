"""Requests that jobs cost at Discord while time goes by: of a long one, and of one that waits in line."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest

from backends.base import ProgressCallback
from cogs import desk
from generation.job import Progress
from generation.request import GenerationRequest
from generation.result import GenerationResult
from tests.discord_server import DiscordServer, Message
from tests.e2e.conftest import StartEasel
from tests.e2e.harness import Easel, is_finished, own
from tests.e2e.pictures import png
from tests.fakes import FakeBackend, FakeClock
from tests.waiting import until

WITH_PROGRESS = 6
WITHOUT_PROGRESS = 2
STEP_S = 0.25


class Slow(FakeBackend):
    """Draws for so many seconds on the clock of the test, and shows four times a second how far it is."""

    def __init__(self, clock: FakeClock, seconds: float, *, reports: bool = True) -> None:
        super().__init__()
        self._clock, self.seconds, self._reports = clock, seconds, reports

    async def generate(self, request: GenerationRequest, report: ProgressCallback) -> GenerationResult:
        count = int(self.seconds / STEP_S)
        for number in range(count):
            await self._clock.sleep(STEP_S)
            if self._reports:
                await report(Progress(fraction=number / count, preview=png(16)))
        return await super().generate(request, _unheard)


async def _unheard(progress: Progress) -> None:
    pass


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> FakeClock:
    monkeypatch.setattr(desk, "SOON_S", 30.0)  # a busy machine is not measured here
    return FakeClock()


async def pass_until(clock: FakeClock, is_so: Callable[[], Any], limit_s: float = 900.0) -> None:
    """Let time pass until something has come about; what is sent meanwhile arrives before it goes on."""
    for _ in range(int(limit_s / STEP_S)):
        if is_so():
            return
        await clock.advance(STEP_S)
        await asyncio.sleep(0.003)
    raise AssertionError("it did not come about")


def costs(discord: DiscordServer, before: int) -> list[str]:
    records = discord.requests[before:]
    return [f"{record.method} {record.path}" for record in records if "/applications/" not in record.path]


def shows(message: Message) -> list[str]:
    """Return the states of a message one after the other, without its first line."""
    return [text.split("\n")[1] for text in (*message.history, message.content) if "\n" in text]


async def ask(easel: Easel, way: str, user: str = "mia") -> Message:
    """Return the message that the answer stands in."""
    if way == "a message":
        return await easel.answer_to(await easel.say("!dream a red fox", user=user))
    answer = await easel.slash("a red fox", user=user)
    return await easel.server.wait_for(lambda: answer.original)


WAYS = pytest.mark.parametrize("way", ["a message", "a slash command"])


@WAYS
@pytest.mark.parametrize("seconds", [8, 20])
async def test_a_picture_of_some_seconds_costs_six_requests(
    discord: DiscordServer, start: StartEasel, clock: FakeClock, way: str, seconds: int
) -> None:
    easel = await start(Slow(clock, seconds), clock=clock)
    before = len(discord.requests)
    answer = await ask(easel, way)
    await pass_until(clock, lambda: is_finished(answer))
    asked = costs(discord, before)
    assert len(asked) <= WITH_PROGRESS, asked
    assert sum("▰" in text or "▱" in text for text in shows(answer)) >= 2, "people see it grow"


@WAYS
async def test_a_picture_of_a_minute_costs_six_with_its_ping(
    discord: DiscordServer, start: StartEasel, clock: FakeClock, way: str
) -> None:
    easel = await start(Slow(clock, 60), clock=clock)
    before = len(discord.requests)
    answer = await ask(easel, way)
    await pass_until(clock, lambda: is_finished(answer))
    await until(lambda: any(message.pings for message in discord.channel.messages))
    await pass_until(clock, lambda: own(discord.channel) == [answer])
    asked = costs(discord, before)
    assert len(asked) <= WITH_PROGRESS, asked
    assert "▰" in str(shows(answer)), "people see it grow"


@WAYS
async def test_the_second_is_no_dearer_though_its_pace_is_known(
    discord: DiscordServer, start: StartEasel, clock: FakeClock, way: str
) -> None:
    easel = await start(Slow(clock, 20), clock=clock)
    first = await ask(easel, way)
    await pass_until(clock, lambda: is_finished(first))
    before = len(discord.requests)
    second = await ask(easel, way)
    await pass_until(clock, lambda: is_finished(second))
    asked = costs(discord, before)
    assert len(asked) <= WITH_PROGRESS, asked


@WAYS
async def test_a_picture_that_waits_in_line_costs_six_requests(
    discord: DiscordServer, start: StartEasel, clock: FakeClock, way: str
) -> None:
    easel = await start(Slow(clock, 10), clock=clock)
    for number in range(8):
        await easel.say("!dream a fox", user=f"user{number}")
    await until(lambda: len(own(discord.channel)) == 8)
    before = len(discord.requests)
    answer = await ask(easel, way, "mia")
    await pass_until(clock, lambda: is_finished(answer))
    await pass_until(clock, lambda: own(discord.channel)[-1] is answer)
    asked = [record for record in costs(discord, before) if str(answer.id) in record or "/webhooks/" in record]
    pings = [each for each in discord.channel.messages if each.reference is answer]
    opening = 1
    assert opening + len(asked) + 2 * len(pings) <= WITH_PROGRESS, asked
    assert any("in line" in text for text in shows(answer))


@WAYS
async def test_what_comes_at_once_costs_two_requests(
    discord: DiscordServer, start: StartEasel, clock: FakeClock, way: str
) -> None:
    easel = await start(FakeBackend(), clock=clock)
    before = len(discord.requests)
    answer = await ask(easel, way)
    await easel.finished(answer)
    asked = costs(discord, before)
    assert len(asked) == WITHOUT_PROGRESS, [line[:40] + line[-30:] for line in asked]


async def test_a_burst_costs_two_and_a_half_each(discord: DiscordServer, start: StartEasel, clock: FakeClock) -> None:
    easel = await start(FakeBackend(), clock=clock)
    before, count = len(discord.requests), 20
    for number in range(count):
        await easel.say("!dream a fox", user=f"user{number}")
    await discord.wait_for(lambda: sum(map(is_finished, own(discord.channel))) == count, 30)
    asked = costs(discord, before)
    assert len(asked) <= 2.5 * count, Counter(line.split()[0] for line in asked)


async def test_private_answers_by_direct_message_ask_for_their_room_once(
    discord: DiscordServer, start: StartEasel, clock: FakeClock
) -> None:
    easel = await start(FakeBackend(), clock=clock)
    mia = discord.user("mia")
    await easel.say("!dream a secret fox --private")
    await discord.wait_for(lambda: sum(map(is_finished, mia.dms)) == 1)
    before = len(discord.requests)
    await easel.say("!dream a secret hare --private")
    await discord.wait_for(lambda: sum(map(is_finished, mia.dms)) == 2)
    asked = costs(discord, before)
    assert len(asked) == WITHOUT_PROGRESS, [line[:40] + line[-30:] for line in asked]


async def test_a_layout_needs_no_look_at_what_it_replaces(
    discord: DiscordServer, start: StartEasel, clock: FakeClock
) -> None:
    easel = await start(FakeBackend(), card_style="v2", clock=clock)
    before = len(discord.requests)
    answer = await easel.slash("a red fox")
    await discord.wait_for(lambda: answer.original and is_finished(answer.original))
    asked = costs(discord, before)
    assert len(asked) == WITHOUT_PROGRESS, [line[:40] + line[-30:] for line in asked]
