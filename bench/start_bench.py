"""Start to ready, and memory at rest: `main.py` as a process, seen from a local Discord."""

import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path

from bench.report import Figure
from tests.discord_server import DiscordServer

GROUP = "start"
REST_S = 3.0


async def start() -> list[Figure]:
    main = Path(__file__).parent.parent / "main.py"
    async with DiscordServer() as discord:
        with tempfile.TemporaryDirectory() as folder:
            environ = {
                **os.environ,
                "DISCORD_TOKEN": discord.token,
                "DISCORD_API_URL": discord.api_url,
                "DATA_DIR": folder,
                "LOG_LEVEL": "ERROR",
            }
            bare = await _nextcord_alone_s()
            began = time.perf_counter()
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-W", "ignore", str(main), env=environ, cwd=folder, stdout=asyncio.subprocess.DEVNULL
            )
            try:
                await discord.wait_ready(30)
                ready = time.perf_counter() - began
                await discord.wait_commands({"generate"}, 30)
                usable = time.perf_counter() - began
                await asyncio.sleep(REST_S)
                memory = _memory_mb(process.pid)
            finally:
                process.terminate()
                await process.wait()
    return [
        Figure(
            group=GROUP,
            name="start to connected",
            value=ready,
            unit="s",
            beside=f"Python importing nextcord alone: {bare:.2f} s",
        ),
        Figure(group=GROUP, name="start to commands registered", value=usable, unit="s", beside="first start ever"),
        Figure(group=GROUP, name="memory at rest", value=memory, unit="MB", beside="resident, the whole process"),
    ]


async def _nextcord_alone_s() -> float:
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", "import nextcord", stderr=-3)
    await process.wait()
    return time.perf_counter() - began


def _memory_mb(pid: int) -> float:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0
