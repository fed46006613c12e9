"""Engines that people brought along: one for each user or server. Address and key are sealed at rest."""

import logging
from collections.abc import Iterable
from dataclasses import field
from datetime import UTC, datetime
from typing import Literal

from lazy import dataclass
from store.database import Database, Row
from utils.secrets import SecretBox, SecretLost

log = logging.getLogger(__name__)

OwnerKind = Literal["user", "guild"]

SAVE = """
    INSERT INTO connections (id, owner_kind, owner_id, kind, url, key, label, created_at, last_used_at)
    VALUES (:id, :owner_kind, :owner_id, :kind, :url, :key, :label, :created_at, :last_used_at)
    ON CONFLICT (owner_kind, owner_id) DO UPDATE SET id = excluded.id, kind = excluded.kind, url = excluded.url,
        key = excluded.key, label = excluded.label, created_at = excluded.created_at,
        last_used_at = excluded.last_used_at
"""
GET = "SELECT * FROM connections WHERE owner_kind = ? AND owner_id = ?"
ALL = "SELECT * FROM connections ORDER BY created_at, id"
DELETE = "DELETE FROM connections WHERE owner_kind = ? AND owner_id = ? RETURNING id"
TOUCH = "UPDATE connections SET last_used_at = ? WHERE id = ?"


@dataclass(frozen=True, kw_only=True)
class Connection:
    """One engine of one owner. `kind` is what was typed, one of the words for a kind of engine."""

    id: str
    owner_kind: OwnerKind
    owner_id: str
    kind: str
    url: str = field(repr=False)
    key: str = field(default="", repr=False)
    label: str = ""
    created_at: datetime
    last_used_at: datetime | None = None


class ConnectionStore:
    """The table `connections`. One that was sealed with another key reads as if it were not there."""

    def __init__(self, database: Database, box: SecretBox) -> None:
        self._database = database
        self._box = box

    async def save(self, connection: Connection) -> None:
        """Store it in place of its owner's former one."""
        last_used = connection.last_used_at
        values = {
            "id": connection.id,
            "owner_kind": connection.owner_kind,
            "owner_id": connection.owner_id,
            "kind": connection.kind,
            "url": self._box.seal(connection.url),
            "key": self._box.seal(connection.key),
            "label": connection.label,
            "created_at": connection.created_at.timestamp(),
            "last_used_at": last_used.timestamp() if last_used else None,
        }
        await self._database.write(SAVE, values)

    async def get(self, owner_kind: OwnerKind, owner_id: str) -> Connection | None:
        found = self._readable(await self._database.fetch(GET, (owner_kind, owner_id)))
        return found[0] if found else None

    async def all(self) -> list[Connection]:
        """Return every connection that can be read, oldest first."""
        return self._readable(await self._database.fetch(ALL))

    async def delete(self, owner_kind: OwnerKind, owner_id: str) -> bool:
        """Forget the owner's connection; False when there was none."""
        return bool(await self._database.write(DELETE, (owner_kind, owner_id)))

    async def touch(self, connection_id: str, now: datetime) -> None:
        """Note that it was used."""
        await self._database.write(TOUCH, (now.timestamp(), connection_id))

    def _readable(self, rows: Iterable[Row]) -> list[Connection]:
        connections = []
        for row in rows:
            try:
                connections.append(self._read(row))
            except SecretLost as error:
                log.warning("connection left out: %s", error, extra={"action": "secret_lost", "id": row["id"]})
        return connections

    def _read(self, row: Row) -> Connection:
        last_used = row["last_used_at"]
        return Connection(
            id=row["id"],
            owner_kind=row["owner_kind"],
            owner_id=row["owner_id"],
            kind=row["kind"],
            url=self._box.unseal(row["url"]),
            key=self._box.unseal(row["key"]),
            label=row["label"],
            created_at=datetime.fromtimestamp(row["created_at"], UTC),
            last_used_at=datetime.fromtimestamp(last_used, UTC) if last_used is not None else None,
        )
