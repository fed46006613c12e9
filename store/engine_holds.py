"""The table `engine_holds`: engines that an admin has paused or drained, until they are resumed."""

from datetime import datetime
from typing import Final

from lazy import dataclass
from store.database import Database, Must, Row, Write
from store.job_rows import to_epoch
from store.rows import RowReader

SET: Final = """
    INSERT INTO engine_holds (lane, hold, actor_name, reason, created_at)
    VALUES (:lane, :hold, :actor_name, :reason, :now)
    ON CONFLICT (lane) DO UPDATE SET hold = excluded.hold, actor_name = excluded.actor_name, reason = excluded.reason,
        created_at = excluded.created_at
"""
DROP: Final = "DELETE FROM engine_holds WHERE lane = ? RETURNING lane"


@dataclass(frozen=True, kw_only=True)
class EngineHold:
    """One engine on hold: `paused` starts nothing, `drained` takes nothing new."""

    lane: str
    hold: str
    reason: str


class EngineHoldStore:
    """Single statements; the writes are parts of somebody else's transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rows = RowReader("engine_holds")

    async def all(self) -> list[EngineHold]:
        return self._rows.read(await self._database.fetch("SELECT lane, hold, reason FROM engine_holds"), _read)

    def setting(self, hold: EngineHold, actor_name: str, now: datetime) -> Write:
        """Return what puts an engine on hold."""
        values = {"lane": hold.lane, "hold": hold.hold, "reason": hold.reason}
        return SET, values | {"actor_name": actor_name, "now": to_epoch(now)}

    def dropping(self, lane: str) -> Write:
        """Return what ends a hold; there must be one."""
        return Must(DROP, (lane,))


def _read(row: Row) -> EngineHold:
    return EngineHold(**dict(row))
