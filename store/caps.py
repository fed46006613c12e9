"""The tables `caps` and `pictures_used`: what members may ask for, and what they have drawn today.

`pictures_used` is written by triggers on `jobs`, in the transaction that takes a job in or ends it.
"""

import json
from datetime import datetime
from typing import Any, Final

from generation.caps import Cap, CapKind, limits_from_json, limits_to_json
from store.database import Database, Must, NothingThere, Row, Write
from store.rows import RowReader

OF_GUILD: Final = "SELECT * FROM caps WHERE guild_id = ? ORDER BY kind DESC, target_id"
SET: Final = """
    INSERT INTO caps (guild_id, kind, target_id, limits) VALUES (:guild_id, :kind, :target_id, :limits)
    ON CONFLICT (guild_id, kind, target_id) DO UPDATE SET limits = excluded.limits
"""
CLEAR: Final = "DELETE FROM caps WHERE guild_id = :guild_id AND kind = :kind AND target_id = :target_id"
_USED: Final = """
    SELECT coalesce(sum(pictures), 0) FROM pictures_used
    WHERE guild_id = :guild_id AND user_key = :user_key AND day = :day
"""
_HOUSE: Final = "coalesce(json_extract(origin, '$.house_id'), json_extract(origin, '$.guild_id'))"
# The first condition is that of the index.
_WAITING: Final = f"""
    SELECT count(*) FROM jobs INDEXED BY jobs_active_user
    WHERE user_key = :user_key AND status IN ('queued', 'running') AND status = 'queued' AND {_HOUSE} = :guild_id
"""  # noqa: S608  # parts of our own
USED: Final = f"SELECT ({_USED}) AS pictures, ({_WAITING}) AS waiting"
DAILY: Final = f"SELECT 1 WHERE ({_USED}) + :adding <= :most"
WAITING: Final = f"SELECT 1 WHERE ({_WAITING}) + :adding <= :most"
LAST_SEEN: Final = """
    SELECT json_extract(origin, '$.guild_id') AS guild_id, json_extract(origin, '$.roles') AS roles FROM jobs
    WHERE user_key = :user_key AND json_extract(origin, '$.guild_id') IN (SELECT value FROM json_each(:guild_ids))
    ORDER BY created_at DESC, id DESC LIMIT 1
"""
PRUNE: Final = "DELETE FROM pictures_used WHERE day < ?"


class OverQuota(NothingThere):
    """A unit of statements would be more than somebody may have; nothing of it is done."""


class CapStore:
    """Each method is one statement; `setting`, `clearing` and the guards are parts of somebody else's transaction."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rows = RowReader("caps")

    async def of_guild(self, guild_id: str) -> list[Cap]:
        return self._rows.read(await self._database.fetch(OF_GUILD, (guild_id,)), _read)

    def setting(self, guild_id: str, cap: Cap) -> Write:
        """Return what sets the limits of a role or channel."""
        limits = limits_to_json(cap.limits) | {"name": cap.name}
        return SET, _key(guild_id, cap) | {"limits": json.dumps(limits)}

    def clearing(self, guild_id: str, cap: Cap) -> Write:
        """Return what drops the limits of a role or channel."""
        return CLEAR, _key(guild_id, cap)

    async def used(self, guild_id: str, user_key: str, day: str) -> tuple[int, int]:
        """Return how many pictures somebody has drawn on a day, and how many of their jobs wait."""
        values = {"guild_id": guild_id, "user_key": user_key, "day": day}
        row = (await self._database.fetch(USED, values))[0]
        return row["pictures"], row["waiting"]

    def daily_guard(self, guild_id: str, user_key: str, day: str, adding: int, most: int) -> Write:
        """Return what ends a transaction by `OverQuota` where `adding` pictures are too many for the day."""
        values = {"guild_id": guild_id, "user_key": user_key, "day": day, "adding": adding, "most": most}
        return Must(DAILY, values, OverQuota)

    def waiting_guard(self, guild_id: str, user_key: str, adding: int, most: int) -> Write:
        """Return what ends a transaction by `OverQuota` where `adding` jobs are too many to wait."""
        values = {"guild_id": guild_id, "user_key": user_key, "adding": adding, "most": most}
        return Must(WAITING, values, OverQuota)

    async def last_seen(self, user_key: str, guild_ids: list[str]) -> tuple[str, tuple[str, ...]] | None:
        """Return in which of these servers somebody asked last, and with which roles."""
        values = {"user_key": user_key, "guild_ids": json.dumps(guild_ids)}
        rows = await self._database.fetch(LAST_SEEN, values)
        return (rows[0]["guild_id"], tuple(json.loads(rows[0]["roles"] or "[]"))) if rows else None

    async def prune(self, before: datetime) -> None:
        """Delete the days before then."""
        await self._database.write(PRUNE, (f"{before:%Y-%m-%d}",))


def _key(guild_id: str, cap: Cap) -> dict[str, Any]:
    return {"guild_id": guild_id, "kind": cap.kind.value, "target_id": cap.target_id}


def _read(row: Row) -> Cap:
    values = json.loads(row["limits"])
    return Cap(
        kind=CapKind(row["kind"]),
        target_id=row["target_id"],
        name=values.get("name", ""),
        limits=limits_from_json(values),
    )
