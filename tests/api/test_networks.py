"""With no engine that can upscale or restyle, every door has it done by what fills that gap."""

import asyncio

import pytest

from backends.art.backend import ArtBackend
from backends.base import BackendConfig
from backends.registry import Entry
from generation.capabilities import Capabilities
from generation.request import Mode
from tests.api.conftest import png
from tests.api.dialects import data_url
from tests.backends.art.fake_child import FakeChild
from tests.fakes import FakeBackend

PLAIN = Capabilities(modes=frozenset({Mode.TXT2IMG}))


@pytest.fixture
async def child(site, monkeypatch):
    """The networks are installed, and an engine is connected that draws from words alone."""
    monkeypatch.setattr("backends.art.backend.is_installed", lambda: True)
    child, fills = FakeChild(), frozenset({Mode.UPSCALE, Mode.RESTYLE})
    registry = site.easel.registry
    config = BackendConfig(name="art", kind="art")
    registry.add(Entry(config=config, backend=ArtBackend(child=child), is_fallback=True, fills=fills))
    registry.add(Entry(config=BackendConfig(name="gpu", kind="fake"), backend=FakeBackend("gpu", capabilities=PLAIN)))
    await registry.refresh_all()
    return child


@pytest.mark.parametrize("scale", [2, 4])
async def test_the_image_studios_upscale_needs_no_provider(client, child, scale):
    answer = await client.post("/api/images/upscale", json={"imageUrl": data_url(png(32, 48)), "scale": scale})
    assert answer.status_code == 200, answer.text
    (image,) = answer.json()["images"]
    assert (image["size"], image["provider"]) == (f"{32 * scale}x{48 * scale}", "art")
    assert image["model"] == "R-ESRGAN AnimeVideo"


async def test_the_networks_are_listed_as_a_fallback_with_what_they_can(client, child):
    engines = {engine["name"]: engine for engine in (await client.get("/api/engines")).json()["engines"]}
    art = engines["art"]
    assert (art["is_fallback"], art["fills"]) == (True, ["restyle", "upscale"])
    assert engines["gpu"]["fills"] == []
    assert art["capabilities"]["modes"] == ["restyle", "upscale"]
    assert art["capabilities"]["upscalers"] == ["R-ESRGAN AnimeVideo", "R-ESRGAN 4x+ Anime6B", "R-ESRGAN 4x+"]


async def test_style_transfer_is_done_by_the_network_with_the_style_of_the_second_picture(client, child):
    body = {"contentImage": data_url(png(64, 96)), "styleImage": data_url(png(32, 32, "#aa2211")), "styleStrength": 0.6}
    job = (await client.post("/generate/style-transfer", json=body)).json()
    while (done := (await client.get(f"/jobs/{job['id']}")).json())["status"] not in {"completed", "failed"}:
        await asyncio.sleep(0.01)
    assert (done["status"], done["type"]) == ("completed", "style-transfer")
    assert any("by art" in note for note in done["notes"])
    assert (child.orders[-1]["do"], child.orders[-1]["strength"], len(child.blobs[-1])) == ("restyle", 0.6, 2)


async def test_the_image_studios_edit_restyles_by_name_or_picture(client, child):
    edit = {"imageUrl": data_url(png(64, 96)), "editType": "style-transfer"}
    named = await client.post("/api/images/edit", json=edit | {"styleName": "painting 9"})
    assert named.status_code == 200, named.text
    assert named.json()["images"][0]["size"] == "64x96"
    assert child.orders[-1]["style"] == "painting 9"
    await client.post("/api/images/edit", json=edit | {"styleUrl": data_url(png(32, 32)), "strength": 0.4})
    assert (child.orders[-1]["strength"], len(child.blobs[-1])) == (0.4, 2)
    unknown = await client.post("/api/images/edit", json=edit | {"styleName": "rembrandt"})
    assert unknown.status_code == 422


async def test_a_job_of_that_mode_restyles_and_is_found_in_the_gallery(client, child):
    uploaded = (await client.post("/api/uploads", content=png(64, 96))).json()
    body = {"mode": "restyle", "init_image": uploaded["media_id"], "styles": ["painting 3"]}
    job = await client.post("/api/jobs", json=body)
    assert job.status_code in {200, 202}, job.text
    while not child.orders:
        await asyncio.sleep(0.01)
    assert child.orders[-1]["style"] == "painting 3"
    while not (found := (await client.get("/api/gallery", params={"mode": "restyle"})).json())["pictures"]:
        await asyncio.sleep(0.01)
    assert found["pictures"][0]["mode"] == "restyle"
