"""Bytes of pictures that each person has uploaded, by the hour."""

from typing import Final

from store.database import Database

CHARGE: Final = """
    INSERT INTO uploads (user_key, hour, size_bytes)
    SELECT :user_key, :hour, :size_bytes WHERE :size_bytes + coalesce(
        (SELECT sum(size_bytes) FROM uploads WHERE user_key = :user_key AND hour > :since), 0) <= :quota_bytes
    ON CONFLICT (user_key, hour) DO UPDATE SET size_bytes = size_bytes + excluded.size_bytes RETURNING hour
"""
OLDEST: Final = "SELECT min(hour) AS hour FROM uploads WHERE user_key = ? AND hour > ?"
PRUNE: Final = "DELETE FROM uploads WHERE hour <= ?"


class UploadStore:
    """Single statements, each one commit; hours are whole ones since 1970."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def charge(self, user_key: str, size_bytes: int, *, hour: int, since: int, quota_bytes: int) -> bool:
        """Count bytes; False, and nothing is counted, where they would be more than the quota since then."""
        values = {"user_key": user_key, "size_bytes": size_bytes, "hour": hour, "since": since}
        return bool(await self._database.write(CHARGE, values | {"quota_bytes": quota_bytes}))

    async def oldest(self, user_key: str, since: int) -> int | None:
        """Return the first hour after `since` that counts for this person."""
        rows = await self._database.fetch(OLDEST, (user_key, since))
        return rows[0]["hour"] if rows else None

    async def prune(self, since: int) -> None:
        """Forget what counts no longer."""
        await self._database.write(PRUNE, (since,))
