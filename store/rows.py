"""Reading rows into values: one that cannot be read is passed over and told once, so that it never breaks a list."""

import logging
from collections.abc import Callable, Iterable
from typing import Final, TypeVar

from constants import MAX_SEED
from store.database import Row

log = logging.getLogger(__name__)

# Broken JSON, a field that is missing or of another kind, a time out of range.
UNREADABLE: Final = (ValueError, TypeError, KeyError, AttributeError, OverflowError, OSError)

T = TypeVar("T")


class RowReader:
    """Reads the rows of one table."""

    def __init__(self, table: str) -> None:
        self._table = table
        self._told: set[str] = set()

    def read(self, rows: Iterable[Row], into: Callable[[Row], T]) -> list[T]:
        """Return what can be read."""
        values = []
        for row in rows:
            try:
                values.append(into(row))
            except UNREADABLE as error:
                self._tell(str(row["id"]) if "id" in row.keys() else "", error)  # noqa: SIM118  # a Row has no `in`
        return values

    def _tell(self, row_id: str, error: Exception) -> None:
        if row_id in self._told:
            return
        self._told.add(row_id)
        log.error(
            "a row of %s cannot be read and is passed over",
            self._table,
            extra={"action": "row_unreadable", "job": row_id, "error": f"{type(error).__name__}: {error}"[:300]},
        )


def seed_to_column(seed: int) -> int:
    """Return a seed as SQLite's signed 64 bits."""
    return seed - (MAX_SEED + 1) if seed > MAX_SEED // 2 else seed


def seed_from_column(value: float) -> int:
    """Return what `seed_to_column` made; a float is what older versions left of a seed of 2^63 and more."""
    return min(int(value), MAX_SEED) if isinstance(value, float) else value % (MAX_SEED + 1)
