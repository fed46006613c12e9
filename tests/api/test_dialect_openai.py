"""OpenAI's image API, the local model's, and Replicate's webhook."""

import base64
import hmac
import io
import time

import pytest
from PIL import Image

from generation.capabilities import Capabilities, ModelInfo
from generation.errors import ContentBlocked
from generation.request import Mode
from tests.api.conftest import held, png, site_at
from tests.api.dialects import picture_of

SMALL = {"size": "64x64", "steps": 4}


async def asked(client, path, body, status=200, **more):
    answer = await client.post(path, json=body, **more)
    assert answer.status_code == status, answer.text
    return answer.json()


def file_of(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


async def test_a_picture_comes_as_a_link_or_as_data(site):
    found = await asked(site.client, "/v1/images/generations", SMALL | {"prompt": "a fox", "model": "dall-e-3"})
    assert isinstance(found["created"], int)
    assert set(found["data"][0]) == {"url", "revised_prompt"}
    assert (await site.client.get(found["data"][0]["url"])).headers["content-type"] == "image/png"
    assert any("dall-e-3" in note for note in found["notes"])
    body = SMALL | {"prompt": "a fox", "n": 2, "response_format": "b64_json", "output_format": "webp"}
    found = await asked(site.client, "/v1/images/generations", body)
    assert [picture_of(item["b64_json"]).size for item in found["data"]] == [(64, 64), (64, 64)]
    body = SMALL | {"prompt": "a fox", "model": "gpt-image-1"}
    assert "b64_json" in (await asked(site.client, "/v1/images/generations", body))["data"][0]


async def test_what_clients_send_besides_is_understood_or_noted(site):
    body = {"prompt": "a fox", "size": "auto", "quality": "hd", "style": "natural", "background": "transparent"}
    found = await asked(site.client, "/v1/images/generations", body | {"user": "u1", "moderation": "low"})
    assert "natural" in found["data"][0]["revised_prompt"]
    reply = " ".join(found["notes"])
    assert "background ignored" in reply
    assert "moderation ignored" in reply
    assert "quality hd" in reply


@pytest.mark.parametrize(
    ("body", "status", "param", "code"),
    [
        ({}, 400, "prompt", "request_rejected"),
        ({"prompt": "a fox", "n": 0}, 400, "n", "request_rejected"),
        ({"prompt": "a fox", "n": 99}, 400, "n", "request_rejected"),
        ({"prompt": "a fox", "size": "large"}, 400, "size", "request_rejected"),
        ({"prompt": "a fox", "size": "9x9"}, 400, "size", "request_rejected"),
        ({"prompt": "a fox", "model": "my-model"}, 404, "model", "model_not_found"),
        ({"prompt": "a fox", "stream": True}, 400, "stream", "request_rejected"),
    ],
)
async def test_errors_have_openais_form(client, body, status, param, code):
    error = (await asked(client, "/v1/images/generations", body, status))["error"]
    assert set(error) == {"message", "type", "param", "code"}
    assert (error["type"], error["param"], error["code"]) == ("invalid_request_error", param, code)
    assert error["message"]
    assert "--" not in error["message"]  # flags are not this API's words


async def test_any_bearer_will_do_at_this_machine_and_none_elsewhere(site):
    headers = {"Authorization": "Bearer sk-whatever"}
    await asked(site.client, "/v1/images/generations", SMALL | {"prompt": "a fox"}, headers=headers)
    refused = await asked(site.visitor(), "/v1/images/generations", {"prompt": "a fox"}, 401, headers=headers)
    assert refused["error"]["code"] == "invalid_api_key"
    program = await site.key_client("read")
    refused = await asked(program, "/v1/images/generations", {"prompt": "a fox"}, 403)
    assert refused["error"]["code"] == "not_allowed"


async def test_models_are_listed_as_openai_lists_them(site):
    models = (ModelInfo(name="flux-schnell", title="Flux"),)
    site.easel.registry.get("sketch").capabilities = Capabilities(modes=frozenset(Mode), models=models)
    found = (await site.client.get("/v1/models")).json()
    assert (found["object"], [item["id"] for item in found["data"]]) == ("list", ["flux-schnell", "sketch"])
    assert {item["object"] for item in found["data"]} == {"model"}
    assert (await site.client.get("/v1/models/sketch")).json() == found["data"][1]
    lost = await site.client.get("/v1/models/nope")
    assert (lost.status_code, lost.json()["error"]["code"]) == (404, "model_not_found")


async def test_an_edit_changes_where_the_mask_is_transparent(client):
    mask = Image.new("RGBA", (64, 64), "black")
    mask.paste((0, 0, 0, 0), (0, 0, 32, 64))
    form = {"prompt": "a fox", "size": "64x64", "response_format": "b64_json", "n": "1"}
    files = {"image": ("a.png", png()), "mask": ("m.png", file_of(mask))}
    answer = await client.post("/v1/images/edits", data=form, files=files)
    assert answer.status_code == 200, answer.text
    picture = picture_of(answer.json()["data"][0]["b64_json"])
    assert max(abs(a - b) for a, b in zip(picture.getpixel((60, 32)), (0x33, 0x66, 0x99), strict=True)) < 8
    assert len(set(picture.crop((0, 0, 24, 64)).get_flattened_data())) > 1


async def test_an_edit_takes_several_spellings_and_works_without_a_mask(site):
    files = [("image[]", ("a.png", png())), ("image[]", ("b.png", png()))]
    answer = await site.client.post("/v1/images/edits", data={"prompt": "a fox", "size": "64x64"}, files=files)
    assert answer.status_code == 200, answer.text
    assert any("1 more pictures ignored" in note for note in answer.json()["notes"])
    assert (await site.client.get("/api/jobs")).json()["jobs"][0]["mode"] == "img2img"
    white = {"image": ("a.png", png()), "mask": ("m.png", png(colour="white"))}
    answer = await site.client.post("/v1/images/edits", data={"prompt": "a fox", "size": "64x64"}, files=white)
    assert any("no transparent part" in note for note in answer.json()["notes"])


async def test_a_variation_needs_only_a_picture(client):
    answer = await client.post("/v1/images/variations", data={"n": "2"}, files={"image": ("a.png", png())})
    assert len(answer.json()["data"]) == 2
    refused = await client.post("/v1/images/variations", data={"n": "2"})
    assert (refused.status_code, refused.json()["error"]["param"]) == (400, "image")
    refused = await client.post("/v1/images/edits", data={"prompt": "a"}, files={"image": ("a.png", b"no picture")})
    assert (refused.status_code, "picture" in refused.json()["error"]["message"]) == (400, True)


async def test_the_same_key_draws_once(site):
    for _ in range(2):
        headers = {"Idempotency-Key": "k"}
        await asked(site.client, "/v1/images/generations", SMALL | {"prompt": "a fox", "n": 2}, headers=headers)
    assert len((await site.client.get("/api/jobs")).json()["jobs"]) == 1
    await asked(site.client, "/v1/images/generations", {"prompt": "a lake"}, 400, headers={"Idempotency-Key": "k"})


async def test_what_an_engine_refuses_comes_with_its_reason(site):
    async def refuse(*_):
        raise ContentBlocked("This cannot be drawn here.")

    site.easel.registry.get("sketch").backend.generate = refuse
    error = (await asked(site.client, "/v1/images/generations", {"prompt": "a fox"}, 400))["error"]
    assert (error["code"], error["message"]) == ("content_policy_violation", "This cannot be drawn here.")


async def test_a_full_queue_says_when_to_come_back(tmp_path):
    async with site_at(tmp_path, MAX_WAITING_PER_USER="1") as site:
        with held(site):
            answer = await site.client.post("/v1/images/generations", json={"prompt": "a", "n": 10} | SMALL)
    assert (answer.status_code, answer.json()["error"]["code"]) == (429, "rate_limit_exceeded")
    assert int(answer.headers["retry-after"]) >= 1


async def test_the_local_model_gives_a_png_in_the_answer(site):
    body = {"prompt": "a fox", "width": 64, "height": 64, "num_inference_steps": 4, "model": "flux-schnell"}
    found = await asked(site.client, "/v1/generate-image", body | {"seed": 9})
    assert picture_of(found["image_bytes_b64"]).size == (64, 64)
    assert (found["seed"], found["model"], found["num_inference_steps"]) == (9, "sketch", 4)
    assert any("flux-schnell is not here" in note for note in found["notes"])
    refused = await asked(site.client, "/v1/generate-image", body | {"model": "my-model"}, 404)
    assert refused["error"] == "Model my-model not loaded"
    assert (await asked(site.client, "/v1/generate-image", {}, 400))["error"] == "Prompt is required"


async def test_a_loaded_model_is_the_callers_default_from_then_on(site):
    models = (ModelInfo(name="flux-dev", title="Flux dev"), ModelInfo(name="sd15", title="SD 1.5", is_loaded=True))
    site.easel.registry.get("sketch").capabilities = Capabilities(modes=frozenset(Mode), models=models)
    assert (await site.client.get("/v1/model-info")).json()["current_model"] == "sd15"
    found = (await site.client.post("/v1/load-model?model_name=flux-dev")).json()
    assert found["status"] == "success"
    assert "flux-dev" in found["message"]
    assert (await site.client.get("/v1/model-info")).json()["current_model"] == "flux-dev"
    body = {"prompt": "a fox", "width": 64, "height": 64}
    assert (await asked(site.client, "/v1/generate-image", body))["model"] == "flux-dev"
    stranger = await site.key_client("read", "generate")
    assert (await stranger.get("/v1/model-info")).json()["current_model"] == "sd15"
    refused = await site.client.post("/v1/load-model?model_name=flux-dec")
    assert (refused.status_code, "flux-dev" in refused.json()["hint"]) == (404, True)


def signed(body: bytes, key: bytes) -> dict[str, str]:
    """The headers that Replicate sends with a body now."""
    stamp = str(int(time.time()))
    signature = base64.b64encode(hmac.digest(key, f"msg_1.{stamp}.".encode() + body, "sha256")).decode()
    return {"webhook-id": "msg_1", "webhook-timestamp": stamp, "webhook-signature": f"v1,{signature}"}


async def test_replicates_webhook_is_taken_only_with_its_signature(tmp_path, caplog):
    key, body = b"a secret of thirty-two bytes ...", b'{"id":"p1","status":"succeeded"}'
    secret = "whsec_" + base64.b64encode(key).decode()
    async with site_at(tmp_path, REPLICATE_WEBHOOK_SECRET=secret) as site:
        stranger = site.visitor()
        with caplog.at_level("INFO"):
            good = await stranger.post("/webhooks/replicate", content=body, headers=signed(body, key))
        bad = await stranger.post("/webhooks/replicate", content=b"{}", headers=signed(body, key))
        other = await stranger.post("/webhooks/replicate", content=b"{}", headers=signed(b"{}", key))
    assert (good.status_code, bad.status_code, other.status_code) == (200, 401, 400)
    assert "webhook from Replicate" in caplog.text


async def test_without_its_secret_no_webhook_is_taken(client):
    answer = await client.post("/webhooks/replicate", content="{}")
    assert (answer.status_code, "REPLICATE_WEBHOOK_SECRET" in answer.json()["hint"]) == (404, True)
