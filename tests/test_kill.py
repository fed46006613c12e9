"""`kill -9` at random moments: no job is lost, none ends twice."""

import asyncio
import random
import sqlite3
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from cryptography.fernet import Fernet

from generation.job import Job
from store.database import Database
from store.jobs import JobStore
from store.migrations import easel_steps
from tests.jobs import make_job
from utils.secrets import SecretBox

ROOT = Path(__file__).parent.parent
JOBS, KILLS = 20, 3
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


async def _run_victim(path: Path, key: bytes, kill_after_s: float | None) -> bool:
    """Run until it is done, or kill it; true if it said that it was done."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "tests.kill_victim",
        str(path),
        key.decode(),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
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
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT id, status FROM jobs").fetchall()
    ends = connection.execute("SELECT id, status FROM ends").fetchall()
    connection.close()
    expected = sorted((job.id, "done") for job in jobs)
    assert sorted(rows) == expected
    assert sorted(ends) == expected
