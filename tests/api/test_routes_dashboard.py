"""Figures, metrics and keys by HTTP: right, and for the right eyes."""

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from prometheus_client.parser import text_string_to_metric_families

from backends.base import LoadedModel
from backends.registry import Entry
from services.reports.alerts import Alert


async def dashboard(client, **query):
    answer = await client.get("/api/dashboard", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_the_dashboard_counts_what_was_drawn(site, client):
    await site.draw(seed=1)
    reported = await dashboard(client, days=1)
    assert (reported["totals"]["done"], reported["totals"]["images"], reported["totals"]["success_rate"]) == (1, 1, 1.0)
    assert len(reported["hours"]) == 24
    assert sum(hour["done"] for hour in reported["hours"]) == 1
    (engine,) = reported["engines"]
    assert (engine["done"], engine["failed"]) == (1, 0)
    assert engine["p95_seconds"] == pytest.approx(engine["mean_seconds"])
    assert [(day["user"], day["images"]) for day in reported["days"]] == [("You", 1)]


async def test_the_dashboard_tells_of_the_queue_what_its_event_tells(site, client):
    session = (await site.web.access.open_session("discord:7", "Mia"))[0]
    event = site.web.hub.queue_event(session.user_id).decode()
    reply = json.loads(event.partition("data: ")[2])
    assert [*reply["engines"]] == ["sketch"]
    assert (await dashboard(client))["queue"] == reply


async def test_others_see_their_own_figures_and_no_alerts(site, client):
    mia = await site.session_client("discord:7")
    await site.draw(seed=1)
    await site.draw(mia, seed=2)
    site.web.services.records.alerts._fire("slow", "sketch", "It took long.")
    assert (await dashboard(client))["totals"]["done"] == 2
    reported = await dashboard(mia)
    assert (reported["totals"]["done"], [day["user"] for day in reported["days"]], reported["alerts"]) == (
        1,
        ["Mia"],
        [],
    )
    (alert,) = (await dashboard(client))["alerts"]
    assert (alert["kind"], alert["level"], alert["message"]) == ("slow", "warning", "It took long.")


@pytest.mark.parametrize("days", [0, 367, "x"])
async def test_days_out_of_range_are_refused(client, days):
    assert (await client.get("/api/dashboard", params={"days": days})).status_code == 422


async def test_an_alert_reaches_admins_streams_alone(site):
    mia = (await site.web.access.open_session("discord:7", "Mia"))[0]
    boss = (await site.web.access.open_session("discord:8", "Boss"))[0]
    readers = [site.web.hub.open(caller) for caller in (mia, replace(boss, scopes=frozenset({"admin"})))]
    alert = Alert(kind="budget", lane="", message="Too dear.", at=datetime(2026, 1, 1, tzinfo=UTC))
    for tell in site.web.services.records.alerts.on_alert:
        await tell(alert)
    theirs, bosses = (reader.take() for reader in readers)
    assert theirs == b""
    assert bosses.startswith(b'event: alert\ndata: {"kind":"budget","level":"error","message":"Too dear."')


async def scrape(client):
    answer = await client.get("/metrics")
    assert answer.status_code == 200
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


async def test_metrics_are_what_prometheus_reads(site, client):
    await site.draw(seed=1)
    engine = site.web.services.generation.label("sketch")
    values = await scrape(client)
    assert values["easel_jobs_total", engine, "done"] == 1
    assert values["easel_pictures_total", engine] == 1
    assert values["easel_job_seconds_count", engine] == 1
    assert values["easel_success_ratio", engine] == 1
    assert values["easel_error_ratio", engine] == 0
    assert values["easel_queue_waiting", engine] == 0
    assert values["easel_generations_hour",] == 1
    assert values["easel_user_cost_today_usd", "api:local"] == 0
    assert 0 <= values["easel_loop_lag_seconds",] < 5
    assert values["easel_event_streams",] == 0


async def test_metrics_tell_of_the_bus_and_of_memory_where_there_is_either(site, client, monkeypatch):
    plain = (await client.get("/metrics")).text
    assert "easel_bus_up" not in plain
    assert "easel_engine_memory_bytes{" not in plain

    async def untold() -> int:
        return 3

    site.easel.web.bus.is_up, site.easel.web.bus.untold = lambda: True, untold
    loaded = LoadedModel(
        model="m", device="cuda:0", device_title="GPU", dtype="fp16", way="whole", since=site.easel.clock.now(),
        total_mb=24576, free_mb=1024,
    )  # fmt: skip
    monkeypatch.setattr(Entry, "loaded", loaded)
    text = (await client.get("/metrics")).text
    assert "easel_bus_up 1.0" in text
    assert "easel_bus_untold 3.0" in text
    assert 'easel_engine_memory_bytes{device="cuda:0",engine="sketch",kind="free"} 1.073741824e+09' in text
    assert 'kind="total"} 2.5769803776e+10' in text


async def test_metrics_are_for_keys_and_this_machine_only(site):
    assert (await (await site.key_client("read")).get("/metrics")).status_code == 200
    assert (await (await site.key_client("generate")).get("/metrics")).status_code == 403
    assert (await (await site.session_client("discord:7")).get("/metrics")).status_code == 403
    assert (await site.visitor().get("/metrics")).status_code == 401


async def test_a_key_is_made_used_listed_and_revoked(site, client):
    body = {"name": "Blog bot", "scopes": ["read", "generate"], "rate_per_minute": 100}
    made = await client.post("/api/keys", json=body)
    assert made.status_code == 201
    reported = made.json()
    bot = site.visitor(headers={"Authorization": f"Bearer {reported['token']}"})
    assert (await bot.get("/api/session")).json()["user"]["name"] == "Blog bot"
    (listed,) = (await client.get("/api/keys")).json()["keys"]
    assert (listed["id"], listed["scopes"], listed["last_used_at"] is not None) == (
        reported["key"]["id"], ["read", "generate"], True,
    )  # fmt: skip
    assert reported["token"] not in (await client.get("/api/keys")).text
    assert (await client.delete(f"/api/keys/{listed['id']}")).status_code == 204
    assert (await client.delete(f"/api/keys/{listed['id']}")).status_code == 404
    assert (await bot.get("/api/session")).status_code == 401


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"name": "", "scopes": ["read"]}, 400),
        ({"name": "x", "scopes": []}, 400),
        ({"name": "x", "scopes": ["root"]}, 422),
        ({"name": "x", "scopes": ["read"], "rate_per_minute": 0}, 400),
        ({"name": "x", "scopes": ["read"], "user_key": "nobody"}, 400),
    ],
)
async def test_a_key_that_cannot_be_is_refused(client, body, status):
    assert (await client.post("/api/keys", json=body)).status_code == status


async def test_keys_are_for_admins(site):
    for client in (await site.session_client("discord:7"), await site.key_client("read", "generate")):
        assert (await client.get("/api/keys")).status_code == 403
        assert (await client.post("/api/keys", json={"name": "x", "scopes": ["admin"]})).status_code == 403
        assert (await client.delete("/api/keys/beef")).status_code == 403
    assert (await (await site.key_client("admin")).get("/api/keys")).status_code == 200
