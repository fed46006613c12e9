"""Records of rented engines and of comparisons under way."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from store.comparisons import Comparison, ComparisonStore, Contender
from store.rentals import Rental, RentalStore
from tests.queue_rig import InlineDatabase

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture
def database():
    database = InlineDatabase()
    yield database
    database.close()


def comparison(number: int, door: str = "discord") -> Comparison:
    contenders = (Contender(lane="gpu", label="GPU", job_id="a1"), Contender(lane="grid", label="Grid", error="No."))
    return Comparison(
        id=f"c{number}",
        door=door,
        prompt="a fox",
        seed=7,
        contenders=contenders,
        created_at=NOW + timedelta(seconds=number),
    )


async def test_a_rental_comes_back_as_it_was_saved(database):
    store = RentalStore(database)
    rental = Rental(
        lane="user-7", provider="vast", usd_per_hour=0.2, reminds=False, up_since=NOW, warned_at=NOW, machine_id="312"
    )
    assert await store.get("user-7") is None
    await store.save(rental)
    assert await store.get("user-7") == rental
    await store.save(replace(rental, usd_per_hour=None, reminds=True))
    assert await store.get("user-7") == replace(rental, usd_per_hour=None, reminds=True)


async def test_rentals_end_with_their_connections(database):
    store = RentalStore(database)
    for lane in ("user-7", "guild-7"):
        await store.save(Rental(lane=lane))
    await database.write(
        "INSERT INTO connections (id, owner_kind, owner_id, kind, url, key, label, created_at)"
        " VALUES ('1', 'guild', '7', 'forge', '', '', '', 0)"
    )
    await store.prune()
    assert await store.get("user-7") is None
    assert await store.get("guild-7")


async def test_comparisons_are_due_at_their_door_until_they_are_deleted(database):
    store = ComparisonStore(database)
    first, second, other = comparison(1), comparison(2), comparison(3, "api")
    for item in (second, first, other):
        await store.save(item)
    assert await store.due("discord") == [first, second]
    assert await store.get("c3") == other
    assert await store.delete("c1")
    assert not await store.delete("c1")
    assert await store.due("discord") == [second]


async def test_a_comparison_is_saved_again_with_its_jobs(database):
    store = ComparisonStore(database)
    await store.save(replace(comparison(1), contenders=(Contender(lane="gpu", label="GPU"),)))
    await store.save(comparison(1))
    found = await store.get("c1")
    assert found
    assert found.job_ids == ("a1",)
