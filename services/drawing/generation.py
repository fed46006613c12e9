"""From what somebody said to a durable job, and everything people may do with a job afterwards."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Sequence
from dataclasses import replace

from backends.registry import BackendRegistry
from generation.errors import NotAllowed, RequestRejected
from generation.job import Job, JobView, Origin, going_on
from generation.person import Person
from generation.policy import check_change, may_see
from generation.replaced_options import said_anew
from generation.request import Draft, alone_in, draft_of
from queue_manager import LaneView as LaneView
from queue_manager import QueueManager
from services.drawing.choosing import Chooser
from services.drawing.choosing import Estimate as Estimate
from services.drawing.continuing import Continuation, Parent, asks_to_draw, drawn_by
from services.drawing.ending import cancelled_by
from services.drawing.idempotency import first_of, jobs_of, numbered, part_of
from services.drawing.looks import LookService
from services.drawing.owed import OwedAnswers
from services.drawing.picking import DRAWN_AGAIN, picture_of, show_alone
from services.drawing.styles import StyleService
from services.drawing.submitting import Submission, SubmissionParts
from services.drawing.workflows import WorkflowService
from services.house.gate import Gate
from services.moderation.audit import Moderated, nobody_moderates
from services.moderation.caps import CapService
from services.money.budgets import BudgetService
from services.money.purse import with_limits
from services.pictures.media import MediaService
from services.pictures.pictures import measured
from services.wording.fuller import FullerPrompts
from services.wording.translating import TranslationService
from store.database import Write
from store.jobs import JobStore
from store.preferences import PreferenceStore
from texts.text import _
from utils.clock import Clock


class GenerationService(OwedAnswers):
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
        styles: StyleService | None = None,
        preferred: str = "",
        gate: Gate | None = None,
        caps: CapService | None = None,
        looks: LookService | None = None,
        budgets: BudgetService | None = None,
        translation: TranslationService | None = None,
        fuller: FullerPrompts | None = None,
    ) -> None:
        """Let `gate` refuse what may not be drawn where and by whom, `caps` how much, `budgets` what costs too much."""
        self._queue = queue
        self._jobs = jobs
        self._registry = registry
        self._media = media
        self._chooser = Chooser(registry, queue, preferences, workflows, styles, preferred, gate, looks)
        self._clock = clock
        self._parts = SubmissionParts(
            queue=queue,
            jobs=jobs,
            media=media,
            chooser=self._chooser,
            registry=registry,
            continuation=Continuation(self._chooser, registry),
            clock=clock,
            gate=gate,
            caps=caps,
            budgets=budgets,
            translation=translation,
            fuller=fuller,
        )
        self.on_shown_again: Callable[[Job], Awaitable[None]] | None = None  # told of your own picture, picked
        self.on_moderated: Moderated = nobody_moderates
        self.on_deleted: list[Callable[[Job], Awaitable[None]]] = []  # told when a job's pictures were deleted

    async def submit(
        self,
        draft: Draft,
        origin: Origin,
        *,
        fresh: bool = False,
        notes: tuple[str, ...] = (),
        delay_s: float = 0.0,
        job_id: str = "",
        parent: Parent | None = None,
        also: Sequence[Write] = (),
    ) -> JobView:
        """Commit one request, with what `also` writes, and return where it stands; see `Submission.add`."""
        origin = numbered(origin, 0)
        async with self.together(1) as submission:
            await submission.add(draft, origin, fresh=fresh, notes=notes, delay_s=delay_s, job_id=job_id, parent=parent)
            return (await submission.commit(*also))[0]

    async def submit_all(
        self,
        parts: Sequence[Draft],
        origin: Origin,
        *,
        fresh: bool = False,
        notes: tuple[str, ...] = (),
        job_id: str = "",
        also: Sequence[Write] = (),
    ) -> list[JobView]:
        """Commit the parts of one request together; asked for under a key before, it gives the jobs it gave then.

        All go to one engine, so that their pictures are of one hand. `job_id` is that of the first.
        """
        if earlier := await self.asked_before(origin):
            return earlier
        async with Submission(self._parts, len(parts), is_one_request=True) as submission:
            for number, draft in enumerate(parts):
                own_id = "" if number else job_id
                await submission.add(draft, part_of(origin, number), fresh=fresh, notes=notes, job_id=own_id)
            return await submission.commit(*also)

    async def asked_before(self, origin: Origin) -> list[JobView]:
        """Return the jobs of the request that came before under the same key, none where it is new.

        Raises:
            KeyReused: another request came under it.
        """
        return [self._queue.peek(job) for job in await jobs_of(self._jobs, origin)]

    async def asked_under(self, user_key: str, key: str) -> Job | None:
        """Return the job that somebody asked for under a key of their own; the first, if it was several."""
        return await self._jobs.by_request_key(user_key, first_of(key))

    def together(self, count: int, *, on_one_engine: bool = False) -> Submission:
        """Begin to submit `count` requests that are let in, and committed, together."""
        return Submission(self._parts, count, is_one_request=on_one_engine)

    def let_in(self, user_key: str) -> None:
        """Let a request in that was taken in before a restart: the time between two does not count for it."""
        self._queue.let_in(user_key)

    async def estimate(self, draft: Draft, origin: Origin, *, count: int = 1, others: Sequence[Draft] = ()) -> Estimate:
        """Return where a request would run now, when it would start and how long it would take; nothing is submitted.

        Its cost is that of all that is asked for together: `others` are further drafts, `count` the jobs of each.

        Raises:
            RequestRejected, CapabilityError, BackendError: as in `submit`.
        """
        drafts, budgets = (draft, *others), self._parts.budgets
        found = [await self._chooser.estimate(await measured(each, self._media), origin) for each in drafts]
        return await with_limits(found, origin, budgets, self._registry, count) if budgets else found[0]

    async def with_style_words(self, draft: Draft) -> Draft:
        """Return a draft with the words of its presets in the prompt; what is left of its styles is an engine's own."""
        return await self._chooser.with_style_words(draft)

    async def again(
        self,
        job_id: str,
        origin: Origin,
        changes: Draft | None = None,
        *,
        drop: tuple[str, ...] = (),
        notes: tuple[str, ...] = (),
        also: Sequence[Write] = (),
    ) -> JobView:
        """Run a job once more with `changes`; without a seed in them a new one is drawn.

        It stays on its engine and model, if these are still there; `drop` names what of the old request is forgotten.
        """
        old = pressed = await self.get(job_id)
        changes = changes or Draft()
        if old.words_gone_at is not None and not changes.prompt:
            raise RequestRejected(
                _("The prompt of this picture has been deleted, so it cannot be drawn again."),
                field="job",
                hint=_("Private prompts go with their picture. Write it again."),
            )
        old = await self.drawn(old) if asks_to_draw(changes) else old
        unsaid = Draft()
        subseed = None if changes.seed is None else old.request.subseed  # a new seed goes with a new second one
        base = replace(draft_of(old.request), seed=None, subseed=subseed)
        base = replace(base, **{name: getattr(unsaid, name) for name in drop})
        if "init_image" in drop:
            base = replace(base, more_images=())
        if changes.init_image or changes.zoom or changes.pan:  # another picture has its own size
            base = replace(base, width=None, height=None, is_source_size=None)
        changes, base = said_anew(changes, base, old.request)
        if changes.prompt:  # LoRAs were written in the prompt, so a new prompt brings its own
            base = replace(base, loras=())
        origin, parent = going_on(pressed, origin, changes), Parent(job=old, changes=changes)
        return await self.submit(changes.over(base), origin, fresh=True, notes=notes, parent=parent, also=also)

    async def pick(self, job_id: str, index: int, origin: Origin, *, also: Sequence[Write] = ()) -> JobView:
        """Show one picture of a job alone, as a job of its own; one that is no longer kept is drawn from its seed."""
        job = await self.get(job_id)
        seed = picture_of(job, index).seed
        if view := await show_alone(self._parts, job, index, going_on(job, origin), also):
            if origin.user_key == job.user_key and self.on_shown_again is not None:
                await self.on_shown_again(view.job)
            return view
        return await self.again(
            job_id, origin, Draft(**alone_in(job.request, index, seed)), notes=(DRAWN_AGAIN,), also=also
        )

    async def drawn(self, job: Job) -> Job:
        """Return the job that drew what this one enlarged, or the job as if it had drawn it."""
        return await drawn_by(self._jobs, job)

    async def visible(self, job_id: str, person: Person) -> Job:
        """Return a job that somebody may see, by its id or short id.

        Raises:
            RequestRejected: there is none, or none for these eyes, which is put the same way.
        """
        job = await self._named(job_id)
        if job is None or not may_see(person, job):
            raise no_job(job_id)
        return job

    async def get(self, job_id: str) -> Job:
        """Return any job, whoever may see it: for Easel's own use. Doors ask for `visible`.

        Raises:
            RequestRejected: there is none.
        """
        job = await self._named(job_id)
        if job is None:
            raise no_job(job_id)
        return job

    async def find(self, job_id: str) -> Job | None:
        return await self._jobs.get(job_id)

    async def view(self, job_id: str) -> JobView | None:
        return await self._queue.view(job_id)

    def peek(self, job: Job) -> JobView:
        """Return how a job that was just read stands, from memory alone."""
        return self._queue.peek(job)

    def listen(
        self,
        changed: Callable[[Job], None],
        progressed: Callable[[str], None] | None = None,
        moved: Callable[[Collection[str]], None] | None = None,
    ) -> Callable[[], None]:
        """Hear of every change of any job, of progress (its id), and of lanes where places moved; all must be quick.

        Call the result to end it.
        """
        return self._queue.watchers.listen(changed, progressed, moved)

    async def active_at(self, door: str) -> list[Job]:
        """Return everybody's waiting and running jobs of one door, oldest first."""
        return await self._jobs.active_at(door)

    def running(self) -> list[Job]:
        """Return what runs now, from memory alone."""
        return self._queue.running()

    def next_in(self, lane: str, most: int) -> list[str]:
        """Return the ids of the jobs that are next in a lane, from memory alone."""
        return self._queue.next_in(lane, most)

    async def recent(self, user_key: str, limit: int) -> list[JobView]:
        """Return a person's newest jobs, newest first."""
        return [self._queue.peek(job) for job in await self._jobs.recent(user_key, limit)]

    async def stream(self, person: Person, *, limit: int, before: str = "") -> list[JobView]:
        """Return what everybody may look at and what is your own, newest first; `before`: older than that job."""
        jobs = await self._jobs.stream(person, limit=limit, before=before)
        return [self._queue.peek(job) for job in jobs]

    def watch(self, job_id: str) -> AsyncGenerator[JobView, None]:
        return self._queue.watch(job_id)

    async def cancel(self, job_id: str, person: Person) -> Job | None:
        """Cancel your own job (moderators: anybody's); `None` if it had already ended.

        Raises:
            RequestRejected: there is none that this person may see.
            NotAllowed: it is somebody else's.
        """
        job = await self.visible(job_id, person)
        check_change(person, job, "cancel")
        if cancelled := await self._queue.cancel(job.id, cancelled_by(person, job)):
            await self.on_moderated(person, job, "cancel")
        return cancelled

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
            # in this order and without a pause, so that nobody finds the answer due and posts it again
            if not job.is_terminal and await self._queue.cancel(job.id):
                await self.delivered(job.id)

    async def move_up(self, job_id: str, person: Person) -> JobView:
        """Draw a waiting job before its owner's others on the same engine; nobody else's turn moves.

        Forgotten at a restart, which takes jobs up in the order they were asked for.

        Raises:
            NotAllowed: it is somebody else's.
            RequestRejected: there is none to see, or it does not wait, or is its owner's next already.
        """
        job = await self.visible(job_id, person)
        check_change(person, job, "move")
        if not self._queue.to_front(job.id):
            raise RequestRejected(_("That one is not waiting behind another picture of yours."), field="job")
        return self._queue.peek(job)

    async def cancel_lane(self, lane: str) -> int:
        """Cancel everything that waits for or runs on one engine; return how many jobs that were."""
        cancelled = [await self._queue.cancel(job_id) for job_id in await self._jobs.active_on(lane)]
        return sum(job is not None for job in cancelled)

    def lanes(self) -> list[LaneView]:
        return self._queue.lanes()

    async def delete(self, job_id: str, person: Person) -> Job:
        """Forget every picture that a job drew at once, cancelling it first if it is still active.

        An answer from the cache shows pictures of another job, which stay.
        """
        job = await self.visible(job_id, person)
        check_change(person, job, "delete")
        if not job.is_terminal:
            await self._queue.cancel(job.id)
            job = await self.get(job.id)  # it may have been done first
        await self._media.discard(job.id)
        await self.on_moderated(person, job, "delete")
        for tell in self.on_deleted:
            await tell(job)
        return job

    async def active_of(self, user_key: str) -> list[JobView]:
        """Return a user's waiting and running jobs, oldest first."""
        jobs = await self._jobs.active_for(user_key)
        views = [await self._queue.view(job.id) for job in jobs]
        return [view for view in views if view and not view.job.is_terminal]

    async def publish(self, job_id: str, person: Person) -> Job:
        """Make your own private picture everybody's to see where it was asked for.

        Raises:
            RequestRejected: there is none to see, or it is not private, or not done.
            NotAllowed: it is somebody else's.
        """
        job = await self.visible(job_id, person)
        if job.user_key != person.user_key:
            raise NotAllowed(_("Only the person who asked for this picture can share it."))
        published = await self._jobs.publish(job.id)
        if published is None:
            raise RequestRejected(_("This picture is not private, so there is nothing to share."), field="job")
        return published

    def label(self, lane: str) -> str:
        return self._registry.label(lane)

    async def _named(self, job_id: str) -> Job | None:
        return await self._jobs.get(job_id) or await self._jobs.find(job_id)


def no_job(job_id: str) -> RequestRejected:
    return RequestRejected(_("There is no job {job_id}. It may be too old.", job_id=job_id[:20]), field="job")
