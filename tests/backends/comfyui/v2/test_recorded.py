"""Answers of the real proxy: read by the backend as it should be, and given in the same form by the stand-in."""

import json
import uuid
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from backends.comfyui.answers import read_outputs
from backends.comfyui.jobs.v2_answers import ApiJob, Asset, Health, Jobs, code_of
from backends.comfyui.news.events import FrameReader
from backends.comfyui.news.stream import EventStream
from net.calls import Calls
from tests.engines.comfyui_engine import DATA, Failed, recorded
from tests.engines.comfyui_v2 import ComfyUIV2Server
from tests.waiting import until

NO_ASSET = {"__type": "core/ASSET", "info": {"id": "nope"}}
JOB = {"workflow": recorded("workflows/txt2img_sd15.api")}


def told(name: str, note: str) -> dict[str, Any]:
    """Return the recorded exchange of this note."""
    (found,) = [item for item in json.loads((DATA / "v2" / f"{name}.json").read_text()) if item["note"] == note]
    return dict(found)


def job(name: str, note: str) -> ApiJob:
    return ApiJob.model_validate(told(name, note)["body"])


def test_health_is_good_though_comfyui_is_away() -> None:
    for note in ("answers without asking ComfyUI", "healthy though ComfyUI is not there"):
        assert Health.model_validate(told("health", note)["body"]).is_good


def test_a_proxy_passes_nothing_of_the_classic_api_on() -> None:
    absent = json.loads((DATA / "v2" / "absent.json").read_text())
    assert {(item["status"], item["body"]) for item in absent} == {(404, "404: Not Found")}


def test_a_key_is_good_for_one_job_and_the_refusal_names_none() -> None:
    first = told("submit", "first")
    assert first["status"] == 201
    for note in ("the same key again, same body", "the same key, another body"):
        again = told("submit", note)
        assert (again["status"], again["body"]["error"]["code"]) == (422, "idempotency_key_reuse")
        assert first["body"]["id"] not in json.dumps(again["body"])


def test_a_job_is_found_by_what_it_was_sent_with() -> None:
    sent = told("submit", "first")
    listed = Jobs.model_validate(told("jobs", "list while some wait")["body"]).jobs
    key = sent["request"]["headers"]["Idempotency-Key"]
    assert [item.id for item in listed if item.metadata == key] == [sent["body"]["id"]]


def test_what_was_saved_wins_over_what_was_previewed() -> None:
    done = job("job", "saved and previewed, done")
    assert len(done.outputs) == 2
    (kept,) = read_outputs(done.as_history({}))
    assert kept.file.filename.startswith("easel_")
    assert kept.file.asset in {item.id for item in done.outputs}


def test_how_a_job_ended_is_told() -> None:
    ended = {
        "succeeded": job("job", "done"),
        "out of memory": job("failed", "raised oom"),
        "interrupted": job("cancel-old", "interrupted"),
    }
    status = {name: item.as_history({}).status for name, item in ended.items()}
    assert status["succeeded"].completed
    assert status["interrupted"].message("execution_interrupted") is not None
    assert "out of memory" in status["out of memory"].message("execution_error")["exception_message"]


def test_the_traceback_of_a_failed_job_is_not_told() -> None:
    assert told("failed", "raised value")["body"]["error"]["traceback"] is None


def test_a_comfyui_before_cancelling_by_id_goes_on_and_the_proxy_says_otherwise() -> None:
    assert job("cancel-old", "cancel the running one: 200, and it runs on").status == "canceling"
    assert job("cancel-old", "the running one in the end").status == "succeeded"


def test_a_branch_that_is_wrong_is_left_out_without_a_word() -> None:
    taken = told("refused", "one branch good, one bad: taken, and nothing said of the bad one")
    assert taken["status"] == 201
    assert "5" in taken["request"]["body"]["workflow"]
    assert "node_errors" not in json.dumps(taken["body"])


def test_a_hash_outlives_the_file() -> None:
    known = Asset.model_validate(told("assets", "the file was removed from ComfyUI, the hash is still known")["body"])
    assert known.hash
    assert told("assets", "a job with what was removed")["status"] == 422


async def test_the_recorded_stream_is_read() -> None:
    lines = told("events", "queued behind a running one")["lines"]
    content = "\n".join(text for _, text in lines).encode()
    answer = httpx.Response(200, headers={"Content-Type": "text/event-stream"}, content=content)
    reader, news = FrameReader("x"), []
    async with httpx.AsyncClient(
        base_url="http://comfy.example.com", transport=httpx.MockTransport(lambda _: answer)
    ) as client:
        await EventStream(Calls("x", client), "x").listen(
            reader, lambda: None, lambda: news.append(reader.progress.step)
        )
    assert reader.is_over
    assert reader.progress.steps == 20
    assert news


# --- the stand-in


@pytest.fixture
async def client(server: ComfyUIV2Server) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=server.url, trust_env=False) as made:
        yield made


def shape(value: Any) -> Any:
    """Return the form of an answer: names and kinds, no values."""
    if isinstance(value, dict):
        return {name: shape(item) for name, item in value.items()}
    if isinstance(value, list):
        return [shape(value[0])] if value else []
    return None if value is None else type(value).__name__


def assert_alike(answer: httpx.Response, name: str, note: str, *, without: tuple[str, ...] = ()) -> None:
    there = told(name, note)
    assert answer.status_code == there["status"]
    body, real = answer.json(), there["body"]
    if isinstance(body, dict) and "error" in body and isinstance(body["error"], dict) and "code" in body["error"]:
        assert code_of(answer.content) == real["error"]["code"]
    if there["status"] < 300:
        for item in (body, real):
            for key in without:
                item.pop(key, None)
        assert shape(body) == shape(real)


async def test_the_stand_in_answers_about_jobs_as_the_proxy_did(
    server: ComfyUIV2Server, client: httpx.AsyncClient
) -> None:
    server.engine.hold()
    key = {"Idempotency-Key": "k"}
    assert_alike(await client.get("/api/v2/health"), "health", "answers without asking ComfyUI")
    first = await client.post("/api/v2/jobs", json=JOB | {"metadata": "m"}, headers=key)
    assert_alike(first, "submit", "first")
    assert_alike(await client.post("/api/v2/jobs", json=JOB, headers=key), "submit", "the same key again, same body")
    second = await client.post("/api/v2/jobs", json=JOB)
    assert_alike(second, "submit", "no key, no metadata")
    await until(lambda: server.engine.running)
    mine, other = (f"/api/v2/jobs/{item.json()['id']}" for item in (first, second))
    assert_alike(await client.get(mine), "job", "running")
    assert_alike(await client.get(other), "job", "queued", without=("metadata",))
    assert_alike(await client.get("/api/v2/jobs?limit=100"), "jobs", "list while some wait")
    assert_alike(await client.get("/api/v2/jobs?limit=500"), "errors", "limit too large")
    server.engine.delete([second.json()["id"]])
    assert_alike(await client.get(other), "job", "expired: gone from ComfyUI")
    server.engine.release()
    await until(lambda: server.engine.finished)
    assert_alike(await client.get(mine), "job", "done")
    assert_alike(await client.get(f"/api/v2/jobs/{uuid.uuid4()}"), "job", "unknown id")
    assert_alike(await client.get("/api/v2/jobs/job_01JZ"), "job", "no uuid")
    other_seed = json.loads(json.dumps(JOB["workflow"]))
    other_seed["3"]["inputs"]["seed"] = 5
    server.engine.fail_with = Failed("ValueError", "lab failure")
    failed = (await client.post("/api/v2/jobs", json={"workflow": other_seed})).json()
    await until(lambda: failed["id"] in server.engine.history)
    assert_alike(await client.get(f"/api/v2/jobs/{failed['id']}"), "failed", "raised value")


@pytest.mark.parametrize(
    ("note", "body"),
    [
        ("unknown node", {"workflow": {"1": {"class_type": "Nope", "inputs": {}}}}),
        ("the editor's format", {"workflow": {"nodes": [], "links": []}}),
        ("no workflow", {}),
        ("metadata as a map", JOB | {"metadata": {"a": "b"}}),
        ("extra_data of ComfyUI", JOB | {"extra_data": {"preview_method": "auto"}}),
        ("an asset that is not there", {"workflow": {"1": {"class_type": "LoadImage", "inputs": {"image": NO_ASSET}}}}),
    ],
)
async def test_the_stand_in_refuses_what_the_proxy_refused(
    client: httpx.AsyncClient, note: str, body: dict[str, Any]
) -> None:
    assert_alike(await client.post("/api/v2/jobs", json=body), "refused", note)


async def test_the_stand_in_knows_pictures_as_the_proxy_did(server: ComfyUIV2Server, client: httpx.AsyncClient) -> None:
    form = {"file_path": "input/easel/abc.png", "content_type": "image/png"}

    async def send(path: str = "input/easel/abc.png") -> httpx.Response:
        return await client.post("/api/v2/assets", files={"file": ("a.png", b"png")}, data=form | {"file_path": path})

    unknown = await client.post("/api/v2/assets/from-hash", json={"hash": "blake3:00"})
    assert_alike(unknown, "assets", "hash not known")
    sent = await send()
    assert_alike(sent, "assets", "uploaded")
    assert_alike(await send(), "assets", "the same bytes again")
    known = await client.post("/api/v2/assets/from-hash", json={"hash": sent.json()["hash"]})
    assert_alike(known, "assets", "hash known")
    assert_alike(await send("../x.png"), "assets", "path outside")
    assert_alike(await send("easel/x.png"), "assets", "folder of its own")
    assert (await client.delete(f"/api/v2/assets/{sent.json()['id']}")).status_code == 204
    assert_alike(await client.delete(f"/api/v2/assets/{sent.json()['id']}"), "assets", "deleted twice")


async def test_the_stand_in_without_its_comfyui_answers_as_the_proxy_did(
    server: ComfyUIV2Server, client: httpx.AsyncClient
) -> None:
    server.is_upstream_there = False
    key = {"Idempotency-Key": "k"}
    assert_alike(await client.get("/api/v2/health"), "health", "healthy though ComfyUI is not there")
    assert_alike(await client.post("/api/v2/jobs", json=JOB, headers=key), "errors", "ComfyUI is down: submit")
    again = await client.post("/api/v2/jobs", json=JOB, headers=key)
    assert_alike(again, "errors", "ComfyUI is down: the same key is held")
    assert_alike(await client.get(f"/api/v2/jobs/{uuid.UUID(int=0)}"), "errors", "ComfyUI is down: a job")
    assert_alike(await client.get("/api/v2/jobs"), "errors", "ComfyUI is down: the list")
