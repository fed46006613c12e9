"""One run of one job: input pictures, remote ids, resuming, cancelling, faults."""

import asyncio
from dataclasses import replace

import pytest

from generation.errors import BackendUnavailable, GenerationError, JobTimedOut, RequestRejected
from generation.job import Job, Progress
from generation.request import Mode, SourceImage
from generation.result import GenerationResult
from scheduling.executor import Outcome, run_job
from tests.contracts.executor_contract import Recorder
from tests.fakes import FakeBackend, settle
from tests.jobs import make_job, make_request
from tests.scheduling.resumable import FakeResumableBackend
from utils.clock import SystemClock


async def load(source: SourceImage) -> SourceImage:
    return SourceImage(media_id=source.media_id, data=b"bytes of " + source.media_id.encode())


async def _run(job: Job, backend: FakeBackend, events: Recorder | None = None, timeout_s: float = 60) -> Outcome:
    reported = events or Recorder()

    async def report(progress: Progress) -> None:
        await reported.on_progress(job.id, progress)

    async def on_remote_id(remote_id: str) -> None:
        await reported.on_remote_id(job.id, remote_id)

    return await run_job(
        job,
        backend,
        timeout_s=timeout_s,
        load=load,
        report=report,
        on_remote_id=on_remote_id,
        clock=SystemClock(),
    )


async def test_input_pictures_are_loaded_for_the_run() -> None:
    backend = FakeBackend()
    source = SourceImage(media_id="source")
    request = make_request(mode=Mode.INPAINT, init_image=source, mask_image=SourceImage(media_id="mask"))
    await _run(make_job(drawn=request), backend)
    (seen,) = backend.requests
    assert seen.init_image
    assert seen.init_image.data == b"bytes of source"
    assert seen.mask_image
    assert seen.mask_image.data == b"bytes of mask"


async def test_a_source_that_is_gone_is_the_outcome() -> None:
    async def gone(source: SourceImage) -> SourceImage:
        raise RequestRejected("The source picture has expired.")

    async def nothing(_: object) -> None: ...

    job = make_job(drawn=make_request(init_image=SourceImage(media_id="x")))
    backend = FakeBackend()
    outcome = await run_job(
        job, backend, timeout_s=1, load=gone, report=nothing, on_remote_id=nothing, clock=SystemClock()
    )
    assert isinstance(outcome, RequestRejected)
    assert backend.requests == []


async def test_a_timeout_inside_the_backend_is_a_fault_and_not_ours() -> None:
    backend = FakeBackend()
    backend.fail.append(TimeoutError())  # type: ignore[arg-type]
    outcome = await _run(make_job(), backend)
    assert isinstance(outcome, GenerationError)
    assert not isinstance(outcome, JobTimedOut)


async def test_the_remote_id_is_stored_before_the_first_poll() -> None:
    backend = FakeResumableBackend()
    job = make_job()

    class Watching(Recorder):
        async def on_remote_id(self, job_id: str, remote_id: str) -> None:
            assert backend.polled == []
            await super().on_remote_id(job_id, remote_id)

    events = Watching()
    backend.finish()
    outcome = await _run(job, backend, events)
    assert isinstance(outcome, GenerationResult)
    assert events.remote_ids == [(job.id, "remote1")]
    assert backend.fetched == ["remote1"]


async def test_a_job_with_a_remote_id_is_taken_up_and_not_sent_again() -> None:
    backend = FakeResumableBackend()
    backend.finish()
    outcome = await _run(make_job(remote_id="remote7"), backend)
    assert isinstance(outcome, GenerationResult)
    assert backend.started == []
    assert backend.fetched == ["remote7"]


async def test_a_store_that_fails_does_not_lose_a_started_remote_job() -> None:
    backend = FakeResumableBackend()
    backend.finish()
    events = Recorder()
    events.store_error = OSError("disk full")
    assert isinstance(await _run(make_job(), backend, events), GenerationResult)


async def test_progress_of_a_remote_job_is_reported() -> None:
    backend = FakeResumableBackend()
    events = Recorder()
    task = asyncio.create_task(_run(make_job(), backend, events))
    await events.until_running(3)
    backend.finish()
    assert isinstance(await task, GenerationResult)


async def test_cancelling_cancels_the_remote_job() -> None:
    backend = FakeResumableBackend()
    events = Recorder()
    task = asyncio.create_task(_run(make_job(), backend, events))
    await events.until_running()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert backend.remote_cancelled == ["remote1"]


async def test_cancelling_while_the_remote_id_is_stored_cancels_the_remote_job_too() -> None:
    backend = FakeResumableBackend()

    class Stuck(Recorder):
        async def on_remote_id(self, job_id: str, remote_id: str) -> None:
            await asyncio.Event().wait()

    task = asyncio.create_task(_run(make_job(), backend, Stuck()))
    await settle()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert backend.remote_cancelled == ["remote1"]


async def test_a_remote_cancel_that_fails_hides_neither_cancelling_nor_the_timeout() -> None:
    backend = FakeResumableBackend()
    backend.cancel_error = BackendUnavailable()
    events = Recorder()
    task = asyncio.create_task(_run(make_job(), backend, events))
    await events.until_running()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    outcome = await _run(make_job(), backend, timeout_s=0.02)
    assert isinstance(outcome, JobTimedOut)
    assert "Try fewer steps" in outcome.hint
    assert "JOB_TIMEOUT" in outcome.owner_hint
    assert "status page" in outcome.owner_hint
    assert backend.remote_cancelled == ["remote1", "remote2"]


async def test_the_drawn_request_is_sent_and_not_the_one_asked_for() -> None:
    backend = FakeBackend()
    job = make_job()
    await _run(replace(job, drawn=make_request(width=512)), backend)
    assert backend.requests[0].width == 512
