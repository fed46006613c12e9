"""Votes on two prompts: stored with their jobs, one a person, ended once, gone with who is forgotten."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from generation.errors import NotAllowed, RequestRejected, StoreUnavailable
from generation.job import Origin
from generation.person import Person
from generation.request import Draft
from services.drawing.generation import GenerationService
from services.drawing.versus import Ballot, VersusService
from store import ballots
from store.ballots import BallotStore
from store.comparisons import ComparisonStore
from store.preferences import PreferenceStore
from store.words import WordStore
from tests.fakes import FakeBackend
from tests.queue_rig import Rig, queue_rig

MIA = Origin(door="discord", user_id="1", guild_id="g", channel_id="c")
ANN = Person(user_key="discord:2", guild_id="g", channel_id="c")
FOXES = (Draft(prompt="a red fox"), Draft(prompt="a blue fox"))


@dataclass
class House:
    rig: Rig
    service: VersusService

    async def open(self, hours: float = 24) -> Ballot:
        """Start a vote and draw both pictures."""
        comparison = await self.service.start(FOXES, MIA, hours=hours)
        await self.rig.settle()
        ballot = await self.service.of(comparison)
        assert ballot is not None
        begun = await self.service.begin(ballot)
        assert begun is not None
        return begun

    async def votes(self) -> list[tuple[str, str]]:
        rows = await self.rig.database.fetch("SELECT user_key, side FROM votes ORDER BY user_key")
        return [tuple(row) for row in rows]


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with queue_rig() as rig:
        generation = GenerationService(
            queue=rig.queue,
            jobs=rig.jobs,
            registry=rig.registry,
            media=None,  # type: ignore[arg-type]  # nothing here looks at pictures
            preferences=PreferenceStore(rig.database),  # type: ignore[arg-type]
            clock=rig.clock,
        )
        service = VersusService(
            generation=generation,
            comparisons=ComparisonStore(rig.database),  # type: ignore[arg-type]
            store=BallotStore(rig.database),  # type: ignore[arg-type]
            clock=rig.clock,
        )
        await rig.add(FakeBackend("gpu"))
        yield House(rig, service)


async def test_a_second_vote_takes_the_place_of_the_first(house: House) -> None:
    ballot = await house.open()
    for side in ("a", "b", "b"):
        ballot = await house.service.vote(ballot.id, side, ANN)
    assert (ballot.for_a, ballot.for_b) == (0, 1)
    assert await house.votes() == [("discord:2", "b")]


async def test_nobody_votes_before_both_pictures_are_there_or_after_the_end(house: House) -> None:
    comparison = await house.service.start(FOXES, MIA, hours=2)
    with pytest.raises(RequestRejected, match="over"):
        await house.service.vote(comparison.id, "a", ANN)
    await house.rig.settle()
    ballot = await house.service.of(comparison)
    assert ballot is not None
    await house.service.begin(ballot)
    await house.service.vote(ballot.id, "a", ANN)
    assert await house.service.due() == []
    await house.rig.clock.advance(2 * 3600)
    with pytest.raises(RequestRejected, match="over"):
        await house.service.vote(ballot.id, "b", ANN)
    [due] = await house.service.due()
    assert (due.for_a, due.for_b) == (1, 0)
    await house.service.drop(due)
    assert await house.votes() == []


async def test_a_vote_that_begins_twice_keeps_its_first_end(house: House) -> None:
    ballot = await house.open(hours=1)
    await house.rig.clock.advance(600)
    again = await house.service.begin(ballot)
    assert again is not None
    assert again.closes_at == ballot.closes_at == ballot.opened_at + timedelta(hours=1)  # type: ignore[operator]


async def test_who_asked_and_moderators_end_it(house: House) -> None:
    ballot = await house.open()
    with pytest.raises(NotAllowed):
        await house.service.end(ballot.id, ANN)
    ended = await house.service.end(ballot.id, replace(ANN, is_moderator=True))
    assert ended.closed_at is not None
    assert [due.id for due in await house.service.due()] == [ballot.id]


async def test_it_is_not_there_for_whom_the_pictures_are_not(house: House) -> None:
    ballot = await house.open()
    with pytest.raises(RequestRejected) as unknown:
        await house.service.vote("0123456789ab", "a", ANN)
    with pytest.raises(RequestRejected) as elsewhere:
        await house.service.vote(ballot.id, "a", replace(ANN, channel_id="other"))
    assert elsewhere.value.user_message == unknown.value.user_message


async def test_a_picture_that_is_deleted_ends_the_vote_on_it(house: House) -> None:
    ballot = await house.open()
    job = await house.rig.jobs.get(ballot.job_b)
    assert job is not None
    await house.service.vote(ballot.id, "a", ANN)
    await house.service.forget_job(job)
    assert await house.service.get(ballot.id) is None
    assert await house.votes() == []


async def test_who_is_forgotten_takes_their_votes_along(house: House) -> None:
    ballot = await house.open()
    await house.service.vote(ballot.id, "a", ANN)
    words = WordStore(house.rig.database)  # type: ignore[arg-type]
    await words.forget_person(ANN.user_key, "forgotten:x", lane="")
    kept = await house.service.get(ballot.id)
    assert kept is not None
    assert (kept.for_a, kept.for_b) == (0, 0)
    await words.disown([ballot.job_a], "forgotten:y", house.rig.clock.now(), lane="")
    assert await house.service.get(ballot.id) is None


async def test_a_store_that_fails_starts_nothing(house: House) -> None:
    house.rig.database.failures[ballots.SAVE] = 1
    with pytest.raises(StoreUnavailable):
        await house.service.start(FOXES, MIA, hours=1)
    await house.rig.settle()
    assert await house.rig.jobs.active() == []


@pytest.mark.parametrize(
    ("drafts", "field"),
    [
        ((FOXES[0],), "prompt"),
        ((replace(FOXES[0], backend="gpu"), replace(FOXES[1], backend="grid")), "backend"),
        ((replace(FOXES[0], seed=1), replace(FOXES[1], seed=2)), "seed"),
    ],
)
async def test_only_the_words_may_differ(house: House, drafts: tuple[Draft, ...], field: str) -> None:
    with pytest.raises(RequestRejected) as refused:
        await house.service.start(drafts, MIA, hours=1)
    assert refused.value.field == field
