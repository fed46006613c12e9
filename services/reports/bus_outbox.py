"""Jobs that have ended, for the message bus: noted in the commit that ends them, told until the bus has heard."""

from collections.abc import Iterable
from typing import Final

from generation.job import Job
from store.bus import BusStore
from store.jobs import JobStore

MOST_WAITING: Final = 100_000  # what a bus that is away may pile up


class BusOutbox:
    """Call `want` before the queue starts."""

    def __init__(self, store: BusStore, jobs: JobStore) -> None:
        self._store = store
        self._jobs = jobs

    async def want(self, is_wanted: bool) -> None:
        """Note from now on what ends, or no more."""
        await self._store.want(is_wanted)

    async def due(self, after: int, limit: int) -> list[tuple[int, Job | None]]:
        """Return what is to be told, with its number, in the order it ended; None: the job is gone."""
        return [(number, await self._jobs.get(job_id)) for number, job_id in await self._store.due(after, limit)]

    async def waiting(self) -> int:
        """Return how many jobs are still to be told."""
        return await self._store.count()

    async def told(self, numbers: Iterable[int]) -> None:
        """Forget what the bus has heard of."""
        await self._store.told(numbers)

    async def prune(self) -> None:
        """Give up the oldest of what piles up."""
        await self._store.prune(MOST_WAITING)
