"""Copies of a database file while others write to it. Everything here blocks: call it in a thread."""

import errno
import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

from utils.disks import free_bytes

COPY_WAIT_S: Final = 30.0
KEPT_COPIES: Final = 2
KEPT_S: Final = 14 * 86400.0
SPARE_BYTES: Final = 20 * 1024**2


def copy_database(source: Path, to: Path) -> None:
    """Copy a database into a new file (mode 0600), in one read that no write waits for.

    Source: sqlite.org/backup.html
    """
    os.close(os.open(to, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    address = f"{source.absolute().as_uri()}?mode=ro"
    with (
        closing(sqlite3.connect(address, uri=True, timeout=COPY_WAIT_S)) as there,
        closing(sqlite3.connect(to, isolation_level=None)) as here,
    ):
        there.backup(here)
        here.execute("PRAGMA journal_mode = DELETE")  # a single file; Easel sets it again when it opens it


def keep_copy(path: Path, before: str) -> Path:
    """Copy a database beside itself before its step `before`, and forget older copies of that kind.

    Raises:
        OSError: there is too little room for it.
    """
    copy = path.with_name(f"{path.stem}.before-{before}{path.suffix}")
    if copy.exists():  # from a start that ended before the step did
        return copy
    free = free_bytes(path.parent)
    if free is not None and free < path.stat().st_size + SPARE_BYTES:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(copy))
    part = copy.with_name(f"{copy.name}.part")
    part.unlink(missing_ok=True)
    copy_database(path, part)
    part.replace(copy)
    for old in _copies(path)[:-KEPT_COPIES]:
        old.unlink(missing_ok=True)
    return copy


def forget_old_copies(path: Path, now: float) -> None:
    """Delete the copies of a database that are older than two weeks; `now` is UTC epoch seconds."""
    for copy in _copies(path):
        if copy.stat().st_mtime < now - KEPT_S:
            copy.unlink(missing_ok=True)


def _copies(path: Path) -> list[Path]:
    """Return the copies, the oldest first."""
    found = path.parent.glob(f"{path.stem}.before-*{path.suffix}")
    return sorted(found, key=lambda each: each.stat().st_mtime)
