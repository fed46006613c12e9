"""Running one job: the protocol every executor keeps, and `run_job`, the same in this process and on a worker."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Protocol

from backends.base import Backend, ProgressCallback, ResumableBackend, poll_to_end, stop_remote
from generation.errors import GenerationError, JobTimedOut, RequestRejected
from generation.job import Job, Progress
from generation.request import GenerationRequest, SourceImage, WorkflowRef
from generation.result import GenerationResult, JobResult
from utils.clock import Clock

log = logging.getLogger(__name__)

Outcome = GenerationResult | GenerationError
LoadSource = Callable[[SourceImage], Awaitable[SourceImage]]
LoadWorkflow = Callable[[WorkflowRef], Awaitable[WorkflowRef]]


class RunEvents(Protocol):
    """What an executor tells the queue about a job it runs."""

    async def on_progress(self, job_id: str, progress: Progress) -> None: ...

    async def on_remote_id(self, job_id: str, remote_id: str) -> None: ...

    async def on_finished(self, job_id: str, outcome: Outcome) -> None: ...


class Executor(Protocol):
    """Runs jobs somewhere. `start` returns at once.

    Every started job ends in exactly one `on_finished`, unless it was cancelled or the executor was stopped.
    """

    def start(self, job: Job, events: RunEvents) -> None: ...

    async def cancel(self, job_id: str) -> None:
        """Stop a running job and return when its backend has let go of it."""
        ...

    async def stop(self, grace_s: float) -> None:
        """Let running jobs go on for `grace_s` seconds, then stop them; their rows stay `running`."""
        ...


class ResultSink(Protocol):
    """Where finished pictures are kept."""

    async def keep(self, job: Job, result: GenerationResult, seconds: float) -> JobResult:
        """Store the pictures; must not fail: where storing is impossible they are held in memory."""
        ...

    async def discard(self, job_id: str) -> None:
        """Forget every picture of a job, also those that no result names."""
        ...


async def load_no_workflow(workflow: WorkflowRef) -> WorkflowRef:
    """Stand in where no workflows are kept."""
    raise RequestRejected(f"There is no workflow “{workflow.name}” here.", field="workflow")


async def run_job(
    job: Job,
    backend: Backend,
    *,
    timeout_s: float,
    load: LoadSource,
    load_workflow: LoadWorkflow = load_no_workflow,
    report: ProgressCallback,
    on_remote_id: Callable[[str], Awaitable[None]],
    clock: Clock,
    leaves_remote: Callable[[], bool] = lambda: False,
) -> Outcome:
    """Run a claimed job to its outcome; only cancellation is raised.

    `leaves_remote` says, when it is cancelled, whether a job on a resumable backend's server is left running there,
    to be taken up by the next process.

    Anything that is no `GenerationError` is a fault of ours: it is logged under the job's id, and people read that id.
    """
    deadline = asyncio.timeout(timeout_s)
    try:
        request = await _loaded(job.drawn, load, load_workflow)
        async with deadline:
            if isinstance(backend, ResumableBackend):
                return await _run_remote(job, backend, request, report, on_remote_id, clock, leaves_remote)
            return await backend.generate(request, report)
    except GenerationError as error:
        return error
    except Exception as error:
        if isinstance(error, TimeoutError) and deadline.expired():
            return JobTimedOut(
                f"Generation timed out after {timeout_s:.0f} s.",
                hint="Try fewer steps (20), a smaller size (512x512) or a faster engine.",
            )
        log.exception("job crashed", extra={"action": "job_failed", "job": job.id, "backend": job.lane})
        return crashed(job)


def crashed(job: Job) -> GenerationError:
    """Return what people read of a fault of ours: an id that leads to the log."""
    return GenerationError(f"Something went wrong (job {job.short_id}). The owner of this bot finds it in the log.")


async def _run_remote(
    job: Job,
    backend: ResumableBackend,
    request: GenerationRequest,
    report: ProgressCallback,
    on_remote_id: Callable[[str], Awaitable[None]],
    clock: Clock,
    leaves_remote: Callable[[], bool],
) -> GenerationResult:
    remote_id = job.remote_id
    try:
        if remote_id is None:
            remote_id = await backend.start(request)
            await _note(job, remote_id, on_remote_id)
        return await poll_to_end(backend, remote_id, request, report, clock)
    except asyncio.CancelledError:
        if remote_id is not None and not leaves_remote():
            await stop_remote(backend, remote_id)
        raise


async def _note(job: Job, remote_id: str, on_remote_id: Callable[[str], Awaitable[None]]) -> None:
    """Store the remote id. A store that fails now costs only the resuming, not the job."""
    try:
        await on_remote_id(remote_id)
    except Exception:
        log.exception("could not store a remote id", extra={"action": "job_started", "job": job.id})


async def _loaded(request: GenerationRequest, load: LoadSource, load_workflow: LoadWorkflow) -> GenerationRequest:
    """Put the bytes of the input pictures in place of their ids, and the content of the workflow beside its own."""
    init, mask = request.init_image, request.mask_image
    return replace(
        request,
        init_image=await load(init) if init else None,
        mask_image=await load(mask) if mask else None,
        control=tuple([replace(unit, image=await load(unit.image)) for unit in request.control]),
        workflow=await load_workflow(request.workflow) if request.workflow else None,
    )
