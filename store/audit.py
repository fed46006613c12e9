"""The table `audit`: what moderators and admins did, row by row; nothing is changed in it later."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Final

from generation.foreign import clean_line
from lazy import dataclass
from store.database import Database, Row, Write
from store.job_rows import from_epoch, to_epoch
from store.rows import RowReader

ADD: Final = """
    INSERT INTO audit (at, guild_id, channel_id, actor, actor_name, action, target, target_name, subject, reason,
        details)
    VALUES (:at, :guild_id, :channel_id, :actor, :actor_name, :action, :target, :target_name, :subject, :reason,
        :details)
"""
PAGE: Final = """
    SELECT * FROM audit
    WHERE (:guild_id IS NULL OR guild_id = :guild_id) AND (:before = 0 OR seq < :before)
        AND (:action = '' OR action = :action) AND (:person = '' OR actor = :person OR target = :person)
    ORDER BY seq DESC LIMIT :limit
"""
PRUNE: Final = "DELETE FROM audit WHERE at < ? RETURNING seq"
MAX_REASON_CHARS: Final = 500
_TEXTS: Final = ("actor_name", "target_name", "subject", "reason", "details")


@dataclass(frozen=True, kw_only=True)
class AuditEntry:
    """One action: by whom, when and where, on whom or what, and why. An empty `guild_id` is Easel as a whole."""

    at: datetime
    guild_id: str = ""
    channel_id: str = ""
    actor: str  # "discord:123"
    actor_name: str = ""
    action: str
    target: str = ""
    target_name: str = ""
    subject: str = ""
    reason: str = ""
    details: str = ""
    seq: int = 0  # the order in which things happened; a page ends at one

    def __post_init__(self) -> None:
        for name in _TEXTS:
            object.__setattr__(self, name, clean_line(getattr(self, name))[:MAX_REASON_CHARS])


class AuditStore:
    """Each method is one statement; `adding` is a part of somebody else's transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rows = RowReader("audit")

    def adding(self, entry: AuditEntry) -> Write:
        """Return what writes an entry, in the transaction of what it records."""
        values = asdict(entry) | {"at": to_epoch(entry.at)}
        del values["seq"]
        return ADD, values

    async def write_all(self, writes: Sequence[Write]) -> None:
        """Run statements as one unit.

        Raises:
            NothingThere: what one of them must change is not there; none was run.
        """
        await self._database.write_all(writes)

    async def page(
        self, guild_id: str | None, *, person: str = "", action: str = "", before: int = 0, limit: int
    ) -> list[AuditEntry]:
        """Return entries of a server (None: of all), newest first, older than `before` (0: the newest)."""
        values = {"guild_id": guild_id, "person": person, "action": action, "before": before, "limit": limit}
        return self._rows.read(await self._database.fetch(PAGE, values), _read)

    async def prune(self, before: datetime) -> int:
        """Delete what is older; return how many entries that were."""
        return len(await self._database.write(PRUNE, (to_epoch(before),)))


def _read(row: Row) -> AuditEntry:
    return AuditEntry(**{**dict(row), "at": from_epoch(row["at"])})
