"""Asking for pictures: the same request twice is one job, a full queue says when, jobs are moved and cancelled."""

import asyncio

import pytest

from generation.request import Mode
from services.pictures import fetching
from tests.api.conftest import SMALL, held, site_at
from tests.utils.pictures import picture

FOX = {"prompt": "a fox"} | SMALL


async def test_two_requests_at_once_under_one_key_are_one_job(site, client):
    headers = {"Idempotency-Key": "b7c1"}
    with held(site):
        answers = await asyncio.gather(*(client.post("/api/jobs", json=FOX, headers=headers) for _ in range(2)))
    assert [answer.status_code for answer in answers] == [202, 202]
    assert len({answer.json()["jobs"][0]["id"] for answer in answers}) == 1
    assert len((await client.get("/api/jobs")).json()["jobs"]) == 1


@pytest.mark.parametrize("path", ["/api/jobs", "/generate/text2img"])
async def test_a_request_that_comes_twice_brings_its_webhook_once(site, client, path):
    hook = {"webhook": "https://hooks.example/a", "webhook_events_filter": ["queued"]}
    with held(site):
        for _ in range(2):
            answer = await client.post(path, json=FOX | hook, headers={"Idempotency-Key": "b7c1"})
            assert answer.status_code in (200, 202), answer.text
    rows = await site.easel.database.fetch("SELECT w.job_id, o.event FROM webhook_outbox AS o JOIN webhooks AS w")
    (job,) = await site.easel.database.fetch("SELECT id, origin FROM jobs")
    assert [tuple(row) for row in rows] == [(job["id"], "queued")]
    assert "hooks.example" not in job["origin"]


async def test_each_of_the_jobs_of_one_request_has_the_webhook(site, client):
    hook = {"webhook": "https://hooks.example/a", "webhook_events_filter": ["finished"]}
    with held(site):
        answer = await client.post("/api/jobs", json={"text": "a fox --repeat 3"} | SMALL | hook)
    ids = {job["id"] for job in answer.json()["jobs"]}
    rows = await site.easel.database.fetch("SELECT job_id FROM webhooks")
    assert len(ids) == 3
    assert {row["job_id"] for row in rows} == ids


async def test_a_key_stands_for_one_request_of_one_person(site, client):
    headers = {"Idempotency-Key": "b7c1"}
    mia = await site.session_client("discord:7")
    first = await client.post("/api/jobs", json=FOX, headers=headers)
    other = await client.post("/api/jobs", json=FOX | {"prompt": "a bird"}, headers=headers)
    hers = await mia.post("/api/jobs", json=FOX, headers=headers)
    assert (other.status_code, other.json()["field"]) == (400, "Idempotency-Key")
    assert hers.json()["jobs"][0]["id"] != first.json()["jobs"][0]["id"]


async def test_an_address_in_front_of_the_words_is_the_picture_drawn_from(site, client, monkeypatch):
    async def fetch(url, **_):
        assert url == "https://example.com/cat"
        return picture()

    monkeypatch.setattr(fetching, "fetch_picture", fetch)
    answer = await client.post("/api/jobs", json={"text": "https://example.com/cat a cat --iw 2"} | SMALL)
    assert answer.status_code == 202, answer.text
    (job,) = answer.json()["jobs"]
    request = (await site.easel.services.generation.get(job["id"])).request
    assert (request.prompt, request.mode, request.denoising_strength) == ("a cat", Mode.IMG2IMG, 0.5)


async def test_an_address_that_may_not_be_fetched_is_refused(client):
    answer = await client.post("/api/jobs", json={"text": "http://127.0.0.1:1/cat.png a cat"} | SMALL)
    assert (answer.status_code, answer.json()["field"]) == (400, "text")


async def test_what_becomes_of_an_address_is_said_where_it_is_not_drawn_at_once(client):
    text = "https://example.com/cat.png a cat for <@5>"
    parsed = (await client.post("/api/parse", json={"text": text})).json()
    batch = (await client.post("/api/batches", json={"prompts": [text], "common": SMALL})).json()
    assert parsed["draft"]["prompt"] == batch["jobs"][0]["request"]["prompt"] == "a cat for"
    left_out = "a mention left out: its name is not known here"
    fetched_nowhere = "not used: what lies at example.com (addresses of pictures are not fetched here)"
    assert sorted(parsed["notes"]) == [left_out, "drawn from the picture at example.com"]
    assert sorted(batch["notes"]) == [left_out, fetched_nowhere]


async def test_a_full_queue_says_when_to_come_again(tmp_path):
    async with site_at(tmp_path, MAX_QUEUE_SIZE="1") as site:
        with held(site):
            answers = [await site.client.post("/api/jobs", json=FOX | {"seed": seed}) for seed in range(1, 5)]
    refused = answers[-1]
    assert answers[0].status_code == 202
    assert (refused.status_code, refused.json()["code"]) == (429, "limit_reached")
    assert int(refused.headers["retry-after"]) >= 1
    assert refused.json()["retry_after"] == int(refused.headers["retry-after"])


async def test_a_waiting_job_is_moved_up_and_cancelled(site, client):
    with held(site):
        first, second, third = [
            (await client.post("/api/jobs", json=FOX | {"seed": seed})).json()["jobs"][0]["id"] for seed in (1, 2, 3)
        ]
        moved = (await client.post(f"/api/jobs/{third}/up")).json()
        assert moved["position"] <= (await client.get(f"/api/jobs/{second}")).json()["position"]
        assert (await client.post(f"/api/jobs/{second}/cancel")).json()["status"] == "cancelled"
        assert (await client.post(f"/api/jobs/{second}/up")).status_code == 400
    assert (await site.ended(first))["status"] == "done"


@pytest.mark.parametrize(
    ("reply", "field"),
    [({"steps": 0}, "steps"), ({"width": -1}, "width"), ({"prompt": "x" * 5000}, "prompt"), ({"colour": 1}, "colour")],
)
async def test_a_value_that_cannot_be_is_named(client, reply, field):
    answer = await client.post("/api/jobs", json=FOX | reply)
    assert answer.status_code in (400, 422)
    assert answer.json()["field"] == field
    assert answer.json()["error"]


async def test_what_can_be_done_again_is(site, client):
    job = await site.draw(seed=5)
    image = job["images"][0]["id"]
    body = {"image": image, "changes": {"denoising_strength": 0.6, "prompt": "a blue fox"}}
    made = await client.post(f"/api/jobs/{job['id']}/again", json=body)
    varied = await site.ended(made.json()["jobs"][0]["id"])
    assert (varied["mode"], varied["parent_id"], varied["request"]["init_image"]["media_id"]) == (
        "img2img", job["id"], image,
    )  # fmt: skip
    larger = await client.post(
        f"/api/jobs/{job['id']}/again", json={"image": image, "changes": {"mode": "upscale", "upscale_factor": 2}}
    )
    assert (await site.ended(larger.json()["jobs"][0]["id"]))["images"][0]["width"] == 128


@pytest.mark.parametrize(
    ("body", "field", "sentence"),
    [
        ({"steps": "banana"}, "steps", "steps must be a whole number, 1 to 500."),
        ({"steps": 2.5}, "steps", "steps must be a whole number, 1 to 500."),
        ({"cfg_scale": []}, "cfg_scale", "cfg_scale must be a number, 0 to 100."),
        ({"is_private": "perhaps"}, "is_private", "is_private must be true or false."),
        ({"engine": "gpu1"}, "engine", "engine: there is no such field here."),
    ],
)
async def test_a_field_of_the_wrong_kind_is_refused_in_plain_words(client, body, field, sentence):
    answer = await client.post("/api/jobs", json=FOX | body)
    assert answer.status_code == 422
    assert (answer.json()["field"], answer.json()["error"]) == (field, sentence)


async def test_a_key_that_is_not_in_use_is_told_apart_from_none(client):
    answer = await client.get("/api/session", headers={"Authorization": "Bearer esl_mistyped"})
    assert answer.status_code == 401
    assert answer.json()["error"] == "No such API key is in use here: it is mistyped, revoked or expired."


async def test_a_text_with_choices_is_a_job_for_each(site, client):
    with held(site):
        answer = (await client.post("/api/jobs", json={"text": "a {red, blue} fox --repeat 2"} | SMALL)).json()
    assert [job["prompt"] for job in answer["jobs"]] == ["a red fox"] * 2 + ["a blue fox"] * 2
    assert answer["notes"] == ["one of 2 for the choices in braces; \\{ is a plain brace"]
    assert (await client.post("/api/parse", json={"text": "a {red, blue} fox"})).json()["notes"] == answer["notes"]
    refused = await client.post("/api/jobs", json={"text": "{a|b|c|d|e|f|g} {a|b|c|d|e|f|g}"} | SMALL)
    assert (refused.status_code, "at most 40" in refused.text) == (400, True)


async def test_the_prompt_field_says_words_and_no_syntax(site, client):
    lists = site.easel.settings.storage.wildcards_folder
    lists.mkdir()
    (lists / "animal.txt").write_text("fox\n")
    with held(site):
        plain = (await client.post("/api/jobs", json={"prompt": "a {red, blue} __animal__"} | SMALL)).json()
        text = (await client.post("/api/jobs", json={"text": "a red __animal__"} | SMALL)).json()
        batch = await client.post("/api/batches", json={"prompts": ["a {b|c} __animal__", "x"], "common": SMALL})
    assert [job["prompt"] for job in plain["jobs"]] == ["a {red, blue} __animal__"]
    assert [job["prompt"] for job in text["jobs"]] == ["a red fox"]
    assert [job["prompt"] for job in batch.json()["jobs"]] == ["a b fox", "a c fox", "x"]
