"""Tasks: the id of a task is the job's, so a kill of Easel ends none."""

import asyncio
import sqlite3
import sys
from pathlib import Path

import pytest

from tests.assistants.conftest import assistant_at, served
from tests.assistants.test_tools import SMALL, picture_in
from tests.easel_process import free_port, processes
from tests.waiting import until

pytest.importorskip("mcp", reason="needs requirements-mcp.txt: make test-mcp")
from tests.assistants.tasks import Tasks, cancel_task, finish, get_task  # without the package it fails

ROOT = Path(__file__).parents[2]


async def test_a_client_that_takes_tasks_gets_one_and_its_picture(tmp_path):
    async with served(tmp_path) as (site, url), assistant_at(url, extensions=[Tasks()]) as client:
        result = await client.call_tool("draw", {"prompt": "a fox", **SMALL})
        task = await client.session.call_tool("draw", {"prompt": "a cat", **SMALL}, allow_claimed=True)
        done = await finish(client.session, task.task_id)
        job = await site.web.services.generation.get(task.task_id)
    assert result.structured_content["status"] == "done"
    assert picture_in(result).size == picture_in(done).size == (64, 64)
    assert job.request.prompt == "a cat"


async def test_a_task_is_cancelled_and_is_nobody_elses_to_see(tmp_path):
    from mcp.shared.exceptions import MCPError

    async with (
        served(tmp_path, SKETCH_DELAY_S="30") as (site, url),
        assistant_at(url, extensions=[Tasks()]) as client,
    ):
        asked = {"prompt": "a fox", "private": True, **SMALL}
        task = await client.session.call_tool("draw", asked, allow_claimed=True)
        working = await get_task(client.session, task.task_id)
        __, key = await site.web.access.create_key("other", ["read", "generate"])
        async with assistant_at(url, key, extensions=[Tasks()]) as other:
            with pytest.raises(MCPError, match="There is no job"):
                await get_task(other.session, task.task_id)
        await cancel_task(client.session, task.task_id)
        ended = await get_task(client.session, task.task_id)
    assert (working.status, ended.status) == ("working", "cancelled")


@pytest.mark.timeout(120)
async def test_a_task_outlives_a_kill_of_easel_with_the_same_id_and_one_picture(tmp_path):
    port = free_port()
    url = f"http://127.0.0.1:{port}/mcp"
    settings = {
        "WEB": "true", "PORT": str(port), "PROBE_LOCAL_PORTS": "false", "GRACEFUL_STOP": "0", "SKETCH_DELAY_S": "0",
    }  # fmt: skip
    async with processes(tmp_path) as begin:
        first = begin("start", log="first", **settings | {"SKETCH_DELAY_S": "60"})
        await until(lambda: is_open(port), limit_s=30)
        async with assistant_at(url, extensions=[Tasks()]) as client:
            await until(lambda: is_ready(client), limit_s=30)
            task = await client.session.call_tool("draw", {"prompt": "a fox", **SMALL}, allow_claimed=True)
            assert task.result_type == "task", task
            first.kill()
            await first.wait()
            begin("start", log="second", **settings)
            await until(lambda: is_open(port), limit_s=30)
            done = await finish(client.session, task.task_id)
        with sqlite3.connect(f"file:{tmp_path}/data/easel.sqlite3?mode=ro", uri=True) as database:
            jobs = database.execute("SELECT id, status FROM jobs").fetchall()
    assert picture_in(done).size == (64, 64)
    assert done.structured_content["job_id"] == task.task_id
    assert jobs == [(task.task_id, "done")]


async def is_ready(client) -> bool:
    engines = (await client.call_tool("engines", {})).structured_content["engines"]
    return any(engine["modes"] for engine in engines)


async def is_open(port: int) -> bool:
    try:
        __, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


@pytest.mark.timeout(120)
async def test_an_assistant_that_starts_easel_itself_speaks_over_stdio(tmp_path):
    from mcp.client import Client
    from mcp.client.stdio import StdioServerParameters

    environ = {
        "DATA_DIR": str(tmp_path), "PROBE_LOCAL_PORTS": "false", "SKETCH_DELAY_S": "0", "GRACEFUL_STOP": "0",
        "PYTHONPATH": f"{ROOT}/packages/easel_sketch",
    }  # fmt: skip
    program = StdioServerParameters(
        command=sys.executable, args=[str(ROOT / "main.py"), "mcp"], env=environ, cwd=str(tmp_path)
    )
    async with Client(program) as client:
        result = await client.call_tool("draw", {"prompt": "a fox", **SMALL})
    assert picture_in(result).size == (64, 64)
