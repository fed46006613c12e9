"""A batch is so many jobs, paced by the queue, refused before the first where that can be known."""

from dataclasses import replace
from datetime import timedelta

import pytest

from generation.errors import LimitReached, RequestRejected
from generation.job import JobStatus, Origin
from generation.request import Draft
from services.drawing.batches import submit_batch
from services.drawing.generation import GenerationService
from services.pictures.media import MediaService
from store.preferences import PreferenceStore
from tests.fakes import FakeBackend
from tests.queue_rig import queue_rig

ANN = Origin(door="test", user_id="ann")
THREE = [Draft(prompt=word) for word in ("fox", "owl", "cat")]


@pytest.fixture
async def house(cache):
    async with queue_rig(FakeBackend("gpu"), cooldown_s=5, max_waiting_per_user=4) as rig:
        service = GenerationService(
            queue=rig.queue,
            jobs=rig.jobs,
            registry=rig.registry,
            media=MediaService(cache, rig.clock, 3600.0),
            preferences=PreferenceStore(rig.database),
            clock=rig.clock,
        )
        yield rig, service


def drawn(rig):
    return [request.prompt for request in rig.backends["gpu"].requests]


async def test_prompts_start_two_seconds_apart(house):
    rig, service = house
    now = rig.clock.now()
    views = await submit_batch(service, THREE, ANN)
    await rig.settle()
    assert [view.job.not_before for view in views] == [None, now + timedelta(seconds=2), now + timedelta(seconds=4)]
    assert drawn(rig) == ["fox"]
    await rig.advance(1.9)
    assert drawn(rig) == ["fox"]
    await rig.advance(0.1)
    assert drawn(rig) == ["fox", "owl"]
    await rig.advance(2)
    assert [await rig.status(view.job) for view in views] == [JobStatus.DONE] * 3


async def test_the_same_request_key_twice_is_one_batch(house):
    _, service = house
    keyed = replace(ANN, request_key="k", request_digest="d")
    first = await submit_batch(service, THREE, keyed)
    again = await submit_batch(service, THREE, keyed)
    assert [view.job.id for view in first] == [view.job.id for view in again]
    assert len({view.job.id for view in first}) == 3


@pytest.mark.parametrize(
    ("drafts", "delay_s", "field"),
    [
        ([], 2, "prompts"),
        (THREE * 7, 2, "prompts"),
        (THREE, -1, "delay"),
        (THREE, float("nan"), "delay"),
        ([*THREE, Draft(prompt=" ")], 2, "prompts.4"),
        ([Draft(prompt="fox", steps=100_000)], 2, "prompts.1"),
    ],
)
async def test_what_cannot_be_is_refused_by_its_name(house, drafts, delay_s, field):
    rig, service = house
    with pytest.raises(RequestRejected) as refused:
        await submit_batch(service, drafts, ANN, delay_s=delay_s)
    assert refused.value.field == field
    assert await rig.jobs.active() == []


async def test_a_batch_that_may_not_wait_is_refused_whole(house):
    rig, service = house
    with pytest.raises(LimitReached):
        await submit_batch(service, THREE * 2, ANN)
    assert await rig.jobs.active() == []
