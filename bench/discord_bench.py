"""From Discord to the picture: overhead over the engine, first acknowledgement, loop lag, pictures per second.

Discord and the engine are stand-ins in processes of their own, on the same machine; times are taken where a user
would see them, in the local Discord.
"""

import asyncio
import statistics
import time

from bench.loop_lag import watch_loop
from bench.report import Figure
from bench.world import World, world

GROUP = "discord"
ONE_BY_ONE = 10
PICTURE_BYTES = 1_500_000
USERS = 50
BURST = 40
BUSY_JOBS, BUSY_USERS, DIRECT = 30, 10, 5
OVERHEAD_S, FIRST_ANSWER_S, LAG_S, PICTURES_PER_S, BUSY = 0.1, 0.3, 0.1, 25.0, 0.99


async def overhead() -> list[Figure]:
    """One `!dream` after the other; beside it the same request sent straight to the engine."""
    async with world(seconds_per_image=1.0, image_bytes=PICTURE_BYTES) as here:
        direct, ours = [], []
        async with watch_loop() as lag:
            for number in range(ONE_BY_ONE):
                direct.append(await _direct(here))
                channel = f"one-{number}"
                printed = await here.act("say", channel=channel, user="mia", content=f"!dream a red fox {number}")
                (done,) = await here.wait_for_pictures(channel, 1, 30)
                ours.append(done["edits"][-1] - printed["created_t"])
    engine_s = statistics.median(direct)
    over = statistics.median(ours) - engine_s
    beside = f"{statistics.median(ours):.3f} s in all; the engine alone, asked directly: {engine_s:.3f} s"
    return [
        _figure("overhead of !dream, 1.5 MB picture", over * 1000, "ms", OVERHEAD_S * 1000, beside),
        _figure("largest loop lag meanwhile", lag.worst_s * 1000, "ms", LAG_S * 1000, f"{ONE_BY_ONE} pictures"),
    ]


async def crowd() -> list[Figure]:
    """50 users type `/generate` and `!dream` at the same moment."""
    async with world(seconds_per_image=0.05, image_bytes=100_000, MAX_QUEUE_SIZE="1000") as here:
        async with watch_loop() as lag:
            slash = await asyncio.gather(
                *(
                    here.act("slash", channel=f"c{n}", user=f"user{n}", name="generate", options={"prompt": f"fox {n}"})
                    for n in range(USERS)
                )
            )
            printed = await asyncio.gather(
                *(here.act("say", channel=f"d{n}", user=f"user{n}", content=f"!dream fox {n}") for n in range(USERS))
            )
            for n in range(USERS):
                await here.wait_for_pictures(f"d{n}", 1, 60)
        first = []
        for n, message in enumerate(printed):
            reply = next(m for m in await here.messages(f"d{n}") if m["author"] != message["author"])
            first.append(reply["created_t"] - message["created_t"])
    acknowledged = sorted(item["acknowledged_after_s"] for item in slash)
    beside = f"{USERS} users at once, median"
    return [
        _figure(
            "first answer to /generate, p99",
            acknowledged[-1] * 1000,
            "ms",
            FIRST_ANSWER_S * 1000,
            f"{beside} {statistics.median(acknowledged) * 1000:.0f} ms",
        ),
        _figure(
            "first answer to !dream, p99",
            max(first) * 1000,
            "ms",
            FIRST_ANSWER_S * 1000,
            f"{beside} {statistics.median(first) * 1000:.0f} ms",
        ),
        _figure("largest loop lag meanwhile", lag.worst_s * 1000, "ms", LAG_S * 1000, f"{2 * USERS} requests at once"),
    ]


async def burst() -> list[Figure]:
    """40 jobs on an engine that answers at once."""
    async with world(seconds_per_image=0.0, image_bytes=0, MAX_QUEUE_SIZE="1000", MAX_RUNNING_PER_USER="100") as here:
        printed = await asyncio.gather(
            *(here.act("say", channel=f"b{n}", user=f"user{n}", content=f"!dream fox {n}") for n in range(BURST))
        )
        ended = []
        for n in range(BURST):
            (done,) = await here.wait_for_pictures(f"b{n}", 1, 60)
            ended.append(done["edits"][-1])
    rate = BURST / (max(ended) - min(message["created_t"] for message in printed))
    return [
        Figure(
            group=GROUP,
            name="pictures delivered, instant engine",
            value=rate,
            unit="/s",
            target=f"≥ {PICTURES_PER_S:g}",
            is_met=rate >= PICTURES_PER_S,
            beside=f"{BURST} jobs, one engine, one at a time",
        )
    ]


async def busy() -> list[Figure]:
    """Return how busy a 1.0 s engine is kept by 30 jobs of 10 users, by the engine's own clock."""
    async with world(seconds_per_image=1.0, image_bytes=PICTURE_BYTES, MAX_QUEUE_SIZE="1000") as here:
        for _ in range(DIRECT):
            await _direct(here)
        jobs = [(f"e{n}", f"user{n % BUSY_USERS}") for n in range(BUSY_JOBS)]
        await asyncio.gather(*(here.act("say", channel=c, user=u, content=f"!dream fox {c}") for c, u in jobs))
        for channel, _ in jobs:
            await here.wait_for_pictures(channel, 1, 120)
        runs = (await here.engine.get("/stand-in/busy")).json()
    share = _busy_share(runs[DIRECT:])
    return [
        Figure(
            group=GROUP,
            name="a 1.0 s engine is busy",
            value=share * 100,
            unit="%",
            target=f"≥ {BUSY:.0%}",
            is_met=share >= BUSY,
            beside=f"{_busy_share(runs[:DIRECT]):.1%} for a client that asks directly, one request after the other",
        )
    ]


def _busy_share(runs: list[tuple[float, float]]) -> float:
    """Time at work over the time from the first start to the last end."""
    return sum(ended - began for began, ended in runs) / (runs[-1][1] - runs[0][0])


async def _direct(here: World) -> float:
    began = time.perf_counter()
    body = {"prompt": "a red fox", "steps": 20, "width": 512, "height": 512}
    (await here.engine.post("/sdapi/v1/txt2img", json=body)).raise_for_status()
    return time.perf_counter() - began


def _figure(name: str, value: float, unit: str, limit: float, beside: str) -> Figure:
    return Figure(
        group=GROUP,
        name=name,
        value=value,
        unit=unit,
        target=f"< {limit:g}",
        is_met=value < limit,
        beside=beside,
    )
