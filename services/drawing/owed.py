"""The answers that doors owe: where each stands, and which have not arrived."""

from collections.abc import Sequence
from dataclasses import replace

from generation.job import Job, JobView
from store.jobs import JobStore
from utils.clock import Clock


class OwedAnswers:
    """The part of `GenerationService` that doors keep their notes in."""

    _jobs: JobStore
    _clock: Clock

    async def attach_message(self, job_id: str, *, channel_id: str, message_id: str, is_lax: bool = True) -> None:
        """Remember which message shows this job; `is_lax`: the door finds it again if a power cut takes the note."""
        await self._jobs.attach_message(job_id, channel_id=channel_id, message_id=message_id, is_lax=is_lax)

    async def attach_group(self, job_ids: Sequence[str], *, channel_id: str, message_id: str) -> None:
        """Remember which message shows these jobs together: of all or, after a crash, of none."""
        await self._jobs.attach_group(job_ids, channel_id=channel_id, message_id=message_id)

    async def shown_in(self, view: JobView, *, channel_id: str, message_id: str) -> JobView:
        """Remember which message awaits this job; return the view that knows it."""
        job = await self._jobs.attach_message(view.job.id, channel_id=channel_id, message_id=message_id)
        return replace(view, job=job) if job else view

    async def delivered(self, job_id: str, *, is_lax: bool = False) -> bool:
        """Take a result off the list of due ones; true for the one caller who did it. `is_lax`: as above."""
        return await self._jobs.set_delivered(job_id, self._clock.now(), is_lax=is_lax)

    async def due(self, door: str) -> list[Job]:
        """Return every job of a door that has ended and is not delivered, or runs, or waits and is not shown for good.

        Jobs that share one answer are not among them, see `due_in_groups`; nor those whose message says that they wait
        and can do so as long as it takes: there may be very many, and a change of theirs is told to who listens.
        """
        # in the order of a job's life, so that one that goes on meanwhile is in a later list
        unshown = await self._jobs.unshown_at(door, self._clock.now())
        running, ended = await self._jobs.running_at(door), await self._jobs.undelivered(door)
        newest = {job.id: job for job in [*unshown, *running, *ended]}
        alone = [job for job in newest.values() if job.origin.group_id is None]
        return sorted(alone, key=lambda job: job.created_at)

    async def due_in_groups(self, door: str) -> dict[str, list[Job]]:
        """Return the jobs somebody still waits for that share one answer, by the id of their group."""
        groups: dict[str, list[Job]] = {}
        newest = {job.id: job for job in [*await self._jobs.grouped_at(door), *await self._jobs.undelivered(door)]}
        for job in newest.values():
            if job.origin.group_id is not None:
                groups.setdefault(job.origin.group_id, []).append(job)
        return groups
