"""Use and cost of a rented engine, and how they are computed: pure, from what is stored and what was just seen.

Prices are hints: RunPod's and Vast's lists of 2025.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from backends.registry import Entry, Owner
from lazy import dataclass
from queue_manager import LaneView
from services.rentals.machines import TITLES as TITLES
from services.rentals.providers import Machine
from store.rentals import Rental
from texts.text import _

BLIP_S: Final = 600.0  # away for less: the server was started again on the same rented machine
BOOT_S: Final = 3600.0  # within this a machine that we started comes up: its bill began with the start

PRICES: Final = {  # US dollars an hour
    "runpod": {"RTX 3080": "0.24", "RTX A4000": "0.29", "RTX 3090": "0.34", "RTX 4080": "0.59", "RTX 4090": "0.69"},
    "vast": {"RTX 3060": "0.10–0.20", "RTX 3080": "0.15–0.30", "RTX 3090": "0.20–0.40", "RTX 4090": "0.40–0.70"},
}
HOW_TO_STOP: Final = {
    "runpod": _("RunPod → Pods → Stop. A stopped pod still bills its disk: Terminate ends that too, and deletes it."),
    "vast": _("Vast.ai → Instances → Destroy. Stop alone keeps the disk, and keeps billing it."),
    "": _(
        "Stop the machine at your provider. A stopped one may still bill its disk: terminate or destroy ends that too."
    ),
}


@dataclass(frozen=True, kw_only=True)
class Bill:
    """Use and cost of one connection now."""

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
    machine: Machine | None = None  # as its provider tells of it, where we may ask
    machine_error: str = ""  # why the provider said nothing
    jobs: int = 0  # that run on that machine, or wait for it


def command(what: str, owner: Owner) -> str:
    """Write the command that starts or stops the machine of an owner's connection."""
    return f"`/gpu {what}{' for_server:True' if owner.kind == 'guild' else ''}`"


def used(rental: Rental, lane: LaneView | None, now: datetime) -> Rental:
    """Take in when the engine had its last job."""
    if lane is None or lane.idle_s is None:
        return rental
    used_at = now - timedelta(seconds=lane.idle_s)
    if rental.last_used_at is not None and used_at < rental.last_used_at + timedelta(seconds=1):
        return rental
    return replace(rental, first_used_at=rental.first_used_at or used_at, last_used_at=used_at)


def seen(rental: Rental, entry: Entry, connected_at: datetime | None, now: datetime, checked_at: datetime) -> Rental:
    """Take in whether the engine is up; a new connection, or a machine that was away, is a new run of it."""
    if entry.error is not None:
        return rental if rental.down_since else replace(rental, down_since=now)
    if entry.capabilities is None:
        return rental
    up_since = rental.up_since or connected_at or now
    if connected_at is not None and connected_at > up_since:
        up_since = connected_at
    elif rental.down_since is not None:
        limit_s = BOOT_S if rental.down_since == rental.up_since else BLIP_S
        up_since = now if now - rental.down_since > timedelta(seconds=limit_s) else up_since
    is_same = rental.seen_up_at is not None and abs(rental.seen_up_at - checked_at) < timedelta(seconds=1)
    seen_up_at = rental.seen_up_at if is_same else checked_at
    return replace(rental, up_since=up_since, seen_up_at=seen_up_at, down_since=None)


def unbilled(rental: Rental, now: datetime) -> tuple[datetime, datetime] | None:
    """Return the time a machine has run that is not in the books yet; None: there is none, or no price."""
    if not rental.usd_per_hour or rental.up_since is None:
        return None
    until = (rental.seen_up_at or rental.down_since or now) if rental.down_since else now
    since = max(filter(None, (rental.up_since, rental.billed_until)))
    return (since, until) if since < until else None


def bill_of(
    entry: Entry,
    rental: Rental,
    now: datetime,
    *,
    machine: Machine | None = None,
    machine_error: str = "",
    jobs: int = 0,
) -> Bill:
    """Reckon what a connection has cost until now."""
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
        machine=machine,
        machine_error=machine_error,
        jobs=jobs,
    )
