"""`python main.py backup FILE` and `restore FILE`: all that Easel keeps in one file, and back from it."""

from argparse import Namespace
from pathlib import Path
from typing import Any, Literal

from console.arguments import add
from console.text import say
from lazy import dataclass
from texts.text import _

MB = 1024**2


@dataclass(frozen=True, kw_only=True)
class BackupCommand:
    """A task for backups. `with_key` counts for a backup, `is_replacing` for a restore."""

    action: Literal["backup", "restore"]
    path: Path
    with_key: bool = False
    is_replacing: bool = False


def add_to(commands: Any) -> None:
    """Describe `backup` and `restore` to the command line."""
    backup = add(commands, "backup", _("copy all that Easel keeps into one file, also while it works"), _backup)
    backup.add_argument("path", metavar="FILE", type=Path, help=_("the file to write, easel.tar.gz for example"))
    backup.add_argument(
        "--with-key",
        action="store_true",
        help=_("the key of stored secrets, too: then keep the file where no one sees it"),
    )
    restore = add(commands, "restore", _("put a backup into the data folder, where no Easel may run"), _restore)
    restore.add_argument("path", metavar="FILE", type=Path, help=_("a file that `backup` has written"))
    restore.add_argument("--replace", action="store_true", help=_("move aside what is in the data folder"))


def tell_backup(path: Path, size_bytes: int, *, has_key: bool) -> int:
    """Print what was written; return the exit code."""
    say(_("{path}: {size:.1f} MB of data.", path=path, size=size_bytes / MB))
    if not has_key:
        say(_("The key of stored secrets is not in it: keep secret.key (or SECRET_KEY) at another place."))
    return 0


def tell_restored(made_at: str, version: str, *, moved_to: Path | None, needs_key: bool) -> int:
    """Print what was put back and what is still to do; return the exit code."""
    say(_("The data of {made_at} is back (Easel {version}).", made_at=made_at[:16].replace("T", " "), version=version))
    if moved_to:
        say(_("What was there before is in {folder}.", folder=moved_to))
    if needs_key:
        say(_("Put secret.key of the old machine into DATA_DIR (or set SECRET_KEY) before you start Easel."))
    say(_("Stop the Easel that the backup is of before you start this one: both would answer people."))
    return 0


def _backup(values: Namespace) -> BackupCommand:
    return BackupCommand(action="backup", path=values.path, with_key=values.with_key)


def _restore(values: Namespace) -> BackupCommand:
    return BackupCommand(action="restore", path=values.path, is_replacing=values.replace)
