"""The job queue's dialect: names, words, status codes and texts of its published API."""

import asyncio
import base64
import re

import pytest
from PIL import Image, ImageStat

from generation.capabilities import Capabilities, ModelInfo
from generation.errors import BackendUnavailable
from generation.prompt_words import words_of
from generation.request import Mode, Priority
from tests.api.conftest import held, png, site_at
from tests.api.dialects import data_url, picture_of

SMALL = {"width": 64, "height": 64, "steps": 4}


async def made(site, path, body, client=None):
    answer = await (client or site.client).post(path, json=SMALL | body)
    assert answer.status_code == 202, answer.text
    return answer.json()


async def completed(site, job_id, client=None):
    await site.ended(job_id, client)
    return (await (client or site.client).get(f"/jobs/{job_id}")).json()


async def test_text2img_answers_202_with_a_job(site):
    reply = {"prompt": "a red fox", "negativePrompt": "blur", "guidanceScale": 7.5, "seed": 42, "sampler": "euler_a"}
    job = await made(site, "/generate/text2img", reply)
    assert re.fullmatch(r"job_\d{13}_[0-9a-f]{12}", job["id"])
    assert (job["type"], job["status"], job["progress"]) == ("text2img", "queued", 0)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", job["createdAt"])
    assert job["request"] == SMALL | reply


async def test_a_completed_job_has_its_result(site):
    job = await made(site, "/generate/text2img", {"prompt": "a red fox", "seed": 42, "guidanceScale": 7.5})
    done = await completed(site, job["id"])
    assert (done["status"], done["progress"], done["type"]) == ("completed", 100, "text2img")
    assert done["createdAt"] <= done["startedAt"] <= done["completedAt"]
    result = done["result"]
    assert result["seed"] == 42
    assert result["parameters"] == {
        "prompt": "a red fox", "width": 64, "height": 64, "steps": 4, "guidanceScale": 7.5, "sampler": None,
        "model": "sketch",
    }  # fmt: skip
    assert isinstance(result["timeTaken"], int)
    assert result["images"][0].startswith("data:image/png;base64,")
    assert picture_of(result["images"][0]).size == (64, 64)


async def test_jobs_of_this_dialect_can_be_told_apart_by_their_short_ids(site):
    jobs = [await made(site, "/generate/text2img", {"prompt": "a fox"}) for _ in range(2)]
    short = {(await site.ended(job["id"]))["short_id"] for job in jobs}
    assert short == {job["id"].rpartition("_")[2][:6] for job in jobs}


async def test_the_same_seed_gives_the_same_picture(site):
    bodies = [{"prompt": "a lake", "seed": seed} for seed in (7, 7, 8)]
    jobs = [await made(site, "/generate/text2img", body) for body in bodies]
    pictures = [picture_of((await completed(site, job["id"]))["result"]["images"][0]).tobytes() for job in jobs]
    assert pictures[0] == pictures[1] != pictures[2]


@pytest.mark.parametrize("path", ["text2img", "img2img", "inpaint"])
async def test_a_prompt_is_required(client, path):
    for body in ({}, {"prompt": ""}, {"prompt": "  "}):
        answer = await client.post(f"/generate/{path}", json=body)
        assert answer.status_code == 400, body
        assert answer.json()["error"] == "Prompt is required"


async def test_an_unknown_job_is_not_found(client):
    for answer in (await client.get("/jobs/job_1_x"), await client.post("/jobs/job_1_x/cancel")):
        assert (answer.status_code, answer.json()["error"]) == (404, "Job not found")


async def test_a_model_that_no_engine_has_is_named(client):
    answer = await client.post("/generate/text2img", json={"prompt": "a fox", "model": "stable-diffusion-xl"})
    assert (answer.status_code, answer.json()["error"]) == (404, "Model stable-diffusion-xl not loaded")
    assert "sketch" in answer.json()["hint"]


async def test_a_model_is_known_by_its_title_and_an_engine_by_its_name(site):
    entry = site.easel.registry.get("sketch")
    models = (ModelInfo(name="sd_xl.safetensors", title="SDXL base", is_loaded=True),)
    entry.capabilities = Capabilities(modes=frozenset(Mode), models=models)
    job = await made(site, "/generate/text2img", {"prompt": "a fox", "model": "SDXL base"})
    assert (await completed(site, job["id"]))["result"]["parameters"]["model"] == "sd_xl.safetensors"
    listed = (await site.client.get("/models")).json()["models"]
    assert [(item["id"], item["name"], item["loaded"]) for item in listed] == [("sd_xl.safetensors", "SDXL base", True)]
    job = await made(site, "/generate/text2img", {"prompt": "a fox", "model": "sketch"})
    assert (await completed(site, job["id"]))["status"] == "completed"


@pytest.mark.parametrize("shape", ["data_url", "base64"])
async def test_img2img_takes_a_data_url_and_bare_base64(site, shape):
    image = data_url(png(96, 64)) if shape == "data_url" else base64.b64encode(png(96, 64)).decode()
    job = await made(site, "/generate/img2img", {"prompt": "a fox", "initImage": image, "strength": 0.5})
    assert job["type"] == "img2img"
    assert len(job["request"]["initImage"]) < 100 < len(image)
    done = await completed(site, job["id"])
    assert (done["status"], done["request"]["strength"]) == ("completed", 0.5)


async def test_strength_runs_from_no_change_to_complete_change(site):
    body = {"prompt": "a fox", "initImage": data_url(png()), "seed": 3}
    shown = []
    for strength in (0, 1):
        job = await made(site, "/generate/img2img", body | {"strength": strength})
        shown.append(picture_of((await completed(site, job["id"]))["result"]["images"][0]))
    assert max(abs(a - b) for a, b in zip(shown[0].getpixel((20, 20)), (0x33, 0x66, 0x99), strict=True)) < 8
    assert shown[0].tobytes() != shown[1].tobytes()
    answer = await site.client.post("/generate/img2img", json=body | {"strength": 1.5})
    assert (answer.status_code, answer.json()["field"]) == (400, "strength")


async def test_an_inpainted_picture_keeps_what_is_black_in_the_mask(site):
    mask = Image.new("L", (64, 64), 0)
    mask.paste(255, (0, 0, 32, 64))
    body = {"prompt": "a fox", "image": data_url(png()), "mask": data_url(mask), "inpaintingStrength": 0.9, "steps": 40}
    job = await made(site, "/generate/inpaint", body)
    assert job["type"] == "inpaint"
    picture = picture_of((await completed(site, job["id"]))["result"]["images"][0])
    assert max(abs(a - b) for a, b in zip(picture.getpixel((60, 32)), (0x33, 0x66, 0x99), strict=True)) < 8
    assert len(set(picture.crop((0, 0, 24, 64)).get_flattened_data())) > 1


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("img2img", {}, "initImage"),
        ("img2img", {"initImage": "§"}, "initImage"),
        ("inpaint", {"image": data_url(png())}, "mask"),
        ("inpaint", {"image": data_url(png()), "mask": data_url(png(colour="black"))}, "mask"),
        ("style-transfer", {"contentImage": data_url(png())}, "styleImage"),
        ("text2img", {"steps": 10_000}, "steps"),
        ("text2img", {"width": "wide"}, "width"),
    ],
)
async def test_what_is_wrong_is_named(client, path, body, field):
    answer = await client.post(f"/generate/{path}", json={"prompt": "a fox"} | body)
    assert (answer.status_code, answer.json()["field"]) == (400, field), answer.text


async def test_style_transfer_moves_the_palette_where_no_engine_takes_a_style_picture(site):
    body = {"contentImage": data_url(png(colour="#204080")), "styleImage": data_url(png(colour="#d08030"))}
    job = await made(site, "/generate/style-transfer", body | {"styleStrength": 1, "contentStrength": 1})
    assert job["type"] == "style-transfer"
    done = await completed(site, job["id"])
    assert (done["type"], done["status"]) == ("style-transfer", "completed")
    assert any("palette and tonality" in note for note in done["notes"])
    red, _, blue = ImageStat.Stat(picture_of(done["result"]["images"][0])).mean
    assert red > blue


async def test_style_transfer_uses_the_engine_that_takes_a_style_picture(site):
    offered = Capabilities(modes=frozenset(Mode), models=(), control_kinds=("canny", "IP-Adapter"))
    site.easel.registry.get("sketch").capabilities = offered
    body = {"contentImage": data_url(png()), "styleImage": data_url(png(colour="red")), "styleStrength": 0.6}
    job = await made(site, "/generate/style-transfer", body)
    found = await site.web.services.generation.find(job["id"])
    unit = found.drawn.control[0]
    assert (unit.kind, unit.weight, found.drawn.denoising_strength) == ("IP-Adapter", 0.6, 0.7)
    assert any("ControlNet" in note for note in (await completed(site, job["id"]))["notes"])


async def test_jobs_are_listed_by_status(site):
    done = await made(site, "/generate/text2img", {"prompt": "a fox"})
    await site.ended(done["id"])
    with held(site):
        running = await made(site, "/generate/text2img", {"prompt": "a lake"})
        waiting = await made(site, "/generate/text2img", {"prompt": "a lake"})
        gone = await made(site, "/generate/text2img", {"prompt": "a lake"})
        assert (await site.client.post(f"/jobs/{gone['id']}/cancel")).json() == {"success": True}
        await asyncio.sleep(0.01)
        for status, job in (
            ("completed", done), ("processing", running), ("queued", waiting), ("cancelled", gone),
        ):  # fmt: skip
            listed = (await site.client.get("/jobs", params={"status": status})).json()["jobs"]
            assert [(item["id"], item["type"], item["status"]) for item in listed] == [(job["id"], "text2img", status)]
        assert (await site.client.get("/jobs?status=failed")).json() == {"jobs": []}
        counts = (await site.client.get("/queue/status")).json()
        assert [counts[f"{word}Jobs"] for word in ("queued", "processing", "completed", "failed")] == [1, 1, 1, 0]
        assert (await site.client.post(f"/jobs/{running['id']}/cancel")).json() == {"success": True}
    assert (await site.client.get(f"/jobs/{running['id']}")).json()["status"] == "cancelled"
    again = await site.client.post(f"/jobs/{running['id']}/cancel")
    assert (again.status_code, again.json()["error"]) == (409, "Job is already cancelled")
    assert (await site.client.get("/jobs?status=lost")).status_code == 400


async def test_a_failed_job_says_why(site):
    async def fail(*_):
        raise BackendUnavailable("The engine is on fire.")

    site.easel.registry.get("sketch").backend.generate = fail
    site.easel.queue._outcomes.policy = site.easel.queue._outcomes.policy.__class__(max_attempts=1)
    job = await made(site, "/generate/text2img", {"prompt": "a fox"})
    done = await completed(site, job["id"])
    assert (done["status"], "result" in done) == ("failed", False)
    assert "on fire" in done["error"]


async def test_somebody_elses_job_cannot_be_cancelled_and_is_not_listed(site):
    mia, tom = await site.key_client("read", "generate"), await site.key_client("read", "generate")
    with held(site):
        job = await made(site, "/generate/text2img", {"prompt": "a fox"}, mia)
        assert (await tom.post(f"/jobs/{job['id']}/cancel")).status_code == 403
        assert (await tom.get("/jobs")).json() == {"jobs": []}
    assert (await site.visitor().get("/jobs")).status_code == 401


async def test_the_same_key_gives_the_same_job(site):
    headers = {"Idempotency-Key": "k1"}
    first, second = [
        (await site.client.post("/generate/text2img", json={"prompt": "a fox"} | SMALL, headers=headers)).json()["id"]
        for _ in range(2)
    ]
    assert first == second
    other = await site.client.post("/generate/text2img", json={"prompt": "a lake"} | SMALL, headers=headers)
    assert (other.status_code, other.json()["field"]) == (400, "Idempotency-Key")


async def test_a_full_queue_says_when_to_come_back(tmp_path):
    async with site_at(tmp_path, MAX_QUEUE_SIZE="1") as site:
        with held(site):
            await made(site, "/generate/text2img", {"prompt": "a fox"})
            await asyncio.sleep(0.01)
            await made(site, "/generate/text2img", {"prompt": "a fox"})
            answer = await site.client.post("/generate/text2img", json={"prompt": "a fox"})
        assert answer.status_code == 429
        assert int(answer.headers["retry-after"]) >= 1


@pytest.mark.parametrize("path", ["/generate/text2img", "/api/jobs"])
async def test_webhooks_are_checked_before_and_told_of_the_job(site, path):
    answer = await site.client.post(path, json={"prompt": "a fox", "webhook": "http://127.0.0.1/x"})
    assert (answer.status_code, answer.json()["field"]) == (400, "webhook")
    assert (await site.client.get("/jobs")).json() == {"jobs": []}
    sent = []

    async def send(url, body, headers, policy):
        sent.append((url, headers["X-Easel-Event"]))
        return 200

    site.easel.web.webhooks._send_json = send
    wanted = "completed" if path == "/generate/text2img" else "finished"
    hook = {"webhook": "https://hooks.example.com/a", "webhook_events_filter": [wanted]}
    reported = await made(site, path, {"prompt": "a fox"} | hook)
    await site.ended(reported.get("id") or reported["jobs"][0]["id"])
    async with asyncio.timeout(5):
        while not sent:
            await asyncio.sleep(0.005)
    assert sent == [("https://hooks.example.com/a", "finished")]


async def test_fields_that_are_not_known_are_named_in_a_note(site):
    job = await made(site, "/generate/text2img", {"prompt": "a fox", "urgency": "high"})
    assert any("urgency ignored" in note for note in (await completed(site, job["id"]))["notes"])


@pytest.mark.parametrize("priority", ["high", "low"])
async def test_a_priority_goes_before_or_behind_what_waits(site, priority):
    job = await made(site, "/generate/text2img", {"prompt": "a fox", "priority": priority})
    done = await completed(site, job["id"])
    assert not any("priority" in note for note in done.get("notes", ()))
    assert (await site.easel.jobs.get(job["id"])).origin.priority is Priority(priority)


def test_control_characters_and_lora_tags_are_taken_out_of_a_prompt():
    text, loras = words_of("a\x00 fox <lora:ink:0.5>\x1b[31m")
    assert text == "a fox [31m"
    assert [(lora.name, lora.weight) for lora in loras] == [("ink", 0.5)]


@pytest.mark.parametrize("prompt", ["می‌خواهم 👨‍👩‍👧", "🏴󠁧󠁢󠁥󠁮󠁧󠁿 flag"])
def test_signs_that_hold_letters_and_emoji_together_stay_in_a_prompt(prompt):
    assert words_of(prompt) == (prompt, ())
    assert words_of("a\u200b cat\u00ad")[0] == "a cat"


@pytest.mark.parametrize("path", ["/generate/text2img", "/api/jobs"])
async def test_a_body_that_is_no_json_object_is_told_what_would_be(client, path):
    for body in (b"{bad", b'"x"', b"[]", b"prompt=x", b""):
        answer = await client.post(path, content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code in (400, 422), body
        assert answer.json()["error"] == "The request body is not a JSON object."
        assert '{"prompt": "a red fox"}' in answer.json()["hint"]


async def test_what_discord_shows_as_code_is_plain_words_here(client):
    answer = await client.post("/api/images/analyze", json={"imageUrl": data_url(png())})
    assert answer.json()["hint"] == "A1111 and Forge can: connect one with /sdconnect."
