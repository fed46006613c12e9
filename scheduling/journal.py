"""The log lines of jobs: a closed vocabulary that can be searched, counted and alerted on."""

import logging
from typing import Final

from generation.job import Job
from generation.result import GenerationResult

log = logging.getLogger(__name__)

SHOWN_PROMPT_CHARS: Final = 100


def tell(job: Job, what: str, level: int = logging.INFO, **fields: object) -> None:
    """Log one change of state: "submitted", "started", "retried", "finished", "failed", "cancelled", "expired"."""
    log.log(level, f"job {what}", extra={"action": f"job_{what}", "job": job.id, "backend": job.lane, **fields})


def tell_drawn(job: Job, result: GenerationResult, seconds: float) -> None:
    """Log a finished job with the fields that bills and dashboards are made from; the prompt only at DEBUG."""
    fields: dict[str, object] = {"seconds": round(seconds, 2), "attempt": job.attempt}
    fields |= {"userId": job.user_key, "provider": job.lane, "generationTime": round(seconds * 1000)}
    fields |= {"cost": result.cost_usd, "model": result.model or job.drawn.model}
    if log.isEnabledFor(logging.DEBUG) and not job.origin.private:
        fields["prompt"] = job.request.prompt[:SHOWN_PROMPT_CHARS]
    known = {"action": "job_finished", "job": job.id, "backend": job.lane}
    log.info("Image generated successfully", extra=known | fields)
