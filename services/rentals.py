"""Engines that cost money by the hour: since when they run, about what that costs, and a word when nobody uses them.

Providers are known by the address alone and never called. Prices are hints (RunPod's and Vast's lists of 2025); what
the owner says counts. Figures are about right: what happens while Easel is off is not seen.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal
from urllib.parse import urlsplit

from backends.registry import BackendRegistry, Entry, Owner
from constants import GPU_IDLE_REMINDER_S
from generation.errors import RequestRejected
from queue_manager import LaneView
from services.connections import ConnectionService, NotConnected, lane_of
from services.health import LEAST_S, checks_for
from store.rentals import Rental, RentalStore
from utils.clock import Clock

log = logging.getLogger(__name__)

TICK_S: Final = 60.0
BLIP_S: Final = 600.0  # away for less: the server was started anew on the same rented machine
RECENT_S: Final = 600.0  # somebody tried to draw there
MAX_USD_PER_HOUR: Final = 100.0

PRICES: Final = {  # US dollars an hour
    "runpod": {"RTX 3080": "0.24", "RTX A4000": "0.29", "RTX 3090": "0.34", "RTX 4080": "0.59", "RTX 4090": "0.69"},
    "vast": {"RTX 3060": "0.10–0.20", "RTX 3080": "0.15–0.30", "RTX 3090": "0.20–0.40", "RTX 4090": "0.40–0.70"},
}
TITLES: Final = {"runpod": "RunPod", "vast": "Vast.ai"}
HOW_TO_STOP: Final = {
    "runpod": "RunPod → Pods → Stop. A stopped pod still bills its disk: Terminate ends that too, and deletes it.",
    "vast": "Vast.ai → Instances → Destroy. Stop alone keeps the disk, and keeps billing it.",
    "": "Stop the machine at your provider. A stopped one may still bill its disk: terminate or destroy ends that too.",
}


@dataclass(frozen=True, kw_only=True)
class Bill:
    """What is known of one connection's use and cost now."""

    label: str
    provider: str
    is_up: bool
    reminds: bool
    usd_per_hour: float | None
    first_used_at: datetime | None
    last_used_at: datetime | None
    since: datetime | None  # this run of the machine
    until: datetime | None  # when it was last seen, if it is gone
    cost_usd: float | None
    at: datetime  # when this was reckoned


@dataclass(frozen=True, kw_only=True)
class Notice:
    """Something an owner should be told, once. `lines` are what to look at or do."""

    kind: Literal["idle", "down"]
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
        idle_s: float = GPU_IDLE_REMINDER_S,
    ) -> None:
        self._registry = registry
        self._connections = connections
        self._store = store
        self._lanes = lanes
        self._clock = clock
        self._idle_s = idle_s  # 0 = no reminders
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
            await self._note(entry)
            if notice := await self._notice(entry):
                for tell in self.on_notice:
                    await tell(notice)

    async def bill(self, owner: Owner) -> Bill:
        """Say what an owner's connection has been used for and costs.

        Raises:
            NotConnected: there is none.
        """
        entry = self._entry(owner)
        if self._clock.monotonic() - entry.checked_at >= LEAST_S:
            await self._registry.refresh(entry.name)
        return _bill(entry, await self._note(entry), self._clock.now())

    async def price_of(self, owner: Owner) -> float | None:
        """Return the dollars an hour that an owner's connection costs, if that was said; nothing is asked anew."""
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
                f"Give the price in dollars an hour, from 0 to {MAX_USD_PER_HOUR:.0f}, for example 0.34.", field="price"
            )
        entry = self._entry(owner)
        changes = {"provider": provider} if provider else {}
        return await self._change(entry, usd_per_hour=usd_per_hour, **changes)

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
        rental = await self._note(entry)
        async with self._changing:
            rental = replace(await self._store.get(entry.name) or rental, **changes)  # type: ignore[arg-type]
            await self._store.save(rental)
        return _bill(entry, rental, self._clock.now())

    async def _note(self, entry: Entry) -> Rental:
        """Bring a row up to date."""
        connection = await self._connections.of(entry.owner)
        async with self._changing:
            before = await self._store.get(entry.name) or Rental(lane=entry.name, provider=_provider(entry.config.url))
            now = self._clock.now()
            checked_at = now - timedelta(seconds=min(RECENT_S, self._clock.monotonic() - entry.checked_at))
            rental = _used(before, self._lane(entry.name), now)
            rental = _seen(rental, entry, connection.created_at if connection else None, now, checked_at)
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
            kind="idle", owner=entry.owner, bill=_bill(entry, rental, now), lines=(HOW_TO_STOP[rental.provider],)
        )

    async def _warning(self, entry: Entry, rental: Rental) -> Notice | None:
        diagnosis = await self._connections.test(entry.owner)
        if diagnosis.is_ok:
            await self._registry.refresh(entry.name)
            return None
        now = self._clock.now()
        await self._change(entry, warned_at=now)
        return Notice(
            kind="down",
            owner=entry.owner,
            bill=_bill(entry, rental, now),
            message="\n".join(filter(None, (diagnosis.message, diagnosis.hint, diagnosis.owner_hint))),
            lines=tuple(checks_for(diagnosis)),
        )

    def _is_idle(self, rental: Rental, lane: LaneView | None, now: datetime) -> bool:
        is_rented = bool(rental.usd_per_hour) or (rental.usd_per_hour is None and rental.provider != "")
        if not (is_rented and rental.reminds and self._idle_s and rental.up_since):
            return False
        if lane is not None and (lane.running or lane.waiting):
            return False
        since = max(filter(None, (rental.up_since, rental.last_used_at)))
        is_told = rental.reminded_at is not None and rental.reminded_at >= since
        return not is_told and now - since >= timedelta(seconds=self._idle_s)

    def _lane(self, name: str) -> LaneView | None:
        return next((lane for lane in self._lanes() if lane.name == name), None)


def _provider(url: str) -> str:
    host = (urlsplit(url).hostname or "").lower()
    if host.endswith(".runpod.net"):
        return "runpod"
    return "vast" if host.endswith(".vast.ai") else ""


def _used(rental: Rental, lane: LaneView | None, now: datetime) -> Rental:
    if lane is None or lane.idle_s is None:
        return rental
    used_at = now - timedelta(seconds=lane.idle_s)
    if rental.last_used_at is not None and used_at < rental.last_used_at + timedelta(seconds=1):
        return rental
    return replace(rental, first_used_at=rental.first_used_at or used_at, last_used_at=used_at)


def _seen(rental: Rental, entry: Entry, connected_at: datetime | None, now: datetime, checked_at: datetime) -> Rental:
    """Take in whether the engine is up; a new connection, or a machine that was away, is a new run of it."""
    if entry.error is not None:
        return rental if rental.down_since else replace(rental, down_since=now)
    if entry.capabilities is None:
        return rental
    up_since = rental.up_since or connected_at or now
    if connected_at is not None and connected_at > up_since:
        up_since = connected_at
    elif rental.down_since is not None and now - rental.down_since > timedelta(seconds=BLIP_S):
        up_since = now
    is_same = rental.seen_up_at is not None and abs(rental.seen_up_at - checked_at) < timedelta(seconds=1)
    seen_up_at = rental.seen_up_at if is_same else checked_at
    return replace(rental, up_since=up_since, seen_up_at=seen_up_at, down_since=None)


def _bill(entry: Entry, rental: Rental, now: datetime) -> Bill:
    until = rental.seen_up_at or rental.down_since if rental.down_since else None
    cost = None
    if rental.usd_per_hour is not None and rental.up_since is not None:
        cost = rental.usd_per_hour * max(0.0, ((until or now) - rental.up_since).total_seconds()) / 3600
    return Bill(
        label=entry.label,
        provider=rental.provider,
        is_up=rental.down_since is None and rental.up_since is not None,
        reminds=rental.reminds,
        usd_per_hour=rental.usd_per_hour,
        first_used_at=rental.first_used_at,
        last_used_at=rental.last_used_at,
        since=rental.up_since,
        until=until,
        cost_usd=cost,
        at=now,
    )
