"""Memory available for a piece of work, where the system tells. Blocks for a moment.

Source: the kernel's Documentation/filesystems/proc.rst (MemAvailable) and admin-guide/cgroup-v2.rst; `oom_kill` of
/proc/vmstat counts what a container's own limit ended too.
"""

import re
from pathlib import Path
from typing import Final

from lazy import pattern

MEMINFO: Final = Path("/proc/meminfo")
VMSTAT: Final = Path("/proc/vmstat")
CGROUP: Final = Path("/sys/fs/cgroup")
_AVAILABLE: Final = pattern(r"^MemAvailable:\s+([0-9]+) kB", re.MULTILINE)
_ENDED: Final = pattern(r"^oom_kill ([0-9]+)$", re.MULTILINE)


def free_bytes(meminfo: Path = MEMINFO, cgroup: Path = CGROUP) -> int | None:
    """Return what can be used without pushing others out; None where that cannot be told."""
    match = _AVAILABLE.search(_text(meminfo))
    amounts = [int(match[1]) * 1024] if match else []
    most, used = _text(cgroup / "memory.max").strip(), _text(cgroup / "memory.current").strip()
    if most.isdigit() and used.isdigit():  # a container's own limit; "max" is none
        amounts.append(int(most) - int(used))
    return min(amounts, default=None)


def ended_for_memory(vmstat: Path = VMSTAT) -> int | None:
    """Return how many processes the system has ended for want of memory; None where it does not tell."""
    match = _ENDED.search(_text(vmstat))
    return int(match[1]) if match else None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        return ""
