"""The durable queue by itself: jobs per second, submit latency by queue length, memory, and how busy an engine is."""

import asyncio
import gc
import resource
import sqlite3
import statistics
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from cryptography.fernet import Fernet

from backends.base import BackendConfig, ProgressCallback
from backends.registry import BackendRegistry, Entry
from bench.report import Figure
from generation.job import Job, Origin
from generation.request import GenerationRequest
from generation.result import GenerationResult, JobResult, StoredImage
from queue_manager import QueueManager
from scheduling.local_executor import LocalExecutor
from settings.queue import QueueSettings
from store.database import Database
from store.jobs import JobStore
from store.migrations import easel_steps
from tests.fakes import FakeBackend
from utils.clock import SystemClock
from utils.secrets import SecretBox

GROUP = "queue"
JOBS_TO_RUN = 2000
BUSY_JOBS, BUSY_USERS, BUSY_SECONDS = 30, 10, 1.0
UNLIMITED = 1_000_000


class NoSink:
    """Keeps nothing: this measures the queue, not the picture store."""

    async def keep(self, job: Job, result: GenerationResult, seconds: float) -> JobResult:
        image = StoredImage(media_id="", seed=0, width=1, height=1, media_type="image/png", size_bytes=0)
        return JobResult(images=(image,), backend=job.lane, seconds=seconds)

    async def discard(self, job_id: str) -> None:
        pass


class TimedBackend(FakeBackend):
    """Takes exactly `seconds` for each job and knows how long it stood idle between them."""

    def __init__(self, name: str, seconds: float) -> None:
        super().__init__(name)
        self.seconds = seconds
        self.began: list[float] = []
        self.ended: list[float] = []

    async def generate(self, request: GenerationRequest, report: ProgressCallback) -> GenerationResult:
        self.began.append(time.perf_counter())
        await asyncio.sleep(self.seconds)
        self.ended.append(time.perf_counter())
        return await super().generate(request, report)


@asynccontextmanager
async def queue(backend: FakeBackend, *, concurrency: int = 1) -> AsyncIterator[tuple[QueueManager, JobStore]]:
    clock = SystemClock()
    with tempfile.TemporaryDirectory() as folder:
        database = await Database.open(Path(folder) / "easel.sqlite3", migrations=easel_steps())
        jobs = JobStore(database, SecretBox(Fernet.generate_key()))
        registry = BackendRegistry(clock)
        entry = registry.add(
            Entry(config=BackendConfig(name=backend.name, kind="fake"), backend=backend, concurrency=concurrency)
        )
        await registry.refresh(entry.name)

        async def load(source: object) -> object:
            return source

        executor = LocalExecutor(registry.borrow, load=load, timeout_s=600, clock=clock)
        limits = QueueSettings.model_construct(  # more than anybody may set
            max_waiting=UNLIMITED, max_waiting_per_user=UNLIMITED, max_running_per_user=UNLIMITED, grace_s=0
        )
        manager = QueueManager(
            jobs=jobs, registry=registry, executor=executor, sink=NoSink(), clock=clock, limits=limits
        )
        await manager.start()
        try:
            yield manager, jobs
        finally:
            await manager.stop()
            await registry.aclose()
            await database.close()


def make_job(number: int, users: int = 50, lane: str = "fake") -> Job:
    request = GenerationRequest(
        prompt=f"a red fox number {number}, in the snow", width=512, height=512, steps=20, cfg_scale=7, seed=number
    )
    origin = Origin(door="discord", user_id=str(number % users), guild_id="1", channel_id="2", source_message_id="3")
    return Job(
        id=f"{number:012x}",
        request=request,
        drawn=request,
        origin=origin,
        lane=lane,
        candidates=(lane,),
        created_at=datetime.now(UTC),
    )


async def throughput() -> list[Figure]:
    """Submit to done with an engine that answers at once, beside bare SQLite commits."""
    done = asyncio.Event()
    count = 0
    async with queue(FakeBackend("fake"), concurrency=8) as (manager, _):

        def on_change(job: Job) -> None:
            nonlocal count
            count += job.is_terminal
            if count == JOBS_TO_RUN:
                done.set()

        manager.watchers.on_change.append(on_change)
        began = time.perf_counter()
        for number in range(JOBS_TO_RUN):
            await manager.submit(make_job(number))
        await done.wait()
        rate = JOBS_TO_RUN / (time.perf_counter() - began)
    bare = _bare_commits_per_s()
    return [
        Figure(
            group=GROUP,
            name="durable jobs, submit to done",
            value=rate,
            unit="jobs/s",
            target="≥ 300",
            is_met=rate >= 300,
            beside=f"{bare:,.0f} bare FULL commits/s here",
        )
    ]


async def submit_latency() -> list[Figure]:
    """Return how long `submit` takes with 100, 10,000 and 100,000 jobs waiting, and what 10,000 weigh."""
    figures: list[Figure] = []
    backend = FakeBackend("fake", hold=True)
    medians: dict[int, float] = {}
    async with queue(backend) as (manager, jobs):
        gc.collect()
        rest = _memory_mb()
        number = 0
        for waiting in (100, 10_000, 100_000):
            while number < waiting:
                batch = [make_job(n, users=1000) for n in range(number, min(waiting, number + 500))]
                await _insert_many(manager, jobs, batch)
                number += len(batch)
            if waiting == 10_000:
                gc.collect()
                weight = _memory_mb() - rest
                figures.append(
                    Figure(
                        group=GROUP,
                        name="memory of 10,000 waiting jobs",
                        value=weight,
                        unit="MB",
                        target="≤ 60",
                        is_met=weight <= 60,
                        beside=f"{rest:.0f} MB at rest",
                    )
                )
            medians[waiting] = await _median_submit(manager, number)
            number += 200
    for waiting in (10_000, 100_000):
        ratio = medians[waiting] / medians[100]
        figures.append(
            Figure(
                group=GROUP,
                name=f"submit with {waiting:,} waiting",
                value=ratio,
                unit="x",
                target="≤ 1.5",
                is_met=ratio <= 1.5,
                beside=f"{medians[waiting] * 1000:.2f} ms, with 100 waiting {medians[100] * 1000:.2f} ms",
            )
        )
    return figures


async def busy_engine() -> list[Figure]:
    """Return how busy 30 jobs of 10 users keep a 1.0 s engine, and how long the others wait behind one user's 20."""
    backend = TimedBackend("fake", BUSY_SECONDS)
    done = asyncio.Event()
    finished: list[Job] = []
    async with queue(backend) as (manager, _):

        def on_change(job: Job) -> None:
            if job.is_terminal:
                finished.append(job)
            if len(finished) == BUSY_JOBS:
                done.set()

        manager.watchers.on_change.append(on_change)
        # one user brings 21 jobs at once, nine others one each right after
        owners = [0] * (BUSY_JOBS - BUSY_USERS + 1) + list(range(1, BUSY_USERS))
        for number, user in enumerate(owners):
            await manager.submit(_owned(make_job(number), user))
        await done.wait()
    busy = BUSY_JOBS * BUSY_SECONDS / (backend.ended[-1] - backend.began[0])
    others = [n for n, job in enumerate(finished, start=1) if job.origin.user_id != "0"]
    return [
        Figure(
            group=GROUP,
            name="a 1.0 s engine is busy",
            value=busy * 100,
            unit="%",
            target="≥ 99",
            is_met=busy >= 0.99,
            beside=f"{BUSY_JOBS} jobs, {BUSY_USERS} users",
        ),
        Figure(
            group=GROUP,
            name="last of nine newcomers served as number",
            value=max(others),
            unit="",
            target="≤ 19",
            is_met=max(others) <= 19,
            beside="one user had 21 jobs in line before them",
        ),
    ]


def _owned(job: Job, user: int) -> Job:
    return replace(job, origin=replace(job.origin, user_id=str(user)))


async def _insert_many(manager: QueueManager, jobs: JobStore, batch: list[Job]) -> None:
    """Fill the queue in parallel: the commits of a batch wait for each other less than one by one."""
    await asyncio.gather(*(manager.submit(job) for job in batch))


async def _median_submit(manager: QueueManager, first: int) -> float:
    times = []
    for number in range(first, first + 200):
        job = make_job(number, users=1000)
        began = time.perf_counter()
        await manager.submit(job)
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def _bare_commits_per_s(seconds: float = 1.0) -> float:
    with tempfile.TemporaryDirectory() as folder:
        connection = sqlite3.connect(Path(folder) / "bare.sqlite3", isolation_level=None)
        connection.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE t (x TEXT);")
        began, count = time.perf_counter(), 0
        while time.perf_counter() - began < seconds:
            connection.execute("INSERT INTO t VALUES (?)", ("x" * 650,))
            count += 1
        connection.close()
        return count / seconds


def _memory_mb() -> float:
    """Resident memory now; Linux only, like the rest of this benchmark's yardsticks."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * resource.getpagesize() / 2**20
