"""The choice after a failure: again, elsewhere, or give up. Pure, tested as a table."""

from datetime import datetime

from constants import DEFAULT_ENGINE_PATIENCE_S, MAX_ATTEMPTS, RETRY_BASE_S, RETRY_MAX_S
from generation.errors import (
    BackendError,
    BackendGone,
    CapabilityError,
    GenerationError,
    JobTimedOut,
    OutOfMemory,
    RateLimited,
    RequestRejected,
)
from generation.job import Job
from lazy import dataclass


@dataclass(frozen=True, kw_only=True)
class Again:
    """Run it on the same lane after `after_s`. A rate limit costs no attempt."""

    after_s: float
    costs_attempt: bool = True


@dataclass(frozen=True, kw_only=True)
class Elsewhere:
    """Run it on another lane at once."""

    lane: str


@dataclass(frozen=True, kw_only=True)
class Await:
    """Keep its place in front of the line until the engine is back."""

    costs_attempt: bool = False


@dataclass(frozen=True, kw_only=True)
class GiveUp:
    """Fail the job with this error; `has_waited`: for an engine that was gone for too long."""

    has_waited: bool = False


Decision = Again | Elsewhere | Await | GiveUp


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """`max_attempts` counts runs on one lane, waits double from `base_s` up to `max_s`.

    `patience_s`: how long a job waits for an engine that is gone (0: it is tried like one that fails).
    """

    max_attempts: int = MAX_ATTEMPTS
    base_s: float = RETRY_BASE_S
    max_s: float = RETRY_MAX_S
    patience_s: float = DEFAULT_ENGINE_PATIENCE_S

    def decide(self, error: GenerationError, job: Job, now: datetime, *, is_paid: bool = False) -> Decision:
        """Decide for a job that just failed on `job.lane` in its run number `job.attempt` there.

        A paid request that may have been accepted is never sent again, here or elsewhere. One that may have brought
        its engine down costs an attempt: it must not do so for as long as patience lasts.
        """
        if is_paid and getattr(error, "may_have_run", False):
            return GiveUp()
        if isinstance(error, RateLimited):
            if error.retry_after is not None:
                return Again(after_s=error.retry_after, costs_attempt=False)
            if job.attempt < self.max_attempts:
                return Again(after_s=self._wait_s(job))
        most = min(self.max_attempts, error.max_attempts or self.max_attempts)
        other = next((lane for lane in job.candidates if lane != job.lane and lane not in job.tried), None)
        if isinstance(error, CapabilityError | OutOfMemory) or (
            isinstance(error, BackendError) and not error.retryable
        ):
            return Elsewhere(lane=other) if other else GiveUp()
        if isinstance(error, RequestRejected | JobTimedOut) or not error.retryable:
            return GiveUp()
        if other is not None:
            return Elsewhere(lane=other)
        if isinstance(error, BackendGone) and self.patience_s:
            away_s = (now - (job.away_since or now)).total_seconds()
            is_last = error.may_have_run and job.attempt >= self.max_attempts
            if away_s >= self.patience_s:
                return GiveUp(has_waited=True)
            return GiveUp() if is_last else Await(costs_attempt=error.may_have_run)
        if job.attempt < most:
            return Again(after_s=error.retry_after if error.retry_after is not None else self._wait_s(job))
        return GiveUp()

    def _wait_s(self, job: Job) -> float:
        return min(self.max_s, self.base_s * 2.0 ** (job.attempt - 1))
