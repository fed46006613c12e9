"""Rented engines: what they cost, when their owner is reminded, what he is told when they are gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest

from backends.base import BackendConfig
from backends.diagnose import Diagnosis
from backends.registry import BackendRegistry, Entry, Owner
from generation.errors import BackendUnavailable, RequestRejected
from scheduling.lane import LaneView
from services.engines.connections import NotConnected
from services.rentals.machines import MachineService
from services.rentals.providers import GpuProvider
from services.rentals.rentals import HOW_TO_STOP, Notice, RentalService
from settings.people import PeopleSettings
from settings.rentals import RentalSettings
from store.connections import Connection, ConnectionStore
from store.rentals import PRUNE, RentalStore
from tests.fakes import FakeBackend, FakeClock
from tests.queue_rig import BOX, InlineDatabase
from tests.services.layers import failed_at

MIA = Owner(kind="user", id="7")
RUNPOD = "https://abc123-7860.proxy.runpod.net"
HOME = "https://sd.example.org"


class Connections:
    """Stands in for the service that holds connections."""

    def __init__(self, store: ConnectionStore) -> None:
        self.store = store
        self.diagnosis: Diagnosis = failed_at("connect")

    async def of(self, owner: Owner) -> Connection | None:
        return await self.store.get("user", owner.id)

    async def test(self, owner: Owner) -> Diagnosis:
        return self.diagnosis


@dataclass(frozen=True, kw_only=True)
class Rules:
    """The settings of Easel's owner."""

    rentals: RentalSettings = field(default_factory=RentalSettings)
    people: PeopleSettings = field(default_factory=PeopleSettings)
    providers: Sequence[GpuProvider] = ()


class House:
    """One connection of Mia's, and what looks after it."""

    def __init__(self, url: str = RUNPOD, rules: Rules | None = None) -> None:
        self.rules = rules or Rules()
        self.clock = FakeClock()
        self.database: Any = InlineDatabase()
        self.registry = BackendRegistry(self.clock)
        self.connections = Connections(ConnectionStore(self.database, BOX))
        self.store = RentalStore(self.database)
        self.lane = LaneView(name="user-7", waiting=0, running=0, concurrency=1, paused_s=0, is_broken=False, wait_s=0)
        self.engine = FakeBackend("user-7")
        self.notices: list[Notice] = []
        self.rentals = self.service()
        self.url = url

    def service(self) -> RentalService:
        service = RentalService(
            registry=self.registry,
            connections=self.connections,  # type: ignore[arg-type]
            store=self.store,
            lanes=lambda: [self.lane],
            clock=self.clock,
            machines=MachineService(self.rules.providers, self.rules.people, self.clock),
            settings=self.rules.rentals,
        )

        async def tell(notice: Notice) -> None:
            self.notices.append(notice)

        service.on_notice.append(tell)
        return service

    async def connect(self) -> None:
        now = self.clock.now()
        await self.connections.store.save(
            Connection(id="1", owner_kind="user", owner_id="7", kind="forge", url=self.url, created_at=now)
        )
        config = BackendConfig(name="user-7", kind="fake", url=self.url, label="Mia's Forge")
        self.registry.add(Entry(config=config, backend=self.engine, owner=MIA))
        await self.registry.refresh("user-7")

    async def minutes(self, count: int, idle_s: float | None = None) -> None:
        """Let time pass; the service looks once a minute."""
        for _ in range(count):
            await self.clock.advance(60)
            await self.rentals.look()

    def used(self, ago_s: float = 0.0, **changes: Any) -> None:
        values = {"waiting": 0, "running": 0, "idle_s": ago_s} | changes
        self.lane = LaneView(name="user-7", concurrency=1, paused_s=0, is_broken=False, wait_s=0, **values)


@pytest.fixture
async def house() -> AsyncIterator[House]:
    house = House()
    await house.connect()
    yield house
    await house.registry.aclose()
    house.database.close()


async def test_the_cost_runs_from_the_moment_it_was_connected(house: House) -> None:
    await house.rentals.set_price(MIA, 0.34)
    await house.clock.advance(90 * 60)
    bill = await house.rentals.bill(MIA)
    assert bill.cost_usd == pytest.approx(0.51)
    assert bill.since == house.clock.now() - timedelta(minutes=90)
    assert (bill.provider, bill.is_up) == ("runpod", True)


async def test_without_a_price_there_is_no_cost_but_a_known_provider(house: House) -> None:
    bill = await house.rentals.bill(MIA)
    assert bill.cost_usd is None
    assert bill.provider == "runpod"


async def test_first_and_last_use_are_kept_over_a_restart(house: House) -> None:
    house.used()
    await house.rentals.look()
    first = house.clock.now()
    await house.clock.advance(600)
    house.used(ago_s=60)
    await house.rentals.look()
    house.rentals = house.service()
    house.lane = LaneView(name="user-7", waiting=0, running=0, concurrency=1, paused_s=0, is_broken=False, wait_s=0)
    bill = await house.rentals.bill(MIA)
    assert bill.first_used_at == first
    assert bill.last_used_at == house.clock.now() - timedelta(seconds=60)


async def test_the_owner_is_reminded_once_of_an_unused_machine(house: House) -> None:
    await house.rentals.set_price(MIA, 0.34)
    await house.minutes(19)
    assert house.notices == []
    await house.minutes(60)
    [notice] = house.notices
    assert (notice.kind, notice.owner) == ("idle", MIA)
    assert notice.lines == (HOW_TO_STOP["runpod"],)
    assert notice.bill.cost_usd == pytest.approx(0.34 * 20 / 60)


async def test_use_begins_the_idle_time_anew(house: House) -> None:
    await house.minutes(30)
    house.used()
    await house.rentals.look()
    house.used(ago_s=5000)
    await house.minutes(19)
    assert len(house.notices) == 1
    await house.minutes(2)
    assert len(house.notices) == 2


async def test_no_reminder_while_something_waits_or_when_it_is_switched_off(house: House) -> None:
    house.used(waiting=1, idle_s=5000.0)
    await house.minutes(40)
    house.used(ago_s=2400)
    await house.rentals.set_reminders(MIA, is_on=False)
    await house.minutes(40)
    assert house.notices == []


async def test_a_machine_at_home_is_no_rented_one() -> None:
    house = House(HOME)
    await house.connect()
    await house.minutes(40)
    assert house.notices == []
    await house.rentals.set_price(MIA, 0.2)
    await house.minutes(1)
    assert house.notices[0].lines == (HOW_TO_STOP[""],)
    await house.registry.aclose()


async def test_a_machine_that_was_stopped_needs_no_reminder_and_costs_no_more(house: House) -> None:
    await house.rentals.set_price(MIA, 0.6)
    await house.minutes(10)
    house.engine.is_down = BackendUnavailable()
    await house.minutes(60)
    assert house.notices == []
    bill = await house.rentals.bill(MIA)
    assert not bill.is_up
    assert bill.cost_usd is not None
    assert bill.cost_usd <= 0.2
    house.engine.is_down = None
    await house.clock.advance(10)
    await house.rentals.bill(MIA)
    await house.clock.advance(600)
    assert (await house.rentals.bill(MIA)).cost_usd == pytest.approx(0.1)


async def test_a_server_started_anew_is_still_the_same_machine(house: House) -> None:
    await house.rentals.set_price(MIA, 0.6)
    await house.clock.advance(10)
    house.engine.is_down = BackendUnavailable()
    await house.rentals.bill(MIA)
    await house.clock.advance(290)
    house.engine.is_down = None
    assert (await house.rentals.bill(MIA)).cost_usd == pytest.approx(0.05)


async def test_the_owner_gets_the_five_checks_once_when_a_picture_waits(house: House) -> None:
    house.engine.is_down = BackendUnavailable()
    await house.registry.refresh("user-7")
    await house.minutes(3)
    assert house.notices == []
    house.used(waiting=1)
    await house.minutes(30)
    [notice] = house.notices
    assert notice.kind == "down"
    assert notice.message == "It does not answer."
    assert "Is it running?" in notice.lines[0]
    assert len(notice.lines) == 5
    house.engine.is_down = None
    await house.registry.refresh("user-7")
    await house.minutes(1)
    house.engine.is_down = BackendUnavailable()
    await house.registry.refresh("user-7")
    await house.minutes(1)
    assert len(house.notices) == 2


async def test_one_that_answers_its_test_is_no_reason_to_bother_anybody(house: House) -> None:
    house.engine.is_down = BackendUnavailable()
    await house.registry.refresh("user-7")
    house.connections.diagnosis = Diagnosis(steps=(), is_ok=True, message="")
    house.engine.is_down = None
    house.used(waiting=1)
    await house.minutes(1)
    assert house.notices == []
    entry = house.registry.get("user-7")
    assert entry
    assert entry.error is None


@pytest.mark.parametrize("price", [-1.0, 1000.0, float("nan")])
async def test_what_is_no_price_is_refused(house: House, price: float) -> None:
    with pytest.raises(RequestRejected, match=r"0\.34"):
        await house.rentals.set_price(MIA, price)


async def test_without_a_connection_there_is_nothing_to_say(house: House) -> None:
    with pytest.raises(NotConnected):
        await house.rentals.bill(Owner(kind="user", id="8"))


async def test_what_is_known_goes_with_the_connection(house: House) -> None:
    await house.rentals.set_price(MIA, 0.34)
    await house.connections.store.delete("user", "7")
    await house.rentals.look()
    await house.registry.remove("user-7")
    await house.rentals.look()
    assert await house.store.get("user-7") is None


async def test_a_fault_costs_one_look(house: House, caplog: pytest.LogCaptureFixture) -> None:
    task = asyncio.create_task(house.rentals.run())
    house.database.failures[PRUNE] = 1
    await house.clock.advance(61)
    assert "could not look after rented engines" in caplog.text
    await house.clock.advance(60)
    assert await house.store.get("user-7")
    task.cancel()
