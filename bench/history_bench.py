"""Measure how long the studio's questions take over a year of finished jobs, and a new job beside them."""

import asyncio
import sqlite3
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

from cryptography.fernet import Fernet

from bench.queue_bench import make_job
from bench.report import Figure
from generation.person import ADMIN, Person
from store.database import Database
from store.gallery import GalleryStore
from store.gallery_filters import PictureFilter
from store.jobs import JobStore
from store.migrations import easel_steps
from store.statistics import StatisticsStore
from utils.secrets import SecretBox

GROUP = "history"
JOBS: Final = 1_000_000
TARGET_MS: Final = 100.0
TIMES: Final = 20
BESIDE_X: Final = 3.0  # both share two cores; before, it was 3 s
FILL: Final = """
    WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :count)
    INSERT INTO jobs (id, status, lane, door, user_key, weight, attempt, created_at, finished_at, delivered_at,
        candidates, tried, notes, origin, request, drawn, result, error)
    SELECT printf('%012x', i), iif(i % 20, 'done', 'failed'), 'lane' || (i % 4), iif(i % 3, 'discord', 'api'),
        'discord:' || (i * 7919 % 500), 1, 1, :since + i * :step, :since + i * :step + 10, :since + i * :step + 11,
        '[]', '[]', '[]', json_object('door', iif(i % 3, 'discord', 'api'), 'user_id', i * 7919 % 500 || '',
            'user_name', 'user ' || (i * 7919 % 500), 'private', json('false')),
        json_object('prompt', 'a red fox in the snow, number ' || i || ', watercolour, soft light, mist', 'width', 512,
            'height', 512, 'steps', 30, 'cfg_scale', 7.0, 'seed', i),
        json_object('prompt', 'a red fox in the snow, number ' || i || ', watercolour, soft light, mist', 'width', 512,
            'height', 512, 'steps', 30, 'cfg_scale', 7.0, 'seed', i, 'mode', 'txt2img', 'model', 'model' || (i % 17)),
        iif(i % 20, json_object('backend', 'engine ' || (i % 4), 'seconds', 5 + i % 13, 'cost_usd', 0.001, 'images',
            json_array(json_object('media_id', 'm' || i, 'width', 512, 'height', 512, 'seed', i,
                'media_type', 'image/png', 'size_bytes', 400000))), NULL),
        iif(i % 20, NULL, json_object('code', 'backend_down', 'user_message', 'The engine is gone.'))
    FROM n
"""


async def history() -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "easel.sqlite3"
        await (await Database.open(path, migrations=easel_steps())).close()
        await asyncio.to_thread(_fill, path)
        database = await Database.open(path, migrations=easel_steps())
        try:
            return [await _figure(name, ask) for name, ask in _questions(database).items()] + [await _beside(database)]
        finally:
            await database.close()


def _fill(path: Path) -> None:
    now = time.time()
    year_s = 365 * 24 * 3600.0
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute(FILL, {"count": JOBS, "since": now - year_s, "step": year_s / JOBS})


def _questions(database: Database) -> dict[str, Callable[[], Awaitable[object]]]:
    gallery, statistics, jobs = GalleryStore(database), StatisticsStore(database), _jobs(database)
    admin = Person(user_key="api:local", door="api", scopes=frozenset({ADMIN}))
    person, week = Person(user_key="discord:7", door="api"), datetime.now(UTC) - timedelta(days=7)

    async def dashboard() -> None:
        day = f"{week:%Y-%m-%d}"
        await statistics.totals(day)
        await statistics.hours(datetime.now(UTC), 168)
        await statistics.engines(day)
        await statistics.p95(week)
        await statistics.failures(week, limit=5)
        await statistics.names({cost.user_key for cost in await statistics.costs(day, limit=200)})

    return {
        "facets of everybody's": lambda: gallery.facets(person),
        "feed, first page": lambda: gallery.history(person, wanted=PictureFilter(), limit=51),
        "feed, number": lambda: gallery.count(person, wanted=PictureFilter()),
        "gallery, one model": lambda: gallery.history(person, wanted=PictureFilter(model="model3"), limit=51),
        "gallery, words nobody used": lambda: gallery.history(person, wanted=PictureFilter(text="zebra"), limit=51),
        "jobs of a person, first page": lambda: jobs.stream(person, limit=51, before=""),
        "jobs of everybody, first page": lambda: jobs.stream(admin, limit=51, before=""),
        "jobs of everybody, a page far back": lambda: jobs.stream(admin, limit=51, before=f"{JOBS // 2:012x}"),
        "ids that an engine gave out": lambda: jobs.remote_ids("lane1", datetime.now(UTC) - timedelta(days=2)),
        "jobs by status": jobs.count_by_status,
        "dashboard of a week": dashboard,
        "metrics": lambda: statistics.engines(),
    }


def _jobs(database: Database) -> JobStore:
    return JobStore(database, SecretBox(Fernet.generate_key()))


async def _figure(name: str, ask: Callable[[], Awaitable[object]]) -> Figure:
    times = []
    for __ in range(TIMES):
        began = time.perf_counter()
        await ask()
        times.append(1000 * (time.perf_counter() - began))
    return Figure(
        group=GROUP,
        row="history",
        name=name,
        value=sorted(times)[int(0.95 * TIMES) - 1],
        unit="ms",
        target=f"< {TARGET_MS:g}",
        is_met=sorted(times)[int(0.95 * TIMES) - 1] < TARGET_MS,
        beside=f"p95 of {TIMES}, over {JOBS:,} finished jobs",
    )


async def _beside(database: Database) -> Figure:
    """Measure how long a new job takes to be taken in, alone and while the dashboard is read again and again."""
    alone = await _commits(database, "alone")
    asking = asyncio.create_task(_ask_on(_questions(database)["dashboard of a week"]))
    try:
        beside = await _commits(database, "beside")
    finally:
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
    return Figure(
        group=GROUP,
        row="history_submit",
        name="a job is taken in while the dashboard is read",
        value=beside,
        unit="ms",
        target=f"≤ {BESIDE_X:g} x alone",
        is_met=beside <= BESIDE_X * alone,
        beside=f"alone {alone:.1f} ms: {beside / alone:.2f} x; medians of {TIMES}",
    )


async def _ask_on(ask: Callable[[], Awaitable[object]]) -> None:
    while True:
        await ask()


async def _commits(database: Database, name: str) -> float:
    times, jobs = [], _jobs(database)
    for number in range(TIMES):
        job = replace(make_job(number), id=f"{name}{number}")
        began = time.perf_counter()
        await jobs.insert(job)
        times.append(1000 * (time.perf_counter() - began))
    return sorted(times)[TIMES // 2]
