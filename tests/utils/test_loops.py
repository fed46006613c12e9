"""Loops that die are logged, counted and started again, later and later; all end in order."""

import asyncio
import logging
from collections.abc import AsyncIterator

import pytest

from tests.fakes import FakeClock, settle
from utils.loops import CALM_S, LONGEST_WAIT_S, Loops, LoopState


class Work:
    """A loop that dies as often as it is told, and says what it lived through."""

    def __init__(self, *deaths: BaseException, lives_s: float = 0.0, clock: FakeClock | None = None) -> None:
        self.deaths = list(deaths)
        self.starts = 0
        self.lives_s, self.clock = lives_s, clock
        self.diary: list[str] = []

    async def run(self) -> None:
        self.starts += 1
        try:
            if self.deaths:
                if self.clock:
                    await self.clock.sleep(self.lives_s)
                raise self.deaths.pop(0)
            await asyncio.Event().wait()
        finally:
            self.diary.append("cleaned up")


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
async def loops(clock: FakeClock) -> AsyncIterator[Loops]:
    loops = Loops(clock)
    yield loops
    await loops.close()


def died(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.message == "loop died"]


async def test_a_loop_that_dies_is_logged_once_counted_and_started_again(
    loops: Loops, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    work = Work(RuntimeError("a bug"))
    loops.start("sweeper", work.run)
    await settle()
    assert loops.states() == [LoopState(name="sweeper", restarts=1, is_down=True)]
    (record,) = died(caplog)
    assert (record.levelname, record.loop, record.action) == ("ERROR", "sweeper", "loop_died")
    assert record.exc_info is not None
    assert str(record.exc_info[1]) == "a bug"
    await clock.advance(1.0)
    assert work.starts == 2
    assert loops.states() == [LoopState(name="sweeper", restarts=1, is_down=False)]


async def test_the_waits_grow_up_to_a_minute(loops: Loops, clock: FakeClock, caplog: pytest.LogCaptureFixture) -> None:
    loops.start("alerts", Work(*(RuntimeError() for _ in range(9))).run)
    await clock.advance(1000.0)
    assert [record.again_in_s for record in died(caplog)] == [1, 2, 4, 8, 16, 32, 60, LONGEST_WAIT_S, LONGEST_WAIT_S]


async def test_one_that_was_well_for_a_while_begins_with_a_short_wait(
    loops: Loops, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    loops.start("alerts", Work(*(RuntimeError() for _ in range(3)), lives_s=CALM_S, clock=clock).run)
    await clock.advance(1000.0)
    assert [record.again_in_s for record in died(caplog)] == [1, 1, 1]


async def test_other_loops_go_on(loops: Loops) -> None:
    well = Work()
    loops.start("bad", Work(RuntimeError()).run)
    loops.start("good", well.run)
    await settle()
    assert [(item.name, item.is_down) for item in loops.states()] == [("bad", True), ("good", False)]


async def test_a_loop_that_ends_by_itself_is_a_fault_unless_it_says_so(
    loops: Loops, caplog: pytest.LogCaptureFixture
) -> None:
    async def ends() -> None:
        return

    loops.start("once", ends, may_end=True)
    loops.start("for ever", ends)
    await settle()
    assert [record.loop for record in died(caplog)] == ["for ever"]
    assert "ended by itself" in str(died(caplog)[0].exc_info[1])  # type: ignore[index]


async def test_what_was_cancelled_inside_a_loop_does_not_end_it(loops: Loops, clock: FakeClock) -> None:
    work = Work(asyncio.CancelledError())
    loops.start("events", work.run)
    await settle()
    await clock.advance(1.0)
    assert work.starts == 2


async def test_all_are_cancelled_and_awaited_the_last_one_first(loops: Loops) -> None:
    order: list[str] = []

    async def run(name: str) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            order.append(name)

    for name in ("store", "queue", "web"):
        loops.start(name, lambda name=name: run(name))
    await settle()
    await loops.close()
    assert order == ["web", "queue", "store"]


async def test_a_loop_that_fails_while_it_is_cancelled_is_logged_and_stays_dead(
    loops: Loops, caplog: pytest.LogCaptureFixture
) -> None:
    starts = 0

    async def run() -> None:
        nonlocal starts
        starts += 1
        try:
            await asyncio.Event().wait()
        finally:
            raise OSError("could not clean up")

    loops.start("webhooks", run)
    await settle()
    await loops.close()
    assert starts == 1
    assert [str(record.exc_info[1]) for record in died(caplog)] == ["could not clean up"]  # type: ignore[index]


async def test_one_that_waits_to_be_started_again_ends_at_once(loops: Loops) -> None:
    work = Work(RuntimeError())
    loops.start("queue", work.run, may_end=True)
    await settle()
    async with asyncio.timeout(5):
        await loops.finish("queue")
    assert work.starts == 1


async def test_a_loop_that_has_ended_may_be_started_anew_and_keeps_its_count(loops: Loops, clock: FakeClock) -> None:
    loops.start("web", Work(RuntimeError()).run)
    await settle()
    await loops.cancel("web")
    loops.start("web", Work().run)
    assert loops.states() == [LoopState(name="web", restarts=1, is_down=False)]


async def test_loops_that_share_a_name_are_one_to_people_and_forgotten_when_they_end(
    loops: Loops, clock: FakeClock
) -> None:
    bad, well, bell = Work(RuntimeError()), Work(), asyncio.Event()
    loops.start("edits", bad.run, part="1")
    loops.start("edits", well.run, part="2")
    loops.start("edits", bell.wait, part="3", may_end=True)
    await settle()
    assert loops.states() == [LoopState(name="edits", restarts=1, is_down=True)]
    await clock.advance(1.0)
    assert loops.states() == [LoopState(name="edits", restarts=1, is_down=False)]
    assert (bad.starts, well.starts) == (2, 1)
    bell.set()
    await settle()
    loops.start("edits", Work().run, part="3")
    await loops.cancel("edits", part="2")
    loops.start("edits", well.run, part="2")
    await settle()
    assert well.starts == 2
    await loops.close()
    assert loops._loops == {}
    assert loops.states() == [LoopState(name="edits", restarts=1, is_down=False)]
