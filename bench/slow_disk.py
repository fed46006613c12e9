"""A disk whose fsync takes its time: every commit that is synced sleeps, in whichever thread commits."""

import re
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final
from unittest.mock import patch

_CHANGES: Final = re.compile(r"\s*(INSERT|UPDATE|DELETE|REPLACE|WITH)\b")
_LEVEL: Final = re.compile(r"PRAGMA synchronous = (\w+)")


@dataclass
class Disk:
    """`synced`: commits that waited for the disk."""

    fsync_s: float
    synced: int = 0

    def sync(self) -> None:
        self.synced += 1
        time.sleep(self.fsync_s)


@contextmanager
def slow_disk(fsync_s: float) -> Iterator[Disk]:
    """Let every connection that is opened inside commit to such a disk."""
    disk = Disk(fsync_s)

    class SlowConnection(sqlite3.Connection):
        is_synced = True

        def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
            was_open = self.in_transaction
            cursor = super().execute(sql, parameters)
            self._look_at(sql)
            if not self.in_transaction and (was_open or _CHANGES.match(sql)):
                self._sync()
            return cursor

        def executescript(self, sql_script: str, /) -> sqlite3.Cursor:
            cursor = super().executescript(sql_script)
            self._look_at(sql_script)
            self._sync()
            return cursor

        def commit(self) -> None:
            was_open = self.in_transaction
            super().commit()
            if was_open:
                self._sync()

        def _look_at(self, sql: str) -> None:
            for level in _LEVEL.findall(sql):
                self.is_synced = level == "FULL"

        def _sync(self) -> None:
            if self.is_synced:
                disk.sync()

    connect = sqlite3.connect

    def connected(*arguments: Any, factory: Any = sqlite3.Connection, **options: Any) -> sqlite3.Connection:
        made = factory if isinstance(factory, partial) else partial(factory)
        slow = type("Slow", (SlowConnection, made.func), {})  # the store's own connection commits for itself
        return connect(*arguments, factory=partial(slow, *made.args, **made.keywords), **options)

    with patch.object(sqlite3, "connect", connected):
        yield disk
