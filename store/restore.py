"""Put a backup into a data folder: what was there moves aside, and the database comes last, so that nothing is half."""

import shutil
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Final

from lazy import dataclass
from store.backup import OTHER_FILES, BackupRefused, BackupReport, DataFolder, read_backup
from store.folder import DATABASE_NAME, KEY_NAME
from store.image_cache import FILE_NAME as CACHE_NAME
from texts.text import _
from utils.secrets import make_private_folder

SCRATCH: Final = ".easel-restore-"
BESIDE: Final = ("", "-wal", "-shm")  # what SQLite keeps beside a database belongs to it


@dataclass(frozen=True, kw_only=True)
class Restored:
    """A backup that is put back. `moved_to`: where the former data is; `needs_key`: the key file has to be brought."""

    report: BackupReport
    moved_to: Path | None
    needs_key: bool


def restore_backup(path: Path, data: DataFolder, *, now: datetime, has_own_key: bool, is_replacing: bool) -> Restored:
    """Put the parts of a backup into their places. Blocks; nothing else may work in the folder.

    Args:
        path: the backup.
        data: where its parts go.
        now: names the folder that former data moves into.
        has_own_key: secrets are sealed with the setting SECRET_KEY, not with a key file.
        is_replacing: what is in the folder moves into a folder of its own there.

    Raises:
        BackupRefused: the backup is damaged or too new, or there is data already.
    """
    database = data.folder / DATABASE_NAME
    there = [place for place in (database, data.pictures / CACHE_NAME) if place.exists()]
    if there and not is_replacing:
        raise BackupRefused(
            _(
                "{folder} has data already. Name another DATA_DIR, or write --replace: what is there moves aside.",
                folder=data.folder,
            )
        )
    make_private_folder(data.folder)
    for cut_off in data.folder.glob(f"{SCRATCH}*"):  # by a kill: nobody else puts something back here now
        shutil.rmtree(cut_off, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=SCRATCH, dir=data.folder) as scratch:
        report = read_backup(path, Path(scratch))
        moved_to = _move_aside(data, now, with_key=report.has_key) if there else None
        _put(Path(scratch), data, report)
    needs_key = not has_own_key and not (data.folder / KEY_NAME).exists()
    return Restored(report=report, moved_to=moved_to, needs_key=needs_key)


def _move_aside(data: DataFolder, now: datetime, *, with_key: bool) -> Path:
    aside = data.folder / f"before-restore-{now:%Y%m%d-%H%M%S}"
    make_private_folder(aside)
    places = [data.folder / DATABASE_NAME, data.pictures / CACHE_NAME]
    places += [data.folder / KEY_NAME] if with_key else []
    for place in places:
        for end in BESIDE:
            part = place.with_name(place.name + end)
            if part.exists():
                shutil.move(part, aside / part.name)
    return aside


def _put(scratch: Path, data: DataFolder, report: BackupReport) -> None:
    """Move the parts, the database last: a folder without it says so, instead of starting with half."""
    make_private_folder(data.pictures)
    for name in report.hashes:
        top, _slash, rest = name.partition("/")
        if top == OTHER_FILES:
            first, _slash, below = rest.partition("/")
            if first in data.more:
                _replace(scratch / name, data.more[first] / below if below else data.more[first])
    for name, place in ((CACHE_NAME, data.pictures), (KEY_NAME, data.folder), (DATABASE_NAME, data.folder)):
        if name in report.hashes:
            _replace(scratch / name, place / name)


def _replace(part: Path, place: Path) -> None:
    make_private_folder(place.parent)
    shutil.move(part, place)
