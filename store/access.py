"""Access to the HTTP door: API keys and signed-in sessions. Only hashes of what they show are kept."""

import logging
import sqlite3
from collections.abc import Iterable
from dataclasses import field
from datetime import UTC, datetime
from typing import Any

from lazy import dataclass
from store.database import Database, Row

log = logging.getLogger(__name__)

_TIMES = ("created_at", "last_used_at", "expires_at", "revoked_at")
ADD_KEY = """
    INSERT INTO api_keys (id, name, hash, scopes, user_key, rate_per_minute, created_at, expires_at)
    VALUES (:id, :name, :hash, :scopes, :user_key, :rate_per_minute, :created_at, :expires_at)
"""
KEYS = "SELECT * FROM api_keys ORDER BY created_at, id"
KEY_BY_HASH = "SELECT * FROM api_keys WHERE hash = ?"
REVOKE = "UPDATE api_keys SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL RETURNING id"
TOUCH = "UPDATE api_keys SET last_used_at = ? WHERE id = ?"
# columns that are history: avatar (nothing shows people's pictures, which would tell Discord of each visit), csrf
# (older versions ask for its value with every change, so nobody may guess it)
ADD_SESSION = """
    INSERT INTO sessions (hash, user_key, name, avatar, csrf, expires_at)
    VALUES (:hash, :user_key, :name, '', hex(randomblob(16)), :expires_at)
"""
SESSION = "SELECT hash, user_key, name, expires_at FROM sessions WHERE hash = ?"
CLOSE_SESSION = "DELETE FROM sessions WHERE hash = ? RETURNING hash"
DROP_EXPIRED = "DELETE FROM sessions WHERE expires_at <= ?"


@dataclass(frozen=True, kw_only=True)
class Key:
    """One API key as it is stored; the token itself was shown once and is nowhere."""

    id: str
    name: str
    hash: str = field(repr=False)
    scopes: frozenset[str]
    user_key: str  # whom it acts for
    rate_per_minute: float | None = None
    created_at: datetime
    last_used_at: datetime | None = None
    expires_at: datetime | None = None
    revoked_at: datetime | None = None


@dataclass(frozen=True, kw_only=True)
class SessionRow:
    """One signed-in browser; the cookie's token is stored as a hash."""

    hash: str = field(repr=False)
    user_key: str
    name: str
    expires_at: datetime


class AccessStore:
    """The tables `api_keys` and `sessions`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add_key(self, key: Key) -> None:
        values = {
            "id": key.id,
            "name": key.name,
            "hash": key.hash,
            "scopes": " ".join(sorted(key.scopes)),
            "user_key": key.user_key,
            "rate_per_minute": key.rate_per_minute,
            "created_at": key.created_at.timestamp(),
            "expires_at": key.expires_at.timestamp() if key.expires_at else None,
        }
        await self._database.write(ADD_KEY, values)

    async def keys(self) -> list[Key]:
        """Return every key, revoked ones too, oldest first."""
        return [_read_key(row) for row in await self._database.fetch(KEYS)]

    async def key_by_hash(self, hashed: str) -> Key | None:
        return _first_key(await self._database.fetch(KEY_BY_HASH, (hashed,)))

    async def revoke_key(self, key_id: str, now: datetime) -> bool:
        """End a key; False when there is none or it had ended."""
        return bool(await self._database.write(REVOKE, (now.timestamp(), key_id)))

    async def touch_key(self, key_id: str, now: datetime) -> None:
        """Note that a key was used; a store that cannot be written must not lock anybody out."""
        try:
            await self._database.write(TOUCH, (now.timestamp(), key_id))
        except sqlite3.OperationalError as error:
            log.warning("the use of a key is not noted", extra={"action": "store_failed", "error": str(error)})

    async def add_session(self, session: SessionRow, now: datetime) -> None:
        """Store a session, and forget those that have expired by now."""
        values = {
            "hash": session.hash,
            "user_key": session.user_key,
            "name": session.name,
            "expires_at": session.expires_at.timestamp(),
        }
        await self._database.write(DROP_EXPIRED, (now.timestamp(),))
        await self._database.write(ADD_SESSION, values)

    async def session(self, hashed: str) -> SessionRow | None:
        for row in await self._database.fetch(SESSION, (hashed,)):
            values: dict[str, Any] = dict(row)
            return SessionRow(**values | {"expires_at": datetime.fromtimestamp(row["expires_at"], UTC)})
        return None

    async def close_session(self, hashed: str) -> bool:
        return bool(await self._database.write(CLOSE_SESSION, (hashed,)))


def _first_key(rows: Iterable[Row]) -> Key | None:
    return next((_read_key(row) for row in rows), None)


def _read_key(row: Row) -> Key:
    values: dict[str, Any] = dict(row)
    for name in _TIMES:
        values[name] = datetime.fromtimestamp(row[name], UTC) if row[name] is not None else None
    return Key(**values | {"scopes": frozenset(row["scopes"].split())})
