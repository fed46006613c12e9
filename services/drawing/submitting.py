"""Commit together what is asked for together: a repeat, a batch or a comparison is all there, or not at all.

async with generation.together(count) as submission:
await submission.add(draft, origin)
views = await submission.commit()
"""

import logging
import secrets
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from types import TracebackType
from typing import Self

from backends.registry import BackendRegistry
from generation.deeds import asked_in
from generation.errors import GenerationError, RequestRejected
from generation.house import Flagged
from generation.job import Job, JobStatus, JobView, Origin
from generation.policy import may_use
from generation.request import Draft
from generation.several_pictures import joined
from generation.values import changed
from lazy import dataclass
from queue_manager import QueueManager
from services.drawing.capping import Capped, capped
from services.drawing.choosing import Candidate, Chooser
from services.drawing.continuing import Continuation, Parent
from services.drawing.idempotency import job_of
from services.house.gate import Gate
from services.moderation.caps import CapService
from services.money.budgets import BudgetService
from services.money.offers import OfferService
from services.money.purse import Purse
from services.pictures.media import MediaService
from services.pictures.pictures import with_pictures
from services.wording.fuller import FullerPrompts
from services.wording.translating import TranslationService
from store.caps import OverQuota
from store.charges import OverBudgetThere
from store.database import Write
from store.jobs import AskedBefore, JobStore
from texts.text import _
from utils.clock import Clock

log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class SubmissionParts:
    """The parts that a submission works with."""

    queue: QueueManager
    jobs: JobStore
    media: MediaService
    chooser: Chooser
    registry: BackendRegistry
    continuation: Continuation
    clock: Clock
    gate: Gate | None = None
    caps: CapService | None = None
    budgets: BudgetService | None = None
    translation: TranslationService | None = None
    fuller: FullerPrompts | None = None

    def purse(self) -> Purse | None:
        """Return what prices the jobs of one submission; None where nothing is counted."""
        offers = OfferService(self.chooser, self.registry)
        return Purse(self.budgets, offers) if self.budgets is not None else None


class Submission:
    """Jobs on their way into the queue. Their places are kept from `add` to `commit`, and given back without one."""

    def __init__(self, parts: SubmissionParts, count: int, *, is_one_request: bool = False) -> None:
        self._is_one_request = is_one_request
        self._parts = parts
        self._count = count  # how many jobs come together: they are let in or refused together
        self._is_let_in = False
        self._new: list[Job] = []
        self._purse = parts.purse()
        self._ids: list[str] = []  # of all that were asked for, those that had been asked for before included

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._parts.queue.release(self._new)

    async def add(
        self,
        draft: Draft,
        origin: Origin,
        *,
        fresh: bool = False,
        notes: tuple[str, ...] = (),
        delay_s: float = 0.0,
        job_id: str = "",
        parent: Parent | None = None,
    ) -> Job:
        """Decide where and how a request runs, and keep a place for it.

        Args:
            draft: what was said; the rest comes from preferences (user > channel > guild) and the engine.
            origin: where the answer belongs.
            fresh: do not answer from the cache, even with an explicit seed.
            notes: remarks of the parser, shown with the reply.
            delay_s: it starts so much later at the earliest.
            job_id: the id it gets where a door promises a form; must be unguessable and new.
            parent: where the picture comes from that this goes on from.

        Raises:
            NotAllowed: this person may not ask for it here.
            RequestRejected: the request itself is wrong.
            CapabilityError: no engine here can do it; every reason is named.
            LimitReached: too many are waiting.
            BackendError: the only engine there is cannot be reached.
        """
        parts, has_own_seed = self._parts, draft.seed is not None
        if before := await job_of(parts.jobs, origin):
            self._ids.append(before.id)
            return before
        if parent is None:
            origin = changed(origin, asked=asked_in(draft), styles=draft.styles)
        request, remarks = await self._allowed(draft, origin, parent)
        draft, origin, (best, *others) = request.draft, request.origin, request.options
        self._let_in(origin.user_key, best.entry.name)
        now = parts.clock.now()
        job = Job(
            id=job_id or secrets.token_hex(6),
            request=best.request,
            drawn=best.fitted.request,
            origin=origin,
            lane=best.entry.name,
            candidates=(best.entry.name, *(each.entry.name for each in others if _may_take_over(each))),
            is_pinned=bool(draft.backend),
            weight=request.weight,
            notes=joined((*notes, *remarks, *best.fitted.notes)),
            created_at=now,
            not_before=now + timedelta(seconds=delay_s) if delay_s else None,
        )
        is_recalled = has_own_seed and not fresh and not await self._is_checked(origin)
        if is_recalled and (done := await self._from_cache(job)):
            job = done
        else:
            await self._keep_place(job, draft, best)
        self._new.append(job)
        self._ids.append(job.id)
        return job

    async def _keep_place(self, job: Job, draft: Draft, best: Candidate) -> None:
        if self._purse is not None:
            await self._purse.add(job, draft, best)
        self._parts.queue.reserve(job)

    async def _allowed(self, draft: Draft, origin: Origin, parent: Parent | None) -> tuple[Capped, tuple[str, ...]]:
        """Return a request with its pictures and the engines for it, if it may be drawn here; and remarks on those."""
        gate = self._parts.gate
        if gate is not None:
            await gate.let_in(draft, origin)
        draft, remarks = await with_pictures(draft, self._parts.media)
        request = await self._judged(draft, origin, parent)
        request, draft, translated = await self._in_english(request, draft, origin, parent)
        request, written = await self._fuller(request, draft, origin, parent)
        if gate is not None and await gate.covers(origin):
            request = changed(request, origin=changed(request.origin, spoiler=True))
        return request, (*translated, *written, *remarks)

    async def _judged(self, draft: Draft, origin: Origin, parent: Parent | None) -> Capped:
        """Return the engines for a draft within its caps, if what it would draw may be drawn."""
        options = partial(self._options, parent=parent)
        request = await capped(draft, origin, options, caps=self._parts.caps, pending=self._new)
        if self._parts.gate is not None:
            await self._parts.gate.judge(request.options[0].request, request.origin)
        return request

    async def _in_english(
        self, request: Capped, draft: Draft, origin: Origin, parent: Parent | None
    ) -> tuple[Capped, Draft, tuple[str, ...]]:
        """Return a request in English where its engine wants that, and what was typed; it passed the rules before."""
        translation, known = self._parts.translation, request.options[0].entry.capabilities
        if translation is None or (known and known.reads_any_language) or not translation.wants(draft):
            return request, draft, ()
        english, notes = await translation.translate(draft, origin)
        if english.prompt == draft.prompt:
            return request, draft, notes
        return await self._judged(english, origin, parent), english, notes

    async def _fuller(
        self, request: Capped, draft: Draft, origin: Origin, parent: Parent | None
    ) -> tuple[Capped, tuple[str, ...]]:
        """Return a request with a short prompt written more fully, and what was typed; rules hold for both."""
        fuller = self._parts.fuller
        if fuller is None or parent is not None or not fuller.wants(draft, origin):
            return request, ()
        written, notes = await fuller.write(draft, origin)
        if written.prompt == draft.prompt:
            return request, notes
        try:
            return await self._judged(written, origin, parent), notes
        except GenerationError:  # a model's words are no reason to refuse a person's
            return request, ()

    async def _is_checked(self, origin: Origin) -> bool:
        """Return whether each finished picture is to be looked at here: what was drawn before was not, perhaps."""
        gate = self._parts.gate
        return gate is not None and await gate.fate(origin) is not Flagged.UNCHECKED

    def _let_in(self, user_key: str, lane: str) -> None:
        """Ask once, for all that come together, whether there is room for them."""
        if not self._is_let_in:
            self._parts.queue.check_limits(user_key, lane, self._count)
            self._is_let_in = True

    async def _options(self, draft: Draft, origin: Origin, parent: Parent | None) -> tuple[Draft, list[Candidate]]:
        """Return the engines for a draft, best first: of parts of one request, the engine of its first part."""
        if parent is not None:
            return await self._parts.continuation.options(draft, origin, parent)
        options = await self._parts.chooser.options(draft, origin)
        if not (self._is_one_request and self._new):
            return draft, options
        first = self._new[0].lane
        return draft, sorted(options, key=lambda option: option.entry.name != first)

    async def commit(self, *also: Write) -> list[JobView]:
        """Store the jobs, and what `also` writes, in one transaction; return where each stands, in order.

        Raises:
            OverBudget, PriceNotAgreed: it costs too much.
            StoreUnavailable: the file cannot be written; nothing is stored.
            NothingThere: what one of `also` must change is gone; nothing is stored.
        """
        charges = await self._purse.writes() if self._purse else ()
        jobs, self._new = self._new, []
        try:
            guards = [*(await self._parts.caps.guards(jobs) if self._parts.caps else ()), *charges]
            views = {view.job.id: view for view in await self._parts.queue.submit_all(jobs, [*also, *guards])}
        except AskedBefore:
            return await self._earlier(jobs)
        except OverQuota as error:
            assert self._parts.caps is not None, "it has set the guard"
            raise await self._parts.caps.why_not(jobs) from error
        except OverBudgetThere as error:
            assert self._purse is not None, "it has set the guard"
            raise await self._purse.why_not() from error
        return [views.get(job_id) or await self._view(job_id) for job_id in self._ids]

    async def _earlier(self, jobs: Sequence[Job]) -> list[JobView]:
        """Return the jobs of the one who asked the same at the same moment and was quicker."""
        new = {job.id: job for job in jobs}
        views = []
        for job_id in self._ids:
            job = await job_of(self._parts.jobs, new[job_id].origin) if job_id in new else None
            if job is None and job_id in new:
                raise RequestRejected(_("This was asked for twice at the same moment. Please ask again."))
            views.append(await self._view(job.id if job else job_id))
        return views

    async def _view(self, job_id: str) -> JobView:
        view = await self._parts.queue.view(job_id)
        assert view is not None, "jobs are never deleted"
        return view

    async def _from_cache(self, job: Job) -> Job | None:
        parts, now = self._parts, self._parts.clock.now()
        old_id = await parts.media.recall(job.lane, job.drawn, job.request)
        old = await parts.jobs.get(old_id) if old_id else None
        if old is None or not may_use(job.origin.person, old):
            return None
        if old.origin.private and not job.origin.private:  # nobody else could see its file
            return None
        if old.result is None or (old.result.expires_at or now) < now:  # pinned ones are kept longer
            return None
        if not await parts.media.has_all(old.result):
            return None
        log.info("answered from the cache", extra={"action": "job_finished", "job": job.id, "backend": job.lane})
        result = changed(old.result, from_cache=True, seconds=0.0, cost_usd=0.0)
        return changed(job, status=JobStatus.DONE, result=result, started_at=now, finished_at=now)


def _may_take_over(option: Candidate) -> bool:
    """Return whether a failure may take a job there: money of others is spent only where it was reserved."""
    return not option.entry.backend.is_paid or option.entry.owner.kind == "user"
