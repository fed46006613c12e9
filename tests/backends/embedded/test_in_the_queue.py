"""The queue after a crash of the engine inside: the job goes on once, elsewhere where that can be."""

import pytest

from backends.child import ChildFailed, ChildFailure
from backends.embedded.errors import translate
from generation.job import JobStatus
from tests.fakes import FakeBackend
from tests.queue_rig import queue_rig, seeded

GONE_WRONG = [ChildFailed(ChildFailure.CRASHED, "ended with -6"), ChildFailed(ChildFailure.HUNG, "no word for 60 s")]


@pytest.mark.parametrize("failed", [*GONE_WRONG, ChildFailed(ChildFailure.MEMORY, "ended with -9")], ids=str)
async def test_after_a_crash_another_engine_draws_with_the_same_seed(failed):
    embedded, other = FakeBackend("embedded"), FakeBackend("other")
    async with queue_rig(embedded, other) as rig:
        embedded.fail = [translate(failed)]
        job = await rig.submit(lane="embedded", candidates=("embedded", "other"), **seeded(7))
        assert (await rig.row(job)).status is JobStatus.DONE
        assert (rig.seeds("embedded"), rig.seeds("other")) == ([7], [7])


@pytest.mark.parametrize("failed", GONE_WRONG, ids=str)
async def test_a_crash_with_no_other_engine_is_drawn_once_more(failed):
    embedded = FakeBackend("embedded")
    async with queue_rig(embedded) as rig:
        embedded.fail = [translate(failed), translate(failed)]
        job = await rig.submit(lane="embedded", **seeded(7))
        await rig.advance(60)
        row = await rig.row(job)
        assert row.status is JobStatus.FAILED
        assert row.error.user_message == translate(failed).user_message
        assert rig.seeds("embedded") == [7, 7]


async def test_memory_that_is_short_is_not_tried_again_where_it_is_short():
    embedded = FakeBackend("embedded")
    async with queue_rig(embedded) as rig:
        embedded.fail = [translate(ChildFailed(ChildFailure.MEMORY, "7000 of 8000 MB free"))]
        job = await rig.submit(lane="embedded", **seeded(7))
        await rig.advance(60)
        row = await rig.row(job)
        assert row.status is JobStatus.FAILED
        assert "half the size" in row.error.hint
        assert rig.seeds("embedded") == [7]
