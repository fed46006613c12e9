"""The edit budget: finals first, of progress only the newest, never more than Discord allows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from cogs.spender import GAP_S, MAX_GAP_S, Spender
from tests.fakes import FakeClock, settle
from utils.loops import Loops, LoopState


class Sent:
    """A sent edit, and its time on the test's clock."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock = clock
        self.items: list[tuple[float, str]] = []
        self.takes_s = 0.0

    def edit(self, name: str):
        async def send() -> str:
            self.items.append((self.clock.monotonic(), name))
            if self.takes_s:
                await self.clock.sleep(self.takes_s)
            return name

        return send

    @property
    def names(self) -> list[str]:
        return [name for _, name in self.items]


@pytest.fixture
async def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def spender(clock: FakeClock) -> AsyncIterator[Spender]:
    loops = Loops(clock)
    yield Spender(clock, loops)
    await loops.close()


@pytest.fixture
async def sent(clock: FakeClock) -> Sent:
    return Sent(clock)


async def test_of_progress_only_the_newest_is_sent(spender: Spender, sent: Sent, clock: FakeClock) -> None:
    spender.offer("c", "m1", sent.edit("first"))
    await settle()
    for number in range(10):
        spender.offer("c", "m1", sent.edit(f"state {number}"))
    await clock.advance(GAP_S)
    assert sent.names == ["first", "state 9"]


async def test_messages_take_turns(spender: Spender, sent: Sent, clock: FakeClock) -> None:
    for _ in range(4):
        for message in ("a", "b", "c"):
            spender.offer("c", message, sent.edit(message))
        await clock.advance(GAP_S)
    assert sorted(sent.names[:3]) == ["a", "b", "c"]


async def test_a_final_goes_at_once_and_takes_its_progress_away(spender: Spender, sent: Sent, clock: FakeClock) -> None:
    spender.offer("c", "a", sent.edit("a1"))
    await settle()
    spender.offer("c", "a", sent.edit("a2"))
    spender.offer("c", "b", sent.edit("b1"))
    assert await spender.final("c", "a", sent.edit("a final")) == "a final"
    await clock.advance(10)
    assert sent.names == ["a1", "a final", "b1"]


async def test_channels_do_not_hold_each_other_up(spender: Spender, sent: Sent, clock: FakeClock) -> None:
    for channel in range(5):
        spender.offer(f"c{channel}", "m", sent.edit(f"c{channel}"))
    await clock.advance(0.5)
    assert len(sent.items) == 5


async def test_the_final_edit_raises_what_discord_said(spender: Spender) -> None:
    async def refused() -> None:
        raise PermissionError("no")

    with pytest.raises(PermissionError):
        await spender.final("c", "m", refused)


async def test_a_failed_progress_edit_stops_nothing(spender: Spender, sent: Sent, clock: FakeClock) -> None:
    async def refused() -> None:
        raise PermissionError("no")

    spender.offer("c", "a", refused)
    await settle()
    spender.offer("c", "b", sent.edit("b"))
    await clock.advance(GAP_S)
    assert sent.names == ["b"]


async def test_slow_edits_widen_the_gap_and_it_recovers(spender: Spender, sent: Sent, clock: FakeClock) -> None:
    sent.takes_s = 3.0  # held back by a rate limit
    spender.offer("c", "m", sent.edit("slow"))
    await clock.advance(3.0)
    sent.takes_s = 0.0
    spender.offer("c", "m", sent.edit("next"))
    await clock.advance(2 * GAP_S - 0.1)
    assert sent.names == ["slow"]
    for _ in range(40):
        spender.offer("c", "m", sent.edit("more"))
        await clock.advance(GAP_S)
    times = [moment for moment, _ in sent.items]
    assert times[-1] - times[-2] == pytest.approx(GAP_S)


async def test_twelve_jobs_in_one_channel_stay_within_the_budget(
    spender: Spender, sent: Sent, clock: FakeClock
) -> None:
    """Each of 12 jobs tells its progress ten times a second for 12 s and ends; ends are a second apart."""
    finals: list[asyncio.Task[object]] = []
    for tick in range(240):
        for job in range(12):
            if tick < 120 + job * 10:
                spender.offer("c", f"m{job}", sent.edit("progress"))
            elif tick == 120 + job * 10:
                finals.append(asyncio.create_task(spender.final("c", f"m{job}", sent.edit("final"))))
        await clock.advance(0.1)
    await clock.advance(10)
    assert all(final.done() for final in finals)
    moments = [moment for moment, _ in sent.items]
    busiest = max(sum(start <= moment < start + 5 for moment in moments) for start in moments)
    assert busiest <= 5 + 5  # 4 of progress, and the finals of five seconds
    for moment, name in sent.items:
        if name == "final":
            assert (moment - 1000.0 - 12.0) % 1.0 == pytest.approx(0, abs=0.11)


async def test_an_idle_channel_is_forgotten(spender: Spender, sent: Sent, clock: FakeClock) -> None:
    spender.offer("c", "m", sent.edit("once"))
    await clock.advance(3 * MAX_GAP_S)
    assert spender._buckets == {}


async def test_closing_lets_nobody_wait_for_ever(clock: FakeClock, sent: Sent) -> None:
    spender = Spender(clock, Loops(clock))
    sent.takes_s = 100.0
    waiting = [asyncio.create_task(spender.final("c", name, sent.edit(name))) for name in ("a", "b")]
    await settle()
    await spender.aclose()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(result, asyncio.CancelledError) for result in results)


async def test_a_channel_whose_edits_die_is_named_and_goes_on(
    clock: FakeClock, sent: Sent, caplog: pytest.LogCaptureFixture
) -> None:
    loops = Loops(clock)
    spender = Spender(clock, loops)

    async def stumble() -> None:
        raise asyncio.CancelledError  # of something that the edit waited for

    spender.offer("c", "m", stumble)
    spender.offer("d", "m", sent.edit("elsewhere"))
    waiting = asyncio.create_task(spender.final("c", "n", sent.edit("result")))
    await clock.advance(MAX_GAP_S)
    assert await waiting == "result"
    assert sorted(sent.names) == ["elsewhere", "result"]
    assert loops.states() == [LoopState(name="edits", restarts=1, is_down=False)]
    assert [record.loop for record in caplog.records if record.message == "loop died"] == ["edits"]
    await spender.aclose()
    await loops.close()
