"""Reasons for the end of a job that is no fault of its engine."""

from typing import Final

from generation.job import Job, JobError
from generation.person import Person
from texts.text import _

CANCELLED_BY: Final = "cancelled_by"  # the code of a job that somebody else has cancelled


def cancelled_by(person: Person, job: Job) -> JobError | None:
    """Return who cancelled a job, for its owner to read; None where that is its owner."""
    if person.user_key == job.user_key:
        return None
    who = f"@{person.name}" if person.name else _("a moderator")
    return JobError(code=CANCELLED_BY, user_message=_("cancelled (by {who})", who=who))
