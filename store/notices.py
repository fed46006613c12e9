"""The table `notices`: what people and moderators are still to be told, until it was."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from lazy import dataclass
from store.database import Database, Row, Write
from store.job_rows import to_epoch
from store.rows import RowReader

ADD: Final = """
    INSERT INTO notices (kind, guild_id, user_key, channel_id, subject, details, created_at, due_at)
    VALUES (:kind, :guild_id, :user_key, :channel_id, :subject, :details, :now, :now)
"""
DUE: Final = "SELECT * FROM notices WHERE due_at <= ? ORDER BY due_at, seq LIMIT 20"
NEXT: Final = "SELECT min(due_at) AS due_at FROM notices"
DONE: Final = "DELETE FROM notices WHERE seq = ?"
LATER: Final = "UPDATE notices SET tries = tries + 1, due_at = :due_at WHERE seq = :seq"


@dataclass(frozen=True, kw_only=True)
class ModerationNotice:
    """One thing to tell: to a person, or in a channel. `subject`: the report it is about."""

    seq: int
    kind: str
    guild_id: str
    user_key: str
    channel_id: str
    subject: str
    details: Mapping[str, Any]
    tries: int


class NoticeStore:
    """Each method is one statement; `adding` is a part of somebody else's transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rows = RowReader("notices")

    def adding(
        self,
        kind: str,
        now: datetime,
        *,
        guild_id: str = "",
        user_key: str = "",
        channel_id: str = "",
        subject: str = "",
        details: Mapping[str, Any],
    ) -> Write:
        """Return what writes one."""
        place = {"guild_id": guild_id, "user_key": user_key, "channel_id": channel_id, "subject": subject}
        return ADD, place | {"kind": kind, "details": json.dumps(details), "now": to_epoch(now)}

    async def due(self, now: datetime) -> list[ModerationNotice]:
        """Return what is to be told by now, oldest first."""
        return self._rows.read(await self._database.fetch(DUE, (to_epoch(now),)), _read)

    async def next_due(self) -> float | None:
        """Return when the next one is due, as an epoch; None: there is none."""
        due_at: float | None = (await self._database.fetch(NEXT))[0]["due_at"]
        return due_at

    async def add(self, write: Write) -> None:
        await self._database.write_all([write])

    async def done(self, seq: int) -> None:
        await self._database.write(DONE, (seq,))

    async def later(self, seq: int, due_at: datetime) -> None:
        await self._database.write(LATER, {"seq": seq, "due_at": to_epoch(due_at)})


def _read(row: Row) -> ModerationNotice:
    values = {name: row[name] for name in ("seq", "kind", "guild_id", "user_key", "channel_id", "subject", "tries")}
    return ModerationNotice(**values, details=json.loads(row["details"]))
