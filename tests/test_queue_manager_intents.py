"""Killed between the sending of a job and the storing of its id: it is looked for, and nothing is sent twice."""

from collections.abc import Callable

import pytest

from generation.errors import BackendUnavailable
from generation.job import Job, JobStatus
from store.jobs import JobStore
from tests.fakes import settle
from tests.jobs import make_job
from tests.queue_rig import BOX, InlineDatabase, queue_rig
from tests.scheduling.resumable import FakeFindingBackend

DONE, FAILED, QUEUED, RUNNING = JobStatus.DONE, JobStatus.FAILED, JobStatus.QUEUED, JobStatus.RUNNING


async def killed_while_sending(gpu: FakeFindingBackend, *jobs: Job) -> InlineDatabase:
    """Leave the table as it is when a process dies before the answer that tells the id."""
    database = InlineDatabase()
    store = JobStore(database, BOX)  # type: ignore[arg-type]
    for number, job in enumerate(jobs, len(gpu.taken) + 1):
        await store.insert(job)
        assert await store.claim(job.id, lane=job.lane, now=job.created_at)
        assert await store.set_intent(job.id, f"intent{number}")
    return database


def finished(**values: bool) -> FakeFindingBackend:
    gpu = FakeFindingBackend("gpu", **values)
    gpu.finish()
    return gpu


async def test_the_intent_is_stored_before_a_job_leaves_and_goes_when_its_id_is_known() -> None:
    gpu = FakeFindingBackend("gpu")
    gpu.hangs = True
    async with queue_rig(gpu) as rig:
        job = await rig.submit()
        assert (await rig.row(job)).intent == "intent1"
        assert (await rig.row(job)).remote_id is None
        await rig.queue.cancel(job.id)
        await rig.settle()
        gpu.hangs = False
        other = await rig.submit()
        row = await rig.row(other)
        assert (row.intent, row.remote_id) == (None, "remote2")


async def test_a_job_that_had_arrived_is_followed_and_not_sent_again() -> None:
    gpu, job = finished(), make_job()
    database = await killed_while_sending(gpu, job)
    gpu.taken["intent1"] = "remote1"
    async with queue_rig(gpu, database=database) as rig:
        row = await rig.row(job)
        assert (row.status, row.remote_id, row.intent) == (DONE, "remote1", None)
        assert (gpu.started, gpu.fetched) == ([], ["remote1"])


async def test_a_job_that_never_arrived_is_sent() -> None:
    gpu, job = finished(), make_job()
    database = await killed_while_sending(gpu, job)
    async with queue_rig(gpu, database=database) as rig:
        assert await rig.status(job) is DONE
        assert (gpu.looked_for, gpu.started) == (["intent1"], ["remote1"])


async def test_what_another_job_has_is_not_taken_for_ones_own() -> None:
    gpu, first, second = finished(), make_job(), make_job()
    database = await killed_while_sending(gpu, first, second)
    gpu.taken = {"intent1": "remote1", "intent2": "remote1"}
    async with queue_rig(gpu, database=database) as rig:
        assert [await rig.status(job) for job in (first, second)] == [DONE, DONE]
        assert len({(await rig.row(job)).remote_id for job in (first, second)}) == 2


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: finished(can_find=False), "does not tell whether it arrived"),
        (lambda: finished(is_paid=True), "may already have charged"),
    ],
)
async def test_what_cannot_be_known_or_may_be_paid_for_is_left_to_its_owner(
    make: Callable[[], FakeFindingBackend], words: str
) -> None:
    gpu, job = make(), make_job()
    database = await killed_while_sending(gpu, job)
    async with queue_rig(gpu, database=database) as rig:
        row = await rig.row(job)
        assert row.status is FAILED
        assert row.error
        assert row.error.code == "interrupted"
        assert words in row.error.user_message
        assert gpu.requests == []


async def test_an_engine_that_is_away_is_asked_later_before_anything_is_sent() -> None:
    gpu, job = finished(), make_job()
    database = await killed_while_sending(gpu, job)
    gpu.taken["intent1"] = "remote1"
    gpu.find_errors = [BackendUnavailable(), BackendUnavailable()]
    async with queue_rig(gpu, database=database) as rig:
        for _ in range(8):
            await rig.advance(5)
        assert await rig.status(job) is DONE
        assert (gpu.looked_for, gpu.started) == (["intent1"] * 3, [])


async def test_an_answer_that_was_lost_is_looked_for_before_it_is_sent_again() -> None:
    gpu = finished()
    gpu.fail = [BackendUnavailable(may_have_run=True)]
    async with queue_rig(gpu) as rig:
        job = await rig.submit()
        for _ in range(4):
            await rig.advance(5)
        row = await rig.row(job)
        assert (row.status, row.remote_id) == (DONE, "remote1")
        assert (len(gpu.requests), gpu.looked_for, list(gpu.taken)) == (1, ["intent1"], ["intent1"])


async def test_a_refusal_leaves_nothing_to_look_for() -> None:
    gpu = finished()
    gpu.fail = [BackendUnavailable()]
    async with queue_rig(gpu) as rig:
        job = await rig.submit()
        for _ in range(4):
            await rig.advance(5)
        assert await rig.status(job) is DONE
        assert (len(gpu.requests), gpu.looked_for) == (2, [])


async def test_an_engine_that_cannot_be_asked_gets_a_lost_job_again() -> None:
    gpu = finished(can_find=False)
    gpu.fail = [BackendUnavailable(may_have_run=True)]
    async with queue_rig(gpu) as rig:
        job = await rig.submit()
        for _ in range(4):
            await rig.advance(5)
        assert await rig.status(job) is DONE
        assert (len(gpu.requests), gpu.looked_for) == (2, [])


async def test_a_store_that_fails_costs_a_free_job_only_the_looking_and_a_paid_one_is_not_sent() -> None:
    from store import jobs as statements

    for is_paid in (False, True):
        gpu = finished(is_paid=is_paid)
        async with queue_rig(gpu) as rig:
            rig.database.failures[statements.SET_INTENT] = 1
            job = await rig.submit()
            await settle(50)
            row = await rig.row(job)
            assert row.status is (FAILED if is_paid else DONE)
            assert len(gpu.requests) == (0 if is_paid else 1)
