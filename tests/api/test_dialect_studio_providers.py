"""The studio's dialect with engines that charge: who draws, what it costs, and what is missing."""

from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from tests.api.conftest import png, site_at
from tests.api.dialects import data_url
from tests.engines.openai_server import KEY, OpenAIServer
from tests.engines.stability_server import KEY as STABILITY_KEY
from tests.engines.stability_server import StabilityServer

WIDE = {"prompt": "a red fox", "size": "1024x1024"}


def openai_at(server: OpenAIServer, **more: str) -> dict[str, str]:
    """Return the settings for a stand-in."""
    return {
        "OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": f"{server.url}/v1", "OPENAI_IMAGES_DIALECT": "openai",
        "OPENAI_IMAGES_PAUSE": "0", "BACKENDS": "sketch",
    } | more  # fmt: skip


async def asked(client: httpx.AsyncClient, body: dict[str, Any], status: int = 200) -> dict[str, Any]:
    answer = await client.post("/api/images/generate", json=body)
    assert answer.status_code == status, answer.text
    return dict(answer.json())


async def test_an_engine_that_charges_shows_its_prices_with_date_and_source(tmp_path: Path) -> None:
    async with OpenAIServer() as server, site_at(tmp_path, **openai_at(server)) as site:
        await asked(site.client, WIDE | {"provider": "dalle3"})
        reported = (await site.client.get("/api/images/providers")).json()
        listed = {item["name"]: item for item in reported["providers"]}
        assert (listed["openai_images"]["paid"], listed["sketch"]["paid"]) == (True, False)
        prices = listed["openai_images"]["prices"]
        found = next(p for p in prices if p["name"] == "gpt-image-2.6" and p["variant"] == "1024x1024 medium")
        assert (found["usd"], found["unit"], found["asOf"]) == (0.053, "picture", "2026-11-28")
        assert found["source"]
        assert listed["sketch"]["prices"] == []
        assert listed["openai_images"]["capabilities"]["inpainting"]
        assert not listed["openai_images"]["capabilities"]["upscaling"]


async def test_the_old_word_finds_it_and_the_cost_and_words_are_kept(tmp_path: Path) -> None:
    async with OpenAIServer() as server, site_at(tmp_path, **openai_at(server)) as site:
        server.plans += ["revised", "revised"]
        found = await asked(site.client, WIDE | {"provider": "dalle3", "count": 2})
        assert (found["count"], found["images"][0]["provider"]) == (2, "openai_images")
        assert found["images"][0]["revisedPrompt"] == "A detailed picture of a red fox"
        past = (await site.client.get("/api/images/history")).json()["images"]
        assert sum(picture["cost"] for picture in past) == pytest.approx(2 * (12 * 5 + 196 * 30) / 1e6)


async def test_a_refusal_of_the_filter_keeps_its_reason(tmp_path: Path) -> None:
    async with OpenAIServer() as server, site_at(tmp_path, **openai_at(server)) as site:
        server.plans.append("moderated")
        found = await asked(site.client, WIDE | {"provider": "openai"}, 400)
        assert "sexual" in found["error"]


async def test_a_free_engine_draws_unless_the_default_is_another(tmp_path: Path) -> None:
    async with OpenAIServer() as server:
        async with site_at(tmp_path / "free", **openai_at(server)) as site:
            found = await asked(site.client, WIDE)
            assert found["images"][0]["provider"] == "sketch"
            assert (await site.client.get("/api/images/providers")).json()["default"] == "sketch"
        async with site_at(tmp_path / "set", **openai_at(server, DEFAULT_PROVIDER="dalle3")) as site:
            found = await asked(site.client, WIDE)
            assert found["images"][0]["provider"] == "openai_images"
            assert (await site.client.get("/api/images/providers")).json()["default"] == "openai_images"
            await server.__aexit__()
            await site.easel.registry.refresh("openai_images")
            found = await asked(site.client, WIDE | {"prompt": "a blue fox"})
            assert found["images"][0]["provider"] == "sketch"


@pytest.mark.parametrize(
    ("environ", "hint"),
    [
        ({}, "Set OPENAI_API_KEY in .env"),
        ({"OPENAI_API_KEY": KEY, "DALLE_ENABLED": "false"}, "OPENAI_IMAGES_ENABLED=yes"),
    ],
)
async def test_a_provider_that_is_not_set_up_names_the_setting(
    tmp_path: Path, environ: dict[str, str], hint: str
) -> None:
    async with site_at(tmp_path, **environ) as site:
        found = await asked(site.client, WIDE | {"provider": "dalle3"}, 404)
    assert found["error"] == "Provider not available: “dalle3” is OpenAI, which is not set up here."
    assert hint in found["hint"]


async def test_what_it_will_cost_stands_before_the_click(tmp_path: Path) -> None:
    async with OpenAIServer() as server, site_at(tmp_path, **openai_at(server)) as site:
        await site.easel.registry.refresh("openai_images")
        body = {"prompt": "a red fox", "width": 1024, "height": 1024, "backend": "openai_images"}
        reported = (await site.client.post("/api/estimate", json=body)).json()
        assert (reported["price"], reported["cost_usd"]) == ("$0.053", 0.053)


def stability_at(server: StabilityServer) -> dict[str, str]:
    return {"STABILITY_API_KEY": STABILITY_KEY, "STABILITY_URL": server.url}


@pytest.mark.parametrize(
    ("what", "body", "endpoint"),
    [
        ("edit", {"editType": "inpaint", "prompt": "a hat", "mask": "middle"}, "edit/inpaint"),
        ("edit", {"editType": "outpaint", "prompt": "a wood"}, "edit/outpaint"),
        ("edit", {"editType": "img2img", "prompt": "a wolf"}, "generate/sd3"),
        ("edit", {"editType": "style-transfer", "styleUrl": "picture"}, "control/style-transfer"),
        ("variations", {"prompt": "a fox"}, "generate/sd3"),
        ("upscale", {"scale": 4}, "upscale/fast"),
        ("upscale", {"scale": 2}, "upscale/fast"),
    ],
)
async def test_what_the_studio_edits_goes_to_stability(
    tmp_path: Path, what: str, body: dict[str, Any], endpoint: str
) -> None:
    mask = Image.new("L", (512, 512), 0)
    mask.paste(255, (100, 100, 300, 300))
    pictures = {"picture": data_url(png(512, 512)), "middle": data_url(mask)}
    sent = {name: pictures.get(value, value) if isinstance(value, str) else value for name, value in body.items()}
    async with StabilityServer() as server, site_at(tmp_path, **stability_at(server)) as site:
        sent |= {"imageUrl": pictures["picture"], "provider": "stability"}
        answer = await site.client.post(f"/api/images/{what}", json=sent)
        assert answer.status_code == 200, answer.text
        assert [job.path for job in server.jobs] == [endpoint]
        size = answer.json()["images"][0]["size"]
        wide = 512 * body.get("scale", 1)  # what is continued keeps its size: more is seen, smaller
        assert size == f"{wide:g}x{wide:g}"
        reported = (await site.client.get("/api/images/providers")).json()["providers"]
        can = next(item["capabilities"] for item in reported if item["name"] == "stability")
        assert all(can[name] for name in ("textToImage", "imageToImage", "inpainting", "variations", "upscaling"))
        assert can["styleTransfer"]
