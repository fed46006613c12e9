"""A burst on the disk of a NAS, whose fsync takes 30 ms, beside the same burst on this machine's."""

import asyncio
from typing import Final

from bench.report import Figure
from bench.slow_disk import Disk, slow_disk
from bench.world import World, world

GROUP = "disk"
BURST: Final = 40
PICTURE_BYTES: Final = 200_000
FSYNC_S: Final = 0.03
WITHIN: Final = 0.8  # of the pictures per second on a fast disk
MOST_COMMITS: Final = 3.0  # a job


async def burst() -> list[Figure]:
    """40 people at once, an engine that answers at once; how many commits a job needs, and what they cost."""
    with slow_disk(0.0) as fast:
        fast_rate, fast_commits = await _burst(fast)
    with slow_disk(FSYNC_S) as slow:
        slow_rate, slow_commits = await _burst(slow)
    return [
        Figure(
            group=GROUP,
            row="disk",
            name="burst with an fsync of 30 ms, to one of a fast disk",
            value=slow_rate / fast_rate,
            unit="x",
            target=f"≥ {WITHIN:g}",
            is_met=slow_rate / fast_rate >= WITHIN,
            beside=f"{slow_rate:.1f} pictures/s, fast disk {fast_rate:.1f}; {BURST} jobs, one engine, one at a time",
        ),
        Figure(
            group=GROUP,
            name="synced commits a job",
            value=slow_commits,
            unit="",
            target=f"≤ {MOST_COMMITS:g}",
            is_met=slow_commits <= MOST_COMMITS,
            beside=f"on a fast disk {fast_commits:.1f}",
        ),
    ]


async def _burst(disk: Disk) -> tuple[float, float]:
    """Return pictures per second, and commits per job."""
    settings = {"MAX_QUEUE_SIZE": "1000", "MAX_RUNNING_PER_USER": "100"}
    async with world(seconds_per_image=0.0, image_bytes=PICTURE_BYTES, **settings) as here:
        before = disk.synced
        printed = await asyncio.gather(
            *(here.act("say", channel=f"b{n}", user=f"user{n}", content=f"!dream fox {n}") for n in range(BURST))
        )
        ended = [await _end(here, f"b{n}") for n in range(BURST)]
        rate = BURST / (max(ended) - min(message["created_t"] for message in printed))
        return rate, (disk.synced - before) / BURST


async def _end(here: World, channel: str) -> float:
    (done,) = await here.wait_for_pictures(channel, 1, 60)
    return float(done["edits"][-1])
