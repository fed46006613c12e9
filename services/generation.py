"""From what somebody said to a durable job, and everything people may do with a job afterwards."""

import logging
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import timedelta

from backends.registry import BackendRegistry
from generation.errors import NotAllowed, RequestRejected
from generation.job import Job, JobStatus, JobView, Origin
from generation.request import Draft, draft_of
from queue_manager import LaneView as LaneView
from queue_manager import QueueManager
from services.choosing import Chooser
from services.choosing import Estimate as Estimate
from services.media import MediaService
from services.pictures import outpainting
from services.workflows import WorkflowService
from store.jobs import AskedBefore, JobStore
from store.preferences import PreferenceStore
from utils.clock import Clock

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Who asks for something to be done with a job."""

    user_key: str
    is_moderator: bool = False


class GenerationService:
    """The one way in for every front door."""

    def __init__(
        self,
        *,
        queue: QueueManager,
        jobs: JobStore,
        registry: BackendRegistry,
        media: MediaService,
        preferences: PreferenceStore,
        clock: Clock,
        workflows: WorkflowService | None = None,
    ) -> None:
        self._queue = queue
        self._jobs = jobs
        self._registry = registry
        self._media = media
        self._chooser = Chooser(registry, queue, preferences, workflows)
        self._clock = clock
        self.on_deleted: list[Callable[[Job], Awaitable[None]]] = []  # told when a job's pictures were deleted

    async def submit(
        self,
        draft: Draft,
        origin: Origin,
        *,
        fresh: bool = False,
        notes: tuple[str, ...] = (),
        more: int = 1,
        delay_s: float = 0.0,
        job_id: str = "",
    ) -> JobView:
        """Decide where and how a request runs, commit it, and say where it stands.

        Args:
            draft: what was said; the rest comes from preferences (user > channel > guild) and the engine.
            origin: where the answer belongs.
            fresh: do not answer from the cache, even with an explicit seed.
            notes: remarks of the parser, shown with the reply.
            more: how many requests come together; they are refused together.
            delay_s: it starts so much later at the earliest.
            job_id: the id it gets where a door promises a form; must be unguessable and new.

        Raises:
            RequestRejected: the request itself is wrong.
            CapabilityError: no engine here can do it; every reason is named.
            LimitReached: too many are waiting.
            BackendError: the only engine there is cannot be reached.
        """
        has_own_seed = draft.seed is not None
        draft = await outpainting(draft, self._media)
        if asked := await self._asked_before(origin):
            return asked
        best, *others = await self._chooser.options(draft, origin)
        self._queue.check_limits(origin.user_key, best.entry.name, more)
        now = self._clock.now()
        job = Job(
            id=job_id or secrets.token_hex(6),
            request=best.request,
            drawn=best.fitted.request,
            origin=origin,
            lane=best.entry.name,
            candidates=tuple(option.entry.name for option in (best, *others)),
            is_pinned=bool(draft.backend),
            notes=(*notes, *best.fitted.notes),
            created_at=now,
            not_before=now + timedelta(seconds=delay_s) if delay_s else None,
        )
        try:
            if has_own_seed and not fresh and (done := await self._from_cache(job)):
                await self._jobs.insert(done)
                self._queue.watchers.publish(done)
                return JobView(job=done)
            return await self._queue.submit(job)
        except AskedBefore:
            if asked := await self._asked_before(origin):
                return asked
            raise

    async def estimate(self, draft: Draft, origin: Origin) -> Estimate:
        """Say where a request would run now, when it would start and how long it would take; nothing is submitted.

        Raises:
            RequestRejected, CapabilityError, BackendError: as in `submit`.
        """
        return await self._chooser.estimate(draft, origin)

    async def _asked_before(self, origin: Origin) -> JobView | None:
        """Return the job of the same request key, if there is one.

        Raises:
            RequestRejected: something else was asked for under that key.
        """
        if origin.request_key is None:
            return None
        job = await self._jobs.by_request_key(origin.user_key, origin.request_key)
        if job is None:
            return None
        if job.origin.request_digest != origin.request_digest:
            raise RequestRejected(
                "This Idempotency-Key was used for another request.", field="Idempotency-Key", hint="Use a new one."
            )
        return await self._queue.view(job.id)

    async def again(
        self, job_id: str, origin: Origin, changes: Draft | None = None, *, drop: tuple[str, ...] = ()
    ) -> JobView:
        """Run a job once more with `changes`; without a seed in them a new one is drawn.

        It stays on the engine it ran on, if that is still there; `drop` names what of the old request is forgotten.
        """
        old = await self.get(job_id)
        changes = changes or Draft()
        unsaid = Draft()
        base = replace(draft_of(old.request), seed=None, **{name: getattr(unsaid, name) for name in drop})
        if changes.prompt:  # LoRAs were written in the prompt, so a new prompt brings its own
            base = replace(base, loras=())
        visible = self._registry.visible(origin.user_id, origin.guild_id)
        if not changes.backend and any(entry.name == old.lane for entry in visible):
            changes = replace(changes, backend=old.lane)
        origin = replace(
            origin,
            parent_job_id=old.id,
            parent_user_id=old.origin.user_id,
            parent_channel_id=old.origin.channel_id,
            parent_message_id=old.origin.message_id,
        )
        return await self.submit(changes.over(base), origin, fresh=True)

    async def get(self, job_id: str) -> Job:
        """Return a job by its id or short id.

        Raises:
            RequestRejected: there is none.
        """
        job = await self._jobs.get(job_id) or await self._jobs.find(job_id)
        if job is None:
            raise RequestRejected(f"There is no job {job_id[:20]}. It may be too old.", field="job")
        return job

    async def find(self, job_id: str) -> Job | None:
        return await self._jobs.get(job_id)

    async def view(self, job_id: str) -> JobView | None:
        return await self._queue.view(job_id)

    def peek(self, job: Job) -> JobView:
        """Return how a job that was just read stands, from memory alone."""
        return self._queue.peek(job)

    def listen(
        self, changed: Callable[[Job], None], progressed: Callable[[str], None] | None = None
    ) -> Callable[[], None]:
        """Hear of every change of any job, and of progress (its id); both must be quick. Call the result to end it."""
        watchers = self._queue.watchers
        watchers.on_change.append(changed)
        if progressed:
            watchers.on_progress.append(progressed)

        def end() -> None:
            watchers.on_change.remove(changed)
            if progressed:
                watchers.on_progress.remove(progressed)

        return end

    async def active(self) -> list[Job]:
        """Return everybody's waiting and running jobs, oldest first."""
        return await self._jobs.active()

    async def recent(self, user_key: str, limit: int) -> list[JobView]:
        """Return a person's newest jobs, newest first."""
        return [self._queue.peek(job) for job in await self._jobs.recent(user_key, limit)]

    async def stream(self, user_key: str, *, sees_all: bool, limit: int, before: str = "") -> list[JobView]:
        """Return what everybody may look at and what is one's own, newest first; `before`: older than that job."""
        jobs = await self._jobs.stream(user_key, sees_all=sees_all, limit=limit, before=before)
        return [self._queue.peek(job) for job in jobs]

    def watch(self, job_id: str) -> AsyncIterator[JobView]:
        return self._queue.watch(job_id)

    async def cancel(self, job_id: str, actor: Actor) -> Job | None:
        """Cancel a job of one's own (moderators: anybody's); `None` if it had already ended.

        Raises:
            NotAllowed: it is somebody else's.
        """
        job = await self.get(job_id)
        self.check_owner(job, actor, "cancel")
        return await self._queue.cancel(job.id)

    async def message_deleted(self, message_ids: list[str]) -> None:
        """Cancel what these messages showed and still waits or runs: who may delete one wants it gone.

        A result that is on its way already is not held back, unless it shares the message with one that is cancelled.
        """
        jobs = await self._jobs.due_in(message_ids)
        groups = {job.origin.group_id for job in jobs if not job.is_terminal} - {None}
        for job in jobs:
            if job.is_terminal and job.origin.group_id in groups:
                await self.delivered(job.id)
        for job in jobs:
            # in this order and without a pause, so that nobody finds the answer due and posts it anew
            if not job.is_terminal and await self._queue.cancel(job.id):
                await self.delivered(job.id)

    async def move_up(self, job_id: str, actor: Actor) -> JobView:
        """Draw a waiting job before its owner's others on the same engine; nobody else's turn moves.

        Forgotten at a restart, which takes jobs up in the order they were asked for.

        Raises:
            NotAllowed: it is somebody else's.
            RequestRejected: it does not wait, or is its owner's next already.
        """
        job = await self.get(job_id)
        self.check_owner(job, actor, "move")
        if not self._queue.to_front(job.id):
            raise RequestRejected("That one is not waiting behind another picture of yours.", field="job")
        return self._queue.peek(job)

    async def cancel_lane(self, lane: str) -> int:
        """Cancel everything that waits for or runs on one engine; return how many jobs that were."""
        jobs = [job for job in await self._jobs.active() if job.lane == lane]
        cancelled = [await self._queue.cancel(job.id) for job in jobs]
        return sum(job is not None for job in cancelled)

    def lanes(self) -> list[LaneView]:
        return self._queue.lanes()

    async def delete(self, job_id: str, actor: Actor) -> Job:
        """Forget the pictures of a job at once, cancelling it first if it is still active."""
        job = await self.get(job_id)
        self.check_owner(job, actor, "delete")
        if not job.is_terminal:
            await self._queue.cancel(job.id)
        elif job.result and not job.result.from_cache:
            await self._media.discard(job.result)
        for tell in self.on_deleted:
            await tell(job)
        return job

    def check_owner(self, job: Job, actor: Actor, verb: str) -> None:
        if job.user_key != actor.user_key and not actor.is_moderator:
            raise NotAllowed(f"Only the person who asked for this picture and moderators may {verb} it.")

    async def active_of(self, user_key: str) -> list[JobView]:
        """Return a user's waiting and running jobs, oldest first."""
        jobs = await self._jobs.active_for(user_key)
        views = [await self._queue.view(job.id) for job in jobs]
        return [view for view in views if view and not view.job.is_terminal]

    async def attach_message(self, job_id: str, *, channel_id: str, message_id: str) -> None:
        """Remember which message shows this job, so that it can be edited after a restart."""
        await self._jobs.attach_message(job_id, channel_id=channel_id, message_id=message_id)

    async def delivered(self, job_id: str) -> bool:
        """Take a result off the list of due ones; true for the one caller who did it."""
        return await self._jobs.set_delivered(job_id, self._clock.now())

    async def due(self, door: str) -> list[Job]:
        """Return every job of a door that somebody still waits for: active, or ended and not delivered.

        Jobs that share one answer are not among them, see `due_in_groups`.
        """
        return [job for job in await self._due(door) if job.origin.group_id is None]

    async def due_in_groups(self, door: str) -> dict[str, list[Job]]:
        """Return the jobs somebody still waits for that share one answer, by the id of their group."""
        groups: dict[str, list[Job]] = {}
        for job in await self._due(door):
            if job.origin.group_id is not None:
                groups.setdefault(job.origin.group_id, []).append(job)
        return groups

    async def _due(self, door: str) -> list[Job]:
        active = [job for job in await self._jobs.active() if job.origin.door == door]
        return [*await self._jobs.undelivered(door), *active]

    def label(self, lane: str) -> str:
        """Say a lane's name as people know it."""
        return self._registry.label(lane)

    async def _from_cache(self, job: Job) -> Job | None:
        old_id = await self._media.recall(job.lane, job.drawn)
        old = await self._jobs.get(old_id) if old_id else None
        now = self._clock.now()
        if old is None or (old.origin.private and old.user_key != job.user_key):
            return None
        if old.result is None or (old.result.expires_at or now) < now:  # pinned ones are kept longer
            return None
        if not await self._media.has_all(old.result):
            return None
        log.info("answered from the cache", extra={"action": "job_finished", "job": job.id, "backend": job.lane})
        result = replace(old.result, from_cache=True, seconds=0.0, cost_usd=0.0)
        return replace(job, status=JobStatus.DONE, result=result, started_at=now, finished_at=now)
