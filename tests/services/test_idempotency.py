"""A request that comes twice is one: numbers, digests, refusals, and parts that changed in between."""

from dataclasses import replace

import pytest

from generation.errors import RequestRejected
from generation.job import Origin
from generation.request import Draft
from services.drawing.generation import GenerationService
from services.drawing.idempotency import MOST_KEY_CHARS, KeyReused, numbered, with_key
from services.drawing.splitting import repeated
from store.preferences import PreferenceStore
from tests.fakes import FakeBackend
from tests.queue_rig import queue_rig

ANN = Origin(door="test", user_id="ann", message_id="5")
FOX = Draft(prompt="a fox")


@pytest.fixture
async def service():
    async with queue_rig(FakeBackend("gpu", hold=True)) as rig:
        yield GenerationService(
            queue=rig.queue,
            jobs=rig.jobs,
            registry=rig.registry,
            media=None,  # nothing here looks at pictures
            preferences=PreferenceStore(rig.database),
            clock=rig.clock,
        )


async def test_the_jobs_of_one_request_have_keys_of_their_own() -> None:
    keyed = await with_key(ANN, "k", ["/api/jobs", {"text": "a fox"}])
    first, second = (numbered(keyed, number) for number in range(2))
    assert (first.request_key, second.request_key) == ("k#0", "k#1")
    assert first.request_digest == second.request_digest
    assert numbered(ANN, 0) == ANN


async def test_of_several_jobs_only_the_first_has_the_message_that_answers(service: GenerationService) -> None:
    first, second = await service.submit_all(repeated(FOX, 2), ANN)
    assert (first.job.origin.message_id, first.job.origin.answer_number) == ("5", 0)
    assert (second.job.origin.message_id, second.job.origin.answer_number) == (None, 1)


async def test_what_was_asked_is_told_apart_and_the_order_of_its_names_is_not() -> None:
    async def digest(asked):
        return (await with_key(ANN, "k", asked)).request_digest

    picture = "A" * 200_000
    assert await digest({"a": 1, "b": picture}) == await digest({"b": picture, "a": 1})
    assert await digest({"a": picture}) != await digest({"a": picture + "A"})
    assert await digest(["/api/jobs", {}]) != await digest(["/api/batches", {}])


async def test_a_key_that_is_too_long_is_refused_by_its_name() -> None:
    with pytest.raises(RequestRejected, match="at most 200 characters") as refused:
        await with_key(ANN, "k" * (MOST_KEY_CHARS + 1), {})
    assert refused.value.field == "Idempotency-Key"


async def test_parts_that_changed_in_between_are_not_asked_for_again(service: GenerationService) -> None:
    keyed = replace(ANN, request_key="k", request_digest="d")
    first = await service.submit_all(repeated(FOX, 3), keyed)
    again = await service.submit_all([FOX], keyed)  # an engine came that draws them all at once
    assert [view.job.id for view in again] == [view.job.id for view in first]


async def test_another_request_under_the_same_key_is_refused_and_another_persons_is_not(
    service: GenerationService,
) -> None:
    keyed = replace(ANN, request_key="k", request_digest="d")
    (first,) = await service.submit_all([FOX], keyed)
    for asked in (service.submit_all, lambda parts, origin: service.submit(parts[0], origin)):
        with pytest.raises(KeyReused, match="used for another request"):
            await asked([FOX], replace(keyed, request_digest="e"))
    (other,) = await service.submit_all([FOX], replace(keyed, user_id="bob", request_digest="e"))
    assert other.job.id != first.job.id
