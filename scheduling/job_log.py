"""The log lines of jobs: a closed vocabulary that can be searched, counted and alerted on."""

import logging

from generation.job import Job

log = logging.getLogger(__name__)


def log_job_event(job: Job, what: str, level: int = logging.INFO, **fields: object) -> None:
    """Log one change of state: "submitted", "started", "retried", "finished", "failed", "cancelled", "expired"."""
    log.log(level, f"job {what}", extra={"action": f"job_{what}", "job": job.id, "backend": job.lane, **fields})
