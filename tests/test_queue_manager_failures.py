"""After a failure: retry with growing waits, failover, paid requests, faults of our own, a store that fails."""

import asyncio
import logging

import pytest

from generation.capabilities import Capabilities
from generation.errors import (
    BackendUnavailable,
    GenerationError,
    OutOfMemory,
    RequestRejected,
)
from generation.job import JobStatus
from generation.request import Mode
from store import jobs as statements
from tests.fakes import FakeBackend
from tests.queue_rig import queue_rig, seeded

DONE, FAILED, QUEUED, RUNNING = JobStatus.DONE, JobStatus.FAILED, JobStatus.QUEUED, JobStatus.RUNNING


async def test_a_failed_run_is_tried_again_after_a_growing_wait() -> None:
    gpu = FakeBackend("gpu")
    async with queue_rig(gpu) as rig:
        gpu.fail = [BackendUnavailable(), BackendUnavailable()]
        job = await rig.submit(**seeded(7))
        for wait_s in (1, 2):
            runs = len(gpu.requests)
            assert await rig.status(job) is QUEUED
            await rig.advance(wait_s - 0.01)
            assert len(gpu.requests) == runs
            await rig.advance(0.01)
        row = await rig.row(job)
        assert (row.status, row.attempt) == (DONE, 3)
        assert rig.seeds() == [7, 7, 7]


async def test_the_last_attempt_fails_the_job_with_its_reason() -> None:
    gpu = FakeBackend("gpu")
    async with queue_rig(gpu) as rig:
        gpu.fail = [BackendUnavailable("The engine is away.", hint="Start it.") for _ in range(5)]
        job = await rig.submit()
        await rig.advance(10)
        row = await rig.row(job)
        assert row.status is FAILED
        assert row.error
        assert (row.error.user_message, row.error.hint) == ("The engine is away.", "Start it.")
        assert len(gpu.requests) == 3


async def test_a_waiting_retry_holds_nobody_up_and_goes_first_when_its_time_comes() -> None:
    gpu = FakeBackend("gpu", hold=True)
    async with queue_rig(gpu) as rig:
        gpu.fail = [BackendUnavailable()]
        await rig.submit("ann", **seeded(1))
        for number in (2, 3):
            await rig.submit("bob", **seeded(number))
        gpu.release()
        await rig.settle()
        assert rig.seeds() == [1, 2]
        await rig.advance(1)
        gpu.release()
        await rig.settle()
        assert rig.seeds() == [1, 2, 1]


async def test_failover_keeps_the_seed_and_says_why() -> None:
    gpu, other = FakeBackend("gpu"), FakeBackend("other")
    async with queue_rig(gpu) as rig:
        await rig.add(other, label="The other one")
        gpu.fail = [BackendUnavailable("It is away. Start it again.")]
        job = await rig.submit(candidates=("gpu", "other"), notes=("unknown option --foo",), **seeded(7))
        row = await rig.row(job)
        assert (row.status, row.lane, row.attempt, row.tried) == (DONE, "other", 1, ("gpu",))
        assert row.notes == ("unknown option --foo", "moved to The other one: It is away")
        assert rig.seeds("other") == [7]


async def test_failover_bends_the_request_to_the_new_engine_and_drops_remarks_about_the_old() -> None:
    def can(sampler: str) -> Capabilities:
        return Capabilities(modes=frozenset(Mode), samplers=(sampler,))

    gpu = FakeBackend("gpu", capabilities=can("Heun"))
    other = FakeBackend("other", capabilities=can("DDIM"))
    async with queue_rig(gpu, other) as rig:
        gpu.fail = [OutOfMemory()]
        job = await rig.submit(candidates=("gpu", "other"), notes=("sampler Euler → Heun",))
        row = await rig.row(job)
        assert rig.backends["other"].requests[0].sampler == "DDIM"
        assert row.notes[1:] == ("sampler Euler → DDIM",)
        assert row.notes[0].startswith("moved to other: The engine ran out of memory")
        assert row.request.sampler == "Euler"


async def test_an_engine_that_cannot_do_it_is_passed_over() -> None:
    gpu = FakeBackend("gpu")
    cannot = FakeBackend("cannot", capabilities=Capabilities(modes=frozenset({Mode.UPSCALE})))
    async with queue_rig(gpu, cannot, FakeBackend("can")) as rig:
        gpu.fail = [OutOfMemory()]
        job = await rig.submit(candidates=("gpu", "cannot", "can"))
        row = await rig.row(job)
        assert (row.status, row.lane, row.tried) == (DONE, "can", ("cannot", "gpu"))


async def test_when_all_engines_fail_the_last_reason_is_told() -> None:
    gpu, other = FakeBackend("gpu"), FakeBackend("other")
    async with queue_rig(gpu, other) as rig:
        gpu.fail = [OutOfMemory("Too big for gpu.")]
        other.fail = [OutOfMemory("Too big for other.")]
        row = await rig.row(await rig.submit(candidates=("gpu", "other")))
        assert row.status is FAILED
        assert row.error
        assert row.error.user_message == "Too big for other."


@pytest.mark.parametrize(("is_paid", "runs"), [(True, 1), (False, 2)])
async def test_a_paid_request_that_may_have_run_is_not_sent_again(is_paid: bool, runs: int) -> None:
    gpu, other = FakeBackend("gpu", is_paid=is_paid), FakeBackend("other")
    async with queue_rig(gpu, other) as rig:
        gpu.fail = [BackendUnavailable(may_have_run=True)]
        await rig.submit(candidates=("gpu", "other"))
        await rig.advance(60)
        assert len(gpu.requests) + len(other.requests) == runs


async def test_a_wrong_request_fails_at_once_and_says_nothing_against_the_engine() -> None:
    gpu = FakeBackend("gpu")
    async with queue_rig(gpu) as rig:
        gpu.fail = [RequestRejected("Too many steps.") for _ in range(5)]
        for _ in range(5):
            assert await rig.status(await rig.submit()) is FAILED
        assert not rig.queue.lanes()[0].is_broken


async def test_a_fault_of_ours_fails_only_its_job_and_gives_an_id() -> None:
    gpu = FakeBackend("gpu")
    async with queue_rig(gpu) as rig:
        gpu.fail = [ValueError("a bug with /a/path")]  # type: ignore[list-item]
        broken, fine = await rig.submit(), await rig.submit()
        row = await rig.row(broken)
        assert row.status is FAILED
        assert row.error
        assert row.short_id in row.error.user_message
        assert "path" not in row.error.user_message
        assert await rig.status(fine) is DONE


async def test_a_job_that_takes_too_long_fails_and_frees_its_slot() -> None:
    gpu = FakeBackend("gpu", hold=True)
    async with queue_rig(gpu, timeout_s=0.02) as rig:
        job = await rig.submit()
        await asyncio.sleep(0.04)
        await rig.settle()
        row = await rig.row(job)
        assert row.error
        assert row.error.code == "timed_out"
        assert rig.queue.lanes()[0].running == 0


async def test_storing_that_breaks_fails_the_job_with_an_id() -> None:
    async with queue_rig(FakeBackend("gpu")) as rig:
        rig.sink.error = ValueError("a bug")
        row = await rig.row(await rig.submit())
        assert row.status is FAILED
        assert row.error
        assert row.short_id in row.error.user_message


async def test_pictures_that_all_came_damaged_are_no_success() -> None:
    async with queue_rig(FakeBackend("gpu"), FakeBackend("other")) as rig:
        rig.sink.loses_pictures = True
        row = await rig.row(await rig.submit(candidates=("gpu", "other")))
        assert row.status is FAILED
        assert row.tried == ("gpu",)
        assert row.error
        assert row.error.code == "unexpected_answer"


async def test_a_listener_that_breaks_costs_no_pictures() -> None:
    async with queue_rig(FakeBackend("gpu")) as rig:

        def broken(_: object) -> None:
            raise ValueError("a bug")

        rig.queue.watchers.on_change.append(broken)
        assert await rig.status(await rig.submit()) is DONE
        assert rig.sink.discarded == []


@pytest.mark.parametrize("failures", [1, 3, 6])
async def test_a_store_that_fails_for_a_moment_loses_no_picture(
    failures: int, caplog: pytest.LogCaptureFixture
) -> None:
    async with queue_rig(FakeBackend("gpu")) as rig:
        rig.database.failures[statements.FINISH] = failures
        job = await rig.submit()
        assert await rig.status(job) is RUNNING
        for _ in range(failures):
            await rig.advance(30)
        assert await rig.status(job) is DONE
        assert rig.sink.discarded == []
        assert len(rig.backends["gpu"].requests) == 1


async def test_a_store_that_fails_while_the_engine_goes_on_holds_nobody_up() -> None:
    async with queue_rig(FakeBackend("gpu")) as rig:
        rig.database.failures[statements.FINISH] = 1
        first, second = await rig.submit(), await rig.submit()
        assert [await rig.status(job) for job in (first, second)] == [RUNNING, DONE]
        await rig.advance(1)
        assert await rig.status(first) is DONE


async def test_a_claim_that_fails_is_tried_again_in_the_same_order() -> None:
    async with queue_rig(FakeBackend("gpu"), FakeBackend("other")) as rig:
        rig.database.failures[statements.CLAIM] = 2
        first = (await rig.submit_only(**seeded(1))).job
        second = (await rig.submit_only(**seeded(2))).job
        await rig.advance(1)
        await rig.advance(1)
        assert [await rig.status(job) for job in (first, second)] == [DONE, DONE]
        assert rig.seeds() == [1, 2]


async def test_a_retry_that_cannot_be_stored_is_stored_later() -> None:
    gpu = FakeBackend("gpu")
    async with queue_rig(gpu) as rig:
        gpu.fail = [BackendUnavailable()]
        rig.database.failures[statements.REQUEUE] = 2
        job = await rig.submit()
        await rig.advance(1)
        await rig.advance(5)
        await rig.advance(1)
        assert await rig.status(job) is DONE
        assert len(gpu.requests) == 2


async def test_paces_that_cannot_be_saved_cost_nothing(caplog: pytest.LogCaptureFixture) -> None:
    async with queue_rig(FakeBackend("gpu")) as rig:
        rig.database.failures[statements.SAVE_PACE] = 100
        for _ in range(25):
            assert await rig.status(await rig.submit()) is DONE
        assert rig.sink.discarded == []


async def test_an_error_is_logged_with_its_detail_and_told_without(caplog: pytest.LogCaptureFixture) -> None:
    gpu = FakeBackend("gpu")
    async with queue_rig(gpu) as rig:
        gpu.fail = [GenerationError("It failed.", detail="status 500 from the engine")]
        with caplog.at_level(logging.WARNING):
            row = await rig.row(await rig.submit())
        assert row.error
        assert row.error.user_message == "It failed."
        record = next(record for record in caplog.records if getattr(record, "action", "") == "job_failed")
        assert "status 500" in record.error  # type: ignore[attr-defined]


async def test_an_engine_that_keeps_failing_counts_as_down_until_a_probe_finds_it_up() -> None:
    gpu = FakeBackend("gpu")
    async with queue_rig(gpu) as rig:
        gpu.fail = [BackendUnavailable("It is away.") for _ in range(3)]
        reported: list[str] = []
        rig.registry.on_change.append(reported.append)
        await rig.submit()
        await rig.advance(4)
        entry = rig.registry.get("gpu")
        assert entry
        assert entry.error
        assert "gpu" in reported
        waiting = await rig.submit()
        assert await rig.status(waiting) is QUEUED
        await rig.registry.refresh("gpu")
        await rig.settle()
        assert entry.error is None
        assert await rig.status(waiting) is DONE


async def test_a_job_whose_result_can_never_be_stored_ends_with_a_sentence_and_keeps_no_picture() -> None:
    gpu = FakeBackend("gpu")
    async with queue_rig(gpu) as rig:
        refusal = "BEGIN SELECT raise(ABORT, 'NOT NULL constraint failed: generated_images.seed'); END"
        await rig.database.write(f"CREATE TRIGGER never BEFORE INSERT ON generated_images {refusal}")
        job = await rig.submit()
        row = await rig.row(job)
        assert row.status is FAILED
        assert row.error
        assert row.error.code == "unstorable"
        assert "cannot be stored" in row.error.user_message
        assert len(rig.sink.discarded) == 1
        await rig.database.write("DROP TRIGGER never")
        assert await rig.status(await rig.submit()) is DONE  # the engine is free for the next
