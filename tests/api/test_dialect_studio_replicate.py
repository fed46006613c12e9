"""The studio's dialect, the webhook and the estimate with Replicate behind them."""

import asyncio
import base64
from pathlib import Path
from typing import Any

import pytest

from tests.api.conftest import png, site_at
from tests.api.dialects import data_url
from tests.engines.replicate_server import KEY, WEBHOOK_KEY, ReplicateServer
from tests.waiting import until

SECRET = "whsec_" + base64.b64encode(WEBHOOK_KEY).decode()


def replicate_at(server: ReplicateServer, **more: str) -> dict[str, str]:
    return {"REPLICATE_API_TOKEN": KEY, "REPLICATE_URL": f"{server.url}/v1"} | more


async def test_it_is_a_provider_with_its_prices(tmp_path: Path) -> None:
    async with ReplicateServer() as server, site_at(tmp_path, **replicate_at(server)) as site:
        body = {"prompt": "a red fox", "size": "1024x1024", "provider": "replicate", "count": 2}
        found = (await site.client.post("/api/images/generate", json=body)).json()
        assert (found["success"], found["count"]) == (True, 2)
        assert {image["model"] for image in found["images"]} == {"black-forest-labs/flux-schnell"}
        reported = (await site.client.get("/api/images/providers")).json()["providers"]
        listed = next(item for item in reported if item["name"] == "replicate")
        rows = ("textToImage", "imageToImage", "inpainting", "variations", "upscaling", "styleTransfer")
        assert all(listed["capabilities"][row] for row in rows)
        assert (listed["maxImages"], listed["paid"], listed["supports"]["seed"]) == (10, True, True)
        prices = {(price["name"], price["unit"]): price for price in listed["prices"]}
        assert prices["black-forest-labs/flux-schnell", "picture"]["usd"] == 0.003
        assert prices["bytedance/sdxl-lightning-4step", "second"]["asOf"] == "2026-11-29"
        past = (await site.client.get("/api/images/history")).json()["images"]
        assert sum(picture["cost"] for picture in past) == pytest.approx(0.006)


@pytest.mark.parametrize(
    ("what", "body", "slug"),
    [
        ("edit", {"editType": "inpaint", "prompt": "a hat", "mask": "mask"}, "stability-ai/sdxl"),
        ("edit", {"editType": "img2img", "prompt": "a wolf", "strength": 0.8}, "black-forest-labs/flux-dev"),
        ("variations", {"prompt": "a fox", "count": 2}, "black-forest-labs/flux-dev"),
        ("upscale", {"scale": 2}, "nightmareai/real-esrgan"),
        ("upscale", {"scale": 4}, "nightmareai/real-esrgan"),
    ],
)
async def test_what_the_studio_edits_goes_to_a_model_that_does_it(
    tmp_path: Path, what: str, body: dict[str, Any], slug: str
) -> None:
    pictures = {"mask": data_url(png(512, 512, (255, 255, 255)))}
    sent = {name: pictures.get(value, value) if isinstance(value, str) else value for name, value in body.items()}
    async with ReplicateServer() as server, site_at(tmp_path, **replicate_at(server)) as site:
        sent |= {"imageUrl": data_url(png(512, 512)), "provider": "replicate"}
        answer = await site.client.post(f"/api/images/{what}", json=sent)
        assert answer.status_code == 200, answer.text
        assert {run.slug for run in server.runs.values()} == {slug}
        wide = 512 * body.get("scale", 1)
        assert answer.json()["images"][0]["size"] == f"{wide}x{wide}"


async def test_its_webhook_ends_the_wait(tmp_path: Path) -> None:
    webhook = {"REPLICATE_WEBHOOK_SECRET": SECRET, "REPLICATE_WEBHOOK_URL": "https://easel.example/webhooks/replicate"}
    async with ReplicateServer() as server, site_at(tmp_path, **replicate_at(server, **webhook)) as site:
        server.hold()
        body = {"prompt": "a red fox", "backend": "replicate", "width": 1024, "height": 1024}
        job = (await site.client.post("/api/jobs", json=body)).json()["jobs"][0]["id"]
        await until(lambda: len(server.runs) == 1)
        (run,) = server.runs.values()
        await until(lambda: run.polls == 1)
        run.webhook = ""  # that address is nobody's
        server.release()
        await until(lambda: run.has_ended)
        words, headers = server.signed(run)
        stranger = site.visitor()
        forged = await stranger.post("/webhooks/replicate", content=words + b" ", headers=headers)
        assert forged.status_code == 401
        assert run.polls == 1
        for _ in range(2):  # it may come twice
            answer = await stranger.post("/webhooks/replicate", content=words, headers=headers)
            assert (answer.status_code, answer.json()) == (200, {"success": True})
        async with asyncio.timeout(5):  # a question without it would come after fifteen
            while (await site.client.get(f"/api/jobs/{job}")).json()["status"] != "done":
                await asyncio.sleep(0.02)
        assert run.polls == 2


@pytest.mark.parametrize(
    ("environ", "hint"),
    [
        ({}, "Set REPLICATE_API_TOKEN in .env"),
        ({"REPLICATE_API_TOKEN": KEY, "REPLICATE_ENABLED": "false"}, "REPLICATE_ENABLED=yes"),
    ],
)
async def test_where_it_is_not_set_up_the_setting_is_named(tmp_path: Path, environ: dict[str, str], hint: str) -> None:
    async with site_at(tmp_path, **environ) as site:
        body = {"prompt": "a red fox", "provider": "replicate"}
        answer = await site.client.post("/api/images/generate", json=body)
    assert answer.status_code == 404
    assert answer.json()["error"] == "Provider not available: “replicate” is Replicate, which is not set up here."
    assert hint in answer.json()["hint"]


async def test_what_it_will_cost_stands_before_the_click(tmp_path: Path) -> None:
    async with ReplicateServer() as server, site_at(tmp_path, **replicate_at(server)) as site:
        await site.easel.registry.refresh("replicate")
        body = {"prompt": "a red fox", "width": 1024, "height": 1024, "backend": "replicate", "model": "Flux Pro"}
        reported = (await site.client.post("/api/estimate", json=body)).json()
        assert reported["cost_usd"] == pytest.approx(0.04)
