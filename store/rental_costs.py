"""The table `rental_costs`: what rented machines have cost, by the day."""

from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from typing import Final

from lazy import dataclass
from store.database import Database, Write

ADD: Final = """
    INSERT INTO rental_costs (day, lane, owner_kind, owner_id, label, seconds, usd)
    VALUES (:day, :lane, :owner_kind, :owner_id, :label, :seconds, :usd)
    ON CONFLICT (day, lane) DO UPDATE SET label = excluded.label, seconds = seconds + excluded.seconds,
        usd = usd + excluded.usd
"""
_COLUMNS: Final = "SELECT day, lane, label, seconds, usd FROM rental_costs WHERE day >= :since"
SINCE: Final = f"{_COLUMNS} ORDER BY day DESC, usd DESC, lane"
OF_OWNER: Final = f"{_COLUMNS} AND owner_kind = :kind AND owner_id = :id ORDER BY day DESC, usd DESC, lane"


@dataclass(frozen=True, kw_only=True)
class RentalCost:
    """The cost of one rented machine on one day (UTC), as far as it was seen to run."""

    day: str
    lane: str
    label: str
    seconds: float
    usd: float


class RentalCostStore:
    """Only reads."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def since(self, since: str) -> Sequence[RentalCost]:
        """Return every machine's cost from that day on, newest day first."""
        return [RentalCost(**dict(row)) for row in await self._database.read(SINCE, {"since": since})]

    async def of_owner(self, since: str, kind: str, owner_id: str) -> Sequence[RentalCost]:
        values = {"since": since, "kind": kind, "id": owner_id}
        return [RentalCost(**dict(row)) for row in await self._database.read(OF_OWNER, values)]


def costs_of(
    lane: str, label: str, owner: tuple[str, str], since: datetime, until: datetime, usd_per_hour: float
) -> list[Write]:
    """Return what counts a machine from one moment to another, each day's part on its day.

    It stands in the transaction that notes up to when the machine is counted.
    """
    writes: list[Write] = []
    for begin, end in days_between(since, until):
        seconds = (end - begin).total_seconds()
        values = {
            "day": f"{begin:%Y-%m-%d}",
            "lane": lane,
            "owner_kind": owner[0],
            "owner_id": owner[1],
            "label": label,
            "seconds": seconds,
            "usd": usd_per_hour * seconds / 3600,
        }
        writes.append((ADD, values))
    return writes


def days_between(since: datetime, until: datetime) -> list[tuple[datetime, datetime]]:
    """Cut a span of time where days begin in UTC."""
    parts: list[tuple[datetime, datetime]] = []
    while since < until:
        midnight = datetime.combine(since.astimezone(UTC).date() + timedelta(days=1), time(), UTC)
        parts.append((since, min(midnight, until)))
        since = midnight
    return parts
