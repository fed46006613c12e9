"""The table `bus_outbox`: jobs that have ended and that the message bus is still to be told of."""

import json
from collections.abc import Iterable
from typing import Final

from store.database import Database

WANTED: Final = "INSERT OR IGNORE INTO bus_wanted VALUES (1)"
UNWANTED: Final = "DELETE FROM bus_wanted"
FORGET: Final = "DELETE FROM bus_outbox"
DUE: Final = "SELECT seq, job_id FROM bus_outbox WHERE seq > ? ORDER BY seq LIMIT ?"
COUNT: Final = "SELECT count(*) FROM bus_outbox"
TOLD: Final = "DELETE FROM bus_outbox WHERE seq IN (SELECT value FROM json_each(?))"
PRUNE: Final = "DELETE FROM bus_outbox WHERE seq <= (SELECT seq FROM bus_outbox ORDER BY seq DESC LIMIT 1 OFFSET ?)"


class BusStore:
    """Jobs that ended while there is a bus; without one nothing is noted."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def want(self, is_wanted: bool) -> None:
        """Note from now on what ends, or no more; then what was not told is forgotten."""
        for statement in (WANTED,) if is_wanted else (UNWANTED, FORGET):
            await self._database.write(statement, ())

    async def due(self, after: int, limit: int) -> list[tuple[int, str]]:
        """Return the numbers and ids of jobs that are to be told, the first that ended first."""
        return [(row["seq"], row["job_id"]) for row in await self._database.fetch(DUE, (after, limit))]

    async def count(self) -> int:
        return int((await self._database.fetch(COUNT))[0][0])

    async def told(self, numbers: Iterable[int]) -> None:
        await self._database.write(TOLD, (json.dumps(list(numbers)),))

    async def prune(self, most: int) -> None:
        """Keep the newest `most`."""
        await self._database.write(PRUNE, (most,))
