"""A step that only adds leaves the version before able to go on; one that does more is refused by it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from store import backup
from store.backup import BackupRefused, DataFolder, write_backup
from store.database import Database, DatabaseTooNew
from store.folder import DATABASE_NAME, open_store
from store.jobs import JobStore
from store.migrations import ADDS, cache_steps, easel_steps, only_adds
from store.restore import restore_backup
from tests.store.conftest import NOW, make_job

FIRST_HELD = 28
NEXT = {"028_stars": f"{ADDS}\nALTER TABLE jobs ADD COLUMN stars INTEGER;\nCREATE TABLE stars (job_id TEXT)"}
AFTER_NEXT = {"029_stars": "DROP TABLE stars"}


async def opened(folder: Path, more: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> tuple[Database, JobStore]:
    """Open a folder by the version that has these steps more."""
    for room in ("store.folder", "store.backup"):
        monkeypatch.setattr(f"{room}.easel_steps", lambda: easel_steps() | more)
    database, box = await open_store(folder, folder, "", now=NOW)
    return database, JobStore(database, box)


async def test_the_version_before_goes_on_after_a_step_that_only_adds_and_so_does_the_newer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    for number, more in enumerate((NEXT, {}, NEXT, {})):
        database, jobs = await opened(tmp_path, more, monkeypatch)
        await jobs.insert(make_job(f"job{number}", second=number))
        assert [job.id for job in await jobs.active()] == [f"job{before}" for before in range(number + 1)]
        await database.close()
    assert "which this one goes on with (it has 028_stars)" in caplog.text


async def test_the_version_before_puts_such_a_backup_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database, jobs = await opened(tmp_path / "newer", NEXT, monkeypatch)
    await jobs.insert(make_job("job0"))
    await database.close()
    data = DataFolder(folder=tmp_path / "newer", pictures=tmp_path / "newer", more={})
    write_backup(data, tmp_path / "easel.tar.gz", version="2", now=NOW, with_key=True)
    monkeypatch.setattr(backup, "easel_steps", easel_steps)
    there = DataFolder(folder=tmp_path / "older", pictures=tmp_path / "older", more={})
    restore_backup(tmp_path / "easel.tar.gz", there, now=NOW, has_own_key=False, is_replacing=False)
    database, jobs = await opened(tmp_path / "older", {}, monkeypatch)
    assert [job.id for job in await jobs.active()] == ["job0"]
    await database.close()


async def test_a_step_that_does_more_is_refused_by_the_version_before(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database, __ = await opened(tmp_path, NEXT | AFTER_NEXT, monkeypatch)
    await database.close()
    with pytest.raises(DatabaseTooNew, match=r"\(it has 029_stars\)"):
        await opened(tmp_path, NEXT, monkeypatch)
    data = DataFolder(folder=tmp_path, pictures=tmp_path, more={})
    write_backup(data, tmp_path / "easel.tar.gz", version="2", now=NOW, with_key=True)
    there = DataFolder(folder=tmp_path / "older", pictures=tmp_path / "older", more={})
    with pytest.raises(BackupRefused, match=r"\(it has 029_stars\)"):
        restore_backup(tmp_path / "easel.tar.gz", there, now=NOW, has_own_key=False, is_replacing=False)
    assert (tmp_path / DATABASE_NAME).is_file()


def more_than_adding(script: str) -> list[str]:
    """Return the statements of a step that change what an older version reads or writes."""
    bodies = re.sub(r"(?is)\bCREATE TRIGGER\b.*?\bEND\s*(;|$)", "", re.sub(r"--.*", "", script))
    column = r"ALTER TABLE \w+ ADD COLUMN (?!.*\bNOT NULL(?!.*\bDEFAULT\b))"
    adds = rf"(?i)CREATE (UNIQUE )?(TABLE|INDEX|VIEW)\b|{column}|INSERT\b"
    statements = (" ".join(statement.split()) for statement in bodies.split(";"))
    return [statement for statement in statements if statement and not re.match(adds, statement)]


def test_what_is_more_than_adding_is_found() -> None:
    trigger = "CREATE TRIGGER t AFTER INSERT ON jobs BEGIN DELETE FROM a; UPDATE b SET c = 1; END"
    fine = "CREATE TABLE a (b);\nCREATE INDEX i ON a (b); ALTER TABLE jobs ADD COLUMN c TEXT NOT NULL DEFAULT ''; "
    assert more_than_adding(fine + trigger) == []
    for statement in ("DROP TABLE a", "ALTER TABLE a RENAME TO b", "ALTER TABLE a ADD COLUMN b TEXT NOT NULL"):
        assert more_than_adding(f"{fine}{statement};{trigger}") == [statement]


def test_each_step_from_now_on_only_adds() -> None:
    for name, script in {**easel_steps(), **cache_steps()}.items():
        if int(name.split("_")[0]) >= FIRST_HELD or only_adds(script):
            assert only_adds(script), f"{name} must begin with: {ADDS}"
            assert more_than_adding(script) == [], name


async def test_a_file_in_which_the_column_of_urgent_jobs_was_renamed_opens_and_has_both(tmp_path: Path) -> None:
    renamed = (
        "-- A job may also wait behind others: 1 goes before them, 0 and NULL in turn, -1 behind them.\n"
        "ALTER TABLE jobs RENAME COLUMN is_urgent TO priority;\n"
    )
    path = tmp_path / DATABASE_NAME
    database = await Database.open(path, migrations={**easel_steps(), "028_priority": renamed})
    await database.close()
    database = await Database.open(path, migrations=easel_steps())
    columns = {row["name"] for row in await database.fetch("PRAGMA table_info(jobs)")}
    assert {"is_urgent", "priority"} <= columns
    await database.close()
