"""Running one job: the protocol every executor keeps, and `run_job`, the same in this process and on a worker."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Protocol

from backends.base import Backend, ProgressCallback, ResumableBackend, follow
from generation.errors import GenerationError, JobTimedOut
from generation.job import Job, Progress
from generation.request import GenerationRequest, SourceImage
from generation.result import GenerationResult, JobResult
from utils.clock import Clock

log = logging.getLogger(__name__)

Outcome = GenerationResult | GenerationError
LoadSource = Callable[[SourceImage], Awaitable[SourceImage]]


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

    async def discard(self, result: JobResult) -> None: ...


async def run_job(
    job: Job,
    backend: Backend,
    *,
    timeout_s: float,
    load: LoadSource,
    report: ProgressCallback,
    on_remote_id: Callable[[str], Awaitable[None]],
    clock: Clock,
) -> Outcome:
    """Run a claimed job to its outcome; only cancellation is raised.

    Anything that is no `GenerationError` is a fault of ours: it is logged under the job's id, and people read that id.
    """
    try:
        request = await _with_sources(job.drawn, load)
        async with asyncio.timeout(timeout_s):
            if isinstance(backend, ResumableBackend):
                remote_id = job.remote_id
                if remote_id is None:
                    remote_id = await backend.start(request)
                    await on_remote_id(remote_id)
                return await follow(backend, remote_id, request, report, clock)
            return await backend.generate(request, report)
    except GenerationError as error:
        return error
    except TimeoutError:
        return JobTimedOut(
            f"Generation timed out after {timeout_s:.0f} s.",
            hint="Try fewer steps (20), a smaller size (512x512) or a faster engine.",
        )
    except Exception:
        log.exception("job crashed", extra={"action": "job_failed", "job": job.id, "backend": job.lane})
        return GenerationError(f"Something went wrong (job {job.short_id}). The owner of this bot finds it in the log.")


async def _with_sources(request: GenerationRequest, load: LoadSource) -> GenerationRequest:
    """Put the bytes of the input pictures in place of their ids."""
    init, mask = request.init_image, request.mask_image
    return replace(
        request, init_image=await load(init) if init else None, mask_image=await load(mask) if mask else None
    )
