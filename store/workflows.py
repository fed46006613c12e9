"""People's own workflows: a name of one owner stands for a version, and versions are told apart by their content.

A version that a job was made with is kept for good, so that its re-roll finds it, as the job's row is. One that no job
ever used goes when no name stands for it any more.
"""

import json
from dataclasses import field
from datetime import UTC, datetime
from hashlib import sha256

from lazy import dataclass
from store.database import Database, Row

ADD_VERSION = """
    INSERT INTO workflow_versions (id, kind, graph, mapping, lines) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
"""
SAVE = """
    INSERT INTO workflows (owner_kind, owner_id, folded, name, version, created_at, updated_at)
    VALUES (?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT DO UPDATE SET name = excluded.name, version = excluded.version, updated_at = excluded.updated_at
"""
OF_OWNER = """
    SELECT w.*, v.kind, v.lines FROM workflows w JOIN workflow_versions v ON v.id = w.version
    WHERE w.owner_kind = ? AND w.owner_id = ? ORDER BY w.folded
"""
VERSION = "SELECT * FROM workflow_versions WHERE id = ?"
USE = "UPDATE workflow_versions SET used_at = ? WHERE id = ? RETURNING id"
DELETE = "DELETE FROM workflows WHERE owner_kind = ? AND owner_id = ? AND folded = ? RETURNING folded"
SWEEP = "DELETE FROM workflow_versions WHERE used_at IS NULL AND id NOT IN (SELECT version FROM workflows)"


@dataclass(frozen=True, kw_only=True)
class WorkflowVersion:
    """One content: the graph and what its inputs are for as JSON, and that in words."""

    kind: str
    graph: str = field(repr=False)
    mapping: str = field(repr=False)
    lines: tuple[str, ...]

    @property
    def id(self) -> str:
        return sha256("\0".join((self.kind, self.graph, self.mapping)).encode()).hexdigest()  # JSON has no such sign


@dataclass(frozen=True, kw_only=True)
class StoredWorkflow:
    """The workflow that a name of one owner (kind "user", "guild" or "easel") stands for now."""

    owner_kind: str
    owner_id: str
    name: str
    version: str
    kind: str
    lines: tuple[str, ...]
    created_at: datetime
    updated_at: datetime


class WorkflowStore:
    """The tables `workflows` and `workflow_versions`. Names are the same whatever their case."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def save(self, owner_kind: str, owner_id: str, name: str, version: WorkflowVersion, now: datetime) -> None:
        """Let a name stand for a version, in place of what it stood for."""
        version_id, at = version.id, now.timestamp()
        content = (version_id, version.kind, version.graph, version.mapping, json.dumps(version.lines))
        async with self._database.transaction():
            await self._database.write(ADD_VERSION, content)
            await self._database.write(SAVE, (owner_kind, owner_id, name.casefold(), name, version_id, at, at))
            await self._database.write(SWEEP)

    async def of(self, owner_kind: str, owner_id: str) -> list[StoredWorkflow]:
        """Return what one owner has, by name."""
        return [_read(row) for row in await self._database.fetch(OF_OWNER, (owner_kind, owner_id))]

    async def version(self, version_id: str) -> WorkflowVersion | None:
        rows = await self._database.fetch(VERSION, (version_id,))
        return _read_version(rows[0]) if rows else None

    async def use(self, version_id: str, now: datetime) -> bool:
        """Keep a version for good, since something is drawn with it; False when it is gone."""
        return bool(await self._database.write(USE, (now.timestamp(), version_id)))

    async def delete(self, owner_kind: str, owner_id: str, name: str) -> bool:
        """Forget a name; False when there was none."""
        async with self._database.transaction():
            is_gone = bool(await self._database.write(DELETE, (owner_kind, owner_id, name.casefold())))
            await self._database.write(SWEEP)
        return is_gone


def _read(row: Row) -> StoredWorkflow:
    return StoredWorkflow(
        owner_kind=row["owner_kind"],
        owner_id=row["owner_id"],
        name=row["name"],
        version=row["version"],
        kind=row["kind"],
        lines=tuple(json.loads(row["lines"])),
        created_at=datetime.fromtimestamp(row["created_at"], UTC),
        updated_at=datetime.fromtimestamp(row["updated_at"], UTC),
    )


def _read_version(row: Row) -> WorkflowVersion:
    lines = tuple(json.loads(row["lines"]))
    return WorkflowVersion(kind=row["kind"], graph=row["graph"], mapping=row["mapping"], lines=lines)
