"""Messages to waiting people about an engine that is down or paused."""

import pytest

from generation.errors import BackendUnavailable, RateLimited
from generation.job import Hold, JobStatus
from tests.fakes import FakeBackend
from tests.queue_rig import queue_rig


async def test_a_waiting_job_says_that_its_engine_is_down_and_when_it_is_tried_again() -> None:
    gpu = FakeBackend("gpu")
    gpu.fail = [BackendUnavailable("gone") for _ in range(20)]
    async with queue_rig(gpu) as rig:
        job = await rig.submit()
        waiting = await rig.submit("bob")
        for _ in range(6):
            await rig.advance(2)
        views = [await rig.queue.view(item.id) for item in (job, waiting)]
        held = [view for view in views if view and view.job.status is JobStatus.QUEUED]
        assert held
        assert all(view.hold is Hold.DOWN for view in held if view.position)


async def test_a_waiting_job_says_that_its_engine_asked_for_a_pause() -> None:
    gpu = FakeBackend("gpu")
    gpu.fail = [RateLimited(retry_after=30.0)]
    async with queue_rig(gpu) as rig:
        job = await rig.submit()
        other = await rig.submit("bob")
        view = await rig.queue.view(other.id)
        assert view is not None
        assert view.hold is Hold.PAUSED
        assert view.hold_s == pytest.approx(30.0)
        await rig.advance(31)
        assert await rig.status(job) is JobStatus.DONE
