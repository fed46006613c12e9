"""One busy channel: how soon a picture that is ready is seen, and what a picture costs in requests at Discord.

"Ready" is when the engine hands it over, "seen" when the message shows it; the pictures of a crowd are spread over some
seconds, and all of them show their progress meanwhile.
"""

import asyncio
import statistics
import time
from collections.abc import Awaitable, Callable

from bench.report import Figure
from bench.timed import TimedEngine, timed_settings
from bench.world import World, discord_world, shows_picture

GROUP = "discord"
CHANNEL = "busy"
RUNNING = (1, 20, 100)
SIDE_PX = 704  # of noise: 1.5 MB
FIRST_S, APART_S, PREVIEWS_PER_S = 4.0, 0.15, 2.0
SEEN_S = 1.0
LONG_S, QUICK_JOBS = 20.0, 10
Ask = Callable[[World, str], Awaitable[None]]
WITH_PROGRESS, WITHOUT_PROGRESS = 6.0, 2.5


async def seen() -> list[Figure]:
    """The time from ready to seen with 1, 20 and 100 pictures at work in one channel."""
    figures = []
    for running in RUNNING:
        waits = sorted(await _waits(running))
        p99 = waits[min(len(waits) - 1, int(len(waits) * 0.99))]
        figures.append(
            Figure(
                group=GROUP,
                name=f"ready to seen, p99, {running} at work in one channel",
                value=p99 * 1000,
                unit="ms",
                target=f"< {SEEN_S * 1000:g}",
                is_met=p99 < SEEN_S,
                beside=f"median {statistics.median(waits) * 1000:.0f} ms; 1.5 MB each, {APART_S:g} s apart",
            )
        )
    return figures


async def requests() -> list[Figure]:
    """Requests for a picture of 20 s that shows its progress, and for those that come at once."""
    async with discord_world(**timed_settings(["slow"], seconds=LONG_S, previews=PREVIEWS_PER_S)) as here:
        long = [await _cost(here, way, 1, 2 * LONG_S) for way in (_by_message, _by_slash)]
    async with discord_world(**timed_settings(["quick"], seconds=0.0)) as here:
        quick = [await _cost(here, way, QUICK_JOBS, 60) for way in (_by_message, _by_slash)]
    return [
        _cost_figure("with progress, 20 s", long, WITH_PROGRESS),
        _cost_figure("that comes at once", quick, WITHOUT_PROGRESS),
    ]


async def _waits(running: int) -> list[float]:
    """Return the seconds from ready to seen of as many pictures as are at work at once."""
    names = [f"timed{number}" for number in range(running)]
    settings = timed_settings(names, previews=PREVIEWS_PER_S, side=SIDE_PX)
    settings |= {f"{name.upper()}_SECONDS": f"{FIRST_S + APART_S * n:.2f}" for n, name in enumerate(names)}
    async with discord_world(**settings, MAX_QUEUE_SIZE="1000") as here:
        rounds = range(5 if running == 1 else 1)
        for number in rounds:
            await asyncio.gather(*(_by_message(here, f"{number}-{n}") for n in range(running)))
            await here.wait_for_pictures(CHANNEL, running * (number + 1), 60 + APART_S * running)
        messages = await here.messages(CHANNEL)
        ready = {}
        for entry in here.easel.registry:
            if isinstance(entry.backend, TimedEngine):
                ready |= entry.backend.ended
    shown = {prompt: next(message for message in messages if f"**{prompt}**" in message["content"]) for prompt in ready}
    return [shown[prompt]["edits"][-1] - ended for prompt, ended in ready.items()]


async def _by_message(here: World, name: str) -> None:
    await here.act("say", channel=CHANNEL, user=f"user-{name}", content=f"!dream fox {name}")


async def _by_slash(here: World, name: str) -> None:
    prompt = f"fox {name}"
    await here.act("slash", channel=CHANNEL, user=f"user-{name}", name="generate", options={"prompt": prompt})


async def _cost(here: World, way: Ask, count: int, timeout_s: float) -> float:
    """Return the requests for each of so many pictures that are asked for at the same moment."""
    before, there = await _requests(here), len(await here.messages(CHANNEL))
    await asyncio.gather(*(way(here, f"{there}-{number}") for number in range(count)))
    began = time.monotonic()
    while time.monotonic() - began < timeout_s:
        if sum(map(shows_picture, (await here.messages(CHANNEL))[there:])) >= count:
            break
        await asyncio.sleep(0.1)
    return (await _requests(here) - before) / count


async def _requests(here: World) -> int:
    return int((await here.control.get("/_control/state")).json()["requests"])


def _cost_figure(what: str, costs: list[float], limit: float) -> Figure:
    return Figure(
        group=GROUP,
        name=f"requests at Discord for a picture {what}",
        value=max(costs),
        unit="",
        target=f"≤ {limit:g}",
        is_met=max(costs) <= limit,
        beside="by message {:.1f}, by slash command {:.1f}".format(*costs),
    )
