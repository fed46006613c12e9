"""Start to ready and memory with 100,000 jobs in line: `main.py` as a process, beside the same with an empty line."""

import asyncio
import os
import sys
import tempfile
import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from bench.queue_bench import make_job
from bench.report import Figure
from bench.world import stand_in
from generation.job import Job
from store.folder import open_store
from store.job_rows import job_to_row
from store.jobs import INSERT
from tests.discord_server import DiscordServer

GROUP = "backlog"
WAITING: Final = 100_000
USERS: Final = 1000
MORE_S: Final = 0.5
JOB_KB: Final = 5.0
START_WAIT_S: Final = 300.0
REST_WAIT_S: Final = 120.0
MAIN: Final = Path(__file__).parent.parent / "main.py"


async def backlog() -> list[Figure]:
    async with stand_in("tests.engines.a1111_server", "--seconds", "3600") as engine:
        empty_s, empty_mb, empty_rest = await _run(engine, 0)
        full_s, full_mb, full_rest = await _run(engine, WAITING)
    job_kb = (full_mb - empty_mb) * 1024 / WAITING
    return [
        Figure(
            group=GROUP,
            row="backlog",
            name=f"start to commands, {WAITING:,} jobs more in line",
            value=full_s - empty_s,
            unit="s",
            target=f"< {MORE_S:g}",
            is_met=full_s - empty_s < MORE_S,
            beside=f"{full_s:.1f} s, with none {empty_s:.1f} s; at rest after {full_rest:.0f} s and {empty_rest:.0f} s",
        ),
        Figure(
            group=GROUP,
            row="backlog_memory",
            name="memory of a job in line",
            value=job_kb,
            unit="kB",
            target=f"≤ {JOB_KB:g}",
            is_met=job_kb <= JOB_KB,
            beside=f"{full_mb:.0f} MB, with none {empty_mb:.0f} MB",
        ),
    ]


async def _run(engine: str, waiting: int) -> tuple[float, float, float]:
    """Return the seconds until the commands are there, MB at rest, and the seconds until it is."""
    async with DiscordServer() as discord:
        with tempfile.TemporaryDirectory() as folder:
            await _fill(Path(folder), waiting, discord)
            environ = {
                **os.environ,
                "DISCORD_TOKEN": discord.token,
                "DISCORD_API_URL": discord.api_url,
                "A1111_URL": engine,
                "DATA_DIR": folder,
                "LOG_LEVEL": "ERROR",
                "MAX_QUEUE_SIZE": "100000",
            }
            began = time.perf_counter()
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-W", "ignore", str(MAIN), env=environ, cwd=folder, stdout=asyncio.subprocess.DEVNULL
            )
            try:
                await discord.wait_commands({"generate"}, START_WAIT_S)
                usable = time.perf_counter() - began
                await _rests(process.pid)
                return usable, _memory_mb(process.pid), time.perf_counter() - began
            finally:
                process.kill()
                await process.wait()


async def _fill(folder: Path, count: int, discord: DiscordServer) -> None:
    database, box = await open_store(folder, folder, "", now=datetime.now(UTC))
    try:
        await database.fetch("PRAGMA synchronous = OFF")
        for first in range(0, count, 10_000):
            jobs = (_waiting(number, discord) for number in range(first, min(count, first + 10_000)))
            await database.write_all([(INSERT, job_to_row(job, box)) for job in jobs])
    finally:
        await database.close()


def _waiting(number: int, discord: DiscordServer) -> Job:
    job = make_job(number, USERS, lane="a1111")
    channel = str(discord.channel.id)
    origin = replace(job.origin, channel_id=channel, message_id=str(10**18 + number))
    return replace(job, origin=origin, created_at=job.created_at - timedelta(hours=1))


async def _rests(pid: int) -> None:
    """Wait until a process does next to nothing."""
    until = time.perf_counter() + REST_WAIT_S
    last, calm = _cpu_s(pid), 0
    while calm < 2 and time.perf_counter() < until:
        await asyncio.sleep(1)
        now = _cpu_s(pid)
        calm = calm + 1 if now - last < 0.1 else 0
        last = now


def _cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0
