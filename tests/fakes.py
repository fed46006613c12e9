"""Stand-ins that behave like the real thing: a clock that the test moves, a backend that the test steers."""

import asyncio
import heapq
import itertools
from datetime import UTC, datetime, timedelta

from backends.base import ProgressCallback
from generation.capabilities import Capabilities
from generation.errors import GenerationError
from generation.job import Progress
from generation.request import GenerationRequest, Mode
from generation.result import GeneratedImage, GenerationResult


class FakeClock:
    """Time stands still until `advance`, which wakes sleepers in order."""

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._now = start
        self._monotonic = 1000.0
        self._sleepers: list[tuple[float, int, asyncio.Future[None]]] = []
        self._order = itertools.count()

    def now(self) -> datetime:
        return self._now

    def monotonic(self) -> float:
        return self._monotonic

    async def sleep(self, seconds: float) -> None:
        if seconds <= 0:
            await asyncio.sleep(0)
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self._monotonic + seconds, next(self._order), future))
        await future

    async def wait(self, bell: asyncio.Event, seconds: float) -> None:
        tasks = {asyncio.ensure_future(bell.wait()), asyncio.ensure_future(self.sleep(seconds))}
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()

    async def advance(self, seconds: float) -> None:
        """Move time on, waking each sleeper at its moment and letting woken tasks run."""
        end = self._monotonic + seconds
        await settle()
        while self._sleepers and self._sleepers[0][0] <= end:
            due, _, future = heapq.heappop(self._sleepers)
            self._step_to(max(due, self._monotonic))
            if not future.done():
                future.set_result(None)
            await settle()
        self._step_to(end)
        await settle()

    def _step_to(self, monotonic: float) -> None:
        self._now += timedelta(seconds=monotonic - self._monotonic)
        self._monotonic = monotonic


async def settle(rounds: int = 20) -> None:
    """Give every task that can run a chance to do so."""
    for _ in range(rounds):
        await asyncio.sleep(0)


ONE_PIXEL_PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415478da633811a0000003"
    "1c01399c1ed2eb0000000049454e44ae426082"
)


class FakeBackend:
    """Answers at once, when the test lets it (`hold=True`, then `release()`), or with the errors queued in `fail`."""

    kind = "fake"

    def __init__(
        self,
        name: str = "fake",
        *,
        capabilities: Capabilities | None = None,
        hold: bool = False,
        is_paid: bool = False,
        preview: bytes | None = None,
    ) -> None:
        self.name = name
        self.is_paid = is_paid
        self.fail: list[GenerationError] = []
        self.is_down: GenerationError | None = None
        self.requests: list[GenerationRequest] = []
        self.cancelled: list[GenerationRequest] = []
        self.preview = preview
        self.running = 0
        self.most_running = 0
        self._gate = asyncio.Semaphore(0) if hold else None
        self._capabilities = capabilities or Capabilities(
            modes=frozenset(Mode), models=(), samplers=("Euler", "Euler a"), schedulers=("Karras",)
        )

    async def capabilities(self) -> Capabilities:
        if self.is_down:
            raise self.is_down
        return self._capabilities

    async def generate(self, request: GenerationRequest, report: ProgressCallback) -> GenerationResult:
        self.requests.append(request)
        self.running += 1
        self.most_running = max(self.most_running, self.running)
        try:
            await report(Progress(fraction=0.5, step=request.steps // 2, steps=request.steps, preview=self.preview))
            if self._gate:
                await self._gate.acquire()
            if self.fail:
                raise self.fail.pop(0)
        except asyncio.CancelledError:
            self.cancelled.append(request)
            raise
        finally:
            self.running -= 1
        return GenerationResult(
            images=tuple(GeneratedImage(data=ONE_PIXEL_PNG, seed=request.seed + n) for n in range(request.batch_size))
        )

    def release(self, times: int = 1) -> None:
        assert self._gate, "only a held backend waits"
        for _ in range(times):
            self._gate.release()

    async def aclose(self) -> None:
        pass


class FakeCheck:
    """Gives these scores to finished pictures, one after the other, and 0 to all that come later."""

    def __init__(self, *scores: float | None) -> None:
        self.scores = [*scores]
        self.seen: list[bytes] = []
        self.is_closed = False

    async def score(self, data: bytes) -> float | None:
        self.seen.append(data)
        return self.scores.pop(0) if self.scores else 0.0

    async def aclose(self) -> None:
        self.is_closed = True
