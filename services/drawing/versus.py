"""Two prompts on one engine with one seed, side by side, and a vote on which is better.

Whoever may see the two pictures has one vote and may change it. The vote begins when both pictures are there and ends
after some hours, or when who asked or a moderator ends it; then only the numbers are left, in the message.
"""

import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Final

from generation.errors import NotAllowed, RequestRejected
from generation.job import Job, JobStatus, JobView, Origin
from generation.person import Person
from generation.policy import may_change
from generation.request import Draft, draw_seed
from services.drawing.compare import Comparison, Contender
from services.drawing.generation import GenerationService
from services.drawing.idempotency import numbered
from store.ballots import Ballot as Ballot
from store.ballots import BallotStore
from store.ballots import Side as Side
from store.comparisons import ComparisonStore
from store.database import Write
from texts.text import _
from utils.clock import Clock

SIDES: Final = ("A", "B")
LEAST_HOURS, MOST_HOURS, HOURS = 1, 168, 24
OVER: Final = _("This vote is over.")


class VersusService:
    """Starts, counts and ends votes. What happens to the jobs is the queue's affair."""

    def __init__(
        self, *, generation: GenerationService, comparisons: ComparisonStore, store: BallotStore, clock: Clock
    ) -> None:
        self._generation = generation
        self._comparisons = comparisons
        self._store = store
        self._clock = clock

    async def start(
        self,
        drafts: Sequence[Draft],
        origin: Origin,
        *,
        hours: float,
        notes: tuple[str, ...] = (),
        also: Sequence[Write] = (),
    ) -> Comparison:
        """Submit both prompts together; `also` is written in the same transaction.

        Raises:
            GenerationError: one of them is refused, and so neither is drawn.
        """
        drafts = _paired(drafts)
        ballot_id, now = secrets.token_hex(6), self._clock.now()
        origin = replace(origin, group_id=ballot_id)
        async with self._generation.together(len(SIDES), on_one_engine=True) as submission:
            jobs = [
                await submission.add(draft, numbered(origin, number), fresh=True, notes=notes)
                for number, draft in enumerate(drafts)
            ]
            contenders = tuple(
                Contender(lane=job.lane, label=side, job_id=job.id, mark=side)
                for side, job in zip(SIDES, jobs, strict=True)
            )
            comparison = Comparison(
                id=ballot_id,
                door=origin.door,
                prompt=" / ".join(draft.prompt for draft in drafts),
                seed=drafts[0].seed or 0,
                contenders=contenders,
                created_at=now,
            )
            first, second = (job.id for job in jobs)
            ballot = Ballot(id=ballot_id, job_a=first, job_b=second, hours=hours, created_at=now)
            await submission.commit(self._comparisons.saving(comparison), self._store.saving(ballot), *also)
        return comparison

    async def of(self, comparison: Comparison) -> Ballot | None:
        """Return the vote on a comparison; None where it has none."""
        return await self._store.get(comparison.id)

    async def views(self, ballot: Ballot) -> list[JobView]:
        """Return the jobs of both sides as they stand now."""
        views = [await self._generation.view(job_id) for job_id in ballot.job_ids]
        return [view for view in views if view is not None]

    async def begin(self, ballot: Ballot) -> Ballot | None:
        """Let people vote, now that the pictures are shown; None: there are not two, so there is no vote."""
        views = await self.views(ballot)
        if [view.job.status for view in views] != [JobStatus.DONE, JobStatus.DONE]:
            await self._store.drop(ballot.id)
            return None
        now = self._clock.now()
        await self._store.open(ballot.id, now, now + timedelta(hours=ballot.hours))
        return await self._store.get(ballot.id)

    async def vote(self, ballot_id: str, side: Side, person: Person) -> Ballot:
        """Count somebody's vote, in place of their earlier one.

        Raises:
            RequestRejected: it is over, or not for these eyes, which is put the same way.
        """
        await self._job(ballot_id, person)
        if not await self._store.vote(ballot_id, person.user_key, side, self._clock.now()):
            raise RequestRejected(OVER)
        return await self._known(ballot_id)

    async def end(self, ballot_id: str, person: Person) -> Ballot:
        """Take no more votes.

        Raises:
            RequestRejected: it is over, or not for these eyes.
            NotAllowed: somebody else asked for it.
        """
        if not may_change(person, await self._job(ballot_id, person)):
            raise NotAllowed(_("Only the person who asked and moderators may end this vote."))
        await self._store.close(ballot_id, self._clock.now())
        return await self._known(ballot_id)

    async def due(self) -> list[Ballot]:
        """Return the votes whose outcome is to be shown; they take no votes from then on."""
        now = self._clock.now()
        for ballot in await self._store.due(now):
            await self._store.close(ballot.id, now)
        return await self._store.due(now)

    async def get(self, ballot_id: str) -> Ballot | None:
        return await self._store.get(ballot_id)

    async def drop(self, ballot: Ballot) -> None:
        """Forget a vote, and who voted for what."""
        await self._store.drop(ballot.id)

    async def forget_job(self, job: Job) -> None:
        """End the vote on a picture that was deleted: its message is no longer ours to draw again."""
        await self._store.drop_of(job.id)

    async def _job(self, ballot_id: str, person: Person) -> Job:
        ballot = await self._known(ballot_id)
        try:
            return await self._generation.visible(ballot.job_a, person)
        except RequestRejected as error:
            raise RequestRejected(OVER) from error

    async def _known(self, ballot_id: str) -> Ballot:
        ballot = await self._store.get(ballot_id)
        if ballot is None:
            raise RequestRejected(OVER)
        return ballot


def _paired(drafts: Sequence[Draft]) -> list[Draft]:
    """Give both prompts one seed and one engine, so that only the words differ.

    Raises:
        RequestRejected: they name two engines or two seeds, or are not two.
    """
    if len(drafts) != len(SIDES):
        raise RequestRejected(_("A vote is between two prompts."), field="prompt")
    engines = {draft.backend.casefold(): draft.backend for draft in drafts if draft.backend}
    if len(engines) > 1:
        raise RequestRejected(
            _("Both prompts are drawn on one engine: name one of {names}.", names=", ".join(engines.values())),
            field="backend",
        )
    seeds = {draft.seed for draft in drafts if draft.seed is not None and draft.seed >= 0}
    if len(seeds) > 1:
        raise RequestRejected(_("Both prompts are drawn with one seed: give only one."), field="seed")
    seed = next(iter(seeds), None)
    backend = next(iter(engines.values()), None)
    seed = draw_seed() if seed is None else seed
    return [replace(draft, seed=seed, backend=backend, batch_size=1) for draft in drafts]
