"""Easel beside a bot of fifteen lines, both as processes, in turns: each figure is a ratio to that one's.

Same local Discord, same stand-in engine, pictures of 1.5 MB. The machine may be busy with other things: what counts is
that both were measured in the same minutes.
"""

import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from bench.report import Figure
from bench.world import process, stand_in

GROUP = "floor"
MAIN = Path(__file__).parent.parent / "main.py"
FLOOR = Path(__file__).parent / "floor_bot.py"
A1111 = "tests.engines.a1111_server"
PICTURE_BYTES, BURST, ONE_BY_ONE, STARTS, BURSTS = 1_500_000, 40, 8, 3, 3
REST_S, ENGINE_S = 2.0, 0.5
# goals: how many times the floor's figure, or a figure of its own
START_X, FIRST_X, OVERHEAD_X, BURST_X = 2.0, 1.3, 1.4, 0.9
CPU_MS, REQUESTS = 25.0, 2.5
REST_MB, REST_WEB_MB = 75.0, 85.0
TICKS = os.sysconf("SC_CLK_TCK")
# a start reads what an earlier one has compiled
PLAIN_ENVIRON = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def cpu_s_of(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def memory_mb_of(pid: int) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS:")).split()[1]) / 1024


@dataclass(frozen=True, kw_only=True)
class Bot:
    """A bot at work: what it costs, and the way to play people."""

    pid: int
    control: httpx.AsyncClient

    async def act(self, action: str, **values: Any) -> Any:
        return (await self.control.post(f"/_control/{action}", json=values, timeout=120)).raise_for_status().json()

    async def requests(self) -> int:
        return int((await self.control.get("/_control/state")).json()["requests"])

    async def pictures(self, channel: str, count: int) -> list[float]:
        """Wait for so many messages with a whole picture; return when each got it."""
        async with asyncio.timeout(120):
            while True:
                messages = (await self.control.get("/_control/messages", params={"channel": channel})).json()
                done = [message for message in messages if any(f["size"] >= PICTURE_BYTES for f in message["files"])]
                if len(done) >= count:
                    return sorted((message["edits"] or [message["created_t"]])[-1] for message in done)
                await asyncio.sleep(0.1)

    def cpu_s(self) -> float:
        return cpu_s_of(self.pid)

    def memory_mb(self) -> float:
        return memory_mb_of(self.pid)


@dataclass(frozen=True, kw_only=True)
class Start:
    """Seconds until its commands are there, of those on a processor, and its memory some seconds later."""

    seconds: float
    cpu_s: float
    memory_mb: float


@asynccontextmanager
async def running(
    script: Path, folder: str, *, limits: bool = False, **settings: str
) -> AsyncIterator[tuple[Bot, float]]:
    """Start a bot; yields it and the seconds until its commands were there. `limits`: Discord keeps its own."""
    async with AsyncExitStack() as stack:
        arguments = ("--port", "0", *(["--rate-limits"] if limits else []))
        discord = await stack.enter_async_context(process("tests.discord_server", *arguments, says_json=True))
        control = await stack.enter_async_context(httpx.AsyncClient(base_url=discord["url"]))
        environ = PLAIN_ENVIRON | {
            "DISCORD_TOKEN": discord["token"], "DISCORD_API_URL": discord["api_url"], "DATA_DIR": folder,
            "LOG_LEVEL": "ERROR", "PROBE_LOCAL_PORTS": "false", "PING_AFTER": "0", "MAX_QUEUE_SIZE": "1000",
            "MAX_WAITING_PER_USER": "1000", **settings,
        }  # fmt: skip
        began = time.perf_counter()
        child = await asyncio.create_subprocess_exec(
            sys.executable, "-W", "ignore", str(script), env=environ, cwd=folder, stdout=-3, stderr=-3
        )
        try:
            bot = Bot(pid=child.pid, control=control)
            await bot.act("wait", commands=["generate"], timeout_s=60)
            yield bot, time.perf_counter() - began
        finally:
            child.terminate()
            await child.wait()


async def _start(script: Path, folder: str, *, limits: bool = False, **settings: str) -> Start:
    async with running(script, folder, limits=limits, **settings) as (bot, seconds):
        cpu_s = bot.cpu_s()
        await asyncio.sleep(REST_S)
        return Start(seconds=seconds, cpu_s=cpu_s, memory_mb=bot.memory_mb())


async def start() -> list[Figure]:
    """The first start in a new folder, where Discord takes five writes of commands in 20 s, and those that follow."""
    floor, first, bare, web = [], [], [], []
    for _ in range(STARTS):
        with tempfile.TemporaryDirectory() as folder:
            floor.append(await _start(FLOOR, folder, A1111_URL=""))
            first.append(await _start(MAIN, folder, limits=True, WEB="false"))
            bare.append(await _start(MAIN, folder, WEB="false"))
            web.append(await _start(MAIN, folder, WEB="true", PORT="0"))
    beside, mine = _middle(floor), _middle(bare)
    return [
        _beside(
            "first start, few writes of commands", "first", _middle(first).seconds, mine.seconds, FIRST_X, "a later one"
        ),
        _beside("start to commands", "start", mine.seconds, beside.seconds, START_X),
        _beside("start to commands: on a processor", "start_cpu", mine.cpu_s, beside.cpu_s, START_X),
        _limit("memory at rest, without the studio", "rest", mine.memory_mb, "MB", REST_MB, beside.memory_mb),
        _limit(
            "memory at rest, with the studio", "rest_web", _middle(web).memory_mb, "MB", REST_WEB_MB, beside.memory_mb
        ),
    ]


def _middle(starts: list[Start]) -> Start:
    """Return the medians."""
    return Start(
        seconds=statistics.median(item.seconds for item in starts),
        cpu_s=statistics.median(item.cpu_s for item in starts),
        memory_mb=statistics.median(item.memory_mb for item in starts),
    )


@dataclass(frozen=True, kw_only=True)
class Burst:
    """The cost of a burst: pictures per second, processor time and requests at Discord for each."""

    rate: float
    cpu_ms: float
    requests: float


async def burst() -> list[Figure]:
    """40 people ask in one channel at once; the engine answers at once."""
    ours, floors = [], []
    async with stand_in(A1111, "--seconds", "0", "--image-bytes", str(PICTURE_BYTES)) as engine:
        for _ in range(BURSTS):
            floors.append(await _burst(FLOOR, engine))
            ours.append(await _burst(MAIN, engine))
    rate, floor_rate = (statistics.median(item.rate for item in items) for items in (ours, floors))
    cpu_ms, floor_ms = (statistics.median(item.cpu_ms for item in items) for items in (ours, floors))
    requests = statistics.median(item.requests for item in ours)
    floor_requests = statistics.median(item.requests for item in floors)
    name = "burst of 40, instant engine, one channel"
    return [
        Figure(
            group=GROUP,
            row="burst",
            name=f"{name}: pictures",
            value=rate,
            unit="/s",
            target=f"≥ {BURST_X:g} x the floor",
            is_met=rate >= BURST_X * floor_rate,
            floor=floor_rate,
            beside=f"floor {floor_rate:.1f}/s: {rate / floor_rate:.2f} x",
        ),
        _limit(f"{name}: CPU per picture", "burst_cpu", cpu_ms, "ms", CPU_MS, floor_ms),
        _limit(f"{name}: requests per picture", "requests", requests, "", REQUESTS, floor_requests),
    ]


async def _burst(script: Path, engine: str) -> Burst:
    with tempfile.TemporaryDirectory() as folder:
        async with running(script, folder, WEB="false", A1111_URL=engine) as (bot, _):
            await _warm_up(bot)
            cpu_s, asked = bot.cpu_s(), await bot.requests()
            printed = await asyncio.gather(
                *(bot.act("say", channel="busy", user=f"user{n}", content=f"!dream fox {n}") for n in range(BURST))
            )
            ended = await bot.pictures("busy", BURST)
            began = min(message["created_t"] for message in printed)
            return Burst(
                rate=BURST / (ended[-1] - began),
                cpu_ms=(bot.cpu_s() - cpu_s) / BURST * 1000,
                requests=(await bot.requests() - asked) / BURST,
            )


async def overhead() -> list[Figure]:
    """One picture after the other, beyond the engine's own time."""
    ours, floors = [], []
    async with stand_in(A1111, "--seconds", str(ENGINE_S), "--image-bytes", str(PICTURE_BYTES)) as engine:
        for _ in range(2):
            floors.append(await _overhead_s(FLOOR, engine))
            ours.append(await _overhead_s(MAIN, engine))
    mine, floor = statistics.median(ours), statistics.median(floors)
    return [_beside("overhead per picture, one user", "overhead", mine, floor, OVERHEAD_X)]


async def _overhead_s(script: Path, engine: str) -> float:
    """Seconds from the request to the picture, less those that the engine was at work by its own clock."""
    async with httpx.AsyncClient(base_url=engine) as near:
        with tempfile.TemporaryDirectory() as folder:
            async with running(script, folder, WEB="false", A1111_URL=engine) as (bot, _):
                await _warm_up(bot)
                taken = []
                for number in range(ONE_BY_ONE):
                    printed = await bot.act("say", channel=f"one-{number}", user="mia", content=f"!dream fox {number}")
                    (ended,) = await bot.pictures(f"one-{number}", 1)
                    began, drawn = (await near.get("/stand-in/busy")).json()[-1]
                    taken.append(ended - printed["created_t"] - (drawn - began))
    return statistics.median(taken)


async def _warm_up(bot: Bot) -> None:
    await bot.act("say", channel="warm", user="mia", content="!dream a red fox")
    await bot.pictures("warm", 1)


def _beside(name: str, row: str, seconds: float, floor: float, most: float, of: str = "the floor") -> Figure:
    """A time held against that of the floor, or of another start of our own."""
    return Figure(
        group=GROUP,
        row=row,
        name=name,
        value=seconds,
        unit="s",
        target=f"≤ {most:g} x {of}",
        is_met=seconds <= most * floor,
        floor=floor,
        beside=f"{of} {floor:.3f} s: {seconds / floor:.2f} x",
    )


def _limit(name: str, row: str, value: float, unit: str, limit: float, floor: float) -> Figure:
    return Figure(
        group=GROUP,
        row=row,
        name=name,
        value=value,
        unit=unit,
        target=f"≤ {limit:g}",
        is_met=value <= limit,
        floor=floor,
        beside=f"floor {floor:.3g} {unit}: {value / floor:.2f} x",
    )
