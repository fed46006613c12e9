"""Comparisons: which engines, one seed, what a crash in the middle leaves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import pytest

from generation.capabilities import Capabilities
from generation.errors import CapabilityError, NotAllowed, RequestRejected, StoreUnavailable
from generation.job import JobStatus, Origin
from generation.person import Person
from generation.request import Draft, Mode
from services.drawing.compare import INTERRUPTED, CompareService, take_engines
from services.drawing.generation import GenerationService
from services.drawing.idempotency import KeyReused
from services.engines.catalog import Catalog
from store import comparisons
from store.comparisons import ComparisonStore
from store.preferences import PreferenceStore
from tests.fakes import FakeBackend
from tests.queue_rig import Rig, queue_rig

ANN = Origin(door="test", user_id="ann")


@dataclass
class House:
    rig: Rig
    service: CompareService

    async def engines(self, *names: str, hold: bool = False) -> list[FakeBackend]:
        return [await self.rig.add(FakeBackend(name, hold=hold)) for name in names]


@asynccontextmanager
async def house_of(*, cooldown_s: float) -> AsyncIterator[House]:
    async with queue_rig(cooldown_s=cooldown_s) as rig:
        generation = GenerationService(
            queue=rig.queue,
            jobs=rig.jobs,
            registry=rig.registry,
            media=None,  # type: ignore[arg-type]  # nothing here looks at pictures
            preferences=PreferenceStore(rig.database),  # type: ignore[arg-type]
            clock=rig.clock,
        )
        service = CompareService(
            generation=generation,
            media=None,  # type: ignore[arg-type]
            catalog=Catalog(rig.registry),
            store=ComparisonStore(rig.database),  # type: ignore[arg-type]
            clock=rig.clock,
        )
        yield House(rig, service)


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with house_of(cooldown_s=60) as house:
        yield house


async def test_each_engine_gets_one_picture_with_one_seed_and_the_cooldown_counts_once(house: House) -> None:
    gpu, grid = await house.engines("gpu", "grid")
    found = await house.service.start(Draft(prompt="a fox", batch_size=4), ANN)
    await house.rig.settle()
    assert [item.lane for item in found.contenders] == ["gpu", "grid"]
    assert [request.seed for request in (*gpu.requests, *grid.requests)] == [found.seed] * 2
    assert gpu.requests[0].batch_size == 1


async def test_what_was_asked_for_by_name_is_taken_once_each(house: House) -> None:
    await house.engines("gpu", "grid", "horde")
    found = await house.service.start(Draft(prompt="a fox", seed=7), ANN, ("horde", "gpu", "horde"))
    assert [item.lane for item in found.contenders] == ["horde", "gpu"]
    assert found.seed == 7


@pytest.mark.parametrize("wanted", [("gpu",), ("gpu", "toaster"), ("a", "b", "c", "d", "gpu")])
async def test_too_few_unknown_or_too_many_engines_are_refused(house: House, wanted: tuple[str, ...]) -> None:
    await house.engines("gpu", "a", "b", "c", "d")
    with pytest.raises(RequestRejected) as refused:
        await house.service.start(Draft(prompt="a fox"), ANN, wanted)
    assert refused.value.field == "engines"


async def test_when_all_refuse_nothing_is_left(house: House) -> None:
    for name in ("gpu", "grid"):
        await house.rig.add(FakeBackend(name, capabilities=Capabilities(modes=frozenset({Mode.UPSCALE}))))
    with pytest.raises(CapabilityError):
        await house.service.start(Draft(prompt="a fox"), ANN)
    assert await house.service.due("test") == []


async def test_a_crash_between_the_jobs_is_put_together_again(house: House) -> None:
    await house.engines("gpu", "grid", hold=True)
    found = await house.service.start(Draft(prompt="a fox"), ANN)
    # as if the process had ended before the second job and the second save
    contenders = '[{"lane": "gpu", "label": "gpu"}, {"lane": "lost", "label": "lost"}]'
    await house.rig.database.write("UPDATE comparisons SET contenders = ?", (contenders,))
    [due] = await house.service.due("test")
    assert due.contenders[0].job_id == found.contenders[0].job_id
    assert due.contenders[1].error == INTERRUPTED


async def test_a_store_that_fails_starts_nothing(house: House) -> None:
    gpu, _ = await house.engines("gpu", "grid")
    house.rig.database.failures[comparisons.SAVE] = 1
    with pytest.raises(StoreUnavailable):
        await house.service.start(Draft(prompt="a fox"), ANN)
    assert gpu.requests == []


async def test_cancel_ends_what_is_left_for_its_owner_only(house: House) -> None:
    await house.engines("gpu", "grid", hold=True)
    found = await house.service.start(Draft(prompt="a fox"), ANN)
    with pytest.raises(NotAllowed):
        await house.service.cancel(found.id, Person(user_key="test:bob"))
    assert await house.service.cancel(found.id, Person(user_key="test:ann")) == 2
    assert await house.service.cancel(found.id, Person(user_key="test:ann")) == 0
    jobs = [await house.rig.jobs.get(job_id) for job_id in found.job_ids]
    assert {job.status for job in jobs if job} == {JobStatus.CANCELLED}
    assert await house.service.delivered(found)
    assert not await house.service.delivered(found)
    assert await house.service.cancel(found.id, Person(user_key="test:ann")) == 0


KEYED = replace(ANN, request_key="k", request_digest="d")


async def test_the_same_key_gives_the_same_comparison_also_after_an_engine_refused(house: House) -> None:
    await house.engines("gpu")
    await house.rig.add(FakeBackend("grid", capabilities=Capabilities(modes=frozenset({Mode.UPSCALE}))))
    await house.engines("horde")
    first = await house.service.start(Draft(prompt="a fox"), KEYED)
    await house.engines("more")
    again = await house.service.start(Draft(prompt="a fox"), KEYED)
    assert again == first
    assert [bool(item.error) for item in first.contenders] == [False, True, False]
    with pytest.raises(KeyReused):
        await house.service.start(Draft(prompt="a heron"), replace(KEYED, request_digest="e"))


async def test_two_of_the_same_key_at_the_same_moment_are_one() -> None:
    async with house_of(cooldown_s=0) as house:
        backends = await house.engines("gpu", "grid")
        found = await asyncio.gather(*(house.service.start(Draft(prompt="a fox"), KEYED) for _ in range(2)))
        await house.rig.settle()
    assert found[0] == found[1]
    assert [len(backend.requests) for backend in backends] == [1, 1]


async def test_a_comparison_is_seen_by_who_may_see_all_its_pictures(house: House) -> None:
    await house.engines("gpu", "grid", hold=True)
    ann, bob = Person(user_key="test:ann"), Person(user_key="test:bob")
    private = await house.service.start(Draft(prompt="a fox"), replace(ANN, private=True))
    assert await house.service.visible(private.id, ann) == private
    for comparison_id, person in ((private.id, bob), ("never", ann)):
        with pytest.raises(RequestRejected, match="There is no comparison"):
            await house.service.visible(comparison_id, person)


@pytest.mark.parametrize(
    ("text", "words", "engines"),
    [
        ("a fox", "a fox", ()),
        ("a fox --engines gpu,grid --steps 5", "a fox --steps 5", ("gpu", "grid")),
        ('--on "my gpu, grid" a fox', "a fox", ("my gpu", "grid")),
    ],
)
def test_engines_are_taken_out_of_the_words(text: str, words: str, engines: tuple[str, ...]) -> None:
    assert take_engines(text) == (words, engines)
