"""The table `bans`: who may not ask for pictures in which server, why, and until when."""

from dataclasses import asdict
from datetime import datetime
from typing import Final

from lazy import dataclass
from store.database import Database, Must, Row, Write
from store.job_rows import from_epoch, to_epoch
from store.rows import RowReader

SET: Final = """
    INSERT INTO bans (guild_id, user_key, user_name, reason, actor, actor_name, created_at, ends_at)
    VALUES (:guild_id, :user_key, :user_name, :reason, :actor, :actor_name, :created_at, :ends_at)
    ON CONFLICT (guild_id, user_key) DO UPDATE SET user_name = excluded.user_name, reason = excluded.reason,
        actor = excluded.actor, actor_name = excluded.actor_name, created_at = excluded.created_at,
        ends_at = excluded.ends_at
"""
LIFT: Final = """
    DELETE FROM bans WHERE guild_id = :guild_id AND user_key = :user_key AND (ends_at IS NULL OR ends_at > :now)
    RETURNING user_key
"""
OF_PERSON: Final = "SELECT * FROM bans WHERE user_key = :user_key AND (ends_at IS NULL OR ends_at > :now)"
OF_GUILD: Final = """
    SELECT * FROM bans WHERE guild_id = :guild_id AND (ends_at IS NULL OR ends_at > :now) ORDER BY created_at DESC
"""
PRUNE: Final = "DELETE FROM bans WHERE ends_at <= ?"


@dataclass(frozen=True, kw_only=True)
class Ban:
    """One person in one server; `ends_at` None: until it is lifted."""

    guild_id: str
    user_key: str
    user_name: str
    reason: str
    actor: str
    actor_name: str
    created_at: datetime
    ends_at: datetime | None = None


class BanStore:
    """Each method is one statement; `setting` and `lifting` are parts of somebody else's transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rows = RowReader("bans")

    def setting(self, ban: Ban) -> Write:
        """Return what sets a ban, in place of an earlier one of that person."""
        return SET, asdict(ban) | {"created_at": to_epoch(ban.created_at), "ends_at": to_epoch(ban.ends_at)}

    def lifting(self, guild_id: str, user_key: str, now: datetime) -> Write:
        """Return what lifts a ban that is in force: there must be one."""
        return Must(LIFT, {"guild_id": guild_id, "user_key": user_key, "now": to_epoch(now)})

    async def of_person(self, user_key: str, now: datetime) -> list[Ban]:
        """Return the bans of somebody that are in force, of all servers."""
        return self._rows.read(
            await self._database.fetch(OF_PERSON, {"user_key": user_key, "now": to_epoch(now)}), _read
        )

    async def of_guild(self, guild_id: str, now: datetime) -> list[Ban]:
        """Return the bans of a server that are in force, newest first."""
        values = {"guild_id": guild_id, "now": to_epoch(now)}
        return self._rows.read(await self._database.fetch(OF_GUILD, values), _read)

    async def prune(self, now: datetime) -> None:
        """Delete those that are over."""
        await self._database.write(PRUNE, (to_epoch(now),))


def _read(row: Row) -> Ban:
    times = {name: from_epoch(row[name]) for name in ("created_at", "ends_at")}
    return Ban(**{**dict(row), **times})
