"""Any sequence of events: every job ends in exactly one way, and no engine gets more at once than it takes."""

import asyncio
import logging
import sqlite3
from collections import Counter
from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from generation.errors import (
    BackendGone,
    BackendUnavailable,
    GenerationError,
    OutOfMemory,
    RateLimited,
    RequestRejected,
)
from generation.job import TERMINAL, Job
from store import jobs as statements
from tests.fakes import FakeBackend, settle
from tests.queue_rig import queue_rig

ERRORS: list[type[GenerationError]] = [BackendUnavailable, BackendGone, OutOfMemory, RateLimited, RequestRejected]
LANES = st.sampled_from(["one", "two"])
EVENTS = st.lists(
    st.one_of(
        st.tuples(st.just("submit"), st.sampled_from("abc"), LANES),
        st.tuples(st.just("cancel"), st.integers(0, 20)),
        st.tuples(st.just("release"), LANES),
        st.tuples(st.just("back"), LANES),
        st.tuples(st.just("front"), st.integers(0, 20)),
        st.tuples(st.just("fail"), LANES, st.sampled_from(ERRORS)),
        st.tuples(st.just("store fails"), st.sampled_from([statements.CLAIM, statements.FINISH, statements.REQUEUE])),
        st.tuples(st.just("wait"), st.sampled_from([0.5, 2.0, 10.0])),
    ),
    min_size=3,
    max_size=30,
)
CONCURRENCY = 2


async def _play(events: list[tuple]) -> None:
    item, two = FakeBackend("one", hold=True), FakeBackend("two", hold=True)
    ends: Counter[str] = Counter()

    def note(job: Job) -> None:
        ends[job.id] += job.is_terminal

    async with queue_rig(item, two, concurrency=CONCURRENCY, max_running_per_user=3, patience_s=90.0) as rig:
        rig.queue.watchers.on_change.append(note)
        jobs: list[Job] = []
        for event in events:
            match event:
                case ("submit", user, lane):
                    jobs.append((await rig.submit_only(user, lane, candidates=("one", "two"))).job)
                case ("cancel", which) if jobs:
                    with suppress(sqlite3.OperationalError):  # the store fails: the person may ask again
                        await rig.queue.cancel(jobs[which % len(jobs)].id)
                case ("release", lane):
                    rig.backends[lane].release()
                case ("back", lane):
                    await rig.registry.refresh(lane)
                case ("front", which) if jobs:
                    rig.queue.to_front(jobs[which % len(jobs)].id)
                case ("fail", lane, kind):
                    rig.backends[lane].fail.append(kind())
                case ("store fails", statement):
                    rig.database.failures[statement] += 1
                case ("wait", seconds):
                    await rig.clock.advance(seconds)
            await settle(5)
        for backend in (item, two):
            backend.release(1000)
        while not all([(await rig.row(job)).status in TERMINAL for job in jobs]):
            await settle(20)
            await rig.clock.advance(60)
            assert rig.clock.monotonic() < 10_000, "a job never ends"
        await rig.clock.advance(60)  # what is left to store
        await rig.settle()
        assert ends == Counter({job.id: 1 for job in jobs})
        assert max(item.most_running, two.most_running) <= CONCURRENCY
        assert (rig.queue._lanes.waiting, rig.queue._lanes.running, rig.queue._lanes.progress) == (0, {}, {})
        done = [job for job in jobs if (await rig.row(job)).result]
        assert len(rig.sink.kept) == len(done) + len(rig.sink.discarded)


@given(EVENTS)
def test_every_job_ends_once_whatever_happens(events: list[tuple]) -> None:
    logging.disable()  # writing down the store's failures is most of the time else
    try:
        asyncio.run(_play(events))
    finally:
        logging.disable(logging.NOTSET)
