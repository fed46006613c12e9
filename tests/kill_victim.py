"""A process that works off the jobs in a database until it is killed: `python kill_victim.py DATABASE KEY [next]`.

It prints "ready" when it has begun and "done" when nothing is left.
"""

import asyncio
import random
import sys
from pathlib import Path

from backends.base import BackendConfig, ProgressCallback
from backends.registry import BackendRegistry, Entry
from generation.request import GenerationRequest
from generation.result import GenerationResult
from queue_manager import QueueManager
from scheduling.local_executor import LocalExecutor
from settings.queue import QueueSettings
from store.database import Database
from store.jobs import JobStore
from store.migrations import easel_steps
from tests.fakes import FakeBackend
from tests.queue_rig import FakeSink, load_nothing
from utils.clock import SystemClock
from utils.secrets import SecretBox


class SlowBackend(FakeBackend):
    async def generate(self, request: GenerationRequest, report: ProgressCallback) -> GenerationResult:
        await asyncio.sleep(random.uniform(0.01, 0.04))
        return await super().generate(request, report)


def steps_of_next() -> dict[str, str]:
    """Return the steps of the version after this one, which has one more."""
    steps = easel_steps()
    return {**steps, f"{len(steps) + 1:03}_next": "ALTER TABLE jobs ADD COLUMN next_thing TEXT NOT NULL DEFAULT '';"}


async def main(path: Path, key: bytes, *, is_next: bool) -> None:
    clock = SystemClock()
    database = await Database.open(path, migrations=steps_of_next() if is_next else easel_steps(), keeps_copy=True)
    jobs = JobStore(database, SecretBox(key))
    registry = BackendRegistry(clock)
    registry.add(
        Entry(config=BackendConfig(name="gpu", kind="fake"), backend=SlowBackend("gpu"), concurrency=2),
    )
    await registry.refresh("gpu")
    executor = LocalExecutor(registry.borrow, load=load_nothing, timeout_s=60, clock=clock)
    queue = QueueManager(
        jobs=jobs, registry=registry, executor=executor, sink=FakeSink(), clock=clock, limits=QueueSettings(grace_s=0)
    )
    await queue.start()
    print("ready", flush=True)
    while await jobs.active():
        await asyncio.sleep(0.01)
    await queue.stop()
    await database.close()
    print("done", flush=True)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2].encode(), is_next="next" in sys.argv[3:]))
