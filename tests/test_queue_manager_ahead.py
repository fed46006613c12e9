"""A far engine that lines requests up: it always has its next job, never more, and in fair order."""

import asyncio

from backends.base import ProgressCallback
from generation.capabilities import Capabilities
from generation.job import JobStatus, Progress
from generation.request import GenerationRequest, Mode
from generation.result import GenerationResult
from tests.fakes import FakeBackend, FakeClock
from tests.queue_rig import Rig, queue_rig, seeded

DRAW_S, THERE_S, BACK_S = 10.0, 1.0, 4.0
CAN = Capabilities(modes=frozenset(Mode), lines_up=True, supports_cancel=True)


class FarEngine(FakeBackend):
    """Draws one after the other for `DRAW_S`; requests and pictures are under way for as long as said."""

    def __init__(self) -> None:
        super().__init__("gpu", capabilities=CAN)
        self.clock = FakeClock()
        self.here = 0  # at the engine, drawn or waiting
        self.most_here = 0
        self.busy: list[tuple[float, float]] = []
        self.drawn: list[int] = []
        self._turn = asyncio.Lock()

    async def generate(self, request: GenerationRequest, report: ProgressCallback) -> GenerationResult:
        await self.clock.sleep(THERE_S)
        self.here += 1
        self.most_here = max(self.most_here, self.here)
        try:
            async with self._turn:
                began = self.clock.monotonic()
                await self.clock.sleep(DRAW_S)
                self.busy.append((began, self.clock.monotonic()))
                self.drawn.append(request.seed)
        finally:
            self.here -= 1
        await report(Progress(fraction=1.0, is_drawn=True))
        await self.clock.sleep(BACK_S)
        return await super().generate(request, report)


def far_rig() -> tuple[FarEngine, object]:
    engine = FarEngine()

    def prepare(rig: Rig) -> None:
        engine.clock = rig.clock

    return engine, queue_rig(engine, prepare=prepare)


async def test_a_far_engine_waits_for_nothing_and_is_fair() -> None:
    engine, rig_of = far_rig()
    async with rig_of as rig:  # type: ignore[attr-defined]
        for number in range(6):
            await rig.submit("ann", **seeded(100 + number))
        for number in range(3):
            await rig.submit("ben", **seeded(200 + number))
        for _ in range(220):
            await rig.advance(0.5)
        assert len(engine.drawn) == 9
        assert engine.most_here <= 2
        gaps = [later - ended for (_, ended), (later, _) in zip(engine.busy, engine.busy[1:], strict=False)]
        assert max(gaps[3:]) < 0.6, "once the way is known it has its next job when the last is drawn"
        assert max(gaps) <= THERE_S + 0.5, "nor does it ever wait for pictures that travel"
        assert engine.drawn.index(200) <= 2
        assert engine.drawn.index(202) <= 6


async def test_a_job_that_waits_at_the_engine_is_cancelled_and_its_neighbours_are_drawn() -> None:
    engine, rig_of = far_rig()
    async with rig_of as rig:  # type: ignore[attr-defined]
        jobs = [await rig.submit(f"user {number}", **seeded(number)) for number in range(4)]
        for _ in range(100):
            await rig.advance(0.5)
            if engine.here == 2 and len(engine.drawn) == 2:
                break
        waiting = [job for job in jobs if await rig.status(job) is JobStatus.RUNNING][-1]
        await rig.queue.cancel(waiting.id)
        for _ in range(100):
            await rig.advance(0.5)
        statuses = [await rig.status(job) for job in jobs]
        assert statuses.count(JobStatus.DONE) == 3
        assert statuses.count(JobStatus.CANCELLED) == 1
        assert waiting.request.seed not in engine.drawn
