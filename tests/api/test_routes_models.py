"""Models that Easel itself draws with, over HTTP: agreed to before the first byte, fetched, stopped, deleted."""

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from app.engines import take_up
from backends import kinds
from backends.embedded.kind import KIND
from backends.embedded.models.disk import look_for_models
from backends.embedded.models.keeping import ModelKeeper
from backends.embedded.models.machine import Gpu, OwnMachine
from net.hub import ModelHub
from tests.api.conftest import Site
from tests.backends.embedded.hub_server import LocalHub
from tests.backends.embedded.test_keeping import FILES, SD15, WEIGHTS, no_sleep
from tests.e2e.test_embedded import drawn_by
from tests.waiting import until

MACHINE = OwnMachine(gpus=(Gpu(name="a GPU", driver="1", total_mb=8000),), memory_mb=30_000, disk_mb=90_000)
AGREED = {"licence": SD15.licence}


@pytest.fixture
def here(tmp_path):
    """Return the hub's cache of this test."""
    return tmp_path / "hf"


@asynccontextmanager
async def hub_for(site: Site, folder, **traits):
    async with LocalHub(FILES, **traits).run() as hub:
        keeper = ModelKeeper(
            ModelHub(hub.url, sleep=no_sleep), folder, lambda: look_for_models((), folder), lambda: MACHINE
        )
        site.easel.services.models._make_keeper = lambda: keeper
        yield hub
        await site.easel.services.models.aclose()


async def listed(site: Site, name="sd15"):
    answer = await site.client.get("/api/models")
    assert answer.status_code == 200, answer.text
    return next(model for model in answer.json()["models"] if model["name"] == name)


async def over(site: Site):
    await until(lambda: site.easel.services.models.fetch_of("sd15").is_over)
    return await listed(site)


async def test_models_are_listed_with_size_licence_and_how_they_fit(site, here) -> None:
    async with hub_for(site, here) as hub:
        model = await listed(site)
        assert (model["title"], model["licence"], model["size_gb"]) == ("Stable Diffusion 1.5", SD15.licence, 2.8)
        assert (model["room"], model["fits"], model["is_here"]) == ("whole", "fits the GPU whole", False)
        assert (await listed(site, "sdxl"))["room"] == "layers"
        dev = await listed(site, "flux-dev")
        assert (dev["is_commercial"], dev["is_gated"], dev["room"]) == (False, True, "none")
        assert hub.requests == []


async def test_nothing_is_fetched_before_the_licence_was_agreed_to(site, here) -> None:
    async with hub_for(site, here) as hub:
        found = (await site.client.get("/api/models/sd15")).json()
        assert found["size"] == found["left"] > len(WEIGHTS)
        for body, field in (({}, "licence"), ({"licence": "MIT"}, "licence")):
            refused = await site.client.post("/api/models/sd15/fetch", json=body)
            assert refused.status_code in (400, 422)
            assert refused.json()["field"] == field
        assert SD15.licence in refused.json()["error"]
        assert {target for target, _ in hub.requests} == {f"/api/models/{SD15.repo}/revision/main"}
        assert site.easel.services.models.fetch_of("sd15") is None


async def test_it_is_fetched_in_the_background_written_down_and_deleted(site, here) -> None:
    async with hub_for(site, here):
        begun = await site.client.post("/api/models/sd15/fetch", json=AGREED)
        assert begun.status_code == 202
        assert begun.json()["fetch"]["total"] > len(WEIGHTS)
        model = await over(site)
        assert model["is_here"]
        assert model["fetch"]["state"] == "done"
        assert model["fetch"]["done"] == model["fetch"]["total"]
        freed = await site.client.delete("/api/models/sd15")
        assert freed.json()["freed"] > len(WEIGHTS)
        assert not (await listed(site))["is_here"]
        refused = await site.client.delete("/api/models/sd15")
        assert "not on this machine" in refused.json()["error"]
    rows = await site.easel.database.read("SELECT action, subject, details FROM audit ORDER BY rowid")
    assert [tuple(row) for row in rows] == [
        ("models", "sd15", f"fetched, agreeing to {SD15.licence}"),
        ("models", "sd15", "deleted"),
    ]


async def test_one_at_a_time_is_fetched_and_can_be_stopped_and_gone_on_with(site, here) -> None:
    async with hub_for(site, here, breaks=[1000]) as hub:
        keeper, reached = site.easel.services.models._make_keeper(), asyncio.Event()

        async def wait(seconds):
            reached.set()
            await asyncio.Event().wait()

        keeper._hub._sleep = wait
        await site.client.post("/api/models/sd15/fetch", json=AGREED)
        await asyncio.wait_for(reached.wait(), 5)
        assert (await listed(site))["fetch"]["state"] == "running"
        again = await site.client.post("/api/models/sd15/fetch", json=AGREED)
        assert again.status_code == 202
        other = await site.client.post("/api/models/sdxl/fetch", json={"licence": "CreativeML OpenRAIL++-M"})
        assert "sd15 is being fetched" in other.json()["error"]
        kept = await site.client.delete("/api/models/sd15")
        assert "stop that first" in kept.json()["error"]
        assert (await site.client.delete("/api/models/sd15/fetch")).status_code == 204
        model = await listed(site)
        assert model["fetch"]["state"] == "failed"
        assert "goes on from here" in model["fetch"]["error"]
        assert (await site.client.delete("/api/models/sd15/fetch")).status_code in (400, 422)
        keeper._hub._sleep = no_sleep
        await site.client.post("/api/models/sd15/fetch", json=AGREED)
        assert (await over(site))["is_here"]
        assert [headers["range"] for _, headers in hub.requests if "range" in headers] == ["bytes=1000-"]


async def test_a_hub_that_refuses_or_breaks_off_is_told_in_words(site, here) -> None:
    async with hub_for(site, here, status=503):
        answer = await site.client.get("/api/models/sd15")
        assert answer.status_code == 503
        assert "HTTP 503" in answer.json()["error"]
    site.easel.services.models._made = None
    async with hub_for(site, here, breaks=[0] * 30):
        await site.client.post("/api/models/sd15/fetch", json=AGREED)
        model = await over(site)
        assert "breaks off again and again" in model["fetch"]["error"]
        assert str(here) not in str(model)


async def test_what_is_no_model_or_needs_another_is_refused(site, here) -> None:
    async with hub_for(site, here):
        assert "no model that can be fetched" in (await site.client.get("/api/models/horse")).json()["error"]
        assert "fetch that first" in (await site.client.get("/api/models/sdxl-lightning")).json()["error"]


async def test_the_engine_is_there_as_soon_as_its_first_model_is(site, here, monkeypatch) -> None:
    kinds.known_kinds()
    kind = replace(KIND, make=drawn_by, comes_with=lambda options: any(here.rglob("model_index.json")))
    monkeypatch.setitem(kinds._kinds, "embedded", kind)
    settings = site.easel.settings
    options = {**settings.engines.fallback_options, "embedded": {"hf_home": str(here)}}
    assert site.easel.registry.get("embedded") is None
    async with hub_for(site, here / "hub"):
        registry = site.easel.registry
        changed = settings.changed(engines={"fallback_options": options})
        site.easel.services.models.on_change = lambda: take_up(registry, changed)
        await site.client.post("/api/models/sd15/fetch", json=AGREED)
        await over(site)
    engine = registry.get("embedded")
    assert engine is not None
    assert [model.name for model in engine.capabilities.models] == ["sd15"]
    shown = next(
        each for each in (await site.client.get("/api/engines")).json()["engines"] if each["name"] == "embedded"
    )
    assert shown["capabilities"]["models"][0]["licence"] == SD15.licence
