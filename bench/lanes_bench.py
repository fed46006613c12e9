"""Many engines at once: how busy 50 users keep 1, 4 and 16 of them, and how soon a dead one's job runs elsewhere."""

import asyncio
import itertools
import statistics
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import httpx

from app.build import Easel
from bench.report import Figure
from bench.timed import TimedEngine, timed_settings
from bench.world import running_easel, stand_in
from generation.job import Job, JobStatus, Origin
from generation.request import Draft

GROUP = "engines"
A1111 = "tests.engines.a1111_server"
USERS, SECONDS = 50, 1.0
WARM_UP_S, WINDOW_S = 2.5, 10.0
FEW_BUSY, MANY_BUSY, SPREAD, FAILOVER_S = 0.99, 0.97, 0.05, 3.0
DIRECT = 5

Spans = list[tuple[float, float]]  # (began, ended) of the runs of one engine


@dataclass(frozen=True, kw_only=True)
class Kept:
    """The use of engines: shares of the window, and pictures per second of all together."""

    shares: list[float]
    rate: float

    @property
    def least(self) -> float:
        return min(self.shares)


async def busy() -> list[Figure]:
    """1 and 4 engines on sockets, 1 and 16 in this process: the machine has too few cores for 16 more processes."""
    alone = await _asked_directly()
    item, four = await _on_sockets(1), await _on_sockets(4)
    timed_one, sixteen = await _in_process(1), await _in_process(16)
    beside = f"one client that asks directly, one request after the other: {alone:.2%}"
    return [
        _busy_figure("1 engine is busy, 50 users", item, FEW_BUSY, beside),
        _busy_figure("least busy of 4 engines", four, FEW_BUSY, f"mean {statistics.mean(four.shares):.2%}; {beside}"),
        _busy_figure(
            "least busy of 16 engines",
            sixteen,
            MANY_BUSY,
            f"mean {statistics.mean(sixteen.shares):.2%}; one such engine alone: {timed_one.least:.2%}",
        ),
        _rate_figure("throughput of 4 engines", four, item, 4),
        _rate_figure("throughput of 16 engines", sixteen, timed_one, 16),
    ]


async def failover() -> list[Figure]:
    """From a refused connection, and from the death of an engine at work, to the job running on the other one."""
    refused = await _when_refused()
    killed = await _when_killed()
    return [
        _failover_figure("failover from a refused connection", *refused),
        _failover_figure("failover from an engine that died at work", *killed),
    ]


async def _asked_directly() -> float:
    async with stand_in(A1111, "--seconds", str(SECONDS)) as url, httpx.AsyncClient(base_url=url, timeout=60) as client:
        for _ in range(DIRECT):
            body = {"prompt": "a red fox", "steps": 20, "width": 512, "height": 512}
            (await client.post("/sdapi/v1/txt2img", json=body)).raise_for_status()
        spans = (await client.get("/stand-in/busy")).json()
    return sum(ended - began for began, ended in spans) / (spans[-1][1] - spans[0][0])


async def _on_sockets(count: int) -> Kept:
    async with AsyncExitStack() as stack:
        urls = [await stack.enter_async_context(stand_in(A1111, "--seconds", str(SECONDS))) for _ in range(count)]
        values = {"BACKENDS": ",".join(f"gpu{n}" for n in range(count))}
        for number, url in enumerate(urls):
            values |= {f"GPU{number}_KIND": "a1111", f"GPU{number}_URL": url}
        client = await stack.enter_async_context(httpx.AsyncClient())
        easel = await stack.enter_async_context(running_easel(**values))

        async def spans() -> list[Spans]:
            return [(await client.get(f"{url}/stand-in/busy")).json() for url in urls]

        return await keep_busy(easel, spans)


async def _in_process(count: int) -> Kept:
    names = [f"timed{n}" for n in range(count)]
    async with running_easel(**timed_settings(names, seconds=SECONDS)) as easel:

        async def spans() -> list[Spans]:
            engines = [entry.backend for entry in easel.registry]
            return [engine.busy for engine in engines if isinstance(engine, TimedEngine)]

        return await keep_busy(easel, spans)


async def keep_busy(
    easel: Easel, spans: Callable[[], Awaitable[list[Spans]]], window_s: float = WINDOW_S, warm_up_s: float = WARM_UP_S
) -> Kept:
    """50 users ask for a picture, and for the next one when they have it; no one names an engine."""
    users = [asyncio.create_task(_keep_asking(easel, f"user{n}")) for n in range(USERS)]
    try:
        await asyncio.sleep(warm_up_s)
        since = time.monotonic()
        await asyncio.sleep(window_s)
        until = time.monotonic()
        await asyncio.sleep(SECONDS * 1.5)  # what ran at the end is counted, too
        runs = await spans()
    finally:
        for user in users:
            user.cancel()
        await asyncio.gather(*users, return_exceptions=True)
    shares = [sum(_within(run, since, until) for run in runs_of_one) / (until - since) for runs_of_one in runs]
    ends = [[ended for _, ended in runs_of_one if since <= ended < until] for runs_of_one in runs]
    rate = sum((len(item) - 1) / (item[-1] - item[0]) for item in ends if len(item) > 1)
    return Kept(shares=shares, rate=rate)


async def _keep_asking(easel: Easel, user: str) -> None:
    for number in itertools.count():
        await _draw(easel, f"a red fox of {user}, number {number}", user)


async def _draw(easel: Easel, prompt: str, user: str) -> Job:
    draft = Draft(prompt=prompt, width=512, height=512, steps=20)
    view = await easel.services.generation.submit(draft, Origin(door="bench", user_id=user))
    views = [view async for view in easel.services.generation.watch(view.job.id)]
    view = views[-1]
    assert view.job.status is JobStatus.DONE, view.job.error
    return view.job


def _within(run: tuple[float, float], since: float, until: float) -> float:
    return max(0.0, min(run[1], until) - max(run[0], since))


@dataclass(frozen=True, kw_only=True)
class Pair:
    """Easel on two engines: the first, which it takes when both are idle, and a way to end that."""

    easel: Easel
    first_url: str
    end_first: Callable[[], Awaitable[None]]
    starts: list[tuple[str, float]]  # lane and moment (monotonic seconds) of every start of a job


@asynccontextmanager
async def _pair(seconds: float) -> AsyncIterator[Pair]:
    async with AsyncExitStack() as stack:
        second = await stack.enter_async_context(stand_in(A1111, "--seconds", str(seconds)))
        mortal = await stack.enter_async_context(AsyncExitStack())
        first = await mortal.enter_async_context(stand_in(A1111, "--seconds", str(seconds)))
        values = {"FIRST_KIND": "a1111", "FIRST_URL": first, "SECOND_KIND": "a1111", "SECOND_URL": second}
        easel = await stack.enter_async_context(running_easel(BACKENDS="first,second", **values))
        starts: list[tuple[str, float]] = []

        def on_change(job: Job) -> None:
            if job.status is JobStatus.RUNNING:
                starts.append((job.lane, time.monotonic()))

        easel.queue.watchers.on_change.append(on_change)
        yield Pair(easel=easel, first_url=first, end_first=mortal.aclose, starts=starts)


async def _when_refused() -> tuple[float, float]:
    """Return the seconds from the start on the dead engine to the start elsewhere, and those the error alone takes."""
    async with _pair(0.2) as pair:
        await pair.end_first()
        error_s = await _refusal_s(pair.first_url)
        await _draw(pair.easel, "a red fox", "ann")
    (_, sent), (_, moved) = _moves(pair)
    return moved - sent, error_s


async def _when_killed() -> tuple[float, float]:
    """Return the seconds from the end of an engine at work to the start elsewhere; the error comes at once."""
    async with _pair(3.0) as pair:
        drawing = asyncio.create_task(_draw(pair.easel, "a red fox", "ann"))
        await asyncio.sleep(1.5)
        before = time.monotonic()
        await pair.end_first()
        killed = time.monotonic()
        await drawing
    _, (_, moved) = _moves(pair)
    return moved - before, killed - before


def _moves(pair: Pair) -> list[tuple[str, float]]:
    assert [lane for lane, _ in pair.starts] == ["first", "second"], pair.starts
    return pair.starts


async def _refusal_s(url: str) -> float:
    async with httpx.AsyncClient(base_url=url) as client:
        began = time.monotonic()
        try:
            await client.get("/")
        except httpx.ConnectError:
            return time.monotonic() - began
    raise AssertionError("the engine still answers")


def _busy_figure(name: str, kept: Kept, least: float, beside: str) -> Figure:
    return Figure(
        group=GROUP,
        name=name,
        value=kept.least * 100,
        unit="%",
        target=f"≥ {least:.0%}",
        is_met=kept.least >= least,
        beside=beside,
    )


def _rate_figure(name: str, many: Kept, item: Kept, count: int) -> Figure:
    ratio = many.rate / item.rate
    return Figure(
        group=GROUP,
        name=name,
        value=ratio,
        unit="x",
        target=f"{count} ± {SPREAD:.0%}",
        is_met=abs(ratio / count - 1) <= SPREAD,
        beside=f"{many.rate:.3g} pictures/s, one such engine {item.rate:.3g}",
    )


def _failover_figure(name: str, took_s: float, error_s: float) -> Figure:
    return Figure(
        group=GROUP,
        name=name,
        value=took_s - error_s,
        unit="s",
        target=f"< {FAILOVER_S:g}",
        is_met=took_s - error_s < FAILOVER_S,
        beside=f"beyond the error itself, which takes {error_s * 1000:.1f} ms",
    )
