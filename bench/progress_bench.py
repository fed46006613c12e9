"""Measure what showing progress costs: 16 pictures at work, each with 4 previews a second, all shown in Discord."""

import asyncio

from bench.loop_lag import watch_loop
from bench.report import Figure
from bench.timed import timed_settings
from bench.world import discord_world

GROUP = "engines"
JOBS, PREVIEWS_PER_S, SECONDS = 16, 4.0, 8.0
LAG_S = 0.1


async def progress() -> list[Figure]:
    """The largest loop lag with previews; beside it the same without any."""
    quiet, _ = await _lag_s(0.0)
    lag, edits = await _lag_s(PREVIEWS_PER_S)
    return [
        Figure(
            group=GROUP,
            name=f"largest loop lag, {JOBS} jobs with {PREVIEWS_PER_S:g} previews/s",
            value=lag * 1000,
            unit="ms",
            target=f"< {LAG_S * 1000:g}",
            is_met=lag < LAG_S,
            beside=f"without previews: {quiet * 1000:.0f} ms; {edits} edits of messages in {SECONDS:g} s",
        )
    ]


async def _lag_s(previews: float) -> tuple[float, int]:
    names = [f"timed{n}" for n in range(JOBS)]
    async with discord_world(**timed_settings(names, seconds=SECONDS, previews=previews)) as here:
        async with watch_loop() as lag:
            channels = [f"p{n}" for n in range(JOBS)]
            says = (here.act("say", channel=c, user=f"user-{c}", content=f"!dream fox {c}") for c in channels)
            await asyncio.gather(*says)
            done = [(await here.wait_for_pictures(channel, 1, 4 * SECONDS))[0] for channel in channels]
        return lag.worst_s, sum(len(message["edits"]) for message in done)
