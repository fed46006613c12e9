"""A whole queue for tests: the real manager, store, registry and executor on fake backends, a fake clock and a database
that answers in the same turn of the loop, may be told to fail, and may be told to hold an answer back."""

import asyncio
import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from functools import cache
from typing import TypeVar

from cryptography.fernet import Fernet

from backends.base import BackendConfig
from backends.registry import BackendRegistry, Entry
from generation.job import Job, JobStatus, JobView
from generation.request import SourceImage
from generation.result import GenerationResult, JobResult, StoredImage
from queue_manager import QueueManager
from scheduling.checking import Screen
from scheduling.local_executor import LocalExecutor
from settings.queue import QueueSettings
from store.database import Must, NothingThere, Write
from store.jobs import JobStore
from store.migrations import easel_steps
from tests.fakes import FakeBackend, FakeClock, settle
from tests.jobs import make_job, make_request
from utils.secrets import SecretBox

T = TypeVar("T")
BOX = SecretBox(Fernet.generate_key())


class InlineDatabase:
    """The tables in memory. Like the real one it runs a statement before its caller first gives way."""

    def __init__(self) -> None:
        self._connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self._connection.row_factory = sqlite3.Row
        self._connection.deserialize(_new_tables())
        self.failures: Counter[str] = Counter()  # statement -> how often it still fails
        self.holds: dict[str, asyncio.Event] = {}  # statement -> its answers wait for this
        self.ran: Counter[str] = Counter()

    async def fetch(self, sql: str, params: object = ()) -> list[sqlite3.Row]:
        return await self.write(sql, params)

    async def read(self, sql: str, params: object = ()) -> list[sqlite3.Row]:
        return await self.write(sql, params)

    async def read_as(self, sql: str, make: Callable[[list[sqlite3.Row]], T], params: object = ()) -> T:
        return make(await self.write(sql, params))

    async def write(self, sql: str, params: object = (), *, is_lax: bool = False) -> list[sqlite3.Row]:
        await self._fail(sql)
        rows = self._connection.execute(sql, params).fetchall()  # type: ignore[call-overload]
        await self._give_way(sql)
        return rows

    async def write_all(self, writes: Sequence[Write]) -> None:
        for write in writes:
            await self._fail(write[0])
        self._connection.execute("BEGIN")
        try:
            for write in writes:
                rows = self._connection.execute(write[0], write[1]).fetchall()  # type: ignore[arg-type]
                if isinstance(write, Must) and not rows:
                    raise write.refusal
        except (sqlite3.Error, NothingThere):
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")
        for write in writes:
            await self._give_way(write[0])

    async def _fail(self, sql: str) -> None:
        self.ran[sql] += 1
        if self.failures[sql]:
            self.failures[sql] -= 1
            await asyncio.sleep(0)
            raise sqlite3.OperationalError("database or disk is full")

    async def _give_way(self, sql: str) -> None:
        await asyncio.sleep(0)
        if hold := self.holds.get(sql):
            await hold.wait()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        self._connection.execute("BEGIN")
        try:
            yield
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")

    async def shrink(self) -> None:
        """Memory has no space to give back."""

    def close(self) -> None:
        self._connection.close()

    def __del__(self) -> None:
        self._connection.close()  # a test that hands it to several queues cannot tell which one is the last


@cache
def _new_tables() -> bytes:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        for script in easel_steps().values():
            connection.executescript(script)
        return connection.serialize()


class FakeSink:
    """Keeps a count of pictures; `gate` holds storing up, `error` breaks it."""

    def __init__(self) -> None:
        self.kept: list[str] = []
        self.discarded: list[str] = []  # ids of jobs
        self.gate: asyncio.Event | None = None
        self.error: Exception | None = None
        self.loses_pictures = False

    async def keep(self, job: Job, result: GenerationResult, seconds: float) -> JobResult:
        if self.gate:
            await self.gate.wait()
        if self.error:
            raise self.error
        self.kept.append(job.id)
        images = tuple(
            StoredImage(media_id=f"{job.id}-{n}", seed=i.seed, width=1, height=1, media_type="image/png", size_bytes=1)
            for n, i in enumerate(result.images)
        )
        return JobResult(
            images=() if self.loses_pictures else images, backend=job.lane, seconds=seconds, cost_usd=result.cost_usd
        )

    async def discard(self, job_id: str) -> None:
        self.discarded.append(job_id)


async def load_nothing(source: SourceImage) -> SourceImage:
    return source


@dataclass
class Rig:
    queue: QueueManager
    jobs: JobStore
    database: InlineDatabase
    registry: BackendRegistry
    clock: FakeClock
    sink: FakeSink
    backends: dict[str, FakeBackend] = field(default_factory=dict)

    async def add(
        self, backend: FakeBackend, *, concurrency: int = 1, rate_per_minute: float | None = None, label: str = ""
    ) -> FakeBackend:
        """Connect an engine, as a probe would find it."""
        config = BackendConfig(name=backend.name, kind="fake", label=label)
        self.registry.add(
            Entry(config=config, backend=backend, concurrency=concurrency, rate_per_minute=rate_per_minute)
        )
        await self.registry.refresh(backend.name)
        self.backends[backend.name] = backend
        return backend

    async def submit(self, user: str = "ann", lane: str = "gpu", **changes: object) -> Job:
        """Submit a job and let everything happen that can happen now."""
        view = await self.submit_only(user, lane, **changes)
        await self.settle()
        return view.job

    async def submit_only(self, user: str = "ann", lane: str = "gpu", **changes: object) -> JobView:
        return await self.queue.submit(make_job(user, lane, created_at=self.clock.now(), **changes))  # type: ignore[arg-type]

    async def settle(self) -> None:
        await settle(150)

    async def advance(self, seconds: float) -> None:
        await self.clock.advance(seconds)
        await self.settle()

    async def row(self, job: Job) -> Job:
        row = await self.jobs.get(job.id)
        assert row is not None
        return row

    async def status(self, job: Job) -> JobStatus:
        return (await self.row(job)).status

    def seeds(self, name: str = "gpu") -> list[int]:
        """Seeds of the requests an engine got, in order: tests tell jobs apart by them."""
        return [request.seed for request in self.backends[name].requests]


@asynccontextmanager
async def queue_rig(
    *backends: FakeBackend,
    concurrency: int = 1,
    database: InlineDatabase | None = None,
    prepare: Callable[[Rig], None] = lambda rig: None,
    timeout_s: float = 60.0,
    screen: Screen | None = None,
    **limits: float,
) -> AsyncIterator[Rig]:
    """A started queue. `limits` are fields of `QueueSettings`; without a grace period unless one is given."""
    clock = FakeClock()
    own = database or InlineDatabase()
    jobs = JobStore(own, BOX)  # type: ignore[arg-type]
    registry = BackendRegistry(clock)
    sink = FakeSink()
    executor = LocalExecutor(registry.borrow, load=load_nothing, timeout_s=timeout_s, clock=clock)
    settings = QueueSettings(**({"grace_s": 0.0, "max_running_per_user": 100} | limits))  # type: ignore[arg-type]
    queue = QueueManager(
        jobs=jobs, registry=registry, executor=executor, sink=sink, clock=clock, limits=settings, screen=screen
    )
    rig = Rig(queue=queue, jobs=jobs, database=own, registry=registry, clock=clock, sink=sink)
    for backend in backends:
        await rig.add(backend, concurrency=concurrency)
    prepare(rig)
    await queue.start()
    await rig.settle()
    try:
        yield rig
    finally:
        await queue.stop()
        await registry.aclose()
        if database is None:
            own.close()


def seeded(seed: int) -> dict[str, object]:
    """Changes that give a job its own seed."""
    request = make_request(seed=seed)
    return {"request": request, "drawn": request}
