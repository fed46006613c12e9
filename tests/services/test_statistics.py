"""The figures match the jobs, per hour, day, person and engine; the log line says what it must and no more."""

import json
import logging
from dataclasses import replace
from datetime import timedelta
from io import StringIO

import pytest
from cryptography.fernet import Fernet

from generation.errors import NotAllowed, RequestRejected
from generation.job import JobStatus
from generation.person import Person
from services.reports.statistics import StatisticsService, log_picture
from store.jobs import JobStore
from store.statistics import StatisticsStore
from tests.fakes import FakeClock
from tests.store.conftest import NOW, make_job
from tests.store.gallery_rig import draw, result_of
from tests.store.ready import open_database
from utils.logger import JsonFormatter
from utils.secrets import SecretBox

HOUR_S = 3600
ME, ADMIN = Person(user_key="api:7"), Person(user_key="api:1", scopes=frozenset({"admin"}))


@pytest.fixture
def clock():
    return FakeClock(NOW)


@pytest.fixture
async def database(tmp_path):
    opened = await open_database(tmp_path / "easel.sqlite3")
    yield opened
    await opened.close()


@pytest.fixture
def jobs(database):
    return JobStore(database, SecretBox(Fernet.generate_key()))


@pytest.fixture
def statistics(database, jobs, clock):
    return StatisticsService(store=StatisticsStore(database), jobs=jobs, clock=clock, label_of=str.upper)


async def fail(jobs, job_id, second=0, lane="gpu1"):
    await jobs.insert(make_job(job_id, lane=lane, origin={"door": "api"}))
    await jobs.finish(job_id, JobStatus.FAILED, now=NOW + timedelta(seconds=second))


async def test_each_of_the_last_hours_is_there_the_quiet_ones_too(statistics, jobs):
    await draw(jobs, "a", second=-2 * HOUR_S)
    await draw(jobs, "b")
    await draw(jobs, "c")
    await fail(jobs, "d")
    await draw(jobs, "old", second=-24 * HOUR_S)
    hours = await statistics.hours()
    assert (len(hours), hours[0].start, hours[-1].start) == (24, NOW - timedelta(hours=23), NOW)
    assert [(h.generations, h.failed) for h in hours if h.generations or h.failed] == [(1, 0), (2, 1)]


async def test_engines_are_judged_by_what_they_drew_not_by_the_cache(statistics, jobs):
    await draw(jobs, "a", seconds=10.0)
    await draw(jobs, "b", seconds=20.0)
    await fail(jobs, "c")
    cached = replace(result_of("a"), from_cache=True, seconds=0.0, cost_usd=0.0)
    await jobs.insert(make_job("d", status=JobStatus.DONE, finished_at=NOW, result=cached))
    await fail(jobs, "e", lane="dead")
    reported = await statistics.dashboard(ADMIN)
    engines = {engine.label: engine.figures for engine in reported.engines}
    assert engines["GPU1"].success_rate == pytest.approx(2 / 3)
    assert engines["GPU1"].mean_seconds == 15.0
    assert (engines["DEAD"].error_rate, engines["DEAD"].mean_seconds) == (1.0, None)
    assert (reported.totals.generations, reported.totals.from_cache, reported.totals.failed) == (3, 1, 2)
    assert (await statistics.metrics()).jobs[JobStatus.DONE] == 3


async def test_costs_come_per_day_person_and_engine_newest_day_first(statistics, jobs):
    await draw(jobs, "a", second=-86400, cost_usd=0.1)
    await draw(jobs, "b", pictures=2, cost_usd=0.2)
    await draw(jobs, "c", user_id="8", lane="grid", cost_usd=0.5)
    await draw(jobs, "d", cost_usd=0.1)
    rows = [(r.day, r.user_key, r.lane, r.images, round(r.cost_usd, 6)) for r in await statistics.costs(ADMIN)]
    assert rows == [
        ("2026-01-01", "api:8", "grid", 1, 0.5),
        ("2026-01-01", "api:7", "gpu1", 3, 0.3),
        ("2025-12-31", "api:7", "gpu1", 1, 0.1),
    ]
    assert [row.user_key for row in await statistics.costs(ME)] == ["api:7", "api:7"]
    assert [row.day for row in await statistics.costs(ADMIN, days=1, user_key="api:7")] == ["2026-01-01"]
    assert await statistics.spent_today() == pytest.approx(0.8)
    assert await statistics.spent_today("api:7") == pytest.approx(0.3)


async def test_what_others_spent_is_for_admins(statistics):
    with pytest.raises(NotAllowed, match="Only admins"):
        await statistics.costs(ME, user_key="api:8")


@pytest.mark.parametrize(("ask", "field"), [({"days": 0}, "days"), ({"days": 9999}, "days")])
async def test_a_time_that_cannot_be_is_named(statistics, ask, field):
    with pytest.raises(RequestRejected) as refused:
        await statistics.dashboard(ADMIN, **ask)
    assert refused.value.field == field
    with pytest.raises(RequestRejected, match="1 to 168 hours"):
        await statistics.hours(0)


async def test_metrics_are_sums_and_present_values(statistics, jobs):
    empty = await statistics.metrics()
    assert (empty.engines, empty.cost_today_usd, empty.users_today, empty.generations_this_hour) == ((), 0.0, 0, 0)
    await draw(jobs, "a", cost_usd=0.5)
    await draw(jobs, "b", second=-5 * 86400)
    await fail(jobs, "c")
    metrics = await statistics.metrics()
    (engine,) = metrics.engines
    assert (engine.lane, engine.figures.generations, engine.figures.failed) == ("gpu1", 2, 1)
    assert (metrics.generations_this_hour, metrics.failed_this_hour) == (1, 1)
    assert (metrics.cost_today_usd, metrics.users_today, metrics.jobs[JobStatus.FAILED]) == (0.5, 1, 1)


def logged(job):
    stream = StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonFormatter(()))
    log = logging.getLogger("services.reports.statistics")
    log.addHandler(handler)
    log.setLevel(logging.INFO)
    try:
        log_picture(job)
    finally:
        log.removeHandler(handler)
        log.setLevel(logging.NOTSET)
    return [json.loads(line) for line in stream.getvalue().splitlines()]


async def test_a_finished_picture_is_one_log_line_with_these_fields(jobs):
    (line,) = logged(await draw(jobs, "a", prompt="x" * 150, seconds=12.346))
    expected = {
        "message": "Image generated successfully",
        "userId": "api:7",
        "provider": "gpu1",
        "prompt": "x" * 100,
        "generationTime": 12.35,
        "cost": 0.04,
    }
    assert {name: line[name] for name in expected} == expected


async def test_what_a_private_job_asked_for_is_not_logged(jobs):
    (line,) = logged(await draw(jobs, "a", prompt="my secret garden", private=True))
    assert "garden" not in json.dumps(line)
    assert logged(make_job("b")) == []


async def test_the_dashboard_tells_an_admin_all_and_others_their_own(statistics, jobs):
    for number in range(20):
        await draw(jobs, f"a{number}", user_id="7", seconds=float(number + 1))
    await draw(jobs, "b", user_id="8", seconds=100.0)
    await fail(jobs, "c")
    reported = await statistics.dashboard(ADMIN, days=1)
    (engine,) = reported.engines
    assert (reported.totals.generations, reported.totals.failed, engine.p95_seconds) == (21, 1, 20.0)
    assert [(item.code, item.number) for item in reported.failures] == [("unknown", 1)]
    assert sum(hour.generations for hour in reported.hours) == 21
    own = await statistics.dashboard(Person(user_key="api:8"), days=1)
    assert (own.totals.generations, [cost.user_key for cost in own.costs]) == (1, ["api:8"])
    assert sum(hour.generations for hour in own.hours) == 1
    assert [item.p95_seconds for item in own.engines] == [100.0]
