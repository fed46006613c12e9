"""Finished jobs as programs are told of them, whatever the door."""

from generation.job import Job


def notes_of(job: Job) -> list[str]:
    """Every remark on a job, once."""
    return list(dict.fromkeys((*job.notes, *(job.result.notes if job.result else ()))))


def model_of(job: Job) -> str:
    """The model that drew; an engine that has only one is called by its own name."""
    given = (job.result and job.result.model) or job.drawn.model
    return given or (job.result.backend if job.result else job.lane)
