"""A part of Easel that dies is told of and started again, and the rest goes on meanwhile."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import uvicorn

import queue_manager
from api.events import Hub
from api.sockets import bind_all
from services.engines.health import HealthWatch
from services.pictures.sweeper import Sweeper
from services.rentals.rentals import RentalService
from services.reports.alerts import Alert, AlertService
from services.reports.webhooks import WebhookService
from tests.api.conftest import Site, site_at
from tests.api.test_connections import served, status_of
from tests.api.test_routes_dashboard import scrape
from tests.waiting import until
from utils import loops as supervision

PARTS: dict[str, type[Any]] = {
    "health": HealthWatch, "rentals": RentalService, "alerts": AlertService, "sweeper": Sweeper,
    "webhooks": WebhookService,
}  # fmt: skip


@pytest.fixture(autouse=True)
def quick_restarts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervision, "FIRST_WAIT_S", 0.01)


def fails_once(monkeypatch: pytest.MonkeyPatch, owner: Any, name: str) -> None:
    """Let a function raise at its first call and do its work from then on."""
    real: Callable[..., Awaitable[Any]] = getattr(owner, name)
    calls = 0

    async def run(*args: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise RuntimeError(f"a fault in {name}")
        return await real(*args, **options)

    monkeypatch.setattr(owner, name, run)


def restarts(site: Site) -> dict[str, int]:
    return {loop.name: loop.restarts for loop in site.web.services.loops.states() if loop.restarts}


async def test_all_parts_run_and_none_has_died(site: Site) -> None:
    names = [loop.name for loop in site.web.services.loops.states()]
    assert names == ["queue", "health", "rentals", "gallery", "alerts", "notices", "sweeper", "cache", "webhooks"]
    assert restarts(site) == {}
    values = await scrape(site.client)
    assert {values["easel_loop_restarts_total", name] for name in names} == {0}
    assert (await site.client.get("/healthz")).json() == {"status": "ok", "restarting": []}


@pytest.mark.parametrize("name", PARTS)
async def test_a_part_that_dies_is_logged_counted_and_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    monkeypatch.setattr(supervision, "FIRST_WAIT_S", 3600.0)
    fails_once(monkeypatch, PARTS[name], "run")
    async with site_at(tmp_path) as site:
        await until(lambda: restarts(site))
        assert (await site.client.get("/healthz")).json() == {"status": "ok", "restarting": [name]}
        assert (await scrape(site.client))["easel_loop_restarts_total", name] == 1
        assert (await site.draw())["status"] == "done"
    (record,) = [record for record in caplog.records if record.message == "loop died"]
    assert (record.levelno, record.loop, str(record.exc_info[1])) == (logging.ERROR, name, "a fault in run")


async def test_alerts_go_on_after_a_fault_of_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fails_once(monkeypatch, AlertService, "_check_budget")
    async with site_at(tmp_path, DAILY_BUDGET_USD="1") as site:
        alerts = site.web.services.records.alerts
        passed_on: list[Alert] = []

        async def listener(alert: Alert) -> None:
            passed_on.append(alert)

        alerts.on_alert.append(listener)
        alerts._is_budget_due = True
        alerts._bell.set()
        await until(lambda: restarts(site) == {"alerts": 1})
        alerts._fire("slow", "", "Slow today.")
        await until(lambda: passed_on)


async def test_jobs_are_started_after_a_fault_in_the_queue(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with site_at(tmp_path) as site:
        await site.draw(seed=1)
        fails_once(monkeypatch, queue_manager, "sleep_until")
        await site.draw(seed=2)
        await until(lambda: restarts(site) == {"queue": 1})
        assert (await site.draw(seed=3))["status"] == "done"


async def test_a_queue_that_is_being_started_again_is_not_ready(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervision, "FIRST_WAIT_S", 3600.0)
    fails_once(monkeypatch, queue_manager, "sleep_until")
    async with site_at(tmp_path) as site:
        await until(lambda: restarts(site) == {"queue": 1})
        answer = await site.client.get("/readyz")
        assert (answer.status_code, answer.json()["status"]) == (503, "the queue is being started again")


async def test_events_go_on_after_a_fault(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    fails_once(monkeypatch, Hub, "run")
    await site.door.open(bind_all(site.easel.settings.web))
    try:
        await until(lambda: restarts(site) == {"events": 1})
    finally:
        await site.door.close()
    states = {loop.name: loop.is_down for loop in site.web.services.loops.states()}
    assert states["events"] is False


async def test_the_server_answers_on_the_same_port_after_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    fails_once(monkeypatch, uvicorn.Server, "main_loop")
    async with served() as (server, connect):
        await until(lambda: server._loops.states()[0].restarts == 1 and not server._loops.states()[0].is_down)
        reader, writer = await connect()
        writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert await status_of(reader) == 200
