"""Engines that cost money by the hour: since when they run, about what that costs, and a word when nobody uses them.

A provider is known by the address, and asked only where the owner of Easel gave its API key
(`services.rentals.machines`): what it says of state and price counts then, else what the owner of the connection says.
Figures are about right: what happens while Easel is off is not seen.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final, Literal

from backends.registry import BackendRegistry, Entry, Owner
from generation.errors import GenerationError, RequestRejected
from lazy import dataclass
from queue_manager import LaneView
from services.engines.connections import ConnectionService, NotConnected, lane_of
from services.engines.health import LEAST_S, checks_for
from services.rentals.bills import HOW_TO_STOP as HOW_TO_STOP
from services.rentals.bills import PRICES as PRICES
from services.rentals.bills import TITLES as TITLES
from services.rentals.bills import Bill as Bill
from services.rentals.bills import bill_of, command, seen, unbilled, used
from services.rentals.machines import MachineService, is_at, place_of, provider_at
from services.rentals.providers import Machine
from settings.rentals import RentalSettings
from store.rental_costs import costs_of
from store.rentals import Rental, RentalStore
from texts.text import _, joined
from utils.clock import Clock

log = logging.getLogger(__name__)

TICK_S: Final = 60.0
RECENT_S: Final = 600.0  # somebody tried to draw there
LOOK_ANEW_S: Final = 1800.0  # so often a provider is asked by ourselves what a machine costs
MAX_USD_PER_HOUR: Final = 100.0


@dataclass(frozen=True, kw_only=True)
class Notice:
    """Something an owner should be told, once. `lines` are what to look at or do.

    "stopped": we stopped an unused machine. "asleep": pictures wait for a machine that its owner can start.
    """

    kind: Literal["idle", "down", "stopped", "asleep"]
    owner: Owner
    bill: Bill
    message: str = ""
    lines: tuple[str, ...] = ()


Tell = Callable[[Notice], Awaitable[None]]


class RentalService:
    """Run it as one task; everything else answers from the table."""

    def __init__(
        self,
        *,
        registry: BackendRegistry,
        connections: ConnectionService,
        store: RentalStore,
        lanes: Callable[[], list[LaneView]],
        clock: Clock,
        machines: MachineService,
        settings: RentalSettings,
    ) -> None:
        self._registry = registry
        self._connections = connections
        self._store = store
        self._lanes = lanes
        self._clock = clock
        self.machines = machines
        self.settings = settings
        self._asked_at: dict[str, float] = {}  # lane -> when its provider was last asked by ourselves
        self._quiet_since: dict[str, float] = {}  # lane -> since when nothing happens there, seen by this process
        self._asleep: dict[str, Owner] = {}  # lanes whose machine was stopped when it was last asked for
        self._unstopped: set[str] = set()  # lanes whose owner was told that we could not stop the machine
        self._changing = asyncio.Lock()  # a row is read, changed and written as one
        self.on_notice: list[Tell] = []

    async def run(self) -> None:
        """Look once a minute until cancelled; a fault costs one look."""
        while True:
            await self._clock.sleep(TICK_S)
            try:
                await self.look()
            except Exception:
                log.exception("could not look after rented engines", extra={"action": "backend_down"})

    async def look(self) -> None:
        """Note what is up and used, and tell owners what they should know."""
        await self._store.prune()
        for entry in self._registry:
            if entry.owner.kind == "easel":
                continue
            rental = await self._learn(entry, await self._note(entry))
            await self._book(entry)
            if notice := await self._stop_unused(entry, rental) or await self._notice(entry):
                for tell in self.on_notice:
                    await tell(notice)

    async def _book(self, entry: Entry) -> None:
        """Put what a machine has cost since the last look into the books."""
        async with self._changing:
            rental = await self._store.get(entry.name)
            span = unbilled(rental, self._clock.now()) if rental else None
            if rental is None or span is None or rental.usd_per_hour is None:
                return
            owner = (entry.owner.kind, entry.owner.id)
            costs = costs_of(entry.name, entry.label, owner, *span, rental.usd_per_hour)
            await self._store.bill(replace(rental, billed_until=span[1]), costs)

    async def bill(self, owner: Owner, *, by: str = "") -> Bill:
        """Return what an owner's connection has been used for and costs; `by` is the user who asks.

        Raises:
            NotConnected: there is none.
        """
        entry = self._entry(owner)
        if self._clock.monotonic() - entry.checked_at >= LEAST_S:
            await self._registry.refresh(entry.name)
        rental = await self._note(entry)
        if not self.machines.allows(owner, by):
            return bill_of(entry, rental, self._clock.now())
        try:
            machine = await self.machines.find(entry, rental)
        except GenerationError as error:
            return bill_of(entry, rental, self._clock.now(), machine_error=error.user_message)
        return await self._told(entry, rental, machine)

    async def start(self, owner: Owner, *, by: str) -> Bill:
        """Start the machine behind an owner's connection, unless it runs already.

        Raises:
            NotConnected: there is no connection.
            NotAllowed: the owner of Easel has not named this person, or this server.
            RequestRejected: there is no key for its provider, or no such machine.
            GenerationError: the provider cannot, or does not answer.
        """
        entry = self._entry(owner)
        rental = await self._note(entry)
        machine = await self.machines.require(entry, rental, by)
        if machine.state not in ("running", "starting"):
            await self.machines.start(machine)
            log.info("rented machine started", extra={"action": "machine_started", "backend": entry.name})
            now = self._clock.now()  # a new run of it, and nobody needs to be told that it is not up at once
            times = {"up_since": now, "down_since": now, "warned_at": now, "seen_up_at": None}
            rental = await self._save(entry, rental, **times)
            self._quiet_since.pop(entry.name, None)
            machine = replace(machine, state="starting")
        return await self._told(entry, rental, machine)

    async def stop(self, owner: Owner, *, by: str) -> Bill:
        """Stop the machine behind an owner's connection, whatever waits or runs there.

        Raises:
            GenerationError: as for `start`.
        """
        entry = self._entry(owner)
        rental = await self._note(entry)
        machine = await self.machines.require(entry, rental, by)
        if machine.state != "stopped":
            await self.machines.stop(machine)
            log.info("rented machine stopped", extra={"action": "machine_stopped", "backend": entry.name})
            machine = replace(machine, state="stopped")
        return await self._told(entry, rental, machine)

    async def inspect(self, owner: Owner, *, by: str) -> Bill:
        """Return what `stop` would stop, and refuse whom it would refuse.

        Raises:
            GenerationError: as for `start`.
        """
        entry = self._entry(owner)
        rental = await self._note(entry)
        return await self._told(entry, rental, await self.machines.require(entry, rental, by))

    def may_serve(self) -> bool:
        """Return whether anybody here has something to rent: a provider's key, or an engine of their own."""
        return self.machines.has_providers or any(entry.owner.kind in ("user", "guild") for entry in self._registry)

    def start_command(self, lane: str) -> str:
        """Write the command that starts an engine's machine; empty unless it is known to be stopped."""
        owner = self._asleep.get(lane)
        return command("start", owner) if owner else ""

    async def price_of(self, owner: Owner) -> float | None:
        """Return the dollars an hour that an owner's connection costs, if that was said; nothing is asked again."""
        rental = await self._store.get(lane_of(owner))
        return rental.usd_per_hour if rental else None

    async def set_price(self, owner: Owner, usd_per_hour: float, provider: str = "") -> Bill:
        """Keep what the machine costs an hour; 0 means it costs nothing.

        Raises:
            NotConnected: there is no connection.
            RequestRejected: that is no price.
        """
        if not 0 <= usd_per_hour <= MAX_USD_PER_HOUR:
            raise RequestRejected(
                _(
                    "Give the price in dollars an hour, from 0 to {most:.0f}, for example 0.34.",
                    most=MAX_USD_PER_HOUR,
                ),
                field="price",
            )
        entry = self._entry(owner)
        changes = {"provider": provider} if provider else {}
        bill = await self._change(entry, usd_per_hour=usd_per_hour, **changes)
        return await self.bill(owner) if self.machines.allows(owner) else bill  # what the provider says goes before

    async def set_reminders(self, owner: Owner, *, is_on: bool) -> Bill:
        """Switch the word about an unused machine on or off.

        Raises:
            NotConnected: there is no connection.
        """
        return await self._change(self._entry(owner), reminds=is_on)

    def _entry(self, owner: Owner) -> Entry:
        entry = self._registry.get(lane_of(owner))
        if entry is None:
            raise NotConnected
        return entry

    async def _change(self, entry: Entry, **changes: object) -> Bill:
        rental = await self._save(entry, await self._note(entry), **changes)
        return bill_of(entry, rental, self._clock.now())

    async def _save(self, entry: Entry, rental: Rental, **changes: object) -> Rental:
        async with self._changing:
            rental = replace(await self._store.get(entry.name) or rental, **changes)  # type: ignore[arg-type]
            await self._store.save(rental)
        return rental

    async def _told(self, entry: Entry, rental: Rental, machine: Machine | None) -> Bill:
        """Take in what a provider says of a machine: its price counts, and one that runs here is known again."""
        changes: dict[str, object] = {}
        if machine is not None and machine.state == "running":
            changes = {"provider": machine.provider, "machine_place": place_of(entry.config.url)}
            # an id that stands in the sealed address need not be kept beside it
            changes["machine_id"] = "" if machine.id in entry.config.url else machine.id
            if machine.usd_per_hour is not None:
                changes["usd_per_hour"] = machine.usd_per_hour
        if any(getattr(rental, name) != value for name, value in changes.items()):
            rental = await self._save(entry, rental, **changes)
        self._asleep.pop(entry.name, None)
        if machine is not None and machine.state == "stopped":
            self._asleep[entry.name] = entry.owner
        jobs = sum(lane.waiting + lane.running for lane in self._lanes_at(entry, machine))
        return bill_of(entry, rental, self._clock.now(), machine=machine, jobs=jobs)

    async def _learn(self, entry: Entry, rental: Rental) -> Rental:
        """Ask now and then what a machine in use costs, and which it is: a stopped one may not be found by address."""
        now = self._clock.monotonic()
        is_due = now - self._asked_at.get(entry.name, float("-inf")) >= LOOK_ANEW_S
        if not is_due or rental.down_since or not rental.up_since or not self.machines.allows(entry.owner):
            return rental
        self._asked_at[entry.name] = now
        try:
            await self._told(entry, rental, await self.machines.find(entry, rental))
        except GenerationError as error:
            log.warning("a provider does not tell of its machines", extra={"error": str(error)})
        return await self._note(entry)

    def _lanes_at(self, entry: Entry, machine: Machine | None) -> list[LaneView]:
        """List the lanes of all engines on a machine, whoever connected them."""
        names = {entry.name, *(item.name for item in self._registry if machine is not None and is_at(item, machine))}
        return [lane for lane in self._lanes() if lane.name in names]

    async def _note(self, entry: Entry) -> Rental:
        """Bring a row up to date."""
        connection = await self._connections.of(entry.owner)
        async with self._changing:
            before = await self._store.get(entry.name) or Rental(
                lane=entry.name, provider=provider_at(entry.config.url)
            )
            now = self._clock.now()
            checked_at = now - timedelta(seconds=min(RECENT_S, self._clock.monotonic() - entry.checked_at))
            rental = used(before, self._lane(entry.name), now)
            rental = seen(rental, entry, connection.created_at if connection else None, now, checked_at)
            if rental != before:
                await self._store.save(rental)
        return rental

    async def _notice(self, entry: Entry) -> Notice | None:
        """Find out whether the owner should be told something, and note that it is told."""
        now = self._clock.now()
        rental = await self._note(entry)
        lane = self._lane(entry.name)
        if rental.down_since is not None:
            is_wanted = lane is not None and (lane.waiting > 0 or (lane.idle_s is not None and lane.idle_s < RECENT_S))
            if not is_wanted or (rental.warned_at is not None and rental.warned_at >= rental.down_since):
                return None
            return await self._warning(entry, rental)
        if not self._is_idle(rental, lane, now):
            return None
        await self._registry.refresh(entry.name)
        if entry.error is not None:  # it was stopped already
            await self._note(entry)
            return None
        await self._change(entry, reminded_at=now)
        return Notice(
            kind="idle", owner=entry.owner, bill=bill_of(entry, rental, now), lines=self._ways_to_stop(entry, rental)
        )

    async def _stop_unused(self, entry: Entry, rental: Rental) -> Notice | None:
        """Stop a machine on which nothing has happened for as long as the owner of Easel said."""
        auto_stop_s, now = self.settings.auto_stop_s, self._clock.monotonic()
        if not auto_stop_s or rental.down_since or not rental.up_since or not self.machines.allows(entry.owner):
            self._quiet_since.pop(entry.name, None)
            self._unstopped.discard(entry.name)
            return None
        if now - self._quiet_since.setdefault(entry.name, now) < auto_stop_s or self._is_used(entry, None):
            return None
        self._quiet_since[entry.name] = now  # whatever comes of it, the next try is as far away
        try:
            machine = await self.machines.find(entry, rental)
            # jobs may have come while the provider was asked
            if machine is None or machine.state != "running" or self._is_used(entry, machine):
                return None
            await self.machines.stop(machine)
        except GenerationError as error:
            log.warning("an unused machine could not be stopped", extra={"error": str(error)})
            self._quiet_since[entry.name] = now + max(0.0, LOOK_ANEW_S - auto_stop_s)
            return await self._not_stopped(entry, rental, error)
        self._unstopped.discard(entry.name)
        log.info("unused rented machine stopped", extra={"action": "machine_stopped", "backend": entry.name})
        bill = await self._told(entry, rental, replace(machine, state="stopped"))
        return Notice(kind="stopped", owner=entry.owner, bill=bill)

    async def _not_stopped(self, entry: Entry, rental: Rental, error: GenerationError) -> Notice | None:
        """Report once that an unused machine goes on costing money."""
        if entry.name in self._unstopped:
            return None
        self._unstopped.add(entry.name)
        bill = await self._change(entry, reminded_at=self._clock.now())
        message = _("I could not stop it: {reason}", reason=error.user_message)
        return Notice(kind="idle", owner=entry.owner, bill=bill, message=message, lines=(HOW_TO_STOP[rental.provider],))

    def _ways_to_stop(self, entry: Entry, rental: Rental) -> tuple[str, ...]:
        own = (command("stop", entry.owner),) if self.machines.allows(entry.owner) else ()
        return (*own, HOW_TO_STOP[rental.provider])

    def _is_used(self, entry: Entry, machine: Machine | None) -> bool:
        """Return whether anything waits or runs on a machine, or did a short while ago."""
        return any(
            lane.waiting or lane.running or (lane.idle_s is not None and lane.idle_s < self.settings.auto_stop_s)
            for lane in self._lanes_at(entry, machine)
        )

    async def _warning(self, entry: Entry, rental: Rental) -> Notice | None:
        diagnosis = await self._connections.test(entry.owner)
        if diagnosis.is_ok:
            await self._registry.refresh(entry.name)
            return None
        now = self._clock.now()
        await self._change(entry, warned_at=now)
        if self.machines.allows(entry.owner):
            bill = await self.bill(entry.owner)
            if bill.machine is not None and bill.machine.state == "stopped":
                return Notice(kind="asleep", owner=entry.owner, bill=bill)
        return Notice(
            kind="down",
            owner=entry.owner,
            bill=bill_of(entry, rental, now),
            message=joined("\n", filter(None, (diagnosis.message, diagnosis.hint, diagnosis.owner_hint))),
            lines=tuple(checks_for(diagnosis)),
        )

    def _is_idle(self, rental: Rental, lane: LaneView | None, now: datetime) -> bool:
        is_rented = bool(rental.usd_per_hour) or (rental.usd_per_hour is None and rental.provider != "")
        if not (is_rented and rental.reminds and self.settings.reminder_s and rental.up_since):
            return False
        if lane is not None and (lane.running or lane.waiting):
            return False
        since = max(filter(None, (rental.up_since, rental.last_used_at)))
        is_told = rental.reminded_at is not None and rental.reminded_at >= since
        return not is_told and now - since >= timedelta(seconds=self.settings.reminder_s)

    def _lane(self, name: str) -> LaneView | None:
        return next((lane for lane in self._lanes() if lane.name == name), None)
