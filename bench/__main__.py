"""`python -m bench [queue discord engines line web history disk backlog floor start gpu]`: measure, print, save."""

import asyncio
import sys
from collections.abc import Awaitable, Callable

from bench import (
    backlog_bench,
    channel_bench,
    discord_bench,
    disk_bench,
    floor_bench,
    gpu_bench,
    history_bench,
    lanes_bench,
    line_bench,
    overhead_bench,
    page_bench,
    progress_bench,
    queue_bench,
    start_bench,
    web_bench,
)
from bench.report import Figure, save, show

Bench = Callable[[], Awaitable[list[Figure]]]
GROUPS: dict[str, tuple[Bench, ...]] = {
    "queue": (queue_bench.throughput, queue_bench.submit_latency, queue_bench.busy_engine),
    "discord": (
        discord_bench.overhead,
        discord_bench.crowd,
        discord_bench.burst,
        discord_bench.busy,
        channel_bench.seen,
        channel_bench.requests,
    ),
    "engines": (overhead_bench.overhead, lanes_bench.busy, lanes_bench.failover, progress_bench.progress),
    "line": (line_bench.busy,),
    "web": (web_bench.crowd, page_bench.page),
    "history": (history_bench.history,),
    "disk": (disk_bench.burst,),
    "backlog": (backlog_bench.backlog,),
    "floor": (floor_bench.start, floor_bench.burst, floor_bench.overhead),
    "start": (start_bench.start,),
    "gpu": (gpu_bench.gpu,),
}
BY_NAME_ALONE = frozenset({"gpu"})


def main(wanted: list[str]) -> int:
    unknown = [name for name in wanted if name not in GROUPS]
    if unknown:
        print(f"unknown: {', '.join(unknown)}; there are: {', '.join(GROUPS)}", file=sys.stderr)
        return 2
    figures: list[Figure] = []
    for group in wanted or [group for group in GROUPS if group not in BY_NAME_ALONE]:
        for bench in GROUPS[group]:
            print(f"{group}: {bench.__name__} ...", file=sys.stderr, flush=True)
            figures += asyncio.run(bench())
    show(figures)
    save(figures)
    return 0 if all(figure.is_met is not False for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
