"""Engines by HTTP: listed, connected after a test, tested, forgotten."""

import pytest

from backends.base import BackendConfig
from backends.registry import Entry, Owner
from tests.api.conftest import HERE, held, site_at
from tests.backends import products
from tests.fakes import FakeBackend
from tests.net.servers import serve
from tests.waiting import until


async def engines(client):
    return {item["name"]: item for item in (await client.get("/api/engines")).json()["engines"]}


async def test_an_engine_tells_what_it_has_and_how_busy_it_is(site, client):
    sketch = (await engines(client))["sketch"]
    assert (sketch["state"], sketch["owner"], sketch["is_mine"], sketch["price"]) == ("up", "easel", False, "")
    assert sketch["grade"] == "platinum"
    assert sketch["capabilities"]["supports"]["preview"]
    assert sketch["capabilities"]["samplers"] == []
    assert "AI" in sketch["remark"]
    with held(site):
        await client.post("/api/jobs", json={"prompt": "a fox", "width": 64, "height": 64})
        await until(lambda: site.web.services.generation.lanes()[0].running == 1)
        busy = (await engines(client))["sketch"]
    assert (busy["state"], busy["running"]) == ("busy", 1)


async def test_an_engine_of_ones_own_is_tested_kept_and_forgotten(site, client):
    async with serve(products.a1111()) as port:
        body = {"kind": "forge", "url": f"http://127.0.0.1:{port}", "label": "Studio GPU"}
        made = await client.post("/api/engines", json=body)
        assert made.status_code == 201, made.text
        engine = made.json()
        assert (engine["label"], engine["owner"], engine["is_mine"]) == ("Studio GPU", "user", True)
        assert str(port) not in (await client.get("/api/engines")).text
        tested = (await client.post(f"/api/engines/{engine['name']}/test")).json()
        assert (tested["is_ok"], tested["layer"]) == (True, "product")
        mia = await site.session_client("discord:7")
        assert engine["name"] not in await engines(mia)
        assert (await mia.delete(f"/api/engines/{engine['name']}")).status_code == 404
    assert (await client.post(f"/api/engines/{engine['name']}/test")).json()["is_ok"] is False
    assert (await client.delete(f"/api/engines/{engine['name']}")).status_code == 204
    assert engine["name"] not in await engines(client)


async def test_a_failed_test_names_the_layer_and_keeps_nothing(client):
    answer = await client.post("/api/engines", json={"kind": "forge", "url": "http://127.0.0.1:9"})
    assert (answer.status_code, answer.json()["layer"]) == (503, "connect")
    assert list(await engines(client)) == ["sketch"]


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "http://192.168.1.2", "http://169.254.169.254/", "file:///etc"])
async def test_others_may_not_point_easel_into_the_home_network(site, url):
    mia = await site.session_client("discord:7")
    answer = await mia.post("/api/engines", json={"kind": "forge", "url": url})
    assert (answer.status_code, answer.json()["field"]) == (400, "url")


async def test_an_admin_of_the_settings_may(tmp_path):
    async with site_at(tmp_path, WEB_ADMINS="7", DISCORD_CLIENT_ID="1") as site:
        boss = await site.session_client("discord:7")
        answer = await boss.post("/api/engines", json={"kind": "forge", "url": "http://127.0.0.1:9"})
        assert answer.status_code == 503  # it was tried


async def test_engines_of_the_settings_stay(client):
    assert (await client.delete("/api/engines/sketch")).status_code == 403
    assert (await client.delete("/api/engines/none")).status_code == 404
    assert (await client.post("/api/engines/none/test")).status_code == 404
    assert (await client.post("/api/engines/sketch/test")).json()["is_ok"]


async def test_a_visitor_by_link_connects_nothing(site):
    token = site.web.access.sign_in_link("discord:7", "Mia", 60.0)
    mia = site.visitor(cookies={"easel_link": token}, headers={"Origin": HERE})
    answer = await mia.post("/api/engines", json={"kind": "forge", "url": "https://example.com"})
    assert answer.status_code == 403


async def test_where_an_engine_is_and_what_it_says_is_told_to_its_owner(site, client):
    async with serve(products.a1111()) as port:
        await client.post("/api/engines", json={"kind": "forge", "url": f"http://127.0.0.1:{port}"})
    site.easel.registry.get("user-local").owner = Owner()  # as one of the settings is
    mia = await site.session_client("discord:7", "Mia")
    reported = (await mia.post("/api/engines/user-local/test")).json()
    assert not reported["is_ok"]
    assert "127.0.0.1" not in str(reported)
    assert str(port) not in str(reported)
    assert reported["hint"]


async def test_kinds_tell_how_to_connect_them(client):
    kinds = {item["kind"]: item for item in (await client.get("/api/kinds")).json()["kinds"]}
    assert kinds["forge"]["needs_url"]
    assert not kinds["ai_horde"]["needs_url"]
    assert all(item["title"] and item["help"] and item["example"] for item in kinds.values())


async def test_engines_are_asked_anew(client):
    assert [item["name"] for item in (await client.post("/api/engines/refresh")).json()["engines"]] == ["sketch"]


async def test_a_rented_engine_shows_its_price(site, client):
    async with serve(products.a1111()) as port:
        await client.post("/api/engines", json={"kind": "forge", "url": f"http://127.0.0.1:{port}"})
        owner = site.easel.registry.get("user-local").owner
        await site.web.services.upkeep.rentals.set_price(owner, 0.34)
        assert (await engines(client))["user-local"]["price"] == "$0.34 an hour"
        asked = {"prompt": "a fox", "backend": "user-local"}
        reported = (await client.post("/api/estimate", json=asked)).json()
        assert (reported["price"], reported["cost_usd"]) == ("$0.34 an hour", None), (
            "how long it takes is not known yet"
        )
        lane = site.easel.queue._lanes.get("user-local")
        lane.pace.learn(None, 1.0, 90.0)
        reported = (await client.post("/api/estimate", json=asked)).json()
        assert reported["cost_usd"] == pytest.approx(0.34 * reported["seconds"] / 3600)
        assert reported["price"].startswith("about $")


async def test_a_price_that_the_engine_knows_stands_beside_the_button(site, client):
    class Priced(FakeBackend):
        async def quote(self, request):
            return 0.012 * request.batch_size

    site.easel.registry.add(Entry(config=BackendConfig(name="shop", kind="fake"), backend=Priced("shop", is_paid=True)))
    await site.easel.registry.refresh("shop")
    reported = (await client.post("/api/estimate", json={"prompt": "a fox", "backend": "shop", "batch_size": 2})).json()
    assert (reported["price"], reported["cost_usd"]) == ("$0.024", 0.024)
    reported = (await client.post("/api/estimate", json={"prompt": "a fox", "backend": "sketch"})).json()
    assert (reported["price"], reported["cost_usd"]) == ("free", 0.0)


async def test_a_price_nobody_can_say_before_is_called_so(site, client):
    backend = FakeBackend("shop", is_paid=True)
    site.easel.registry.add(Entry(config=BackendConfig(name="shop", kind="fake"), backend=backend))
    await site.easel.registry.refresh("shop")
    reported = (await client.post("/api/estimate", json={"prompt": "a fox", "backend": "shop"})).json()
    assert (reported["price"], reported["cost_usd"]) == ("paid, as the engine charges", None)
