"""Check the room a folder has left, before something needs it. Blocks for a moment."""

import errno
import shutil
from pathlib import Path
from typing import Final

from texts.text import Text, _, template

LEAST_FREE_BYTES: Final = 200 * 1024**2  # some pictures of a day and the database's own copies
FULL: Final = template(
    "The disk that holds {folder} {state}. Make room there, or set DATA_DIR to a folder on another disk."
)


def free_bytes(folder: Path) -> int | None:
    """Return the bytes free where `folder` is or will be; None where that cannot be told."""
    there = next((part for part in (folder, *folder.absolute().parents) if part.exists()), None)
    try:
        return shutil.disk_usage(there).free if there else None
    except OSError:
        return None


def too_little(folder: Path) -> str:
    """Return a sentence if the disk of `folder` is full or nearly so, else ""."""
    free = free_bytes(folder)
    if free is None or free >= LEAST_FREE_BYTES:
        return ""
    return Text(FULL, {"folder": folder, "state": _("has only {free} MB left", free=free // 1024**2)})


def is_full(error: Exception) -> bool:
    """Return whether this went wrong because a disk, or a person's share of it, is full."""
    if isinstance(error, OSError):
        return error.errno in (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC))
    return "disk is full" in str(error)  # the words of SQLite
