"""One file that holds a data folder: written while Easel works, checked whole before it is put back.

The database is copied before the pictures, so that each picture it names is in the copy or had expired.
"""

import json
import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import asdict
from datetime import datetime
from hashlib import file_digest
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Final

from lazy import dataclass
from store.copies import copy_database
from store.database import ADDED_STEPS, ADDED_THERE
from store.folder import DATABASE_NAME, KEY_NAME
from store.image_cache import FILE_NAME as CACHE_NAME
from store.migrations import cache_steps, easel_steps
from texts.text import _
from utils.disks import free_bytes
from utils.secrets import make_private_folder

if TYPE_CHECKING:
    import tarfile

FORMAT: Final = 1
MANIFEST: Final = "backup.json"
OTHER_FILES: Final = "files"  # wildcards, styles: what people put into the folder
COMPRESSION: Final = 1  # pictures do not get smaller; texts do at once
SCRATCH: Final = ".easel-backup-"
CUT_OFF_S: Final = 6 * 3600.0  # no backup takes as long
SPARE_BYTES: Final = 50 * 1024**2


class BackupRefused(Exception):
    """A backup cannot be written or put back; the text says why, and what to do."""


@dataclass(frozen=True, kw_only=True)
class DataFolder:
    """The places of all parts of the data.

    Args:
        folder: holds the database and the key file.
        pictures: the folder of the picture cache.
        more: files and folders that people fill, by their names in a backup; those that are missing are left out.
    """

    folder: Path
    pictures: Path
    more: dict[str, Path]


@dataclass(frozen=True, kw_only=True)
class BackupReport:
    """The contents of a backup. `sizes` has the bytes of each part by its name."""

    version: str
    made_at: str  # ISO 8601, UTC
    has_key: bool
    sizes: dict[str, int]
    hashes: dict[str, str]  # SHA-256
    format: int = FORMAT


def write_backup(data: DataFolder, to: Path, *, version: str, now: datetime, with_key: bool) -> BackupReport:
    """Copy everything into one file (mode 0600) that is there whole or not at all. Blocks.

    Raises:
        BackupRefused: there is no database yet, the file is there already, or there is too little room.
        OSError: a file cannot be read or written.
        sqlite3.Error: a database cannot be read.
    """
    database = data.folder / DATABASE_NAME
    if not database.is_file():
        raise BackupRefused(_("There is no database in {folder} yet: nothing to back up.", folder=data.folder))
    if to.exists():
        raise BackupRefused(_("{name} is there already. Give the backup another name, or delete it.", name=to))
    _need_room(to, [database, data.pictures / CACHE_NAME])
    make_private_folder(to.absolute().parent)
    forget_cut_off(to.absolute().parent)
    with tempfile.TemporaryDirectory(prefix=SCRATCH, dir=to.absolute().parent) as scratch:
        parts = dict(_copied(data, Path(scratch), with_key=with_key))
        report = BackupReport(
            version=version,
            made_at=now.isoformat(),
            has_key=KEY_NAME in parts,
            sizes={name: path.stat().st_size for name, path in parts.items()},
            hashes={name: hash_of(path) for name, path in parts.items()},
        )
        packed = Path(scratch) / "packed"
        _pack(parts, report, packed)
        packed.chmod(0o600)
        os.replace(packed, to)
    return report


def read_backup(path: Path, into: Path) -> BackupReport:
    """Unpack a backup into an empty folder and check all of it. Blocks.

    Raises:
        BackupRefused: it is no backup, is damaged, or a newer Easel wrote it.
    """
    import tarfile  # only here: for who makes or reads a backup

    try:
        with tarfile.open(path, "r:*") as packed:
            names = _unpack(packed, into)
        report = BackupReport(**json.loads((into / MANIFEST).read_text("utf-8")))
    except FileNotFoundError as error:
        raise BackupRefused(_("There is no backup {path}.", path=path)) from error
    except (tarfile.TarError, EOFError, ValueError, TypeError, KeyError, OSError) as error:
        raise BackupRefused(_("{path} is no backup of Easel, or is damaged.", path=path)) from error
    if report.format != FORMAT:
        raise BackupRefused(_("A newer Easel wrote {path}. Install that version to put it back.", path=path))
    for name, wanted in report.hashes.items():
        if name not in names or hash_of(into / name) != wanted:
            raise BackupRefused(_("{path} is damaged: its {name} is not what was written.", path=path, name=name))
    for name, steps in ((DATABASE_NAME, easel_steps()), (CACHE_NAME, cache_steps())):
        if name in report.hashes:
            _check_database(into / name, set(steps))
    return report


def forget_cut_off(folder: Path) -> None:
    """Delete what a killed process left of a backup in this folder; one at work is younger. Blocks."""
    for path in folder.glob(f"{SCRATCH}*"):
        if path.is_dir() and time.time() - path.stat().st_mtime > CUT_OFF_S:
            shutil.rmtree(path, ignore_errors=True)


def hash_of(path: Path) -> str:
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()


def _copied(data: DataFolder, scratch: Path, *, with_key: bool) -> Iterator[tuple[str, Path]]:
    for name, source in ((DATABASE_NAME, data.folder / DATABASE_NAME), (CACHE_NAME, data.pictures / CACHE_NAME)):
        if source.is_file():
            copy_database(source, scratch / name)
            yield name, scratch / name
    if with_key and (data.folder / KEY_NAME).is_file():
        yield KEY_NAME, data.folder / KEY_NAME
    for name, place in data.more.items():
        if place.is_file():
            yield f"{OTHER_FILES}/{name}", place
        elif place.is_dir():
            for path in sorted(place.rglob("*")):
                if path.is_file():
                    yield f"{OTHER_FILES}/{name}/{path.relative_to(place).as_posix()}", path


def _pack(parts: dict[str, Path], report: BackupReport, to: Path) -> None:
    import tarfile  # only here: for who makes or reads a backup

    manifest = to.with_name(MANIFEST)
    manifest.write_text(json.dumps(asdict(report), indent=1), "utf-8")
    with to.open("wb") as file:
        with tarfile.open(fileobj=file, mode="w:gz", compresslevel=COMPRESSION) as packed:
            for name, path in {MANIFEST: manifest, **parts}.items():
                packed.add(path, name, recursive=False, filter=_anonymous)
        file.flush()
        os.fsync(file.fileno())


def _unpack(packed: "tarfile.TarFile", into: Path) -> set[str]:
    """Write the files of an archive; whoever made it decides about nothing outside of the folder."""
    names = set()
    for entry in packed:
        way = PurePosixPath(entry.name)
        if not entry.isfile() or way.is_absolute() or ".." in way.parts or "\\" in entry.name or ":" in entry.name:
            raise ValueError(entry.name)
        content = packed.extractfile(entry)
        assert content, "a file has a content"
        make_private_folder((into / way).parent)
        with (into / way).open("xb") as file:
            shutil.copyfileobj(content, file)
        (into / way).chmod(0o600)
        names.add(entry.name)
    return names


def _anonymous(entry: "tarfile.TarInfo") -> "tarfile.TarInfo":
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    entry.mode = 0o600
    return entry


def _need_room(to: Path, databases: list[Path]) -> None:
    needed = 2 * sum(path.stat().st_size for path in databases if path.is_file()) + SPARE_BYTES  # a copy, and the file
    free = free_bytes(to.absolute().parent)
    if free is not None and free < needed:
        raise BackupRefused(
            _(
                "The disk has {free} MB left; the backup needs {needed} MB while it is made. Make room there.",
                free=free // 1024**2,
                needed=needed // 1024**2,
            )
        )


def _check_database(path: Path, known: set[str]) -> None:
    with closing(sqlite3.connect(path)) as connection:
        try:
            state = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
            steps = {row[0] for row in connection.execute("SELECT name FROM migrations")}
            if connection.execute(ADDED_THERE).fetchone():
                steps -= {row[0] for row in connection.execute(ADDED_STEPS)}
        except sqlite3.Error as error:
            raise BackupRefused(_("{name} in the backup is damaged.", name=path.name)) from error
    if state != "ok":
        raise BackupRefused(_("{name} in the backup is damaged.", name=path.name))
    if unknown := sorted(steps - known):
        raise BackupRefused(
            _(
                "A newer Easel wrote {name} in the backup (it has {unknown}). Install that version to put it back.",
                name=path.name,
                unknown=", ".join(unknown),
            )
        )
