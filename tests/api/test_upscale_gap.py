"""Where no engine can upscale, every door has it done by what fills that gap."""

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
    child, fills = FakeChild(), frozenset({Mode.UPSCALE})
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
    assert (art["is_fallback"], art["fills"]) == (True, ["upscale"])
    assert engines["gpu"]["fills"] == []
    assert art["capabilities"]["modes"] == ["upscale"]
    assert art["capabilities"]["upscalers"] == ["R-ESRGAN AnimeVideo", "R-ESRGAN 4x+ Anime6B", "R-ESRGAN 4x+"]
