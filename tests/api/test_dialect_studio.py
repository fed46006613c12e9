"""The image studio's dialect: names, fields and words of its published API."""

import uuid

import pytest
from PIL import Image

from easel_sketch.painting.legend import TEXT
from generation.capabilities import Capabilities, ModelInfo
from generation.request import Mode
from settings.web import WebSettings
from tests.api.conftest import held, png, site_at
from tests.api.dialects import data_url

SMALL = {"size": "64x64", "steps": 4}


async def asked(client, what, body, status=200):
    answer = await client.post(f"/api/images/{what}", json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_generate_answers_with_the_pictures(site):
    body = SMALL | {"prompt": "a red fox", "provider": "sketch", "seed": 5, "cfgScale": 7, "negativePrompt": "blur"}
    found = await asked(site.client, "generate", body)
    assert (found["success"], found["count"], len(found["images"])) == (True, 1, 1)
    image = found["images"][0]
    assert {"id", "url", "prompt", "revisedPrompt", "provider", "model", "size", "createdAt"} <= set(image)
    assert str(uuid.UUID(image["id"])) == image["id"]
    assert image["url"] == f"http://127.0.0.1/api/media/{image['id']}"
    assert (image["prompt"], image["revisedPrompt"], image["provider"]) == ("a red fox", None, "sketch")
    assert (image["model"], image["size"], image["createdAt"][-1]) == ("sketch", "64x64", "Z")
    picture = await site.client.get(image["url"])
    assert picture.headers["content-type"] == "image/png"


async def test_more_than_an_engine_draws_at_once_are_several_jobs(site):
    site.easel.registry.get("sketch").capabilities = Capabilities(modes=frozenset(Mode), models=(), max_batch=2)
    found = await asked(site.client, "generate", SMALL | {"prompt": "a fox", "count": 5, "seed": 10})
    assert found["count"] == 5
    assert sorted(image["seed"] for image in found["images"]) == [10, 11, 12, 13, 14]
    refused = await asked(site.client, "generate", {"prompt": "a fox", "count": 11}, 400)
    assert (refused["success"], refused["field"]) == (False, "count")


async def test_quality_and_style_become_steps_and_words(site):
    body = {"prompt": "a fox", "size": "64x64", "quality": "hd", "style": "vivid"}
    found = await asked(site.client, "generate", body)
    assert found["images"][0]["revisedPrompt"].startswith("a fox, vivid")
    assert "quality hd: 30 steps instead of 20" in found["notes"]
    styled = await asked(site.client, "generate", SMALL | {"prompt": "a fox", "style": "cyberpunk", "quality": "hd"})
    assert styled["images"][0]["revisedPrompt"] != "a fox"
    assert any("quality hd ignored" in note for note in styled["notes"])
    for field in ("quality", "style"):
        assert (await asked(site.client, "generate", {"prompt": "a fox", field: "nonsense"}, 400))["field"] == field


@pytest.mark.parametrize("provider", ["dalle3", "stability", "replicate", "nowhere"])
async def test_a_provider_that_is_not_there_is_refused_with_those_that_are(client, provider):
    found = await asked(client, "generate", {"prompt": "a fox", "provider": provider}, 404)
    assert "Provider not available" in found["error"]
    assert "sketch" in found["hint"]
    assert "connected" not in found["error"] or provider == "nowhere"  # a hosted service cannot be connected at all


async def test_a_sketch_says_by_the_api_that_it_is_one(site):
    found = await asked(site.client, "generate", SMALL | {"prompt": "a fox"})
    assert TEXT in found["notes"]


async def test_an_alias_finds_the_engine_of_that_kind(site):
    entry = site.easel.registry.get("sketch")
    entry.config = type(entry.config)(name="sketch", kind="stability")
    found = await asked(site.client, "generate", SMALL | {"prompt": "a fox", "provider": "stability"})
    assert found["images"][0]["provider"] == "sketch"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "prompt"),
        ({"prompt": "x" * 4001}, "prompt"),
        ({"prompt": "a fox", "size": "huge"}, "size"),
        ({"prompt": "a fox", "count": 0}, "count"),
    ],
)
async def test_what_is_wrong_is_named(client, body, field):
    found = await asked(client, "generate", body, 400)
    assert (found["success"], found["field"]) == (False, field)


async def test_a_picture_is_edited_by_its_own_address_and_id(site):
    mask = Image.new("L", (32, 32), 0)
    mask.paste(255, (0, 0, 16, 32))
    first = (await asked(site.client, "generate", SMALL | {"prompt": "a fox"}))["images"][0]
    for name in ("url", "id"):
        body = {"imageUrl": first[name], "prompt": "a hat", "editType": "inpaint", "mask": data_url(mask)}
        found = await asked(site.client, "edit", body | {"strength": 0.8})
        assert (found["count"], found["images"][0]["size"]) == (1, "64x64")


@pytest.mark.parametrize("kind", ["outpaint", "img2img"])
async def test_the_other_kinds_of_edit(site, kind):
    body = {"imageUrl": data_url(png(128, 128)), "prompt": "a fox", "editType": kind, "strength": 0.8}
    found = await asked(site.client, "edit", body)
    assert found["success"]
    job = (await site.client.get("/api/jobs")).json()["jobs"][0]
    assert (job["mode"], job["request"]["denoising_strength"]) == (
        "inpaint" if kind == "outpaint" else "img2img",
        0.8,
    )


async def test_an_edit_without_its_pictures_or_of_an_unknown_kind_is_refused(client):
    for body, field in (({}, "imageUrl"), ({"imageUrl": data_url(png())}, "mask"), ({"editType": "melt"}, "editType")):
        assert (await asked(client, "edit", {"prompt": "a fox"} | body, 400))["field"] == field


async def test_a_link_into_the_own_network_is_refused(client):
    found = await asked(client, "upscale", {"imageUrl": "http://169.254.169.254/latest/meta-data"}, 400)
    assert found["field"] == "imageUrl"


async def test_variations_go_by_the_pictures_own_prompt(site):
    first = (await asked(site.client, "generate", SMALL | {"prompt": "a fox"}))["images"][0]
    found = await asked(site.client, "variations", {"imageUrl": first["url"], "count": 2})
    assert (found["count"], {image["prompt"] for image in found["images"]}) == (2, {"a fox"})
    other = await asked(site.client, "variations", {"imageUrl": data_url(png()), "provider": "sketch"})
    assert any("no prompt was given" in note for note in other["notes"])


@pytest.mark.parametrize("scale", [2, 4])
async def test_upscale_makes_it_larger(client, scale):
    found = await asked(client, "upscale", {"imageUrl": data_url(png(32, 48)), "scale": scale, "provider": "sketch"})
    assert found["images"][0]["size"] == f"{32 * scale}x{48 * scale}"


async def test_a_prompt_is_made_fuller_by_rules(client):
    found = await asked(client, "enhance-prompt", {"prompt": "a red fox"})
    assert found["enhancedPrompt"].startswith("a red fox, ")
    assert (found["success"], found["source"]) == (True, "rules")
    assert found["suggestions"]
    assert "fox" in found["tags"]
    assert (await asked(client, "enhance-prompt", {}, 400))["error"] == "Prompt is required"


async def test_a_picture_is_described_where_an_engine_can(site):
    body = {"imageUrl": data_url(png())}
    assert "describe" in (await asked(site.client, "analyze", body, 422))["error"]
    entry = site.easel.registry.get("sketch")

    async def describe(image):
        return "a blue square,  flat"

    entry.backend.describe = describe
    entry.backend.start = entry.backend.poll = entry.backend.fetch = entry.backend.cancel = None
    entry.capabilities = Capabilities(modes=frozenset(Mode), supports_describe=True)
    found = await asked(site.client, "analyze", body)
    assert (found["success"], found["analysis"], found["tags"]) == (
        True,
        "a blue square, flat",
        ["a blue square", "flat"],
    )


async def test_history_is_ones_own_unless_one_is_an_admin(site):
    mia, tom = await site.key_client("read", "generate"), await site.key_client("read", "generate")
    for prompt in ("one", "two", "three"):
        await asked(mia, "generate", SMALL | {"prompt": prompt})
    found = (await mia.get("/api/images/history", params={"limit": 2, "offset": 1})).json()
    assert [image["prompt"] for image in found["images"]] == ["two", "one"]
    assert (found["success"], found["count"], found["total"]) == (True, 2, 3)
    owner = found["images"][0]["userId"]
    assert (await tom.get("/api/images/history")).json()["images"] == []
    assert (await tom.get("/api/images/history", params={"userId": owner})).status_code == 403
    assert (await mia.get("/api/images/history", params={"userId": owner})).json()["total"] == 3
    assert (await site.client.get("/api/images/history", params={"userId": owner})).json()["total"] == 3
    assert (await mia.get("/api/images/history?limit=100000")).status_code == 400


async def test_providers_say_what_they_can_do(site):
    models = (ModelInfo(name="m1", title="M 1"),)
    site.easel.registry.get("sketch").capabilities = Capabilities(
        modes=frozenset({Mode.TXT2IMG}), models=models, max_batch=1, supports_negative_prompt=False
    )
    found = (await site.client.get("/api/images/providers")).json()
    provider = found["providers"][0]
    assert (found["success"], found["default"], provider["name"]) == (True, "sketch", "sketch")
    can = [name for name, is_so in provider["capabilities"].items() if is_so]
    assert (can, provider["maxImages"], provider["models"]) == (["textToImage"], 1, ["m1"])
    assert provider["supports"]["negativePrompt"] is False


async def test_health_is_told_per_provider(site):
    found = (await site.client.get("/api/images/health")).json()
    assert (found["success"], found["status"]) == (True, "healthy")
    assert found["providers"]["sketch"]["available"] is True
    site.easel.registry.get("sketch").capabilities = None
    found = (await site.client.get("/api/images/health")).json()
    assert (found["success"], found["status"]) == (False, "unhealthy")


async def test_addresses_of_pictures_go_to_the_cdn(tmp_path):
    async with site_at(tmp_path, IMAGE_CDN_URL="https://cdn.example") as site:
        image = (await asked(site.client, "generate", SMALL | {"prompt": "a fox"}))["images"][0]
        assert image["url"] == f"https://cdn.example/api/media/{image['id']}"
        assert (await asked(site.client, "upscale", {"imageUrl": image["url"]}))["images"][0]["size"] == "128x128"
    assert WebSettings().image_cdn_url == ""


async def test_who_waits_too_long_is_told_which_job_goes_on(tmp_path):
    async with site_at(tmp_path, job_timeout_s=0.02) as site:
        with held(site):
            found = await asked(site.client, "generate", SMALL | {"prompt": "a fox"}, 504)
        job = await site.ended(found["id"])
    assert (found["success"], found["job_ids"], job["status"]) == (False, [found["id"]], "done")
