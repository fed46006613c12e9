"""A backup is made while others write, is whole or not there, and comes back on another machine as it was."""

import io
import json
import os
import shutil
import sqlite3
import tarfile
import threading
import time
from contextlib import closing
from hashlib import sha256
from pathlib import Path

import pytest

from store import backup
from store.backup import BackupRefused, DataFolder, write_backup
from store.database import Database
from store.folder import DATABASE_NAME, KEY_NAME, open_store
from store.image_cache import ImageCache
from store.jobs import JobStore
from store.restore import Restored, restore_backup
from tests.fakes import FakeClock
from tests.store.conftest import NOW, make_job

ON_POSIX = pytest.mark.skipif(os.name != "posix", reason="modes of files are POSIX's")


def data_in(folder: Path) -> DataFolder:
    more = {"wildcards": folder / "wildcards", "styles.json": folder / "styles.json"}
    return DataFolder(folder=folder, pictures=folder / "media_cache", more=more)


async def filled(folder: Path, jobs: int = 3) -> DataFolder:
    database, box = await open_store(folder, folder / "media_cache", "", now=NOW)
    for number in range(jobs):
        await JobStore(database, box).insert(make_job(f"job{number}", second=number))
    await database.close()
    cache = await ImageCache.open(folder / "media_cache", clock=FakeClock(NOW), ttl_s=3600.0)
    await cache.close()
    (folder / "wildcards" / "animals").mkdir(parents=True)
    (folder / "wildcards" / "animals" / "big.txt").write_text("elephant\nwhale\n")
    (folder / "styles.json").write_text("[]")
    return data_in(folder)


def written(data: DataFolder, to: Path, *, with_key: bool = False) -> Path:
    write_backup(data, to, version="1.2.3", now=NOW, with_key=with_key)
    return to


def restored(path: Path, folder: Path, *, has_own_key: bool = False, is_replacing: bool = False) -> Restored:
    return restore_backup(path, data_in(folder), now=NOW, has_own_key=has_own_key, is_replacing=is_replacing)


async def ids_in(folder: Path) -> set[str]:
    database, box = await open_store(folder, folder / "media_cache", "", now=NOW)
    found = {job.id for job in await JobStore(database, box).active()}
    await database.close()
    return found


async def test_a_backup_comes_back_in_another_folder_as_it_was(tmp_path: Path) -> None:
    path = written(await filled(tmp_path / "old"), tmp_path / "easel.tar.gz", with_key=True)
    there = restored(path, tmp_path / "new")
    assert (there.moved_to, there.needs_key, there.report.version) == (None, False, "1.2.3")
    assert await ids_in(tmp_path / "new") == {"job0", "job1", "job2"}
    assert (tmp_path / "new" / "wildcards" / "animals" / "big.txt").read_text() == "elephant\nwhale\n"
    assert (tmp_path / "new" / "styles.json").read_text() == "[]"
    assert (tmp_path / "new" / KEY_NAME).read_bytes() == (tmp_path / "old" / KEY_NAME).read_bytes()
    assert not [*(tmp_path / "new").glob(".easel-*")]


async def test_the_key_is_in_a_backup_only_when_asked_for(tmp_path: Path) -> None:
    data = await filled(tmp_path / "old")
    path = written(data, tmp_path / "easel.tar.gz")
    with tarfile.open(path) as packed:
        assert KEY_NAME not in packed.getnames()
    assert restored(path, tmp_path / "new").needs_key
    assert not restored(path, tmp_path / "other", has_own_key=True).needs_key


@ON_POSIX
async def test_only_its_owner_may_read_a_backup_and_what_comes_back(tmp_path: Path) -> None:
    path = written(await filled(tmp_path / "old"), tmp_path / "backups" / "easel.tar.gz", with_key=True)
    restored(path, tmp_path / "new")
    for each in (path, tmp_path / "new" / DATABASE_NAME, tmp_path / "new" / KEY_NAME):
        assert each.stat().st_mode & 0o077 == 0, each
    with tarfile.open(path) as packed:
        assert {(entry.uid, entry.uname, entry.mode) for entry in packed} == {(0, "", 0o600)}


async def test_a_backup_made_while_others_write_has_every_transaction_whole(tmp_path: Path) -> None:
    data = await filled(tmp_path / "old", jobs=0)
    is_over = threading.Event()
    with closing(sqlite3.connect(tmp_path / "old" / DATABASE_NAME)) as made:
        made.execute("CREATE TABLE pairs (number INTEGER)")

    def write() -> None:
        with closing(sqlite3.connect(tmp_path / "old" / DATABASE_NAME, isolation_level=None)) as connection:
            for number in range(100_000):
                connection.execute("BEGIN IMMEDIATE")
                connection.execute("INSERT INTO pairs VALUES (?)", (number,))
                connection.execute("INSERT INTO pairs VALUES (?)", (number,))
                connection.execute("COMMIT")
                if is_over.is_set():
                    return

    writer = threading.Thread(target=write)
    writer.start()
    try:
        paths = [written(data, tmp_path / f"{number}.tar.gz") for number in range(3)]
    finally:
        is_over.set()
        writer.join()
    for path in paths:
        folder = tmp_path / path.stem
        restored(path, folder)
        with closing(sqlite3.connect(folder / DATABASE_NAME)) as connection:
            numbers = [row[0] for row in connection.execute("SELECT number FROM pairs ORDER BY rowid")]
        assert numbers == [number for number in range(len(numbers) // 2) for _ in range(2)]


async def test_a_backup_never_takes_the_place_of_another_file(tmp_path: Path) -> None:
    data = await filled(tmp_path / "old")
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(BackupRefused, match=r"mine\.txt is there already"):
        written(data, tmp_path / "mine.txt")
    assert (tmp_path / "mine.txt").read_text() == "mine"


def test_where_nothing_is_there_is_nothing_to_back_up(tmp_path: Path) -> None:
    with pytest.raises(BackupRefused, match="There is no database in"):
        written(data_in(tmp_path / "old"), tmp_path / "easel.tar.gz")


async def test_a_backup_that_cannot_be_finished_leaves_nothing(tmp_path: Path, monkeypatch) -> None:
    data = await filled(tmp_path / "old")
    monkeypatch.setattr(backup, "free_bytes", lambda _folder: 1024**2)
    with pytest.raises(BackupRefused, match=r"has 1 MB left; the backup needs \d+ MB"):
        written(data, tmp_path / "backups" / "easel.tar.gz")
    monkeypatch.undo()

    def full(*_args: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(backup, "_pack", full)
    with pytest.raises(OSError, match="No space"):
        written(data, tmp_path / "backups" / "easel.tar.gz")
    assert [*(tmp_path / "backups").iterdir()] == []


async def test_what_a_killed_process_left_beside_the_database_is_in_the_backup(tmp_path: Path) -> None:
    data = await filled(tmp_path / "old", jobs=0)
    with closing(sqlite3.connect(data.folder / DATABASE_NAME)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE last (word)")
        connection.execute("INSERT INTO last VALUES ('committed')")
        connection.commit()
        killed = tmp_path / "killed"
        shutil.copytree(data.folder, killed, ignore=shutil.ignore_patterns("*-shm"))
    assert (killed / f"{DATABASE_NAME}-wal").stat().st_size > 0
    restored(written(data_in(killed), tmp_path / "easel.tar.gz"), tmp_path / "new")
    with closing(sqlite3.connect(tmp_path / "new" / DATABASE_NAME)) as connection:
        assert connection.execute("SELECT word FROM last").fetchone() == ("committed",)


@pytest.mark.parametrize("harm", ["cut", "changed", "empty", "other", "missing"])
async def test_a_damaged_backup_is_refused_and_changes_nothing(tmp_path: Path, harm: str) -> None:
    path = written(await filled(tmp_path / "old"), tmp_path / "easel.tar.gz")
    await filled(tmp_path / "new", jobs=1)
    before = await ids_in(tmp_path / "new")
    whole = path.read_bytes()
    middle = len(whole) // 2
    if harm == "missing":
        path.unlink()
    else:
        changed = bytes(byte ^ 0xFF for byte in whole[middle : middle + 40])
        texts = {"cut": whole[:middle], "empty": b"", "other": b"GIF89a" + whole}
        path.write_bytes(texts.get(harm, whole[:middle] + changed + whole[middle + 40 :]))
    with pytest.raises(BackupRefused, match=r"easel\.tar\.gz"):
        restored(path, tmp_path / "new", is_replacing=True)
    assert await ids_in(tmp_path / "new") == before
    assert not [*(tmp_path / "new").glob("before-restore-*")]


def repacked(path: Path, to: Path, **changes: bytes) -> Path:
    """Return the backup with other contents or further members, its hashes made to fit."""
    with tarfile.open(path) as packed:
        files = {entry.name: packed.extractfile(entry).read() for entry in packed}
    manifest = json.loads(files.pop("backup.json"))
    files |= {name.replace("__", "/"): data for name, data in changes.items()}
    manifest["hashes"] = {name: sha256(data).hexdigest() for name, data in files.items()}
    with tarfile.open(to, "w:gz") as out:
        for name, data in {"backup.json": json.dumps(manifest).encode(), **files}.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            out.addfile(entry, io.BytesIO(data))
    return to


async def test_a_backup_writes_nothing_outside_of_the_data_folder(tmp_path: Path) -> None:
    path = written(await filled(tmp_path / "old"), tmp_path / "easel.tar.gz")
    for name in ("..__evil", "files__wildcards__..__..__..__evil", "__evil"):
        bad = repacked(path, tmp_path / "bad.tar.gz", **{name: b"evil"})
        with pytest.raises(BackupRefused, match="is no backup of Easel, or is damaged"):
            restored(bad, tmp_path / "new" / "data")
    repacked(path, tmp_path / "more.tar.gz", files__other__x=b"what this Easel does not know")
    restored(tmp_path / "more.tar.gz", tmp_path / "new" / "data")
    found = {each.name for each in tmp_path.rglob("*")}
    assert "evil" not in found
    assert "other" not in found


async def test_a_backup_of_a_newer_easel_is_refused(tmp_path: Path) -> None:
    data = await filled(tmp_path / "old")
    with closing(sqlite3.connect(data.folder / DATABASE_NAME)) as connection:
        connection.execute("INSERT INTO migrations VALUES ('099_future', 0, '')")
        connection.commit()
    path = written(data, tmp_path / "easel.tar.gz")
    with pytest.raises(BackupRefused, match=r"A newer Easel wrote easel\.sqlite3 in the backup .*099_future"):
        restored(path, tmp_path / "new")
    assert not (tmp_path / "new" / DATABASE_NAME).exists()


async def test_what_is_there_stays_unless_it_may_move_aside(tmp_path: Path) -> None:
    path = written(await filled(tmp_path / "old"), tmp_path / "easel.tar.gz", with_key=True)
    await filled(tmp_path / "new", jobs=1)
    own_key = (tmp_path / "new" / KEY_NAME).read_bytes()
    (tmp_path / "new" / f"{DATABASE_NAME}-wal").write_bytes(b"")
    with pytest.raises(BackupRefused, match=r"has data already\. Name another DATA_DIR, or write --replace"):
        restored(path, tmp_path / "new")
    there = restored(path, tmp_path / "new", is_replacing=True)
    assert there.moved_to == tmp_path / "new" / "before-restore-20260101-120000"
    assert {each.name for each in there.moved_to.iterdir()} == {
        DATABASE_NAME, f"{DATABASE_NAME}-wal", "cache.sqlite3", KEY_NAME,
    }  # fmt: skip
    assert (there.moved_to / KEY_NAME).read_bytes() == own_key
    assert await ids_in(tmp_path / "new") == {"job0", "job1", "job2"}


async def test_a_copy_is_kept_before_the_database_is_brought_up_to_date(tmp_path: Path) -> None:
    steps = backup.easel_steps()
    *older, last = steps
    database = await Database.open(tmp_path / DATABASE_NAME, migrations={name: steps[name] for name in older})
    await database.write("INSERT INTO preferences VALUES ('user:a', '{}')")
    await database.close()
    for _ in range(2):  # the second start has nothing to bring up to date
        await (await Database.open(tmp_path / DATABASE_NAME, migrations=steps, keeps_copy=True)).close()
    (copy,) = tmp_path.glob("easel.before-*")
    assert copy.name == f"easel.before-{last}.sqlite3"
    again = await Database.open(copy, migrations={name: steps[name] for name in older})
    assert len(await again.fetch("SELECT * FROM preferences")) == 1
    await again.close()


async def test_the_first_start_keeps_no_copy_and_later_ones_keep_two(tmp_path: Path) -> None:
    steps = {f"00{number}_x": f"CREATE TABLE t{number} (x)" for number in range(1, 6)}
    names = list(steps)
    for number in range(1, 6):
        some = {name: steps[name] for name in names[:number]}
        await (await Database.open(tmp_path / DATABASE_NAME, migrations=some, keeps_copy=True)).close()
        copies = sorted(path.name for path in tmp_path.glob("*before*"))
        assert copies == [f"easel.before-{name}.sqlite3" for name in names[max(1, number - 2) : number]]


async def test_copies_of_the_database_go_after_two_weeks(tmp_path: Path) -> None:
    for name, days in (("old", 15), ("new", 13)):
        copy = tmp_path / f"easel.before-{name}.sqlite3"
        copy.write_bytes(b"")
        os.utime(copy, (0, NOW.timestamp() - days * 86400))
    await ids_in(tmp_path)
    assert [path.name for path in tmp_path.glob("*before*")] == ["easel.before-new.sqlite3"]


async def test_without_room_for_the_copy_the_database_stays_as_it_is(tmp_path: Path, monkeypatch) -> None:
    steps = {f"00{number}_x": f"CREATE TABLE t{number} (x)" for number in range(1, 3)}
    await (await Database.open(tmp_path / DATABASE_NAME, migrations={"001_x": steps["001_x"]})).close()
    monkeypatch.setattr("store.copies.free_bytes", lambda _folder: 1024)
    with pytest.raises(OSError, match="No space left"):
        await Database.open(tmp_path / DATABASE_NAME, migrations=steps, keeps_copy=True)
    await (await Database.open(tmp_path / DATABASE_NAME, migrations={"001_x": steps["001_x"]})).close()


async def test_what_a_killed_process_left_goes_and_what_another_writes_now_stays(tmp_path: Path) -> None:
    data, place = await filled(tmp_path / "data"), tmp_path / "out"
    for name, age_s in (("left", 7 * 3600.0), ("at-work", 60.0)):
        (place / f".easel-backup-{name}").mkdir(parents=True)
        then = time.time() - age_s
        os.utime(place / f".easel-backup-{name}", (then, then))
    path = written(data, place / "b.tar.gz")
    assert {item.name for item in place.iterdir()} == {".easel-backup-at-work", "b.tar.gz"}
    (tmp_path / "new" / ".easel-restore-left").mkdir(parents=True)
    restored(path, tmp_path / "new")
    assert not [item for item in (tmp_path / "new").iterdir() if item.name.startswith(".")]
