"""`kill -9`, and a restored backup, at random moments: no job is lost, none ends twice."""

import asyncio
import os
import random
import shutil
import sqlite3
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from generation.job import Job
from store.backup import DataFolder, write_backup
from store.database import Database, DatabaseTooNew
from store.jobs import JobStore
from store.migrations import easel_steps
from store.restore import restore_backup
from tests.jobs import make_job
from tests.waiting import until
from utils.secrets import SecretBox

ROOT = Path(__file__).parent.parent
JOBS, KILLS = 20, 3
KILLED_BACKUPS = int(os.environ.get("BACKUP_KILLS", "1"))  # of backups and of what puts them back
MOMENTS = 100 if os.environ.get("KILL_REQUESTS") else 3  # of backups: `make test-kill` takes more
# What the table itself has seen: the guarded updates may end a job once, whichever process makes them.
COUNT_ENDS = """
CREATE TABLE ends (id TEXT NOT NULL, status TEXT NOT NULL);
CREATE TRIGGER count_ends AFTER UPDATE OF status ON jobs
WHEN NEW.status NOT IN ('queued', 'running') BEGIN INSERT INTO ends VALUES (NEW.id, NEW.status); END;
"""


async def _fill(path: Path, key: bytes) -> list[Job]:
    database = await Database.open(path, migrations=easel_steps())
    store = JobStore(database, SecretBox(key))
    jobs = [make_job(f"user{number % 3}", created_at=datetime.now(UTC)) for number in range(JOBS)]
    for job in jobs:
        await store.insert(job)
    await database.close()
    with sqlite3.connect(path) as connection:
        connection.executescript(COUNT_ENDS)
    connection.close()
    return jobs


async def _run_victim(path: Path, key: bytes, kill_after_s: float | None, *, version: str = "this") -> bool:
    """Work off the jobs until that is done, or kill it; true if it said that it was done."""
    return await _run("tests.kill_victim", str(path), key.decode(), version, kill_after_s=kill_after_s)


async def _run(module: str, *arguments: str, kill_after_s: float | None) -> bool:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", module, *arguments, cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout
    try:
        assert await process.stdout.readline() == b"ready\n"
        async with asyncio.timeout(kill_after_s):
            return await process.stdout.readline() == b"done\n"
    except TimeoutError:
        return False
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


async def test_killed_at_random_moments_no_job_is_lost_and_none_ends_twice(tmp_path: Path) -> None:
    path, key = tmp_path / "easel.sqlite3", Fernet.generate_key()
    jobs = await _fill(path, key)
    killed = 0
    for _ in range(KILLS):
        if await _run_victim(path, key, random.uniform(0.0, 0.12)):
            break
        killed += 1
    assert killed
    async with asyncio.timeout(20):
        assert await _run_victim(path, key, None)
    _check_ends(path, jobs)


def _check_ends(path: Path, jobs: list[Job]) -> None:
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT id, status FROM jobs").fetchall()
    ends = connection.execute("SELECT id, status FROM ends").fetchall()
    connection.close()
    expected = sorted((job.id, "done") for job in jobs)
    assert sorted(rows) == expected
    assert sorted(ends) == expected


@pytest.mark.timeout(60 + 10 * MOMENTS)
async def test_a_backup_of_any_moment_of_work_goes_on_elsewhere_with_nothing_lost_or_doubled(tmp_path: Path) -> None:
    key, unfinished = Fernet.generate_key(), 0
    for moment in range(MOMENTS):
        folder = tmp_path / f"old{moment}"
        jobs = await _fill(folder / "easel.sqlite3", key)
        at_work = asyncio.create_task(_run_victim(folder / "easel.sqlite3", key, 60))
        await _wait_for_the_first_end(folder / "easel.sqlite3")
        await asyncio.sleep(random.uniform(0.0, 0.05))
        path = tmp_path / f"{moment}.tar.gz"
        await asyncio.to_thread(_back_up, folder, path)
        await at_work
        elsewhere = tmp_path / f"new{moment}"
        await asyncio.to_thread(_restore, path, elsewhere)
        connection = sqlite3.connect(elsewhere / "easel.sqlite3")
        unfinished += connection.execute("SELECT count(*) FROM jobs WHERE status IN ('queued', 'running')").fetchone()[
            0
        ]
        connection.close()
        async with asyncio.timeout(20):
            assert await _run_victim(elsewhere / "easel.sqlite3", key, None)
        _check_ends(elsewhere / "easel.sqlite3", jobs)
    assert unfinished


async def _wait_for_the_first_end(path: Path) -> None:
    connection = sqlite3.connect(path)
    try:
        await until(lambda: connection.execute("SELECT count(*) FROM ends").fetchone()[0], limit_s=60)
    finally:
        connection.close()


def _back_up(folder: Path, to: Path) -> None:
    write_backup(_data(folder), to, version="1", now=datetime.now(UTC), with_key=False)


def _restore(path: Path, folder: Path) -> None:
    restore_backup(path, _data(folder), now=datetime.now(UTC), has_own_key=True, is_replacing=False)


def _data(folder: Path) -> DataFolder:
    return DataFolder(folder=folder, pictures=folder / "media_cache", more={})


@pytest.mark.timeout(60 + 30 * KILLED_BACKUPS)
async def test_kills_while_a_backup_is_written_and_put_back_lose_and_double_nothing(tmp_path: Path) -> None:
    """Kill at random moments what writes it, the Easel it is of, what puts it back, and the Easel that goes on."""
    seed = int(os.environ.get("KILL_SEED", "0")) or random.randrange(1, 10**6)
    print(f"KILL_SEED={seed}, {KILLED_BACKUPS} backups", flush=True)
    chance, key = random.Random(seed), Fernet.generate_key()
    cut_off = {"backup": 0, "restore": 0}
    for moment in range(KILLED_BACKUPS):
        old, new, file = tmp_path / f"old{moment}", tmp_path / f"new{moment}", tmp_path / f"{moment}.tar.gz"
        jobs = await _fill(old / "easel.sqlite3", key)
        (old / "wildcards").mkdir()
        (old / "wildcards" / "big.txt").write_bytes(chance.randbytes(2_000_000))
        at_work = asyncio.create_task(_run_victim(old / "easel.sqlite3", key, chance.uniform(0.1, 0.8)))
        await asyncio.sleep(chance.uniform(0.0, 0.3))
        task = "tests.backup_victim"
        if not await _run(task, "backup", str(old), str(file), kill_after_s=chance.uniform(0.0, 0.15)):
            cut_off["backup"] += not file.exists()
            file.unlink(missing_ok=True)  # cut off before it could say that it was there
            assert await _run(task, "backup", str(old), str(file), kill_after_s=20)
        await at_work  # killed too, or done
        if not await _run(task, "restore", str(new), str(file), kill_after_s=chance.uniform(0.0, 0.1)):
            cut_off["restore"] += not (new / "easel.sqlite3").exists()
            assert await _run(task, "restore", str(new), str(file), kill_after_s=20)
        assert (new / "wildcards" / "big.txt").read_bytes() == (old / "wildcards" / "big.txt").read_bytes()
        await _run_victim(new / "easel.sqlite3", key, chance.uniform(0.0, 0.2))
        async with asyncio.timeout(20):
            assert await _run_victim(new / "easel.sqlite3", key, None)
        _check_ends(new / "easel.sqlite3", jobs)
        shutil.rmtree(old)
        shutil.rmtree(new)
    print(f"cut off: {cut_off}", flush=True)
    assert KILLED_BACKUPS < 20 or all(cut_off.values())


async def test_the_next_version_goes_on_with_what_a_killed_one_left_and_the_way_back_is_as_the_docs_say(
    tmp_path: Path,
) -> None:
    path, key = tmp_path / "easel.sqlite3", Fernet.generate_key()
    jobs = await _fill(path, key)
    assert not await _run_victim(path, key, 0.1)  # killed while it draws
    assert not await _run_victim(path, key, 0.1, version="next")
    with pytest.raises(DatabaseTooNew, match="newer"):
        await Database.open(path, migrations=easel_steps())
    (copy,) = tmp_path.glob("easel.before-*.sqlite3")
    async with asyncio.timeout(20):
        assert await _run_victim(path, key, None, version="next")
    _check_ends(path, jobs)
    for part in tmp_path.glob("easel.sqlite3*"):  # the way back: stop, delete, give the copy that name, start
        part.unlink()
    copy.rename(path)
    async with asyncio.timeout(20):
        assert await _run_victim(path, key, None)
    _check_ends(path, jobs)
