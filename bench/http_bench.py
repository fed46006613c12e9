"""The HTTP door as a process, beside FastAPI with two routes: requests a second at 100 clients, and 1,000 listeners."""

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.floor_bench import MAIN, PLAIN_ENVIRON, cpu_s_of, memory_mb_of
from bench.report import Figure
from bench.world import answers, free_port, stand_in

GROUP = "http"
FLOOR = Path(__file__).parent / "floor_web.py"
CLIENTS, GETS, POSTS, TURNS = 100, 4000, 1000, 3
LISTENERS, AT_ONCE = 1000, 10
LISTENED_S = 5.0
# times the floor. They were 2.3 and 2.7 of it, and three times as many requests were wanted
GET_X, POST_X = 0.75, 0.9
LISTENER_KB, HEARD_S = 100.0, 3.0
JSON = b"Content-Type: application/json\r\n"
BODY = json.dumps({"prompt": "a red fox", "width": 64, "height": 64}).encode()


@dataclass(frozen=True, kw_only=True)
class Rates:
    """Requests a second, and milliseconds of a processor for each."""

    get: float
    get_ms: float
    post: float
    post_ms: float
    post_p99_ms: float


async def http() -> list[Figure]:
    ours, floors = [], []
    async with stand_in("tests.engines.a1111_server", "--seconds", "3600") as engine:
        for _ in range(TURNS):
            async with _floor() as (port, pid):
                floors.append(await _rates(port, pid))
            async with _easel(engine) as (port, pid):
                ours.append(await _rates(port, pid))
        async with _easel(engine) as (port, pid):
            listeners = await _listeners(port, pid)
    mine, floor = _best(ours), _best(floors)
    p99 = f"p99 {mine.post_p99_ms:.0f} ms, floor {floor.post_p99_ms:.0f} ms"
    return [
        _figure("GET /healthz", "healthz", (mine.get_ms, mine.get), (floor.get_ms, floor.get), GET_X),
        _figure("POST text2img", "post", (mine.post_ms, mine.post), (floor.post_ms, floor.post), POST_X, p99),
        *listeners,
    ]


async def _rates(port: int, pid: int) -> Rates:
    await _ask(port, b"GET", "/healthz", b"", CLIENTS)
    await _ask(port, b"POST", "/generate/text2img", BODY, CLIENTS)
    cpu_s, began = cpu_s_of(pid), time.perf_counter()
    await _ask(port, b"GET", "/healthz", b"", GETS)
    get, get_s = GETS / (time.perf_counter() - began), cpu_s_of(pid) - cpu_s
    cpu_s, began = cpu_s_of(pid), time.perf_counter()
    taken = await _ask(port, b"POST", "/generate/text2img", BODY, POSTS)
    post, post_s = POSTS / (time.perf_counter() - began), cpu_s_of(pid) - cpu_s
    return Rates(
        get=get,
        get_ms=1000 * get_s / GETS,
        post=post,
        post_ms=1000 * post_s / POSTS,
        post_p99_ms=1000 * sorted(taken)[int(0.99 * len(taken)) - 1],
    )


async def _ask(port: int, method: bytes, path: str, body: bytes, count: int, clients: int = CLIENTS) -> list[float]:
    """Send requests over kept connections, each as soon as the last was answered; return how long each took."""
    head = b"%s %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n%sContent-Length: %d\r\n\r\n" % (
        method, path.encode(), port, JSON if body else b"", len(body),
    )  # fmt: skip
    taken: list[float] = []

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(count // clients):
            began = time.perf_counter()
            writer.write(head + body)
            answer = await reader.readuntil(b"\r\n\r\n")
            if not answer.startswith((b"HTTP/1.1 200", b"HTTP/1.1 202")):
                raise RuntimeError(answer.decode())
            length = next(line for line in answer.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            await reader.readexactly(int(length.partition(b":")[2]))
            taken.append(time.perf_counter() - began)
        writer.close()

    await asyncio.gather(*(client() for _ in range(clients)))
    return taken


async def _listeners(port: int, pid: int) -> list[Figure]:
    """Open event streams, and let jobs come: what they cost in memory, and how soon all have heard."""
    before = memory_mb_of(pid)
    heard: list[float] = []
    streams = []
    for _ in range(LISTENERS):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /events HTTP/1.1\r\nHost: 127.0.0.1:%d\r\n\r\n" % port)
        await reader.readuntil(b"\n\n")
        streams.append((reader, writer))

    async def listen(reader: asyncio.StreamReader) -> None:
        while b'"queued"' not in await reader.readuntil(b"\n\n"):
            pass
        heard.append(time.perf_counter())

    tasks = [asyncio.create_task(listen(reader)) for reader, _ in streams]
    cpu_s, began = cpu_s_of(pid), time.perf_counter()
    await asyncio.sleep(LISTENED_S)
    idle_s = cpu_s_of(pid) - cpu_s
    began = time.perf_counter()
    await _ask(port, b"POST", "/generate/text2img", BODY, AT_ONCE, AT_ONCE)
    await asyncio.gather(*tasks)
    heard_s = max(heard) - began
    kb = (memory_mb_of(pid) - before) * 1024 / LISTENERS
    for _, writer in streams:
        writer.close()
    return [
        Figure(group=GROUP, name="memory of a listener, 1,000 of them", value=kb, unit="kB",
               target=f"≤ {LISTENER_KB:g}", is_met=kb <= LISTENER_KB, beside=f"{before:.0f} MB before"),
        Figure(group=GROUP, row="listeners", name="the last of 1,000 listeners has heard of a job", value=heard_s,
               unit="s", target=f"≤ {HEARD_S:g}", is_met=heard_s <= HEARD_S,
               beside=f"10 jobs at once; {100 * idle_s / LISTENED_S:.0f}% of a processor while nothing comes"),
    ]  # fmt: skip


@asynccontextmanager
async def _floor() -> AsyncIterator[tuple[int, int]]:
    with tempfile.TemporaryDirectory() as folder:
        async with _served(FLOOR, folder, (port := str(free_port())), f"{folder}/floor.sqlite3") as pid:
            yield int(port), pid


@asynccontextmanager
async def _easel(engine: str) -> AsyncIterator[tuple[int, int]]:
    settings = {"A1111_URL": engine, "MAX_QUEUE_SIZE": "100000", "MAX_WAITING_PER_USER": "100000", "WEB": "true"}
    with tempfile.TemporaryDirectory() as folder:
        settings |= {"DATA_DIR": folder, "PROBE_LOCAL_PORTS": "false", "LOG_LEVEL": "ERROR", "DISCORD_TOKEN": ""}
        settings |= {"WEB_CONNECTIONS": "2000"}
        settings |= {"PORT": (port := str(free_port()))}
        async with _served(MAIN, folder, "start", **settings) as pid:
            yield int(port), pid


@asynccontextmanager
async def _served(script: Path, folder: str, *arguments: str, **settings: str) -> AsyncIterator[int]:
    port = int(settings.get("PORT") or arguments[0])
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-W", "ignore", str(script), *arguments,
        env=PLAIN_ENVIRON | settings, cwd=folder, stdin=asyncio.subprocess.PIPE, stdout=-3, stderr=-3,
    )  # fmt: skip
    try:
        await answers(port)
        yield child.pid
    finally:
        child.kill()
        await child.wait()


def _best(rates: list[Rates]) -> Rates:
    return Rates(
        get=max(item.get for item in rates),
        get_ms=min(item.get_ms for item in rates),
        post=max(item.post for item in rates),
        post_ms=min(item.post_ms for item in rates),
        post_p99_ms=min(item.post_p99_ms for item in rates),
    )


def _figure(
    name: str, row: str, mine: tuple[float, float], floor: tuple[float, float], most: float, more: str = ""
) -> Figure:
    """Held against the floor by the processor: how many a second there are depends on what else the machine does."""
    (ms, rate), (floor_ms, floor_rate) = mine, floor
    rates = f"{rate:.0f}/s, floor {floor_rate:.0f}/s"
    return Figure(
        group=GROUP,
        row=row,
        name=f"{name} at {CLIENTS} clients, processor each",
        value=ms,
        unit="ms",
        target=f"≤ {most:g} x the floor",
        is_met=ms <= most * floor_ms,
        floor=floor_ms,
        beside="; ".join(filter(None, (f"floor {floor_ms:.2f} ms: {ms / floor_ms:.2f} x", rates, more))),
    )
