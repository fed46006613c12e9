"""News of the queue for readers of the event stream."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from api import events
from api.caller import LOCAL
from api.events import Hub
from api.views import JobViews
from generation.job import JobStatus, JobView, Origin
from scheduling.lane import LaneView
from tests.jobs import make_job
from utils.clock import SystemClock

IDLE = LaneView(name="gpu", waiting=0, running=0, concurrency=1, paused_s=0.0, is_broken=False, wait_s=0.0)


class Generation:
    """As much of the service as the hub asks."""

    def __init__(self) -> None:
        self.lane = IDLE
        self.places: dict[str, int] = {}

    def lanes(self) -> list[LaneView]:
        return [self.lane]

    def peek(self, job: Any) -> JobView:
        return JobView(job=job, position=self.places.get(job.id))


@pytest.fixture
async def hub(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Hub, Generation]]:
    monkeypatch.setattr(events, "QUEUE_EVERY_S", 0.03)
    monkeypatch.setattr(events, "FLUSH_S", 0.0)
    generation, clock = Generation(), SystemClock()
    views = JobViews(label_of=str, sign=str, now=clock.now)
    made = Hub(generation, clock, views)  # type: ignore[arg-type]
    task = asyncio.create_task(made.run())
    yield made, generation
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def heard(reader: events.EventReader, what: bytes) -> None:
    """Read until this was said."""
    async with asyncio.timeout(2):
        while what not in reader.take():
            await reader.bell.wait()


async def test_the_last_change_is_told_even_when_it_follows_another_at_once(hub):
    made, generation = hub
    reader = made.open(LOCAL)
    job = make_job()
    generation.lane = replace(IDLE, running=1)
    made.job_changed(job)
    await heard(reader, b'"running":1')
    generation.lane = IDLE
    made.job_changed(replace(job, status=JobStatus.CANCELLED))
    await heard(reader, b'"running":0')


async def test_a_reader_that_falls_behind_holds_little_and_is_told_to_load_anew(hub):
    reader = hub[0].open(LOCAL)
    for number in range(events.MOST_PENDING + 5):
        reader.put(f"job{number}", b"x" * 1000)
    assert len(reader.pending) <= events.MOST_PENDING
    assert reader.take().startswith(b"event: resync")
    reader.put("job", b"event: job\n\n")
    assert reader.take() == b"event: job\n\n"


async def test_who_waits_hears_of_a_new_place_in_line(hub):
    made, generation = hub
    reader = made.open(LOCAL)
    first, second = (make_job(id=name, origin=Origin(door="api", user_id="local")) for name in ("first", "second"))
    generation.places = {"first": 1, "second": 2}
    made.job_changed(first)
    made.job_changed(second)
    await heard(reader, b'"position":2')
    generation.places = {"second": 1}
    made.job_changed(replace(first, status=JobStatus.CANCELLED))
    await heard(reader, b'"position":1')
