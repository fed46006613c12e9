"""The outcome of a run: pictures are kept, or the job is tried again, moved to another engine or failed.

The same rule as in `queue_manager`, whose other half this is: only who gets the row back from the store tells people.
The store and the engines come as protocols.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from typing import Protocol

from backends.base import Backend, FindingBackend, ResumableBackend
from constants import MAX_INTERRUPTIONS
from generation.capabilities import Capabilities, Fit, Refused
from generation.errors import (
    BackendError,
    BackendGone,
    BackendUnavailable,
    ContentBlocked,
    GenerationError,
    JobInterrupted,
    JobTimedOut,
    UnexpectedAnswer,
    Unstorable,
)
from generation.job import Job, JobError, JobStatus
from generation.person import Person
from generation.request import GenerationRequest
from generation.result import GenerationResult, JobResult
from scheduling.checking import Screen
from scheduling.executor import Outcome, ResultSink, crashed
from scheduling.job_log import log_job_event
from scheduling.lane import Lane
from scheduling.lanes import Lanes
from scheduling.limits import patience_over
from scheduling.retry import Again, Await, GiveUp, RetryPolicy
from scheduling.storing import retry_until_stored
from scheduling.watchers import Watchers
from texts.text import _
from utils.clock import Clock

log = logging.getLogger(__name__)

NOT_TOLD = _(
    "Easel was restarted while this was being sent, and this engine does not tell whether it arrived. "
    "Run it again if you like."
)
INTERRUPTED_HINT = _("Try a smaller size or another engine, or ask the owner of this bot to look into the log.")


class LaneEngine(Protocol):
    """One engine as the registry knows it."""

    @property
    def name(self) -> str: ...
    @property
    def backend(self) -> Backend: ...
    @property
    def capabilities(self) -> Capabilities | None: ...
    @property
    def error(self) -> BackendError | None: ...
    @property
    def is_fallback(self) -> bool: ...


class LaneEngines(Protocol):
    """The part of the registry that outcomes need."""

    def get(self, name: str) -> LaneEngine | None: ...
    def label(self, name: str) -> str: ...
    def fit(self, name: str, request: GenerationRequest) -> Fit | Refused: ...
    def visible(self, person: Person) -> Sequence[LaneEngine]: ...


class JobRows(Protocol):
    """The part of the store that outcomes need; each change is guarded, and gives the row to whoever made it."""

    async def get(self, job_id: str) -> Job | None: ...
    async def claim(self, job_id: str, *, lane: str, now: datetime) -> Job | None: ...
    async def interrupted(self, job_id: str) -> Job | None: ...
    async def finish(
        self,
        job_id: str,
        status: JobStatus,
        *,
        now: datetime,
        result: JobResult | None = None,
        error: JobError | None = None,
    ) -> Job | None: ...
    async def requeue(
        self,
        job_id: str,
        *,
        lane: str,
        candidates: tuple[str, ...],
        drawn: GenerationRequest,
        attempt: int,
        tried: tuple[str, ...],
        notes: tuple[str, ...],
        not_before: datetime | None,
        away_since: datetime | None,
        keeps_intent: bool,
    ) -> Job | None: ...


class Outcomes:
    """Takes running jobs to their end or back into the line. `wake` is rung when there is something to start."""

    def __init__(
        self,
        *,
        jobs: JobRows,
        registry: LaneEngines,
        sink: ResultSink,
        policy: RetryPolicy,
        lanes: Lanes,
        watchers: Watchers,
        clock: Clock,
        wake: asyncio.Event,
        stopping: asyncio.Event,
        screen: Screen | None = None,
    ) -> None:
        self._jobs = jobs
        self._registry = registry
        self._sink = sink
        self.policy = policy
        self._lanes = lanes
        self._watchers = watchers
        self._clock = clock
        self._wake = wake
        self._stopping = stopping
        self._screen = screen

    async def finish(self, job: Job, outcome: Outcome, seconds: float) -> bool:
        """Do with a job what its outcome asks for; true if its pictures are kept."""
        try:
            if isinstance(outcome, GenerationError):
                await self.failed(job, outcome)
                return False
            if self._screen is not None:
                outcome = await self._screen.screened(job, outcome)
            return await self._done(job, outcome, seconds)
        except ContentBlocked as error:
            self._lanes.progress.pop(job.id, None)
            await self.fail(job, error, cost_usd=_cost_of(outcome))
            return False
        except Unstorable as error:
            log.error("a job cannot be stored", extra={"action": "job_failed", "job": job.id, "error": error.detail})
            await self.fail(job, error, cost_usd=_cost_of(outcome))
            return False
        except Exception:
            log.exception("could not finish a job", extra={"action": "job_failed", "job": job.id})
            if not self._stopping.is_set():  # else the next start decides
                await self.fail(job, crashed(job), cost_usd=_cost_of(outcome))
                await self._discard(job)
            return False

    async def failed(self, job: Job, error: GenerationError) -> None:
        """Try a running job again, move it, or fail it, as the policy says."""
        self._lanes.progress.pop(job.id, None)
        entry = self._registry.get(job.lane)
        is_paid = bool(entry and entry.backend.is_paid)
        if isinstance(error, BackendGone):
            job = self._with_newcomers(job)
        tried = job.tried
        while True:
            decision = self.policy.decide(error, replace(job, tried=tried), self._clock.now(), is_paid=is_paid)
            if isinstance(decision, Again):
                return await self.retry(job, decision, error)
            if isinstance(decision, Await):
                return await self._keep_place(job, decision, error)
            if isinstance(decision, GiveUp):
                return await self.fail(job, error, has_waited=decision.has_waited)
            fitted = self._registry.fit(decision.lane, job.request)
            if isinstance(fitted, Fit):
                return await self._move(job, decision.lane, fitted, error, (*tried, job.lane))
            tried = (*tried, decision.lane)

    async def recover(self, job: Job) -> Job | None:
        """Decide for a job that was running when the last process died; return it if it runs on in its engine."""
        entry = self._registry.get(job.lane)
        await self._discard(job)  # kept, but the result that names them was not: it is drawn or fetched again
        job = await self.stored(partial(self._jobs.interrupted, job.id)) or job
        if job.interruptions > MAX_INTERRUPTIONS:
            times = _(
                "Easel stopped {interruptions} times while this was being drawn, so it is not tried again.",
                interruptions=job.interruptions,
            )
            await self.fail(job, JobInterrupted(times, hint=INTERRUPTED_HINT))
        elif entry and job.remote_id and isinstance(entry.backend, ResumableBackend):
            return job
        elif entry and job.intent is not None and isinstance(entry.backend, FindingBackend):
            if entry.backend.can_find:
                return job
            await self.fail(job, JobInterrupted(NOT_TOLD))
        elif entry and entry.backend.is_paid:
            await self.fail(job, JobInterrupted())
        else:
            again = Again(after_s=0.0, costs_attempt=False)
            await self.retry(job, again, GenerationError(_("Easel was restarted.")))
        return None

    async def retry(self, job: Job, decision: Again, error: GenerationError) -> None:
        """Put a running job back in front of its line, after the wait that was decided."""
        attempt = job.attempt + int(decision.costs_attempt)
        not_before = self._clock.now() + timedelta(seconds=decision.after_s)
        again = replace(job, attempt=attempt, not_before=not_before, away_since=None)
        await self._requeue(again, error, was_served=True)

    async def fail(self, job: Job, error: GenerationError, *, has_waited: bool = False, cost_usd: float = 0.0) -> None:
        """End a job; `cost_usd` is what the engine has charged all the same."""
        reason = JobError(
            code=error.code,
            user_message=error.user_message,
            hint=error.hint,
            owner_hint=error.owner_hint,
            may_have_run=may_have_run(error),
            cost_usd=cost_usd,
        )
        if has_waited:
            reason = patience_over(error, self.policy.patience_s)
        now = self._clock.now()
        failed = await self.stored(lambda: self._jobs.finish(job.id, JobStatus.FAILED, now=now, error=reason))
        if failed is not None:
            log_job_event(job, "failed", logging.WARNING, error=str(error), advice=str(error.owner_hint))
            self._watchers.publish(failed)

    async def drain_lane(self, lane: Lane, error: GenerationError, *, back: str = "") -> None:
        """Move what waits for an engine that does not answer to others, where that is possible.

        `back` names an engine that was away and is back: it counts again for whom it was tried in vain.
        """
        heard = BackendUnavailable(error.user_message)  # by hearsay: these jobs were not sent, so they did not run
        if isinstance(error, BackendGone):
            heard = BackendGone(error.user_message, reason=error.reason, hint=error.hint)
        for job_id in lane.queue.jobs():
            job = await self._jobs.get(job_id)
            if job is None:
                continue
            job = replace(job, tried=tuple(name for name in job.tried if name != back))
            if isinstance(heard, BackendGone):
                job = self._with_newcomers(job)
            others = {*job.candidates} - {*job.tried, lane.name}
            can_go = any(isinstance(self._registry.fit(name, job.request), Fit) for name in others)
            if can_go and lane.queue.remove(job_id):
                claim = partial(self._jobs.claim, job_id, lane=lane.name, now=self._clock.now())
                claimed = await self.stored(claim)
                if self._lanes.release(job_id) and claimed is not None:
                    await self.failed(replace(claimed, candidates=job.candidates, tried=job.tried), heard)

    async def stored(self, write: Callable[[], Awaitable[Job | None]]) -> Job | None:
        """Write a change until the store takes it."""
        return await retry_until_stored(write, self._clock, self._stopping)

    def _with_newcomers(self, job: Job) -> Job:
        """Count in the engines that came since the job was submitted, unless it is meant for one or would now cost."""
        if job.is_pinned:
            return job
        usable = [
            entry.name
            for entry in self._registry.visible(job.origin.person)
            if entry.capabilities and entry.error is None and not (entry.is_fallback or entry.backend.is_paid)
        ]
        newcomers = [name for name in usable if name not in job.candidates]
        return replace(job, candidates=(*job.candidates, *newcomers)) if newcomers else job

    async def _keep_place(self, job: Job, decision: Await, error: GenerationError) -> None:
        """Put a running job back in front of the line of an engine that is gone."""
        attempt = job.attempt + int(decision.costs_attempt)
        waiting = replace(job, attempt=attempt, not_before=None, away_since=job.away_since or self._clock.now())
        await self._requeue(waiting, error, was_served=True)

    async def _done(self, job: Job, outcome: GenerationResult, seconds: float) -> bool:
        result = await self._sink.keep(job, self._with_remark(job, outcome), seconds)
        result = replace(result, is_covered=outcome.is_covered)
        if not result.images:
            broken = UnexpectedAnswer(_("The engine gave no usable picture. Please try again."), may_have_run=True)
            await self.failed(job, broken)
            return False
        now = self._clock.now()
        try:
            finished = await self.stored(lambda: self._jobs.finish(job.id, JobStatus.DONE, now=now, result=result))
        except Unstorable:
            await self._discard(job)
            raise
        finally:
            self._lanes.progress.pop(job.id, None)
        if finished is None:  # cancelled in the meantime
            await self._discard(job)
            return False
        log_job_event(job, "finished", attempt=job.attempt, seconds=round(seconds, 2))
        self._watchers.publish(finished)
        return True

    def _with_remark(self, job: Job, outcome: GenerationResult) -> GenerationResult:
        """Add the engine's own honest line, so that every door shows it, also after the engine is gone."""
        entry = self._registry.get(job.lane)
        remark = entry.capabilities.remark if entry and entry.capabilities else ""
        return outcome if not remark or remark in outcome.notes else replace(outcome, notes=(*outcome.notes, remark))

    async def _discard(self, job: Job) -> None:
        with suppress(GenerationError):  # the sweep takes them
            await self._sink.discard(job.id)

    async def _move(self, job: Job, lane: str, fitted: Fit, error: GenerationError, tried: tuple[str, ...]) -> None:
        note = _("moved to {lane}: {reason:first}", lane=self._registry.label(lane), reason=error.user_message)
        before = self._registry.fit(job.lane, job.request)
        kept = [n for n in job.notes if not (isinstance(before, Fit) and n in before.notes)]
        moved = replace(job, lane=lane, drawn=fitted.request, attempt=1, tried=tried, not_before=None, away_since=None)
        await self._requeue(replace(moved, notes=(*kept, note, *fitted.notes)), error, was_served=False)

    async def _requeue(self, job: Job, error: GenerationError, *, was_served: bool) -> None:
        """Put a running job back in line as it stands now."""
        entry = self._registry.get(job.lane)
        can_find = entry is not None and isinstance(entry.backend, FindingBackend) and entry.backend.can_find
        may_have_run = isinstance(error, BackendError) and error.may_have_run
        requeue = partial(
            self._jobs.requeue,
            job.id,
            lane=job.lane,
            candidates=job.candidates,
            drawn=job.drawn,
            attempt=job.attempt,
            tried=job.tried,
            notes=job.notes,
            not_before=job.not_before,
            away_since=job.away_since,
            keeps_intent=was_served and can_find and may_have_run,
        )
        try:
            queued = await self.stored(requeue)
        except Unstorable as unstorable:
            await self.fail(job, unstorable)
            return
        if queued is None:  # cancelled in the meantime
            return
        log_job_event(queued, "retried", logging.WARNING, error=str(error))
        self._lanes.enqueue(queued, was_served=was_served)
        self._wake.set()
        self._watchers.publish(queued)


def may_have_run(error: GenerationError) -> bool:
    """Return whether an engine may have drawn, and charged for, what it gave no picture of."""
    return getattr(error, "may_have_run", False) or isinstance(error, JobTimedOut | JobInterrupted)


def _cost_of(outcome: Outcome) -> float:
    return outcome.cost_usd if isinstance(outcome, GenerationResult) else 0.0
