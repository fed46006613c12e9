"""Easel is killed again and again while assistants have tasks: each keeps its id, and its picture comes once.

Short here. `make test-kill` asks for 1,000 tasks (MCP_TASKS) and prints its seed; KILL_SEED repeats its moments.
"""

import asyncio
import os
import random
import sqlite3
from contextlib import closing, suppress

import pytest

from tests.assistants.conftest import assistant_at
from tests.assistants.test_tools import SMALL, picture_in
from tests.easel_process import free_port, processes
from tests.kill_loop import COUNT_ENDS
from tests.waiting import until

pytest.importorskip("mcp", reason="needs requirements-mcp.txt: make test-mcp")
from tests.assistants.tasks import Tasks, finish  # without the package it fails
from tests.assistants.test_tasks import is_open, is_ready

TASKS = int(os.environ.get("MCP_TASKS", "10"))
PER_KILL = 20
PROGRAMS = 4
LATEST_S = 0.2


class Assistants:
    """Programs that ask for one task after the other, each until it is acknowledged."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._next = 0
        self.tasks: dict[int, str] = {}

    async def work(self) -> None:
        while (number := self._next) < TASKS:
            self._next += 1
            while number not in self.tasks:
                with suppress(Exception):  # a client whose server was killed is of no more use
                    async with asyncio.timeout(10), assistant_at(self._url, extensions=[Tasks()]) as client:
                        await self._ask(client, number)
                await asyncio.sleep(0.05)

    async def _ask(self, client, number: int) -> None:
        asked = {"prompt": f"fox number {number}", "seed": number, "request_id": f"task-{number}", **SMALL}
        task = await client.session.call_tool("draw", asked, allow_claimed=True)
        self.tasks[number] = task.task_id


@pytest.mark.xdist_group("processes")
@pytest.mark.timeout(120 + 3 * TASKS)
async def test_kills_in_mid_task_change_no_id_and_double_no_picture(tmp_path):
    seed = int(os.environ.get("KILL_SEED", "0")) or random.randrange(1, 10**6)
    chance, port = random.Random(seed), free_port()
    url = f"http://127.0.0.1:{port}/mcp"
    print(f"KILL_SEED={seed}, {TASKS} tasks", flush=True)
    settings = {
        "WEB": "true", "PORT": str(port), "PROBE_LOCAL_PORTS": "false", "GRACEFUL_STOP": "0", "SKETCH_DELAY_S": "0.1",
        "MAX_QUEUE_SIZE": "100000", "MAX_WAITING_PER_USER": "100000", "MAX_RUNNING_PER_USER": "10",
    }  # fmt: skip
    kills = 0
    async with processes(tmp_path) as begin:
        process = begin("start", **settings)
        await until(lambda: is_open(port), limit_s=30)
        with closing(sqlite3.connect(tmp_path / "data" / "easel.sqlite3", timeout=10)) as database:
            database.executescript(COUNT_ENDS)
        async with assistant_at(url) as client:
            await until(lambda: is_ready(client), limit_s=30)
        assistants = Assistants(url)
        asking = [asyncio.create_task(assistants.work()) for _ in range(PROGRAMS)]
        for count in sorted(chance.sample(range(1, TASKS), max(1, TASKS // PER_KILL))):
            await until(lambda count=count: len(assistants.tasks) >= count, limit_s=60 + TASKS)
            await asyncio.sleep(chance.uniform(0.0, LATEST_S))
            process.kill()
            await process.wait()
            kills += 1
            process = begin("start", **settings)
            await until(lambda: is_open(port), limit_s=30)
        await asyncio.gather(*asking)
        async with assistant_at(url, extensions=[Tasks()]) as client:
            for number, task_id in assistants.tasks.items():
                done = await finish(client.session, task_id)
                again = await finish(client.session, task_id)
                assert done.structured_content["job_id"] == task_id
                assert picture_in(done).tobytes() == picture_in(again).tobytes(), number
        with closing(sqlite3.connect(f"file:{tmp_path}/data/easel.sqlite3?mode=ro", uri=True)) as database:
            jobs = database.execute("SELECT id, status FROM jobs").fetchall()
            ends = database.execute("SELECT id, status FROM ends").fetchall()
    expected = sorted((task_id, "done") for task_id in assistants.tasks.values())
    print(f"{len(expected)} tasks, {kills} kills, {len(jobs)} jobs", flush=True)
    assert len(expected) == TASKS
    assert sorted(jobs) == expected
    assert sorted(ends) == expected
