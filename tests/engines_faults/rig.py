"""A whole queue with one engine behind a fault proxy and a healthy one beside it: real clock, real sockets."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from backends.base import Backend, BackendConfig
from backends.registry import BackendRegistry, Entry
from generation.capabilities import Fit, fit
from generation.job import Job, JobStatus
from generation.request import SourceImage
from queue_manager import QueueManager
from scheduling.lane import LaneView
from scheduling.local_executor import LocalExecutor
from scheduling.retry import RetryPolicy
from settings.queue import QueueSettings
from store.jobs import JobStore
from tests.engines.fault_proxy import FaultProxy
from tests.engines_faults.engines import Engine
from tests.fakes import FakeBackend
from tests.jobs import make_job, make_request
from tests.queue_rig import BOX, FakeSink, InlineDatabase
from utils.clock import SystemClock

JOB_TIMEOUT_S = 5.0


class JumpingClock(SystemClock):
    """The real clock; its wall time may be set."""

    def __init__(self) -> None:
        self.offset_s = 0.0

    def now(self) -> datetime:
        return super().now() + timedelta(seconds=self.offset_s)


@dataclass
class Rig:
    """`server` is the stand-in, `proxy` stands before it, lane "gpu" leads there and lane "other" beside it."""

    engine: Engine
    server: Any
    proxy: FaultProxy
    backend: Backend
    queue: QueueManager
    registry: BackendRegistry
    clock: JumpingClock
    jobs: JobStore
    sink: FakeSink
    other: FakeBackend
    pictures: dict[str, bytes]  # input pictures by id

    async def submit(self, lane: str = "gpu", candidates: tuple[str, ...] = (), **changes: Any) -> Job:
        values = {"width": 256, "height": 256, "steps": 8, "sampler": None}
        request = make_request(**(values | changes))
        entry = self.registry.get(lane)
        if entry and entry.capabilities:
            fitted = fit(request, entry.capabilities)
            assert isinstance(fitted, Fit)
            request = fitted.request
        reply = {"request": request, "drawn": request, "is_pinned": not candidates, "created_at": self.clock.now()}
        return (await self.queue.submit(make_job("ann", lane, candidates=candidates, **reply))).job

    def picture(self, data: bytes) -> SourceImage:
        """Keep an input picture and return what a request names it by."""
        source = SourceImage.of(data)
        self.pictures[source.media_id] = data
        return source

    async def end_of(self, job: Job) -> Job:
        async for view in self.queue.watch(job.id):
            last = view.job
        return last

    async def run(self, lane: str = "gpu", **changes: Any) -> Job:
        """Submit a job and wait for its end."""
        return await self.end_of(await self.submit(lane, **changes))

    async def others_go_on(self) -> bool:
        return (await self.run("other")).status is JobStatus.DONE

    @property
    def lane(self) -> LaneView:
        return next(lane for lane in self.queue.lanes() if lane.name == "gpu")

    @property
    def taken(self) -> int:
        return self.engine.taken(self.server)


@asynccontextmanager
async def fault_rig(
    engine: Engine, *, url: str = "", attempts: int = 1, patience_s: float = 0.0, **server: Any
) -> AsyncIterator[Rig]:
    """A started queue, its engines probed. `url`: where the engine is said to be instead of behind the proxy."""
    async with engine.server(**server) as stand_in, FaultProxy(stand_in.url) as proxy:
        clock, sink, database = JumpingClock(), FakeSink(), InlineDatabase()
        pictures: dict[str, bytes] = {}

        async def load(source: SourceImage) -> SourceImage:
            return replace(source, data=pictures[source.media_id])

        registry = BackendRegistry(clock)
        jobs = JobStore(database, BOX)  # type: ignore[arg-type]
        backend, other = engine.connect(url or proxy.url), FakeBackend("other")
        for item in (backend, other):
            registry.add(Entry(config=BackendConfig(name=item.name, kind=item.kind, label="The GPU"), backend=item))
        await registry.refresh_all()
        executor = LocalExecutor(registry.borrow, load=load, timeout_s=JOB_TIMEOUT_S, clock=clock)
        queue = QueueManager(
            jobs=jobs, registry=registry, executor=executor, sink=sink, clock=clock,
            limits=QueueSettings(grace_s=0.0, max_running_per_user=100, patience_s=patience_s),
            policy=RetryPolicy(max_attempts=attempts, base_s=0.01),
        )  # fmt: skip
        await queue.start()
        try:
            yield Rig(engine, stand_in, proxy, backend, queue, registry, clock, jobs, sink, other, pictures)
        finally:
            engine.release(stand_in)
            await queue.stop()
            await registry.aclose()
            database.close()
