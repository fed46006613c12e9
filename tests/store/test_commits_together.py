"""Writes that wait for the disk are committed together; whoever fails, fails alone; a power cut takes the lax ones."""

import asyncio
import random
import shutil
import sqlite3
from pathlib import Path

import pytest

from store.database import Database, Must, NothingThere

NOTES = {
    "001_notes": "CREATE TABLE notes (text TEXT NOT NULL CHECK (text <> 'bad')); CREATE TABLE others (text TEXT UNIQUE)"
}
INSERT = "INSERT INTO notes (text) VALUES (?)"
OTHER = "INSERT INTO others (text) VALUES (?)"
MISSING = Must("UPDATE notes SET text = 'x' WHERE text = 'missing' RETURNING text", ())
FRAME_HEAD, WAL_HEAD = 24, 32


@pytest.fixture
async def notes(tmp_path):
    database = await Database.open(tmp_path / "notes.sqlite3", migrations=NOTES)
    await database.write("DELETE FROM notes")
    yield database
    await database.close()


async def texts(database: Database) -> list[str]:
    return [row["text"] for row in await database.fetch("SELECT text FROM notes ORDER BY rowid")]


def commits(database: Database) -> int:
    """Count the commits in the -wal file; sqlite.org/fileformat2.html#walformat."""
    wal = database.path.with_name(database.path.name + "-wal").read_bytes()
    page_bytes = int.from_bytes(wal[8:12])
    frames = range(WAL_HEAD, len(wal), FRAME_HEAD + page_bytes)
    return sum(wal[at + 4 : at + 8] != bytes(4) and wal[at + 8 : at + 16] == wal[16:24] for at in frames)


async def test_writes_that_wait_are_committed_together(notes):
    before = commits(notes)
    await asyncio.gather(*(notes.write(INSERT, (str(number),)) for number in range(50)))
    assert await texts(notes) == [str(number) for number in range(50)]
    assert commits(notes) - before <= 10, "the first may be alone, the others wait for it"


async def test_each_gets_its_own_rows(notes):
    sql = f"{INSERT} RETURNING text"
    answers = await asyncio.gather(*(notes.write(sql, (str(number),)) for number in range(20)))
    assert [[row["text"] for row in rows] for rows in answers] == [[str(number)] for number in range(20)]


async def test_a_failing_statement_takes_no_other_with_it(notes):
    asked = [notes.write(INSERT, (text,)) for text in ("a", "bad", "b", None, "c")]
    answers = await asyncio.gather(*asked, notes.write("INSERT INTO nowhere VALUES (1)"), return_exceptions=True)
    failed = [isinstance(answer, sqlite3.Error) for answer in answers]
    assert failed == [False, True, False, True, False, True]
    assert await texts(notes) == ["a", "b", "c"]


async def test_a_value_that_cannot_be_bound_takes_no_other_with_it(notes):
    answers = await asyncio.gather(
        *(notes.write(INSERT, (value,)) for value in ("a", 2**70, object(), "b")), return_exceptions=True
    )
    assert [type(answer) for answer in answers] == [list, OverflowError, sqlite3.ProgrammingError, list]
    assert await texts(notes) == ["a", "b"]


async def test_a_unit_that_fails_is_undone_whole_and_alone(notes):
    units = ([(INSERT, ("a",)), (OTHER, ("1",))], [(INSERT, ("b",)), (OTHER, ("1",))], [(INSERT, ("c",)), MISSING])
    answers = await asyncio.gather(
        notes.write(INSERT, ("first",)),
        *map(notes.write_all, units),
        notes.write(INSERT, ("z",)),
        return_exceptions=True,
    )
    kinds = [type(answer) for answer in answers]
    assert kinds == [list, type(None), sqlite3.IntegrityError, NothingThere, list]
    assert await texts(notes) == ["first", "a", "z"]


async def test_where_the_disk_is_full_what_fits_is_kept(notes):
    pages = (await notes.fetch("PRAGMA page_count"))[0][0]
    await notes.fetch(f"PRAGMA max_page_count = {pages + 4}")
    answers = await asyncio.gather(
        notes.write(INSERT, ("a",)),
        notes.write(INSERT, ("x" * 1_000_000,)),
        notes.write(INSERT, ("b",)),
        return_exceptions=True,
    )
    assert [isinstance(answer, sqlite3.OperationalError) for answer in answers] == [False, True, False]
    assert await texts(notes) == ["a", "b"]


async def test_writes_beside_a_transaction_come_after_it_together(notes):
    before = commits(notes)
    async with notes.transaction():
        others = [asyncio.create_task(notes.write(INSERT, (text,))) for text in ("b", "c", "d")]
        await notes.write(INSERT, ("a",))
        await asyncio.sleep(0.01)
        assert not any(task.done() for task in others)
    await asyncio.gather(*others)
    assert await texts(notes) == ["a", "b", "c", "d"]
    assert commits(notes) - before == 2, "the transaction and, together, the others"


async def test_writes_that_wait_at_the_end_are_still_committed(tmp_path):
    database = await Database.open(tmp_path / "a", migrations=NOTES)
    tasks = [asyncio.create_task(database.write(INSERT, (str(number),))) for number in range(30)]
    await asyncio.sleep(0)
    await database.close()
    await asyncio.gather(*tasks)
    again = await Database.open(tmp_path / "a", migrations=NOTES)
    assert len(await texts(again)) == 30
    await again.close()


@pytest.mark.parametrize("is_lax", [True, False])
async def test_only_what_is_lax_is_written_without_a_sync(notes, is_lax):
    traced: list[str] = []
    await notes._writer._connection.set_trace_callback(traced.append)
    await notes.write(INSERT, ("a",), is_lax=is_lax)
    assert any("synchronous = NORMAL" in sql for sql in traced) is is_lax
    assert (await notes.fetch("PRAGMA synchronous"))[0][0] == 2
    await asyncio.gather(notes.write(INSERT, ("b",)), notes.write(INSERT, ("c",), is_lax=True))
    assert not any("NORMAL" in sql for sql in traced[traced.index("PRAGMA synchronous = FULL") + 1 if is_lax else 0 :])


async def test_a_power_cut_loses_what_was_lax_and_nothing_else(notes, tmp_path):
    """The -wal file is cut where it was when the last commit was synced."""
    wal = Path(f"{notes.path}-wal")
    await notes.write(INSERT, ("sure",))
    synced = wal.stat().st_size
    await notes.write(INSERT, ("lax",), is_lax=True)
    shutil.copy(notes.path, tmp_path / "cut.sqlite3")
    (tmp_path / "cut.sqlite3-wal").write_bytes(wal.read_bytes()[:synced])
    cut = await Database.open(tmp_path / "cut.sqlite3", migrations=NOTES)
    assert await texts(cut) == ["sure"]
    assert (await cut.fetch("PRAGMA integrity_check"))[0][0] == "ok"
    await cut.close()


async def test_a_process_that_is_killed_loses_nothing_that_was_lax(notes, tmp_path):
    await notes.write(INSERT, ("lax",), is_lax=True)
    for name in ("", "-wal"):  # what a killed process has written is the system's
        shutil.copy(f"{notes.path}{name}", f"{tmp_path / 'killed.sqlite3'}{name}")
    killed = await Database.open(tmp_path / "killed.sqlite3", migrations=NOTES)
    assert await texts(killed) == ["lax"]
    await killed.close()


@pytest.mark.parametrize("seed", range(3))
async def test_whatever_comes_together_every_caller_gets_an_answer(notes, seed):
    chance = random.Random(seed)
    kept: list[str] = []

    async def someone(name: str) -> None:
        for number in range(12):
            text, way = f"{name}.{number}", chance.randrange(5)
            if way == 0:
                async with notes.transaction():
                    await notes.write(INSERT, (text,))
                    await notes.fetch("SELECT 1")
            elif way == 1:
                await notes.fetch("SELECT 1")
                continue
            elif way == 2:
                await notes.write_all([(INSERT, (text,)), (OTHER, (text,))])
            else:
                await notes.write(INSERT, (text,), is_lax=way == 3)
            kept.append(text)

    async with asyncio.timeout(10):
        await asyncio.gather(*(someone(str(number)) for number in range(20)))
    assert sorted(await texts(notes)) == sorted(kept)


async def test_a_write_that_comes_while_those_before_it_are_committed_is_not_forgotten(notes):
    slow = (
        "INSERT INTO notes (text) WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 300000) "
        "SELECT 'slow' FROM c WHERE n = 300000"
    )
    others: list[asyncio.Task[object]] = []

    async def hold() -> None:
        async with notes.transaction():
            others.append(asyncio.create_task(notes.write(slow)))
            await asyncio.sleep(0)

    others.append(asyncio.create_task(hold()))
    waiting = notes._writer._units.waiting
    for is_full in (True, False):  # then its turn has come
        while bool(waiting) is not is_full:
            await asyncio.sleep(0)
    async with asyncio.timeout(5):
        await notes.write(INSERT, ("late",))
    await asyncio.gather(*others)
    assert await texts(notes) == ["slow", "late"]
