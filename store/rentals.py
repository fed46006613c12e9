"""Facts about rented engines: price, when they were used, since when they run. One row for each connection."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import UTC, datetime
from typing import Any

from lazy import dataclass
from store.database import Database, Row, Write

_TIMES = (
    "first_used_at",
    "last_used_at",
    "up_since",
    "seen_up_at",
    "down_since",
    "reminded_at",
    "warned_at",
    "billed_until",
)
_COLUMNS = ("lane", "provider", "usd_per_hour", "reminds", "machine_id", "machine_place", *_TIMES)
SAVE = (
    f"INSERT OR REPLACE INTO rentals ({', '.join(_COLUMNS)}) "  # noqa: S608  # names of our own
    f"VALUES ({', '.join(f':{name}' for name in _COLUMNS)})"
)
GET = "SELECT * FROM rentals WHERE lane = ?"
PRUNE = """
    DELETE FROM rentals WHERE lane NOT IN (SELECT owner_kind || '-' || owner_id FROM connections)
"""


@dataclass(frozen=True, kw_only=True)
class Rental:
    """One connection's use and cost. It is up from `up_since`; `down_since` is set when it was seen to be gone."""

    lane: str
    provider: str = ""  # "runpod", "vast", or unknown
    usd_per_hour: float | None = None
    reminds: bool = True
    machine_id: str = ""  # the provider's name for it
    machine_place: str = ""  # digest of the address it was seen at; addresses are kept sealed
    first_used_at: datetime | None = None
    last_used_at: datetime | None = None
    up_since: datetime | None = None
    seen_up_at: datetime | None = None
    down_since: datetime | None = None
    reminded_at: datetime | None = None  # of the idle time that began before
    warned_at: datetime | None = None  # that it is down
    billed_until: datetime | None = None  # up to then its cost is in the books


class RentalStore:
    """The table `rentals`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, lane: str) -> Rental | None:
        return _first(await self._database.fetch(GET, (lane,)))

    async def save(self, rental: Rental) -> None:
        """Store it in place of what was known."""
        values = {field.name: _plain(getattr(rental, field.name)) for field in fields(Rental)}
        await self._database.write(SAVE, values)

    async def bill(self, rental: Rental, costs: Sequence[Write]) -> None:
        """Store it together with what it has cost since it was billed last."""
        values = {field.name: _plain(getattr(rental, field.name)) for field in fields(Rental)}
        await self._database.write_all([*costs, (SAVE, values)])

    async def prune(self) -> None:
        """Forget what belongs to connections that are gone."""
        await self._database.write(PRUNE)


def _first(rows: Iterable[Row]) -> Rental | None:
    for row in rows:
        values: dict[str, Any] = {name: row[name] for name in _COLUMNS}
        for name in _TIMES:
            values[name] = datetime.fromtimestamp(values[name], UTC) if values[name] is not None else None
        return Rental(**values | {"reminds": bool(values["reminds"])})
    return None


def _plain(value: Any) -> Any:
    return value.timestamp() if isinstance(value, datetime) else value
