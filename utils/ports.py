"""Find who has a port: for the one message people need when theirs is taken. Reads /proc, so Linux only; blocks."""

import os
from pathlib import Path
from typing import Final

from texts.text import _

CHOOSE_ANOTHER: Final = _("set PORT in .env to another one")
LISTENING: Final = "0A"  # the state in /proc/net/tcp, see proc(5)


class PortInUse(Exception):
    """Another program listens on the port already."""

    def __init__(self, port: int, otherwise: str = CHOOSE_ANOTHER) -> None:
        holder = holder_of(port)
        by = _("another program ({holder})", holder=holder) if holder else _("another program")
        super().__init__(
            _("Port {port} is in use by {by}. Stop that, or {otherwise}.", port=port, by=by, otherwise=otherwise)
        )


def holder_of(port: int, proc: Path = Path("/proc")) -> str:
    """Return who listens on a TCP port, like "python3, process 4711"; "" where that cannot be told."""
    inodes = {inode for name in ("tcp", "tcp6") for inode in _inodes(proc / "net" / name, port)}
    if not inodes:
        return ""
    for process in proc.glob("[0-9]*"):
        try:
            if any(_link(item) in inodes for item in (process / "fd").iterdir()):
                return _(
                    "{read_text}, process {name}", read_text=(process / "comm").read_text().strip(), name=process.name
                )
        except OSError:  # it has ended, or is somebody else's
            continue
    return ""


def _link(descriptor: Path) -> str:
    try:
        return os.readlink(descriptor)
    except OSError:  # closed since it was listed; the others of its process still count
        return ""


def _inodes(table: Path, port: int) -> list[str]:
    try:
        rows = [line.split() for line in table.read_text().splitlines()[1:]]
    except OSError:
        return []
    return [f"socket:[{row[9]}]" for row in rows if row[3] == LISTENING and int(row[1].rpartition(":")[2], 16) == port]
