"""Rented machines with their provider's key: who may switch them, what is told, and when an unused one is stopped."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest

from backends.base import BackendConfig
from backends.registry import EASEL, Entry, Owner
from generation.errors import BackendAuthError, BackendUnavailable, NotAllowed, RequestRejected
from scheduling.lane import LaneView
from services.rentals.machines import LISTED_S, MachineService, make_providers
from services.rentals.providers import Machine
from services.rentals.rentals import NotConnected
from settings.people import PeopleSettings
from settings.rentals import RentalSettings
from tests.fakes import FakeBackend, FakeClock
from tests.services.test_rentals import HOME, MIA, RUNPOD, House, Rules

AUTO_STOP_S = 1800.0
VAST = "http://45.67.89.10:40123"
GUILD = Owner(kind="guild", id="100")


class Account:
    """Stands in for one account at a provider."""

    def __init__(self, *machines: Machine, kind: str = "runpod") -> None:
        self.kind, self.title = kind, {"runpod": "RunPod", "vast": "Vast.ai"}[kind]
        self.machines = {machine.id: machine for machine in machines}
        self.changes: list[str] = []
        self.listings = 0
        self.fails: Exception | None = None
        self.on_list: Any = None

    async def list(self) -> tuple[Machine, ...]:
        self.listings += 1
        if self.on_list:
            self.on_list()
        if self.fails:
            raise self.fails
        return tuple(self.machines.values())

    async def start(self, machine_id: str) -> None:
        self.changes.append(f"start {machine_id}")
        self.machines[machine_id] = replace(self.machines[machine_id], state="running")

    async def stop(self, machine_id: str) -> None:
        self.changes.append(f"stop {machine_id}")
        self.machines[machine_id] = replace(self.machines[machine_id], state="stopped", urls=())


def machine(machine_id: str = "abc123", **changes: Any) -> Machine:
    plain = Machine(provider="runpod", id=machine_id, name="forge", gpu="RTX 3090", state="running", usd_per_hour=0.33)
    return replace(plain, **changes)


def rules(*accounts: Account, admins: str = "7,8", guilds: str = "", auto_stop_s: float = 0.0) -> Rules:
    people = PeopleSettings(admin_ids=admins, guild_ids=guilds)  # type: ignore[arg-type]
    return Rules(rentals=RentalSettings(auto_stop_s=auto_stop_s), people=people, providers=accounts)


@pytest.fixture
def account() -> Account:
    return Account(machine())


@pytest.fixture
async def house(account: Account) -> AsyncIterator[House]:
    house = House(rules=rules(account, auto_stop_s=AUTO_STOP_S))
    await house.connect()
    yield house
    await house.registry.aclose()
    house.database.close()


def hook(house: House, name: str, url: str, owner: Owner = EASEL) -> None:
    config = BackendConfig(name=name, kind="fake", url=url)
    house.registry.add(Entry(config=config, backend=FakeBackend(name), owner=owner))


def lane(name: str, **values: Any) -> LaneView:
    plain = {"waiting": 0, "running": 0, "concurrency": 1, "paused_s": 0, "is_broken": False, "wait_s": 0}
    return LaneView(name=name, **plain | values)


async def test_the_providers_price_counts_instead_of_what_was_told(house: House):
    assert (await house.rentals.set_price(MIA, 9.0)).usd_per_hour == 0.33
    await house.clock.advance(3600)
    bill = await house.rentals.bill(MIA, by="7")
    assert bill.machine == machine()
    assert bill.usd_per_hour == 0.33
    assert bill.cost_usd == pytest.approx(0.33)
    assert await house.rentals.price_of(MIA) == 0.33


async def test_a_provider_that_fails_costs_only_its_word(house: House, account: Account):
    account.fails = BackendAuthError("RunPod refuses the API key.")
    await house.rentals.set_price(MIA, 0.5)
    bill = await house.rentals.bill(MIA, by="7")
    assert (bill.machine, bill.machine_error) == (None, "RunPod refuses the API key.")
    assert bill.usd_per_hour == 0.5


async def test_one_listing_serves_for_a_while(house: House, account: Account):
    await house.rentals.bill(MIA, by="7")
    await house.rentals.bill(MIA, by="7")
    assert account.listings == 1
    await house.clock.advance(LISTED_S)
    await house.rentals.bill(MIA, by="7")
    assert account.listings == 2


async def test_stop_and_start_reach_the_provider_once(house: House, account: Account):
    assert house.rentals.start_command("user-7") == ""
    bill = await house.rentals.stop(MIA, by="7")
    assert bill.machine
    assert bill.machine.state == "stopped"
    assert house.rentals.start_command("user-7") == "`/gpu start`"
    await house.rentals.stop(MIA, by="7")
    bill = await house.rentals.start(MIA, by="7")
    assert bill.machine
    assert bill.machine.state == "starting"
    assert house.rentals.start_command("user-7") == ""
    bill = await house.rentals.start(MIA, by="7")
    assert bill.machine
    assert bill.machine.state == "running"
    assert account.changes == ["stop abc123", "start abc123"]


async def test_a_start_is_a_new_run_that_nobody_is_warned_of_while_it_boots(house: House, account: Account):
    await house.clock.advance(7200)
    await house.rentals.stop(MIA, by="7")
    house.engine.is_down = BackendUnavailable()
    await house.registry.refresh("user-7")
    await house.minutes(2)
    await house.rentals.start(MIA, by="7")
    house.used(waiting=1)
    await house.minutes(3)
    assert house.notices == []
    house.engine.is_down = None
    await house.registry.refresh("user-7")
    house.used()
    await house.clock.advance(55 * 60)
    bill = await house.rentals.bill(MIA, by="7")
    assert bill.cost_usd == pytest.approx(0.33 * 58 / 60)


async def test_what_would_be_stopped_is_told_with_the_jobs_of_all_who_use_it(house: House, account: Account):
    hook(house, "gpu1", RUNPOD)
    hook(house, "other", "https://def456-7860.proxy.runpod.net")
    lanes = [lane("user-7", waiting=2), lane("gpu1", running=1), lane("other", running=4)]
    house.rentals._lanes = lambda: lanes
    bill = await house.rentals.inspect(MIA, by="7")
    assert (bill.jobs, account.changes) == (3, [])


@pytest.mark.parametrize("do", ["start", "stop", "inspect"])
async def test_a_stranger_with_the_right_address_switches_nothing(account: Account, do: str):
    house = House(rules=rules(account, admins="8", auto_stop_s=60.0))
    await house.connect()
    with pytest.raises(NotAllowed, match="owner of Easel"):
        await getattr(house.rentals, do)(MIA, by="7")
    bill = await house.rentals.bill(MIA, by="7")
    await house.minutes(10)
    assert (bill.machine, bill.usd_per_hour) == (None, None)
    assert (account.listings, account.changes) == (0, [])
    await house.registry.aclose()


async def test_without_a_key_it_is_said_where_one_goes():
    house = House(rules=rules(admins="7"))
    await house.connect()
    with pytest.raises(RequestRejected, match="no API key of RunPod") as caught:
        await house.rentals.start(MIA, by="7")
    assert "owner of Easel" in caught.value.hint
    with pytest.raises(NotConnected):
        await house.rentals.start(Owner(kind="user", id="8"), by="8")
    await house.registry.aclose()


async def test_a_machine_that_is_not_in_the_account_is_refused(house: House, account: Account):
    account.machines = {"abc": machine("abc")}
    with pytest.raises(RequestRejected, match="no machine of the account at RunPod"):
        await house.rentals.stop(MIA, by="7")
    assert account.changes == []


@pytest.mark.parametrize(
    ("owner", "by", "is_allowed"),
    [
        (MIA, "7", True),
        (MIA, "", True),
        (MIA, "8", False),  # another admin: the connection is not his
        (Owner(kind="user", id="9"), "9", False),
        (GUILD, "9", True),  # the door has seen that he manages the server
        (GUILD, "", True),
        (Owner(kind="guild", id="200"), "9", False),  # whoever invites the bot manages a server
        (Owner(kind="guild", id="200"), "7", True),
        (Owner(kind="guild", id="200"), "", False),
        (EASEL, "7", False),
    ],
)
def test_who_may(owner: Owner, by: str, is_allowed: bool):
    mine = rules(Account(), guilds="100")
    assert MachineService(mine.providers, mine.people, FakeClock()).allows(owner, by) is is_allowed
    assert not MachineService((), mine.people, FakeClock()).allows(owner, by)


async def test_a_vast_machine_is_known_again_when_it_is_stopped():
    box = machine("312", provider="vast", urls=(VAST,))
    account = Account(box, kind="vast")
    house = House(VAST, rules=rules(account))
    await house.connect()
    await house.rentals.look()
    stored = await house.store.get("user-7")
    assert stored
    assert (stored.provider, stored.machine_id, stored.usd_per_hour) == ("vast", "312", 0.33)
    account.machines["312"] = replace(box, state="stopped", urls=())
    house.rentals = house.service()
    await house.rentals.start(MIA, by="7")
    assert account.changes == ["start 312"]
    entry = house.registry.get("user-7")
    assert entry
    entry.config = replace(entry.config, url="http://45.67.89.11:40123")  # connected again, elsewhere
    account.machines["312"] = replace(box, state="stopped", urls=())
    house.rentals = house.service()
    with pytest.raises(RequestRejected, match=r"Vast\.ai"):
        await house.rentals.start(MIA, by="7")
    await house.registry.aclose()


async def test_no_provider_is_asked_about_an_engine_at_home(account: Account):
    for url in (HOME, "http://192.168.1.20:7860"):
        house = House(url, rules=rules(account))
        await house.connect()
        await house.minutes(2)
        assert (await house.rentals.bill(MIA, by="7")).machine is None
        await house.registry.aclose()
    assert account.listings == 0


async def test_an_unused_machine_is_stopped_after_the_time_and_its_owner_told(house: House, account: Account):
    house.used()
    await house.minutes(3)
    house.used(ago_s=240)
    await house.minutes(26)
    assert account.changes == []
    house.used(ago_s=AUTO_STOP_S)
    await house.minutes(5)
    assert account.changes == ["stop abc123"]
    assert [notice.kind for notice in house.notices][-1] == "stopped"
    reported = house.notices[-1].bill
    assert reported.machine
    assert reported.machine.state == "stopped"


@pytest.mark.parametrize("busy", [{"waiting": 1}, {"running": 1}, {"idle_s": 60.0}])
@pytest.mark.parametrize("name", ["user-7", "gpu1"])
async def test_a_machine_in_use_is_never_stopped(house: House, account: Account, busy: dict[str, Any], name: str):
    hook(house, "gpu1", RUNPOD)
    lanes = [lane(name, **busy)]
    house.rentals._lanes = lambda: lanes
    await house.minutes(90)
    assert account.changes == []


async def test_a_job_that_comes_while_the_provider_is_asked_saves_the_machine(house: House, account: Account):
    await house.minutes(29)
    account.on_list = lambda: house.used(waiting=1)
    await house.minutes(10)
    assert account.listings > 1
    assert account.changes == []


async def test_a_machine_that_was_away_has_its_whole_time_again(house: House, account: Account):
    await house.minutes(25)
    house.engine.is_down = BackendUnavailable()
    await house.registry.refresh("user-7")
    await house.minutes(1)
    house.engine.is_down = None
    await house.registry.refresh("user-7")
    await house.minutes(29)
    assert account.changes == []
    await house.minutes(3)
    assert account.changes == ["stop abc123"]


async def test_nothing_is_stopped_unless_the_owner_of_easel_said_so(account: Account):
    house = House(rules=rules(account))
    await house.connect()
    await house.minutes(200)
    assert account.changes == []
    assert house.notices[0].lines[0] == "`/gpu stop`"
    await house.registry.aclose()


async def test_disconnecting_stops_no_machine(house: House, account: Account):
    await house.connections.store.delete("user", "7")
    await house.registry.remove("user-7")
    await house.minutes(200)
    assert account.changes == []


async def test_a_stop_that_fails_is_told_and_tried_again_later(house: House, account: Account):
    await house.minutes(5)
    account.fails = BackendAuthError("RunPod refuses the API key.")
    await house.minutes(150)
    reported = [notice for notice in house.notices if notice.message]
    assert [notice.message for notice in reported] == ["I could not stop it: RunPod refuses the API key."]
    account.fails = None
    await house.minutes(30)
    assert account.changes == ["stop abc123"]


async def test_the_owner_of_a_stopped_machine_hears_that_it_can_be_started(house: House, account: Account):
    account.machines = {"abc123": machine(state="stopped")}
    house.engine.is_down = BackendUnavailable()
    await house.registry.refresh("user-7")
    house.used(waiting=1)
    await house.minutes(10)
    [notice] = house.notices
    assert notice.kind == "asleep"
    assert notice.bill.machine == machine(state="stopped")


def test_a_client_is_made_for_each_key_that_is_set():
    assert [item.kind for item in make_providers(RentalSettings(runpod_api_key="rpa_x", vast_api_key="v"))] == [
        "runpod",
        "vast",
    ]
    assert [item.kind for item in make_providers(RentalSettings(vast_api_key="v"))] == ["vast"]
    assert make_providers(RentalSettings()) == ()
