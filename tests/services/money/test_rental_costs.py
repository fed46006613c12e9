"""Rented machines stand in the books: by the day, once, as long as they were seen to run."""

from datetime import UTC, datetime, timedelta

import pytest

from generation.errors import BackendUnavailable
from store.rental_costs import RentalCostStore, days_between
from tests.services.test_rentals import MIA, House


def test_a_span_is_cut_where_days_begin() -> None:
    since = datetime(2026, 1, 1, 23, tzinfo=UTC)
    until = datetime(2026, 1, 3, 1, tzinfo=UTC)
    hours = [(begin.day, (end - begin).total_seconds() / 3600) for begin, end in days_between(since, until)]
    assert hours == [(1, 1), (2, 24), (3, 1)]
    assert days_between(until, since) == []


@pytest.fixture
async def machine():
    house = House()
    await house.connect()
    yield house
    await house.registry.aclose()
    house.database.close()


async def costs(house: House) -> list[tuple[str, float, float]]:
    rows = await RentalCostStore(house.database).of_owner("", "user", "7")
    return [(cost.day, round(cost.seconds / 3600, 3), round(cost.usd, 4)) for cost in rows]


async def test_a_machine_is_billed_by_the_day_and_each_minute_once(machine: House) -> None:
    await machine.rentals.set_price(MIA, 0.6)
    await machine.minutes(60)
    assert await costs(machine) == [("2026-01-01", 1.0, 0.6)]
    machine.rentals = machine.service()
    await machine.rentals.look()
    await machine.clock.advance(timedelta(hours=23).total_seconds())
    await machine.rentals.look()
    await machine.minutes(60)
    assert await costs(machine) == [("2026-01-02", 1.0, 0.6), ("2026-01-01", 24.0, 14.4)]
    bill = await machine.rentals.bill(MIA)
    assert bill.cost_usd == pytest.approx(15.0)


async def test_a_machine_that_is_gone_costs_no_more(machine: House) -> None:
    await machine.rentals.set_price(MIA, 0.6)
    await machine.minutes(30)
    machine.engine.is_down = BackendUnavailable("Away.")
    await machine.registry.refresh("user-7")
    await machine.minutes(120)
    ((__, hours, __usd),) = await costs(machine)
    assert 0.4 <= hours <= 0.6


async def test_without_a_price_nothing_is_booked(machine: House) -> None:
    await machine.minutes(30)
    assert await costs(machine) == []
