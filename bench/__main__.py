"""`python -m bench [goals | group ...]`: measure, print the figures and the table of goals, save.

`goals` are the groups that the table is made of.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable

from bench import (
    backlog_bench,
    channel_bench,
    discord_bench,
    disk_bench,
    floor_bench,
    gpu_bench,
    history_bench,
    http_bench,
    lanes_bench,
    line_bench,
    local_bench,
    overhead_bench,
    page_bench,
    progress_bench,
    queue_bench,
    start_bench,
    web_bench,
)
from bench.goals import rows_of, show_goals
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
    "http": (http_bench.http,),
    "history": (history_bench.history,),
    "disk": (disk_bench.burst,),
    "backlog": (backlog_bench.backlog,),
    "floor": (floor_bench.start, floor_bench.burst, floor_bench.overhead),
    "start": (start_bench.start,),
    "local": (local_bench.local,),
    "gpu": (gpu_bench.gpu,),
}
OF_THE_GOALS = ("floor", "line", "history", "disk", "backlog", "http")
BY_NAME_ALONE = frozenset({"gpu"})


def main(wanted: list[str]) -> int:
    wanted = [group for name in wanted for group in (OF_THE_GOALS if name == "goals" else (name,))]
    unknown = [name for name in wanted if name not in GROUPS]
    if unknown:
        print(f"unknown: {', '.join(unknown)}; there are: goals, {', '.join(GROUPS)}", file=sys.stderr)
        return 2
    figures: list[Figure] = []
    for group in wanted or [group for group in GROUPS if group not in BY_NAME_ALONE]:
        for bench in GROUPS[group]:
            print(f"{group}: {bench.__name__} ...", end="", file=sys.stderr, flush=True)
            began = time.monotonic()
            figures += asyncio.run(bench())
            print(f" {time.monotonic() - began:.0f} s", file=sys.stderr, flush=True)
    show(figures)
    rows = rows_of(figures)
    show_goals(rows)
    save(figures, rows)
    return 0 if all(figure.is_met is not False for figure in figures) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
