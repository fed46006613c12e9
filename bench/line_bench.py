"""A rented engine at the end of a line: how busy it is kept, by its own clock, with 1.5 MB pictures."""

import time
from contextlib import AsyncExitStack

import httpx

from bench.lanes_bench import A1111, Spans, keep_busy
from bench.report import Figure
from bench.shaped_line import shaped
from bench.world import running_easel, stand_in

GROUP = "line"
SECONDS, PICTURE_BYTES = 1.0, 1_500_000
WARM_UP_S, WINDOW_S, DIRECT = 9.0, 20.0, 4
LINES = ((0.08, 50.0, 0.98), (0.2, 20.0, 0.97))  # round trip in seconds, Mbit/s, how busy it should be
MOST = 2


async def busy() -> list[Figure]:
    """50 people ask for one picture after the other."""
    figures: list[Figure] = []
    for rtt_s, mbit, least in LINES:
        figures += await _over(rtt_s, mbit, least)
    return figures


async def _over(rtt_s: float, mbit: float, least: float) -> list[Figure]:
    async with AsyncExitStack() as stack:
        arguments = ("--seconds", str(SECONDS), "--image-bytes", str(PICTURE_BYTES))
        engine = await stack.enter_async_context(stand_in(A1111, *arguments))
        far = await stack.enter_async_context(shaped(engine, rtt_s, mbit))
        near = await stack.enter_async_context(httpx.AsyncClient(base_url=engine, timeout=60))

        async def spans() -> list[Spans]:
            return [(await near.get("/stand-in/busy")).json()[DIRECT:]]

        direct = await _asked_directly(far, near)
        easel = await stack.enter_async_context(running_easel(BACKENDS="far", FAR_KIND="a1111", FAR_URL=far))
        kept = await keep_busy(easel, spans, WINDOW_S, WARM_UP_S)
        most = (await near.get("/stand-in/most")).json()
    name = f"an engine at {rtt_s * 1000:.0f} ms and {mbit:.0f} Mbit/s"
    return [
        Figure(
            group=GROUP,
            row=f"line_{rtt_s * 1000:.0f}",
            name=f"{name} is busy",
            value=kept.least * 100,
            unit="%",
            target=f"≥ {least:.0%}",
            is_met=kept.least >= least,
            beside=f"asked directly, one by one: {direct:.1%}",
        ),
        Figure(
            group=GROUP,
            name=f"{name}: most at once",
            value=most,
            unit="jobs",
            target=f"≤ {MOST}",
            is_met=most <= MOST,
            beside="what it draws and what waits there, by its own count",
        ),
    ]


async def _asked_directly(far: str, near: httpx.AsyncClient) -> float:
    async with httpx.AsyncClient(base_url=far, timeout=60) as client:
        began = time.monotonic()
        for _ in range(DIRECT):
            body = {"prompt": "a red fox", "steps": 20, "width": 512, "height": 512}
            (await client.post("/sdapi/v1/txt2img", json=body)).raise_for_status()
        took_s = time.monotonic() - began
    spans: Spans = (await near.get("/stand-in/busy")).json()
    return sum(ended - began for began, ended in spans) / took_s
