"""Up to the next version and back to this one while programs ask for pictures: nothing is lost, nothing doubled."""

from __future__ import annotations

import asyncio
import sqlite3
from collections import Counter
from contextlib import closing, suppress
from pathlib import Path

import httpx
import pytest

from store.migrations import ADDS, easel_steps
from tests.easel_process import EaselProcess, free_port, processes
from tests.store.ready import lay_cache, lay_database
from tests.waiting import until

pytestmark = pytest.mark.xdist_group("processes")  # one process to fork from

REQUESTS = 24
LIVES = 3
NEXT_STEP = f"""{ADDS}
ALTER TABLE jobs ADD COLUMN stars INTEGER NOT NULL DEFAULT 0;
CREATE TABLE stars (job_id TEXT PRIMARY KEY);
CREATE TRIGGER stars_of_jobs AFTER INSERT ON jobs BEGIN INSERT INTO stars VALUES (NEW.id); END
"""


def become_next_version() -> None:
    easel_steps()["028_stars"] = NEXT_STEP  # type: ignore[index]  # it is a dict


async def test_no_job_is_lost_between_two_versions(tmp_path: Path) -> None:
    port = free_port()
    settings = {
        "DATA_DIR": str(tmp_path / "data"), "MEDIA_CACHE_DIR": str(tmp_path / "data"), "WEB": "true", "PORT": str(port),
        "PROBE_LOCAL_PORTS": "false", "SKETCH_DELAY_S": "0.05", "GRACEFUL_STOP": "5", "MAX_QUEUE_SIZE": "1000",
        "MAX_WAITING_PER_USER": "1000", "MAX_RUNNING_PER_USER": "4",
    }  # fmt: skip
    await lay_database(tmp_path / "data" / "easel.sqlite3")
    await lay_cache(tmp_path / "data")
    taken: set[int] = set()

    async with processes(tmp_path) as begin, httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:

        async def ask(number: int) -> None:
            body = {"prompt": f"fox number {number}", "width": 64, "height": 64, "steps": 4}
            while number not in taken:
                with suppress(httpx.HTTPError):
                    answer = await client.post("/api/jobs", json=body, headers={"Idempotency-Key": f"request-{number}"})
                    if answer.status_code == 202:
                        taken.add(number)
                await asyncio.sleep(0.02)

        async def live(number: int) -> EaselProcess:
            is_next = number % 2 == 1
            process = begin("start", log=f"log-{number}", prepare=become_next_version if is_next else None, **settings)
            wanted = min(REQUESTS, (number + 1) * REQUESTS // LIVES)
            asking.extend(asyncio.create_task(ask(n)) for n in range(len(asking), wanted))
            await until(lambda: len(taken) >= wanted - 2, limit_s=30)
            return process

        asking: list[asyncio.Task[None]] = []
        for number in range(LIVES - 1):
            process = await live(number)
            process.send_signal(9 if number else 15)
            await process.wait()
        process = await live(LIVES - 1)
        await asyncio.gather(*asking)
        await until(lambda: not rows(tmp_path, "SELECT 1 FROM jobs WHERE finished_at IS NULL"), limit_s=30)
        process.send_signal(15)
        await process.wait()
    jobs = rows(tmp_path, "SELECT json_extract(origin, '$.request_key'), status FROM jobs")
    assert Counter(jobs) == Counter((f"request-{number}#0", "done") for number in range(REQUESTS))
    assert rows(tmp_path, "SELECT count(*) FROM stars") != [(0,)]
    logs = [(tmp_path / f"log-{number}").read_text() for number in range(LIVES)]
    assert ["goes on with" in log for log in logs] == [False, False, True]
    assert "Traceback" not in "".join(logs)


def rows(folder: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(folder / "data" / "easel.sqlite3", timeout=10)) as connection:
        return connection.execute(sql).fetchall()
