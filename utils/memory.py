"""Memory available for a piece of work, where the system tells. Blocks for a moment.

Source: the kernel's Documentation/filesystems/proc.rst (MemAvailable) and admin-guide/cgroup-v2.rst.
"""

import re
from pathlib import Path
from typing import Final

from lazy import pattern

MEMINFO: Final = Path("/proc/meminfo")
CGROUP: Final = Path("/sys/fs/cgroup")
_AVAILABLE: Final = pattern(r"^MemAvailable:\s+([0-9]+) kB", re.MULTILINE)


def free_bytes(meminfo: Path = MEMINFO, cgroup: Path = CGROUP) -> int | None:
    """Return what can be used without pushing others out; None where that cannot be told."""
    match = _AVAILABLE.search(_text(meminfo))
    amounts = [int(match[1]) * 1024] if match else []
    most, used = _text(cgroup / "memory.max").strip(), _text(cgroup / "memory.current").strip()
    if most.isdigit() and used.isdigit():  # a container's own limit; "max" is none
        amounts.append(int(most) - int(used))
    return min(amounts, default=None)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        return ""
