"""Leaks of a private picture through what is drawn from it, and what a stranger can use up."""

import asyncio
import time
from io import BytesIO

import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from api import events, middleware
from backends.comfyui.workflows.workflow import read_workflow
from generation.errors import RequestRejected
from tests.api.conftest import SMALL
from tests.waiting import until


@pytest.fixture
async def mia(site):
    return await site.session_client("discord:7")


def asked_with(media_id, job_id):
    """Every request that takes a picture by its id."""
    reply = {"prompt": "a fox"} | SMALL
    own_address = f"http://127.0.0.1/api/media/{media_id}"
    return [
        ("/api/jobs", reply | {"init_image": media_id, "is_private": True}),
        ("/api/jobs", reply | {"control": [{"kind": "canny", "image": media_id}]}),
        (f"/api/jobs/{job_id}/again", {"image": media_id}),
        (f"/api/jobs/{job_id}/again", {"changes": {"init_image": media_id}}),
        ("/api/batches", {"prompts": ["a fox"], "common": {"init_image": media_id}}),
        ("/api/estimate", reply | {"init_image": media_id}),
        ("/api/describe", {"media_id": media_id}),
        ("/generate/img2img", reply | {"initImage": own_address}),
        ("/generate/inpaint", reply | {"image": media_id, "mask": media_id}),
        ("/generate/style-transfer", reply | {"contentImage": media_id, "styleImage": media_id}),
        ("/api/images/edit", {"prompt": "a", "imageUrl": own_address, "editType": "img2img"}),
        ("/api/images/variations", {"imageUrl": media_id}),
        ("/api/images/upscale", {"imageUrl": f"/api/media/{media_id}?size=64"}),
        ("/api/images/analyze", {"imageUrl": media_id}),
    ]


async def test_a_private_picture_goes_into_nobody_elses(site, mia):
    private = (await site.draw(is_private=True))["images"][0]["id"]
    own = await site.draw(mia)
    for path, body in asked_with(private, own["id"]):
        answer = await mia.post(path, json=body)
        assert (answer.status_code, "no picture here" in answer.text) == (400, True), path
    assert len((await mia.get("/api/jobs")).json()["jobs"]) == 1


async def test_what_was_drawn_from_a_private_picture_in_the_open_does_not_give_it_away(site, client, mia):
    private = (await site.draw(is_private=True))["images"][0]["id"]
    shown = await site.draw(init_image=private)
    taken = await mia.post(f"/api/jobs/{shown['id']}/again", json={"is_private": True})
    assert (taken.status_code, taken.json()["field"]) == (400, "init_image")
    again = await mia.post(f"/api/jobs/{shown['id']}/again", json={"drop": ["init_image", "mode"]})
    assert (again.status_code, again.json()["jobs"][0]["request"]["init_image"]) == (202, None)
    assert (await client.post(f"/api/jobs/{shown['id']}/again", json={})).status_code == 202


async def test_a_strangers_large_body_is_not_even_read(site, client):
    large = b"[" + b"{}," * 100_000 + b"{}]"
    headers = {"Content-Type": "application/json"}
    wrong = site.visitor(headers={"Authorization": "Bearer esl_wrong"})
    for caller in (site.visitor(), wrong):
        for path in ("/api/jobs", "/generate/text2img"):
            answer = await caller.post(path, content=large, headers=headers)
            assert (answer.status_code, answer.json()["code"]) == (401, "sign_in")
            assert answer.headers["connection"] == "close"
    assert (await client.post("/api/jobs", content=large, headers=headers)).status_code == 413


async def test_a_large_body_counts_once_against_a_keys_rate(site):
    _, token = await site.web.access.create_key("slow", ["read", "generate"], rate_per_minute=2)
    slow = site.visitor(headers={"Authorization": f"Bearer {token}"})
    answers = [await slow.post("/api/uploads", content=b"x" * 200_000) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [400, 400, 429]


async def test_a_body_that_drips_is_cut_off_in_the_usual_form(client, monkeypatch):
    monkeypatch.setattr(middleware, "BODY_TIMEOUT_S", 0.02)

    async def drips():
        while True:
            yield b" "
            await asyncio.sleep(0.005)

    for path in ("/api/jobs", "/api/images/generate"):
        answer = await client.post(path, content=drips(), headers={"Content-Type": "application/json"})
        assert (answer.status_code, answer.json()["code"]) == (408, "request_rejected")


@pytest.mark.parametrize(
    "host", ["localhost/x", "localhost?x", "localhost#x", "a@localhost", "localhost:80:80", "[::1]x"]
)
async def test_a_host_is_a_name_and_a_port(client, host):
    assert (await client.get("/healthz", headers={"Host": host})).status_code == 421


@pytest.mark.parametrize("header", ["X-Forwarded-Proto", "X-Forwarded-Server", "CF-Connecting-IP", "True-Client-IP"])
async def test_any_trace_of_a_proxy_makes_a_stranger(client, header):
    assert (await client.get("/api/session", headers={header: "x"})).status_code == 401


async def test_answers_are_kept_nowhere_unless_they_say_so(site, client):
    image = (await site.draw(is_private=True))["images"][0]
    for path in ("/api/session", "/api/jobs", "/api/gallery", "/jobs", "/metrics", "/api/nothing"):
        assert (await client.get(path)).headers["cache-control"] == "no-store", path
    made = await client.post("/api/keys", json={"name": "x", "scopes": ["read"]})
    assert (made.status_code, made.headers["cache-control"]) == (201, "no-store")
    assert "private" in (await client.get(image["url"])).headers["cache-control"]
    assert (await client.get("/static/js/main.js")).headers["cache-control"] == "no-cache"


async def test_who_guesses_behind_a_proxy_locks_nobody_out(site):
    member, newcomer = await site.key_client("read"), await site.key_client("read")
    assert (await member.get("/api/jobs")).status_code == 200
    guesser = site.visitor(headers={"Authorization": "Bearer esl_guess"})
    while (await guesser.get("/api/session")).status_code != 429:
        pass
    assert (await member.get("/api/jobs")).status_code == 200
    assert (await newcomer.get("/api/jobs")).status_code == 200


async def test_a_thousand_unknown_fields_are_no_thousand_notes(client):
    unknown = {f"field{number}": 1 for number in range(1000)}
    answer = await client.post("/v1/generate-image", json={"prompt": "a", "width": 64, "height": 64} | unknown)
    assert (answer.status_code, answer.json()["notes"][10]) == (200, "990 more fields ignored")
    assert len(answer.json()["notes"]) < 20


async def test_a_key_that_reads_is_told_nobodys_spending_but_its_own(site, client):
    await site.draw()
    reader = await site.key_client("read")
    assert 'user="api:local"' in (await client.get("/metrics")).text
    assert "api:local" not in (await reader.get("/metrics")).text


async def test_the_same_key_twice_at_once_is_one_job_and_no_fault(client, caplog):
    asked = [
        client.post("/api/jobs", json={"prompt": "a", "seed": 4} | SMALL, headers={"Idempotency-Key": "k"})
        for _ in range(5)
    ]
    answers = await asyncio.gather(*asked)
    assert len({answer.json()["jobs"][0]["id"] for answer in answers}) == 1
    assert "failed at something" not in caplog.text


async def test_a_revoked_key_hears_nothing_more(site, monkeypatch):
    monkeypatch.setattr(events, "CHECK_EVERY_S", 0.0)
    key, token = await site.web.access.create_key("gone", ["read"])
    reader = site.visitor(headers={"Authorization": f"Bearer {token}"})
    listening = asyncio.create_task(reader.get("/events"))  # ends when the stream does
    await until(lambda: site.web.hub.streams == 1)
    await site.web.access.revoke_key(key.id)
    site.web.hub.tell("alert", {})
    answer = await asyncio.wait_for(listening, 5)
    assert answer.text.startswith("event: hello")
    assert site.web.hub.streams == 0


async def test_a_stream_that_cannot_begin_leaves_no_place_taken(site, monkeypatch):
    async def broken(*args):
        raise RuntimeError

    monkeypatch.setattr(site.web.services.generation, "active_of", broken)
    assert (await site.visitor(near=True).get("/events")).status_code == 500
    assert site.web.hub.streams == 0


def recalled(text):
    """A PNG that says this of its making."""
    reply, out = PngInfo(), BytesIO()
    reply.add_text("parameters", text)
    Image.new("RGB", (8, 8)).save(out, "PNG", pnginfo=reply)
    return out.getvalue()


@pytest.mark.parametrize("text", ["a" * 40_000, "a" * 900_000, 'aa: "\\",' * 8000, "<lora:" * 9000, "/ " * 30_000])
async def test_what_a_file_says_of_itself_stops_nobodys_clock(client, text):
    data, began = recalled(text), time.process_time()
    answer = await client.post("/api/recall", content=data)
    assert answer.status_code == 200
    assert time.process_time() - began < 2  # it took minutes, with everybody else waiting


async def test_numbers_in_a_file_that_cannot_be_are_passed_over(client):
    reply = f"a fox\nSteps: {'9' * 5000}, Seed: -1e999, CFG scale: nan, Size: {'1' * 5000}x2, Sampler: Euler"
    answer = await client.post("/api/recall", content=recalled(reply))
    assert (answer.status_code, answer.json()["draft"]) == (200, {"prompt": "a fox", "sampler": "Euler"})


@pytest.mark.parametrize("file", [b'{"1": {"class_type": "\\ud800", "inputs": {}}}', b"[" * 100_000, b"\xff"])
def test_a_workflow_that_could_not_be_shown_is_not_read(file):
    with pytest.raises(RequestRejected, match="not JSON"):
        read_workflow(file)


CURL = "application/x-www-form-urlencoded"


@pytest.mark.parametrize("kind", [CURL, "text/plain", "application/octet-stream", "", None])
@pytest.mark.parametrize(
    "path", ["/api/jobs", "/generate/text2img", "/v1/generate-image", "/v1/images/generations", "/api/images/generate"]
)
async def test_a_body_is_json_whatever_its_type_is_called(site, path, kind):
    headers = {} if kind is None else {"Content-Type": kind}
    content = b'{"prompt":"a fox","width":64,"height":64,"size":"64x64"}'
    answer = await site.client.post(
        path, content=content.replace(b',"size":"64x64"', b"") if path == "/api/jobs" else content, headers=headers
    )
    assert answer.status_code in (200, 202), answer.text


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Origin": "https://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Origin": "http://127.0.0.1", "Sec-Fetch-Site": "same-origin"}, 202),
        ({}, 202),
    ],
)
@pytest.mark.parametrize("kind", [CURL, "text/plain"])
async def test_a_form_of_another_sites_page_is_refused_though_any_type_is_json(client, headers, status, kind):
    content = b'{"prompt":"a fox","width":64,"height":64}'
    answer = await client.post("/generate/text2img", content=content, headers=headers | {"Content-Type": kind})
    assert answer.status_code == status
