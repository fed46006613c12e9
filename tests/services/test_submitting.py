"""Requests made together are stored together: all of it, or nothing."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest

from generation.errors import LimitReached, RequestRejected, StoreUnavailable
from generation.job import Origin
from generation.request import Draft
from services.drawing.generation import GenerationService
from store import comparisons, jobs
from store.database import Write
from store.preferences import PreferenceStore
from tests.fakes import FakeBackend
from tests.queue_rig import Rig, queue_rig

ANN = Origin(door="test", user_id="ann")
FOX = Draft(prompt="a fox")


@pytest.fixture
async def house() -> AsyncIterator[tuple[Rig, GenerationService]]:
    async with queue_rig(FakeBackend("gpu", hold=True), max_waiting_per_user=4, cooldown_s=9) as rig:
        service = GenerationService(
            queue=rig.queue,
            jobs=rig.jobs,
            registry=rig.registry,
            media=None,  # type: ignore[arg-type]  # nothing here looks at pictures
            preferences=PreferenceStore(rig.database),  # type: ignore[arg-type]
            clock=rig.clock,
        )
        yield rig, service


async def ask(
    service: GenerationService, count: int, origin: Origin = ANN, *, last: Draft = FOX, also: tuple[Write, ...] = ()
) -> list[str]:
    async with service.together(count) as submission:
        for number in range(count):
            key = f"{origin.request_key}#{number}" if origin.request_key else None
            draft = last if number == count - 1 else FOX
            await submission.add(draft, replace(origin, answer_number=number, request_key=key))
        return [view.job.id for view in await submission.commit(*also)]


async def test_what_comes_together_is_one_request_to_the_cooldown(house: tuple[Rig, GenerationService]) -> None:
    rig, service = house
    assert len(set(await ask(service, 3))) == 3
    with pytest.raises(LimitReached, match="One moment"):
        await ask(service, 1)
    assert len(await rig.jobs.active()) == 3


async def test_when_the_store_takes_not_all_it_takes_none_and_the_places_are_free(
    house: tuple[Rig, GenerationService],
) -> None:
    rig, service = house
    with pytest.raises(StoreUnavailable):
        await ask(service, 4, also=(("INSERT INTO no_such_table VALUES (1)", ()),))
    assert await rig.jobs.active() == []
    await rig.advance(9)
    assert len(await ask(service, 4)) == 4


async def test_what_is_written_beside_the_jobs_is_there_with_them_or_not_at_all(
    house: tuple[Rig, GenerationService],
) -> None:
    rig, service = house
    beside = (comparisons.SAVE, {"id": "c", "door": "d", "prompt": "", "seed": 1, "contenders": "[]", "created_at": 0})
    rig.database.failures[jobs.INSERT] = 1
    with pytest.raises(StoreUnavailable):
        await service.submit(FOX, ANN, also=[beside])
    assert await rig.database.fetch("SELECT * FROM comparisons") == []
    await rig.advance(9)
    await service.submit(FOX, ANN, also=[beside])
    assert len(await rig.database.fetch("SELECT * FROM comparisons")) == 1


async def test_one_that_is_refused_gives_the_places_of_all_back(house: tuple[Rig, GenerationService]) -> None:
    rig, service = house
    with pytest.raises(RequestRejected):
        await ask(service, 2, last=Draft())
    assert await rig.jobs.active() == []
    await rig.advance(9)
    assert len(await ask(service, 4)) == 4


async def test_the_same_key_twice_at_the_same_moment_is_one_set_of_jobs(house: tuple[Rig, GenerationService]) -> None:
    rig, service = house
    keyed = replace(ANN, request_key="k", request_digest="d")
    rig.queue._cooldown.seconds = 0
    rig.queue._limits = rig.queue._limits.changed(max_waiting_per_user=10)
    first, second = await asyncio.gather(ask(service, 3, keyed), ask(service, 3, keyed))
    assert first == second
    assert len(await rig.jobs.active()) == 3
