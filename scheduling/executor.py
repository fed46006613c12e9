"""Running one job: the protocol every executor keeps, and `run_job`, the same in this process and on a worker."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Collection
from dataclasses import replace
from typing import Protocol

from backends.base import (
    Backend,
    FindingBackend,
    KnownIds,
    ProgressCallback,
    ResumableBackend,
    Sending,
    poll_to_end,
    stop_remote,
    unnoted,
)
from generation.errors import (
    BackendError,
    GenerationError,
    JobInterrupted,
    JobTimedOut,
    RequestRejected,
    StoreUnavailable,
)
from generation.job import Job, Progress
from generation.request import GenerationRequest, SourceImage, WorkflowRef
from generation.result import GenerationResult, JobResult
from lazy import dataclass
from scheduling.frames import framed, unframed
from texts.text import _
from utils.clock import Clock

log = logging.getLogger(__name__)

Outcome = GenerationResult | GenerationError
LoadSource = Callable[[SourceImage], Awaitable[SourceImage]]
LoadWorkflow = Callable[[WorkflowRef], Awaitable[WorkflowRef]]


class RunEvents(Protocol):
    """The reports of an executor to the queue about a job it runs."""

    async def on_progress(self, job_id: str, progress: Progress) -> None: ...

    async def on_intent(self, job_id: str, intent: str) -> None: ...

    async def on_remote_id(self, job_id: str, remote_id: str) -> None: ...

    async def known_ids(self, job_id: str) -> Collection[str]:
        """Return the remote ids of other jobs on the same engine."""
        ...

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
    """The store of finished pictures."""

    async def keep(self, job: Job, result: GenerationResult, seconds: float) -> JobResult:
        """Store the pictures; must not fail: where storing is impossible they are held in memory."""
        ...

    async def discard(self, job_id: str) -> None:
        """Forget every picture of a job, also those that no result names."""
        ...


async def know_none() -> Collection[str]:
    """Stand in where there are no other jobs."""
    return ()


async def load_no_workflow(workflow: WorkflowRef) -> WorkflowRef:
    """Stand in where no workflows are kept."""
    raise RequestRejected(_("There is no workflow “{name}” here.", name=workflow.name), field="workflow")


async def run_job(
    job: Job,
    backend: Backend,
    *,
    timeout_s: float,
    load: LoadSource,
    load_workflow: LoadWorkflow = load_no_workflow,
    report: ProgressCallback,
    on_remote_id: Callable[[str], Awaitable[None]],
    on_intent: Sending = unnoted,
    known_ids: KnownIds = know_none,
    clock: Clock,
    leaves_remote: Callable[[], bool] = lambda: False,
) -> Outcome:
    """Run a claimed job to its outcome; only cancellation is raised.

    Before a job leaves for an engine that can be asked for it later, `on_intent` is told; `on_remote_id` is as soon as
    the engine has given an id.

    `leaves_remote` says, when it is cancelled, whether a job on a resumable backend's server is left running there,
    to be taken up by the next process.

    Anything that is no `GenerationError` is a fault of ours: it is logged under the job's id, and people read that id.
    """
    deadline = asyncio.timeout(timeout_s)
    try:
        drawn = await _loaded(job.drawn, load, load_workflow)
        request = await framed(job.request, drawn)
        async with deadline:
            if isinstance(backend, ResumableBackend):
                remote = _Remote(job, backend, request, on_intent, on_remote_id, known_ids)
                result = await remote.run(report, clock, leaves_remote)
            else:
                result = await backend.generate(request, report)
        return await unframed(job.request, drawn, result)
    except GenerationError as error:
        return error
    except Exception as error:
        if isinstance(error, TimeoutError) and deadline.expired():
            return JobTimedOut(
                _("Generation timed out after {timeout_s:.0f} s.", timeout_s=timeout_s),
                hint=_("Try fewer steps (20), a smaller size (512x512) or a faster engine."),
            )
        log.exception("job crashed", extra={"action": "job_failed", "job": job.id, "backend": job.lane})
        return crashed(job)


def crashed(job: Job) -> GenerationError:
    """Return what people read of a fault of ours: an id that leads to the log."""
    return GenerationError(
        _("Something went wrong (job {short_id}). The owner of this bot finds it in the log.", short_id=job.short_id)
    )


@dataclass(frozen=True)
class _Remote:
    """One run on a server that gives it an id."""

    job: Job
    backend: ResumableBackend
    request: GenerationRequest
    on_intent: Sending
    on_remote_id: Callable[[str], Awaitable[None]]
    known_ids: KnownIds

    async def run(self, report: ProgressCallback, clock: Clock, leaves_remote: Callable[[], bool]) -> GenerationResult:
        """Submit the job, or take it up where it is, and follow it to its end."""
        remote_id = self.job.remote_id
        try:
            if remote_id is None:
                remote_id = await self._submitted()
                await self._note(remote_id)
            return await poll_to_end(self.backend, remote_id, self.request, report, clock)
        except asyncio.CancelledError:
            if remote_id is not None and not leaves_remote():
                await stop_remote(self.backend, remote_id)
            raise

    async def _submitted(self) -> str:
        """Return the id of the run: of an earlier one that the server may have taken, else of a new one."""
        if not isinstance(self.backend, FindingBackend):
            return await self.backend.start(self.request)
        if self.job.intent is not None:
            if found := await self._find(self.backend, self.job.intent):
                log.info("job found on its engine", extra={"action": "job_started", "job": self.job.id})
                return found
            if self.backend.is_paid:
                raise JobInterrupted
        return await self.backend.start(self.request, self._sending)

    async def _find(self, backend: FindingBackend, intent: str) -> str | None:
        try:
            return await backend.find(intent, self.request, self.known_ids)
        except BackendError as error:
            error.may_have_run = True  # whatever keeps us from looking now: the earlier one may be there
            raise

    async def _sending(self, intent: str) -> None:
        """Store that the job leaves now. What a store that fails costs here is the looking, unless it is paid for."""
        try:
            await self.on_intent(intent)
        except Exception as error:
            if self.backend.is_paid:
                raise StoreUnavailable from error
            log.exception("could not store an intent", extra={"action": "job_started", "job": self.job.id})

    async def _note(self, remote_id: str) -> None:
        """Store the remote id. A store that fails now costs only the resuming, not the job."""
        try:
            await self.on_remote_id(remote_id)
        except Exception:
            log.exception("could not store a remote id", extra={"action": "job_started", "job": self.job.id})


async def _loaded(request: GenerationRequest, load: LoadSource, load_workflow: LoadWorkflow) -> GenerationRequest:
    """Put the bytes of the input pictures in place of their ids, and the content of the workflow beside its own."""
    init, mask = request.init_image, request.mask_image
    return replace(
        request,
        init_image=await load(init) if init else None,
        more_images=tuple([await load(image) for image in request.more_images]),
        mask_image=await load(mask) if mask else None,
        control=tuple([replace(unit, image=await load(unit.image)) for unit in request.control]),
        workflow=await load_workflow(request.workflow) if request.workflow else None,
    )
