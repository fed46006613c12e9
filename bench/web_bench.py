"""The HTTP door under load: 200 open event streams and 50 clients that submit at once, all against sketch.

The crowd is a process of its own; the loop that is watched is the server's. Its yardstick is the same server answering
`/healthz`, which does nothing.
"""

import asyncio
import json
import resource
import statistics
import sys
import time

import httpx

from app.doors import open_web
from bench.loop_lag import watch_loop
from bench.report import Figure
from bench.world import running_easel

GROUP = "web"
LISTENERS, SUBMITTERS, EACH = 200, 50, 2
ALONE = 40
SUBMIT_S, LAG_S, MEMORY_MB = 2.0, 0.1, 60.0  # all 50 ask at the same moment, and share two cores with us


async def crowd() -> list[Figure]:
    """Submit times, loop lag, memory and events while everybody listens."""
    settings = {"PORT": "0", "MAX_QUEUE_SIZE": "1000", "PROBE_LOCAL_PORTS": "false", "SKETCH_CONCURRENCY": "2"}
    async with running_easel(**settings) as easel:
        door, (url, *_) = await open_web(easel)
        try:
            idle_s, alone_s = await _alone(url)
            before = _memory_mb()
            async with watch_loop() as lag:
                crowd = await asyncio.create_subprocess_exec(
                    sys.executable, "-m", "bench.web_client", url, str(LISTENERS), str(SUBMITTERS), str(EACH),
                    stdout=asyncio.subprocess.PIPE,
                )  # fmt: skip
                out, _ = await crowd.communicate()
            grown = _memory_mb() - before
        finally:
            await door.close()
    reply = json.loads(out)
    taken = sorted(reply["taken"])
    jobs = SUBMITTERS * EACH
    beside = f"one alone, median: {alone_s * 1000:.0f} ms; /healthz: {idle_s * 1000:.1f} ms"
    return [
        _figure(
            "submit with 200 listeners, p99", taken[int(len(taken) * 0.99) - 1] * 1000, "ms", SUBMIT_S * 1000, beside
        ),
        _figure(
            "submit with 200 listeners, median", statistics.median(taken) * 1000, "ms", None, f"{jobs} jobs from 50"
        ),
        _figure("largest loop lag meanwhile", lag.worst_s * 1000, "ms", LAG_S * 1000, f"{reply['events']} events sent"),
        _figure("memory grown meanwhile", grown, "MB", MEMORY_MB, f"{before:.0f} MB before"),
        _figure("all 200 had seen all done", reply["seen_s"], "s", None, f"submitted in {reply['submitted_s']:.1f} s"),
    ]


async def _alone(url: str) -> tuple[float, float]:
    """Return how long /healthz and one submit after the other take, medians in seconds."""
    idle, taken = [], []
    async with httpx.AsyncClient(base_url=url, timeout=30) as client:
        for number in range(ALONE):
            began = time.perf_counter()
            (await client.get("/healthz")).raise_for_status()
            idle.append(time.perf_counter() - began)
            began = time.perf_counter()
            body = {"prompt": f"alone {number}", "width": 64, "height": 64, "steps": 1}
            (await client.post("/api/jobs", json=body)).raise_for_status()
            taken.append(time.perf_counter() - began)
            await asyncio.sleep(0.05)
    return statistics.median(idle), statistics.median(taken)


def _memory_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _figure(name: str, value: float, unit: str, target: float | None, beside: str) -> Figure:
    reply = f"< {target:g}" if target is not None else ""
    is_met = value < target if target is not None else None
    return Figure(group=GROUP, name=name, value=value, unit=unit, target=reply, is_met=is_met, beside=beside)
