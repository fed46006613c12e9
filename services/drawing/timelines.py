"""The course of a job, for its owner and for admins: the engines it was on, and those that were passed over."""

from backends.registry import BackendRegistry
from generation.capabilities import Refused
from generation.errors import RequestRejected
from generation.job import Job, JobView
from generation.person import Person
from generation.policy import may_read_timeline
from lazy import dataclass
from services.drawing.generation import GenerationService, no_job
from store.jobs import JobStore
from texts.text import _, joined


@dataclass(frozen=True, kw_only=True)
class Timeline:
    """A job as it stands, and the names of what had to do with it as people know them."""

    view: JobView
    engine: str
    tried: tuple[str, ...] = ()  # given up on
    spare: tuple[str, ...] = ()  # could draw it as well
    passed_over: tuple[tuple[str, str], ...] = ()  # cannot draw it, as they are now, and why
    beside: tuple[str, ...] = ()  # ids of the jobs that the same message shows


class TimelineService:
    """Finds the job that somebody asks about. One of somebody else is as if it were not there."""

    def __init__(self, *, generation: GenerationService, jobs: JobStore, registry: BackendRegistry) -> None:
        self._generation = generation
        self._jobs = jobs
        self._registry = registry

    async def of_job(self, job_id: str, person: Person) -> Timeline:
        """Return the timeline of a job, by its id or short id.

        Raises:
            RequestRejected: there is none, or none for these eyes, which is put the same way.
        """
        job = await self._jobs.get(job_id) or await self._jobs.find(job_id)
        if job is None or not may_read_timeline(person, job):
            raise no_job(job_id)
        return self._timeline(job, person)

    async def in_message(self, message_id: str, person: Person) -> Timeline:
        """Return the timeline of the newest job that a message of ours shows.

        Raises:
            RequestRejected: it shows none, or none for these eyes, which is put the same way.
        """
        jobs = [job for job in await self._jobs.in_message(message_id) if may_read_timeline(person, job)]
        if not jobs:
            raise RequestRejected(_("There is no job in that message. It may be too old."), field="job")
        return self._timeline(jobs[0], person, tuple(job.short_id for job in jobs[1:]))

    async def newest(self, person: Person) -> Timeline:
        """Return the timeline of what this person asked for last.

        Raises:
            RequestRejected: that was nothing yet.
        """
        jobs = await self._jobs.recent(person.user_key, 1)
        if not jobs:
            raise RequestRejected(_("You have asked for no picture yet."), field="job")
        return self._timeline(jobs[0], person)

    def _timeline(self, job: Job, person: Person, beside: tuple[str, ...] = ()) -> Timeline:
        label = self._registry.label
        tried = tuple(dict.fromkeys(job.tried))
        spare = () if job.is_pinned else tuple(name for name in job.candidates if name not in (*tried, job.lane))
        return Timeline(
            view=self._generation.peek(job),
            engine=label(job.lane),
            tried=tuple(map(label, tried)),
            spare=tuple(map(label, spare)),
            passed_over=() if job.is_pinned else self._passed_over(job, person),
            beside=beside,
        )

    def _passed_over(self, job: Job, person: Person) -> tuple[tuple[str, str], ...]:
        """Return the engines that cannot draw it and why: those of its owner that who asks may know of."""
        found: list[tuple[str, str]] = []
        known = {entry.name for entry in self._registry.visible(person)}
        for entry in self._registry.visible(job.origin.person):
            if entry.name not in known or entry.name in (*job.candidates, *job.tried, job.lane):
                continue
            fitted = self._registry.fit(entry.name, job.request)
            if isinstance(fitted, Refused):
                found.append((entry.label, joined(", ", fitted.reasons)))
            elif entry.is_drained:
                found.append((entry.label, _("it takes nothing new now")))
        return tuple(found)
