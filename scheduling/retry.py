"""What to do after a failure: again, elsewhere, or give up. Pure, tested as a table."""

from dataclasses import dataclass

from constants import MAX_ATTEMPTS, RETRY_BASE_S, RETRY_MAX_S
from generation.errors import (
    BackendError,
    CapabilityError,
    GenerationError,
    JobTimedOut,
    OutOfMemory,
    RateLimited,
    RequestRejected,
)
from generation.job import Job


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
class GiveUp:
    """Fail the job with this error."""


Decision = Again | Elsewhere | GiveUp


@dataclass(frozen=True, kw_only=True)
class RetryPolicy:
    """`max_attempts` counts runs on one lane, waits double from `base_s` up to `max_s`."""

    max_attempts: int = MAX_ATTEMPTS
    base_s: float = RETRY_BASE_S
    max_s: float = RETRY_MAX_S

    def decide(self, error: GenerationError, job: Job, *, is_paid: bool = False) -> Decision:
        """Decide for a job that just failed on `job.lane` in its run number `job.attempt` there.

        A paid request that may have been accepted is never sent again, here or elsewhere.
        """
        if is_paid and getattr(error, "may_have_run", False):
            return GiveUp()
        if isinstance(error, RateLimited):
            if error.retry_after is not None:
                return Again(after_s=error.retry_after, costs_attempt=False)
            if job.attempt < self.max_attempts:
                return Again(after_s=self._wait_s(job))
        other = next((lane for lane in job.candidates if lane != job.lane and lane not in job.tried), None)
        if isinstance(error, CapabilityError | OutOfMemory) or (
            isinstance(error, BackendError) and not error.retryable
        ):
            return Elsewhere(lane=other) if other else GiveUp()
        if isinstance(error, RequestRejected | JobTimedOut) or not error.retryable:
            return GiveUp()
        if other is not None:
            return Elsewhere(lane=other)
        if job.attempt < self.max_attempts:
            return Again(after_s=error.retry_after if error.retry_after is not None else self._wait_s(job))
        return GiveUp()

    def _wait_s(self, job: Job) -> float:
        return min(self.max_s, self.base_s * 2.0 ** (job.attempt - 1))
