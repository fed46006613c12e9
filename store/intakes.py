"""The table `intakes`: what people asked for, from the moment it is heard until its jobs are stored or it is refused.

An intake is closed in the transaction that stores its jobs, and emptied: the jobs hold the words from then on. Its id
is remembered for an hour, so that what a door brings twice is done once; a trigger forgets it.
"""

import json
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from generation.errors import StoreUnavailable
from generation.job import Origin
from generation.order import Order, order_from_json, order_to_json
from lazy import dataclass
from store.database import Database, Must, Write
from store.job_rows import origin_to_row, row_to_origin, to_epoch
from store.rows import RowReader
from utils.secrets import SecretBox

TAKE: Final = """
    INSERT INTO intakes (id, door, said, origin, channel_id, message_id, reply_token, reply_token_until, starts,
        created_at)
    VALUES (:id, :door, :said, :origin, :channel_id, :message_id, :reply_token, :reply_token_until, 1, :created_at)
    ON CONFLICT DO NOTHING RETURNING id
"""
LEFT: Final = (
    "SELECT * FROM intakes WHERE door = :door AND ended_at IS NULL AND created_at < :before ORDER BY created_at"
)
START: Final = "UPDATE intakes SET starts = starts + 1 WHERE id = ? AND ended_at IS NULL RETURNING starts"
ATTACH: Final = """
    UPDATE intakes SET channel_id = :channel_id, message_id = :message_id WHERE id = :id AND ended_at IS NULL
"""
GO_ON: Final = "UPDATE intakes SET said = :said WHERE id = :id AND ended_at IS NULL RETURNING id"
CLOSE: Final = """
    UPDATE intakes SET ended_at = :now, said = '', origin = '', reply_token = '', reply_token_until = NULL
    WHERE id = :id AND ended_at IS NULL RETURNING id
"""


@dataclass(frozen=True, kw_only=True)
class Intake:
    """One order, where it came from and where its answer belongs."""

    id: str
    order: Order
    origin: Origin
    created_at: datetime
    starts: int = 1


class IntakeStore:
    """Every method is one commit, `closing` and `going_on` a part of somebody else's."""

    def __init__(self, database: Database, box: SecretBox) -> None:
        self._database = database
        self._box = box
        self._rows = RowReader("intakes")

    async def take(self, intake: Intake) -> bool:
        """Store it; False when this id was taken in before.

        Raises:
            StoreUnavailable: the file cannot be written.
        """
        values = origin_to_row(intake.origin, self._box) | {
            "id": intake.id,
            "door": intake.origin.door,
            "said": json.dumps(order_to_json(intake.order)),
            "created_at": to_epoch(intake.created_at),
        }
        try:
            return bool(await self._database.write(TAKE, values))
        except sqlite3.OperationalError as error:
            raise StoreUnavailable(detail=str(error)) from error

    async def left(self, door: str, before: datetime) -> list[Intake]:
        """Return what was taken in before that moment and is still to be done, oldest first."""
        rows = await self._database.fetch(LEFT, {"door": door, "before": to_epoch(before)})
        return self._rows.read(rows, self._read)

    async def start(self, intake: Intake) -> Intake | None:
        """Count that another process begins it; None when it has been closed."""
        rows = await self._database.write(START, (intake.id,))
        return replace(intake, starts=rows[0]["starts"]) if rows else None

    async def attach(self, intake: Intake, *, channel_id: str, message_id: str) -> Intake:
        """Note which message of ours awaits its answer."""
        await self._database.write(ATTACH, {"id": intake.id, "channel_id": channel_id, "message_id": message_id})
        return replace(intake, origin=replace(intake.origin, channel_id=channel_id, message_id=message_id))

    async def close(self, intake_id: str, now: datetime) -> bool:
        """End an intake; False when it had ended, or is forgotten."""
        sql, params, *__ = self.closing(intake_id, now)
        return bool(await self._database.write(sql, params))

    def closing(self, intake_id: str, now: datetime) -> Write:
        """Return what ends an intake and empties it, if it is still open: else nobody wants its jobs any more."""
        return Must(CLOSE, {"id": intake_id, "now": to_epoch(now)})

    def going_on(self, intake_id: str, order: Order) -> Write:
        """Return what puts the rest of an order in its place."""
        return Must(GO_ON, {"id": intake_id, "said": json.dumps(order_to_json(order))})

    def _read(self, row: Any) -> Intake:
        return Intake(
            id=row["id"],
            order=order_from_json(json.loads(row["said"])),
            origin=row_to_origin(row, self._box),
            created_at=datetime.fromtimestamp(row["created_at"], UTC),
            starts=row["starts"],
        )
