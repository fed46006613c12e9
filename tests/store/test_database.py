"""One file, one connection: transactions are whole, cancelled callers leave nothing behind, old files still open."""

import asyncio
import sqlite3
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from store.database import Database, DatabaseTooNew
from store.jobs import JobStore
from store.migrations import easel_steps

ROOT = Path(__file__).parents[2]
VERSION_1 = ROOT / "tests" / "data" / "store" / "easel_v1.sql"
NOTES = {"m001_notes": "CREATE TABLE notes (text TEXT NOT NULL)"}
INSERT = "INSERT INTO notes (text) VALUES (?)"


@pytest.fixture
async def notes(tmp_path):
    database = await Database.open(tmp_path / "notes.sqlite3", migrations=NOTES)
    yield database
    await database.close()


async def texts(database) -> list[str]:
    return [row["text"] for row in await database.fetch("SELECT text FROM notes ORDER BY rowid")]


@pytest.mark.parametrize(
    ("pragma", "value"),
    [
        ("auto_vacuum", 2),
        ("journal_mode", "wal"),
        ("synchronous", 2),
        ("foreign_keys", 1),
        ("secure_delete", 1),
        ("busy_timeout", 5000),
    ],
)
async def test_the_file_is_set_up_for_safety(notes, pragma, value):
    assert (await notes.fetch(f"PRAGMA {pragma}"))[0][0] == value


async def test_a_cache_may_trade_the_last_commits_for_speed(tmp_path):
    database = await Database.open(tmp_path / "a", migrations={}, synchronous="NORMAL", page_bytes=16384)
    assert (await database.fetch("PRAGMA synchronous"))[0][0] == 1
    assert (await database.fetch("PRAGMA page_size"))[0][0] == 16384
    await database.close()


async def test_only_the_owner_can_read_files_and_folders(tmp_path):
    path = tmp_path / "new" / "data" / "easel.sqlite3"
    database = await Database.open(path, migrations=NOTES)
    await database.write(INSERT, ("x",))
    files = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert set(files.values()) == {0o600}
    assert len(files) == 3, "the database, its -wal and its -shm"
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in (path.parent, path.parent.parent)} == {0o700}
    await database.close()


async def test_write_returns_the_rows_of_returning(notes):
    assert [row["text"] for row in await notes.write(INSERT + " RETURNING text", ("x",))] == ["x"]
    assert await notes.write(INSERT, ("y",)) == []


async def test_a_transaction_is_all_or_nothing(notes):
    async def both(first, second):
        async with notes.transaction():
            await notes.write(INSERT, (first,))
            await notes.write(INSERT, (second,))

    with pytest.raises(sqlite3.IntegrityError):
        await both("lost", None)
    await both("a", "b")
    assert await texts(notes) == ["a", "b"]


async def test_others_neither_write_into_a_transaction_nor_read_what_is_not_committed(notes):
    inside, leave = asyncio.Event(), asyncio.Event()

    async def long_one():
        async with notes.transaction():
            await notes.write(INSERT, ("first",))
            inside.set()
            await leave.wait()
            await notes.write(INSERT, ("second",))
            raise ZeroDivisionError

    task = asyncio.create_task(long_one())
    await inside.wait()
    read = asyncio.create_task(texts(notes))
    wrote = asyncio.create_task(notes.write(INSERT, ("other",)))
    await asyncio.sleep(0.01)
    assert not read.done()
    assert not wrote.done()
    leave.set()
    with pytest.raises(ZeroDivisionError):
        await task
    await wrote
    assert "first" not in await read
    assert await texts(notes) == ["other"]


async def test_a_second_transaction_in_the_same_task_is_refused_instead_of_waiting_for_itself(notes):
    with pytest.raises(RuntimeError, match="already open"):
        async with notes.transaction(), notes.transaction():
            pass
    await notes.write(INSERT, ("x",))


@pytest.mark.parametrize("rounds", range(12))
async def test_a_caller_cancelled_anywhere_leaves_no_transaction_open(notes, rounds):
    async def two():
        async with notes.transaction():
            await notes.write(INSERT, ("a",))
            await notes.write(INSERT, ("b",))

    task = asyncio.create_task(two())
    for _ in range(rounds):
        await asyncio.sleep(0.0002)
    task.cancel()
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert await texts(notes) in ([], ["a", "b"])
    async with asyncio.timeout(5), notes.transaction():
        await notes.write(INSERT, ("after",))
    assert (await texts(notes))[-1] == "after"


async def test_a_single_write_whose_caller_is_cancelled_is_whole_and_holds_up_nobody(notes):
    tasks = [asyncio.create_task(notes.write(INSERT, (str(n),))) for n in range(20)]
    await asyncio.sleep(0)
    for task in tasks[::2]:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert await texts(notes) == [str(n) for n in range(20)]


async def test_after_a_failed_statement_the_next_one_works(notes):
    with pytest.raises(sqlite3.IntegrityError):
        await notes.write(INSERT, (None,))
    await notes.write(INSERT, ("x",))
    assert await texts(notes) == ["x"]


async def test_shrink_gives_space_back_and_leaves_no_deleted_bytes(notes, tmp_path):
    await notes.write(INSERT, ("MARKER" * 200_000,))
    await notes.shrink()
    full = notes.path.stat().st_size
    await notes.write("DELETE FROM notes")
    await notes.shrink()
    assert notes.path.stat().st_size < full / 10
    assert not any(b"MARKER" in path.read_bytes() for path in tmp_path.iterdir())


async def test_closing_twice_is_fine_and_ends_the_thread(tmp_path):
    database = await Database.open(tmp_path / "a", migrations={})
    await database.close()
    await database.close()
    with pytest.raises(ValueError, match="onnection"):
        await database.fetch("SELECT 1")


async def test_a_file_that_is_no_database_is_refused_and_no_thread_stays(tmp_path):
    (tmp_path / "a").write_bytes(b"not a database at all" * 500)
    with pytest.raises(sqlite3.DatabaseError):
        await Database.open(tmp_path / "a", migrations={})


async def test_migrations_run_once_each_in_order(tmp_path):
    first = {"m001_notes": "CREATE TABLE notes (text TEXT); INSERT INTO notes VALUES ('from m001')"}
    more = first | {"m002_copy": "CREATE TABLE copies AS SELECT text FROM notes"}
    for migrations in (first, more, more):
        database = await Database.open(tmp_path / "a", migrations=migrations)
        rows = await database.fetch("SELECT name FROM migrations ORDER BY rowid")
        assert [row["name"] for row in rows] == list(migrations)
        await database.close()
    database = await Database.open(tmp_path / "a", migrations=more)
    assert [row["text"] for row in await database.fetch("SELECT text FROM copies")] == ["from m001"]
    await database.close()


async def test_a_migration_that_fails_changes_nothing(tmp_path):
    broken = NOTES | {"m002_broken": "INSERT INTO notes VALUES ('half'); INSERT INTO missing VALUES (1)"}
    with pytest.raises(sqlite3.OperationalError):
        await Database.open(tmp_path / "a", migrations=broken)
    database = await Database.open(tmp_path / "a", migrations=NOTES)
    assert await texts(database) == []
    await database.close()


async def test_a_file_from_a_newer_version_is_refused_with_a_clear_sentence(tmp_path):
    newer = NOTES | {"m002_future": "CREATE TABLE future (x)"}
    await (await Database.open(tmp_path / "easel.sqlite3", migrations=newer)).close()
    with pytest.raises(DatabaseTooNew, match=r"easel\.sqlite3 was written by a newer version of Easel .*m002_future"):
        await Database.open(tmp_path / "easel.sqlite3", migrations=NOTES)


async def schema(database) -> set[tuple[str, str]]:
    rows = await database.fetch("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL")
    return {(row["name"], " ".join(row["sql"].split())) for row in rows}


async def test_a_file_of_version_1_is_brought_up_to_date_with_its_jobs(tmp_path, database, box):
    with sqlite3.connect(tmp_path / "old.sqlite3") as old:
        old.executescript(VERSION_1.read_text())
    old.close()
    migrated = await Database.open(tmp_path / "old.sqlite3", migrations=easel_steps())
    assert await schema(migrated) == await schema(database)
    jobs = JobStore(migrated, box)
    waiting, done = await jobs.get("0123456789ab"), await jobs.get("ba9876543210")
    assert [job.id for job in await jobs.active()] == [waiting.id]
    assert waiting.request.prompt == "a red fox in the snow"
    assert waiting.origin.channel_id == "2001"
    assert waiting.origin.reply_token == "", "it was sealed with a key that is lost"
    assert done.result.images[0].media_id == "Zm94LWluLXRoZS1zbm93LTAx"
    await migrated.close()


WRITER = """
import asyncio, sys
from pathlib import Path
from store.database import Database
from tests.store.test_database import INSERT, NOTES

async def main():
    database = await Database.open(Path(sys.argv[1]), migrations=NOTES)
    for number in range(1_000_000):
        await database.write(INSERT, (str(number),))
        print(number, flush=True)

asyncio.run(main())
"""


async def test_what_was_committed_survives_a_kill(tmp_path):
    command = [sys.executable, "-c", WRITER, str(tmp_path / "a")]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as writer:
        reported = [int(writer.stdout.readline()) for _ in range(30)]
        writer.kill()
        reported += [int(line) for line in writer.stdout.read().splitlines()]
    database = await Database.open(tmp_path / "a", migrations=NOTES)
    stored = {int(text) for text in await texts(database)}
    assert set(reported) <= stored
    assert (await database.fetch("PRAGMA integrity_check"))[0][0] == "ok"
    await database.close()


async def test_a_text_that_is_not_utf_8_is_read_with_a_replacement_beside_others(notes):
    for hexed in ("c3bc", "ff"):
        await notes.write(f"INSERT INTO notes (text) VALUES (CAST(x'{hexed}' AS TEXT))")
    for _ in range(2):
        assert [row["text"] for row in await notes.read("SELECT text FROM notes ORDER BY rowid")] == ["ü", "�"]
    with pytest.raises(sqlite3.OperationalError, match="no such table"):
        await notes.read("SELECT text FROM others")
