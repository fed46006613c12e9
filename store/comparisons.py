"""Comparisons under way: which jobs one message shows side by side. A row ends when its answer has arrived."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from lazy import dataclass
from store.database import Database, Row, Write
from store.rows import RowReader, seed_from_column, seed_to_column
from texts.text import text_from_json, text_to_json

SAVE = """
    INSERT OR REPLACE INTO comparisons (id, door, prompt, seed, contenders, created_at)
    VALUES (:id, :door, :prompt, :seed, :contenders, :created_at)
"""
GET = "SELECT * FROM comparisons WHERE id = ?"
DUE = "SELECT * FROM comparisons WHERE door = ? ORDER BY created_at, id"
DELETE = "DELETE FROM comparisons WHERE id = ? RETURNING id"


@dataclass(frozen=True, kw_only=True)
class Contender:
    """One engine of a comparison: its job, or why there is none."""

    lane: str
    label: str
    job_id: str = ""
    error: str = ""
    mark: str = ""  # in front of its picture, in place of a number


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """One prompt on several engines."""

    id: str
    door: str
    prompt: str
    seed: int
    contenders: tuple[Contender, ...]
    created_at: datetime

    @property
    def job_ids(self) -> tuple[str, ...]:
        return tuple(contender.job_id for contender in self.contenders if contender.job_id)

    @property
    def is_vote(self) -> bool:
        """Return whether it is between two prompts: those have marks of their own."""
        return any(contender.mark for contender in self.contenders)


class ComparisonStore:
    """The table `comparisons`."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._rows = RowReader("comparisons")

    async def save(self, comparison: Comparison) -> None:
        await self._database.write(*self.saving(comparison))

    def saving(self, comparison: Comparison) -> Write:
        """Return what stores it, in place of what was stored under its id."""
        values = asdict(comparison) | {
            "seed": seed_to_column(comparison.seed),
            "contenders": json.dumps([_contender(contender) for contender in comparison.contenders]),
            "created_at": comparison.created_at.timestamp(),
        }
        return SAVE, values

    async def get(self, comparison_id: str) -> Comparison | None:
        found = self._rows.read(await self._database.fetch(GET, (comparison_id,)), _read)
        return found[0] if found else None

    async def due(self, door: str) -> list[Comparison]:
        """Return what is still to be shown at a door, oldest first."""
        return self._rows.read(await self._database.fetch(DUE, (door,)), _read)

    async def delete(self, comparison_id: str) -> bool:
        return bool(await self._database.write(DELETE, (comparison_id,)))


def _contender(contender: Contender) -> dict[str, Any]:
    return asdict(contender) | {"error": text_to_json(contender.error)}


def _read(row: Row) -> Comparison:
    return Comparison(
        id=row["id"],
        door=row["door"],
        prompt=row["prompt"],
        seed=seed_from_column(row["seed"]),
        contenders=tuple(
            Contender(**stored | {"error": text_from_json(stored.get("error", ""))})
            for stored in json.loads(row["contenders"])
        ),
        created_at=datetime.fromtimestamp(row["created_at"], UTC),
    )
