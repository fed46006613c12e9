"""Keeps the one message of every comparison true, as `job_messages` does for single jobs; after a restart too."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import field
from functools import partial

from cogs.cards import Card, CardPicture
from cogs.comparisons import card as compare_card
from cogs.comparisons import versus_card
from cogs.delivery import Delivery, Followers, Write, is_old
from cogs.jobs.attached import SPOILER, hidden
from cogs.jobs.context import CardContext
from cogs.origin import DOOR
from cogs.pacing import EditPlan, MessageState, Pacer
from cogs.posting import Posted, Poster
from cogs.spender import Spender
from generation.job import Job, JobStatus, JobView
from lazy import dataclass
from services.drawing.compare import CompareService, Comparison
from services.drawing.generation import GenerationService
from services.drawing.versus import Ballot, VersusService
from services.pictures.media import file_name
from utils.clock import Clock

log = logging.getLogger(__name__)


@dataclass
class _State:
    """The state of a comparison's jobs now, and what its message shows."""

    comparison: Comparison
    ballot: Ballot | None = None
    views: dict[str, JobView] = field(default_factory=dict)
    contexts: dict[str, CardContext] = field(default_factory=dict)  # of the pictures that are done

    @property
    def is_known(self) -> bool:
        return len(self.views) == len(self.comparison.job_ids)

    @property
    def lead(self) -> Job:
        """The job whose place the message has: one with buttons, as soon as there is one."""
        jobs = [self.views[job_id].job for job_id in self.comparison.job_ids if job_id in self.views]
        return next((job for job in jobs if job.status is JobStatus.DONE), jobs[0])


class CompareMessages:
    """One short task per comparison that somebody waits for."""

    def __init__(
        self,
        *,
        poster: Poster,
        service: GenerationService,
        compare: CompareService,
        versus: VersusService,
        spender: Spender,
        clock: Clock,
        write: Write,
        context_of: compare_card.ContextOf,
        priced: Callable[[Job], Awaitable[CardContext]],
        ping_after_s: float = 30.0,
    ) -> None:
        self._poster = poster
        self._service = service
        self._compare = compare
        self._versus = versus
        self._spender = spender
        self._context_of = context_of
        self._priced = priced  # the same, with what its buttons cost
        self._clock = clock
        self._born_at = clock.now()
        self._delivery = Delivery(poster=poster, spender=spender, clock=clock, ping_after_s=ping_after_s, write=write)
        self._followers = Followers(clock)
        self._repeated: set[str] = set()  # what an earlier process, or an attempt that failed, may have shown already

    async def open(self, comparison: Comparison) -> None:
        """Show a new comparison for the first time, and follow it from then on."""
        is_repeated = False
        try:
            await self._present(comparison, is_repeated=False)
        except Exception:  # whatever became of its first message, its pictures will be shown
            log.exception("a first answer was not noted", extra={"action": "job_failed", "job": comparison.id})
            is_repeated = True
        self._start(comparison, is_repeated=is_repeated)

    async def take_up(self) -> None:
        """Follow every comparison that an earlier process left."""
        # what came in since this process began is being answered by its command just now
        due = [item for item in await self._compare.due(DOOR) if item.created_at < self._born_at]
        for comparison in due:
            if not comparison.job_ids:
                await self._compare.delivered(comparison)
            elif comparison.id not in self._followers:
                self._start(comparison, is_repeated=True)

    async def aclose(self) -> None:
        """Let results that are on their way arrive, for a moment; the rest stays due."""
        await self._followers.aclose()

    def _start(self, comparison: Comparison, *, is_repeated: bool) -> None:
        if is_repeated:
            self._repeated.add(comparison.id)
        self._followers.start(comparison.id, partial(self._follow, comparison))

    async def _follow(self, comparison: Comparison) -> None:
        is_repeated = comparison.id in self._repeated
        self._repeated.add(comparison.id)
        state = _State(comparison, ballot=await self._versus.of(comparison))
        if is_repeated:
            await self._present(comparison, is_repeated=True)
        pacer = self._pacer(state)
        pacing = asyncio.create_task(pacer.run(), name="pacing")
        try:
            async with asyncio.TaskGroup() as watching:  # one that fails ends the others, and all begin again
                for job_id in comparison.job_ids:
                    watching.create_task(self._watch(state, job_id, pacer))
        finally:
            pacing.cancel()
        posted = None
        if state.views:
            with self._followers.delivering():
                posted = await self._deliver(state, is_repeated)
        if await self._compare.delivered(comparison) and posted:
            jobs = [view.job for view in state.views.values()]
            self._followers.start(
                f"ping {comparison.id}", partial(self._delivery.follow_up, posted, jobs)
            )  # no text: a key
        self._repeated.discard(comparison.id)

    async def _present(self, comparison: Comparison, *, is_repeated: bool) -> None:
        """Show it where nobody has noted a message of it yet."""
        state = await self._read(comparison)
        jobs = [view.job for view in state.views.values()]
        if not jobs or all(job.is_terminal for job in jobs) or (is_repeated and state.lead.origin.message_id):
            return
        if posted := await self._poster.present(state.lead, self._card(state), is_repeated=is_repeated):
            place = {"channel_id": posted.channel_id, "message_id": posted.message_id}
            await self._service.attach_group(comparison.job_ids, **place)

    def _pacer(self, state: _State) -> Pacer:
        """Return what sends the few edits that its message is worth."""

        async def send() -> None:
            if all(view.job.is_terminal for view in state.views.values()):
                return
            try:
                await self._poster.edit(state.lead, self._card(state))
            finally:
                pacer.sent(self._standing(state))

        def offer() -> None:
            self._spender.offer(self._poster.bucket(state.lead.origin), state.comparison.id, send)

        age_s = (self._clock.now() - state.comparison.created_at).total_seconds()
        nothing = MessageState(is_waiting=True)
        plan = EditPlan(nothing, self._clock.monotonic(), age_s=age_s, ping_after_s=self._delivery.ping_after_s)
        pacer = Pacer(plan, self._clock, offer)
        return pacer

    async def _watch(self, state: _State, job_id: str, pacer: Pacer) -> None:
        async for view in self._service.watch(job_id):
            state.views[job_id] = view
            if state.is_known and not is_old(state.lead, self._clock):
                pacer.note(self._standing(state))

    def _standing(self, state: _State) -> MessageState:
        views = state.views.values()
        return MessageState(
            is_waiting=all(view.job.status is JobStatus.QUEUED for view in views),
            news=tuple((view.job.is_terminal, view.hold) for view in views),
            words=self._card(state).content,
        )

    async def _deliver(self, state: _State, is_repeated: bool) -> Posted | None:
        state = await self._read(state.comparison)  # where its message stands may have been noted after the start
        if all(view.job.delivered_at for view in state.views.values()):  # its message was deleted
            return None
        if state.ballot:
            state.ballot = await self._versus.begin(state.ballot)
        key, draw = state.comparison.id, partial(self._final, state)
        posted = await self._delivery.send(key, state.lead, draw, is_repeated=is_repeated)
        if posted and posted.message_id != state.lead.origin.message_id:
            place = {"channel_id": posted.channel_id, "message_id": posted.message_id}
            await self._service.attach_group(state.comparison.job_ids, **place)
        if state.ballot and posted is None:
            await self._versus.drop(state.ballot)
        return posted

    async def _final(self, state: _State, limit_bytes: int) -> Card:
        done = [view.job for view in state.views.values() if view.job.status is JobStatus.DONE]
        state.contexts = {job.id: await self._priced(job) for job in done}
        upload = await self._compare.strip(state.comparison, limit_bytes)
        if upload is None:
            return self._card(state)
        comparison = state.comparison
        name = file_name(comparison.prompt, comparison.seed, comparison.created_at, upload.extension)
        alt = _alt_text(state)
        if any(hidden(name, view.job) != name for view in state.views.values()):
            name = f"{SPOILER}{name}"
        return self._card(state, (CardPicture(data=upload.data, filename=name, alt_text=alt),))

    async def _read(self, comparison: Comparison) -> _State:
        views = {job_id: await self._service.view(job_id) for job_id in comparison.job_ids}
        known = {job_id: view for job_id, view in views.items() if view is not None}
        return _State(comparison, ballot=await self._versus.of(comparison), views=known)

    def _card(self, state: _State, pictures: tuple[CardPicture, ...] = ()) -> Card:
        if state.comparison.is_vote:
            views = [state.views[job_id] for job_id in state.comparison.job_ids if job_id in state.views]
            return versus_card.card(state.comparison.id, views, state.ballot, self._clock.now(), pictures)
        user_id = state.lead.origin.user_id
        now = self._clock.now()
        return compare_card.card(state.comparison, state.views, user_id, now, pictures, partial(self._context, state))

    def _context(self, state: _State, job: Job) -> CardContext:
        return state.contexts.get(job.id) or self._context_of(job)


def _alt_text(state: _State) -> str:
    if not state.comparison.is_vote:
        return compare_card.alt_text(state.comparison, state.views)
    return versus_card.alt_text([state.views[job_id] for job_id in state.comparison.job_ids if job_id in state.views])
