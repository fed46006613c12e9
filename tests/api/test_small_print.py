"""Passing remarks of docs/api.md that no other test covers."""

import asyncio
import base64
import io
import socket
import sys
import time
from contextlib import suppress
from types import SimpleNamespace

import pytest
from PIL import Image, ImageFile
from PIL.PngImagePlugin import PngInfo

from api import events, sockets
from api.caller import LOCAL
from api.dialects.failures import StillDrawing
from api.dialects.responses import wait_for
from api.errors import Gone, NotFound, status_of
from app.doors import open_web
from config import read_settings
from generation.capabilities import Capabilities, ModelInfo
from generation.errors import BackendError, BackendUnavailable, JobTimedOut, LimitReached, NotAllowed, RequestRejected
from generation.job import JobStatus
from generation.request import Mode
from services.refusals import SignInNeeded
from tests.api.conftest import SMALL, held, png, site_at
from tests.api.dialects import data_url, picture_of
from tests.api.test_events import taken
from tests.api.test_seeds import DOORS
from tests.easel_process import free_port
from utils import file_kinds, pixels
from utils.provenance import ALGORITHMIC, source_type_of

MIB = 1024 * 1024


@pytest.mark.parametrize("header", ["Authorization", "X-API-Key"])
async def test_a_key_is_taken_in_either_header(site, header):
    _, token = await site.easel.web.access.create_key("test", ("read",))
    reply = f"Bearer {token}" if header == "Authorization" else token
    assert (await site.visitor().get("/api/jobs", headers={header: reply})).status_code == 200
    assert (await site.visitor().get("/api/jobs", headers={header: reply + "x"})).status_code == 401


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (RequestRejected("No."), 400), (SignInNeeded(), 401), (NotAllowed(), 403), (NotFound(), 404), (Gone(), 410),
        (LimitReached("No."), 429), (BackendError("No."), 502), (BackendUnavailable("No."), 503), (JobTimedOut(), 504),
    ],
)  # fmt: skip
def test_each_kind_of_error_has_its_status(error, status):
    assert status_of(error) == status


@pytest.mark.parametrize(
    ("method", "path", "size"),
    [("POST", "/generate/img2img", 32), ("POST", "/api/images/edit", 32), ("PUT", "/api/workflows/w", 3)],
)
async def test_a_route_takes_as_much_as_it_needs(client, method, path, size):
    refused = await client.request(method, path, content=bytes(size * MIB + 1))
    assert refused.status_code == 413
    assert f"A request may hold {size} MB" in refused.text
    assert (await client.request(method, path, content=bytes(MIB))).status_code in (400, 422)  # read, and no JSON


async def test_a_job_goes_on_when_its_caller_hangs_up(site):
    with held(site):
        body = {"prompt": "a fox", "size": "64x64"}
        waits = asyncio.create_task(site.client.post("/v1/images/generations", json=body))
        async with asyncio.timeout(5):
            while not (jobs := (await site.client.get("/api/jobs")).json()["jobs"]):
                await asyncio.sleep(0.005)
        waits.cancel()
        with suppress(asyncio.CancelledError):
            await waits
    assert (await site.ended(jobs[0]["id"]))["status"] == "done"
    assert jobs[0]["id"] in (await site.client.get("/api/gallery")).text


async def test_waiting_lasts_a_jobs_time_and_its_turn_in_the_queue():
    async def watch(_):
        await asyncio.sleep(60)
        yield

    web = SimpleNamespace(
        job_timeout_s=0.01,
        services=SimpleNamespace(generation=SimpleNamespace(watch=watch)),
    )
    request = SimpleNamespace(app=SimpleNamespace(state=SimpleNamespace(web=web)))
    view = SimpleNamespace(eta_s=0.2, job=SimpleNamespace(id="job", status=JobStatus.QUEUED, is_terminal=False))
    start = time.monotonic()
    with pytest.raises(StillDrawing):
        await wait_for(request, [view])
    assert time.monotonic() - start >= 0.2


@pytest.mark.parametrize(("setting", "mark"), [("xmp", ALGORITHMIC), ("off", None)])
async def test_a_sketch_is_marked_as_drawn_by_rules_unless_marks_are_off(tmp_path, setting, mark):
    async with site_at(tmp_path, PROVENANCE=setting) as site:
        url = (await site.draw())["images"][0]["url"]
        for form in ("", "?format=jpeg", "?format=webp"):
            assert source_type_of((await site.client.get(url + form)).content) == mark


async def test_openai_gives_jpeg_where_it_is_asked_for(client):
    body = {"prompt": "a fox", "size": "64x64", "steps": 4, "response_format": "b64_json", "output_format": "jpeg"}
    answer = await client.post("/v1/images/generations", json=body)
    picture = base64.b64decode(answer.json()["data"][0]["b64_json"])
    assert Image.open(io.BytesIO(picture)).format == "JPEG"


async def test_openais_routes_take_a_white_mask_too(client):
    mask = Image.new("L", (64, 64), 0)
    mask.paste(255, (0, 0, 32, 64))
    out = io.BytesIO()
    mask.save(out, "PNG")
    form = {"prompt": "a fox", "size": "64x64", "response_format": "b64_json"}
    files = {"image": ("a.png", png()), "mask": ("m.png", out.getvalue())}
    answer = await client.post("/v1/images/edits", data=form, files=files)
    assert answer.status_code == 200, answer.text
    picture = picture_of(answer.json()["data"][0]["b64_json"])
    assert max(abs(a - b) for a, b in zip(picture.getpixel((60, 32)), (0x33, 0x66, 0x99), strict=True)) < 8
    assert len(set(picture.crop((0, 0, 24, 64)).get_flattened_data())) > 1


async def test_style_transfer_has_strengths_of_its_own(site):
    offered = Capabilities(modes=frozenset(Mode), models=(), control_kinds=("reference",))
    site.easel.registry.get("sketch").capabilities = offered
    body = SMALL | {"contentImage": data_url(png()), "styleImage": data_url(png(colour="red"))}
    job = (await site.client.post("/generate/style-transfer", json=body)).json()
    drawn = (await site.web.services.generation.find(job["id"])).drawn
    assert (drawn.control[0].kind, drawn.control[0].weight, drawn.denoising_strength) == ("reference", 0.7, 0.7)


@pytest.mark.parametrize("field", ["sampler", "scheduler", "model", "vae", "upscaler", "styles", "loras"])
async def test_a_name_that_no_engine_has_is_refused_with_the_nearest(site, field):
    known, models = ("Banana",), (ModelInfo(name="Banana", title="Banana"),)
    site.easel.registry.get("sketch").capabilities = Capabilities(
        modes=frozenset(Mode), samplers=known, schedulers=known, models=models, vaes=known, upscalers=known,
        loras=known, styles=known,
    )  # fmt: skip
    value = {"styles": ["Bananas"], "loras": [{"name": "Bananas"}]}.get(field, "Bananas")
    reply = {"prompt": "a fox", field: value}
    if field == "upscaler":
        upload = await site.client.post("/api/uploads", content=png())
        reply |= {"mode": "upscale", "init_image": upload.json()["media_id"]}
    answer = await site.client.post("/api/jobs", json=reply)
    reported = answer.json()
    assert answer.status_code == 422, reported
    near = (reported["error"] + (reported["hint"] or "")).replace("Bananas", "")
    assert "Banana" in near


async def test_both_ports_of_the_other_systems_are_listened_on_where_that_is_set(site, monkeypatch):
    ports = (free_port(), free_port())
    monkeypatch.setattr(sockets, "COMPAT_PORTS", ports)
    for compat, more in ((True, list(ports)), (False, [])):
        site.easel.settings = site.easel.settings.changed(web={"port": 0, "compat_ports": compat})
        item, addresses = await open_web(site.easel)
        assert addresses[1:] == [f"http://127.0.0.1:{port}/" for port in more]
        await item.close()


async def test_the_queue_is_told_at_most_once_a_second(site):
    assert events.QUEUE_EVERY_S == 1
    reader, start, reported = site.web.hub.open(LOCAL), time.monotonic(), []
    for _ in range(6):
        await site.draw(seed=-1)
        await asyncio.sleep(2 * events.FLUSH_S)
        reported += [name for name, _ in taken(reader) if name == "queue"]
    assert 1 <= len(reported) <= 1 + (time.monotonic() - start)


async def test_no_words_leave_this_machine_when_a_prompt_is_made_fuller(client, monkeypatch):
    def refuse(*_):
        raise AssertionError

    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(asyncio.get_running_loop(), "sock_connect", refuse)
    found = [(await client.post("/api/images/enhance-prompt", json={"prompt": "a fox"})).json() for _ in range(2)]
    assert found[0] == found[1]
    assert found[0]["success"]


async def test_a_file_is_read_back_with_what_is_of_no_use_here(site):
    url = (await site.draw(prompt="a fox", seed=5))["images"][0]["url"]
    found = (await site.client.post("/api/recall", content=(await site.client.get(url)).content)).json()
    assert set(found) == {"text", "command", "draft", "notes"}
    assert found["text"].startswith("a fox\n")
    assert found["command"].startswith("a fox --")
    assert (found["draft"]["prompt"], found["draft"]["seed"]) == ("a fox", 5)
    of_no_use, out = PngInfo(), io.BytesIO()
    of_no_use.add_text("parameters", "a fox\nSteps: 20, Seed: 1, Size: 64x64, Refiner: sdxl_refiner")
    Image.new("RGB", (8, 8)).save(out, "PNG", pnginfo=of_no_use)
    found = (await site.client.post("/api/recall", content=out.getvalue())).json()
    assert any("Refiner" in note for note in found["notes"])
    found = (await site.client.post("/api/recall", content=png())).json()
    assert (found["text"], found["command"], found["draft"], len(found["notes"])) == (None, None, {}, 1)


async def test_heic_is_read_with_the_package_for_it_and_refused_without(client, monkeypatch):
    heic = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(40)

    class Heif(ImageFile.ImageFile):
        format = "HEIF"

        def _open(self):
            self._mode, self._size = "RGB", (8, 8)
            self.tile = [ImageFile._Tile("raw", (0, 0, 8, 8), 0, ("RGB", 0, 1))]
            self.fp = io.BytesIO(bytes(8 * 8 * 3))

    package = SimpleNamespace(register_heif_opener=lambda: Image.register_open("HEIF", Heif, lambda start: True))
    monkeypatch.setattr(file_kinds, "HEIF_PACKAGE", "no_such_package")
    assert (await client.post("/api/uploads", content=heic)).status_code == 400
    monkeypatch.setattr(file_kinds, "has_heic", lambda: True)
    monkeypatch.setattr(pixels, "has_heic", lambda: True)
    monkeypatch.setitem(sys.modules, "no_such_package", package)
    monkeypatch.setattr(Image, "OPEN", dict(Image.OPEN))
    monkeypatch.setattr(Image, "ID", list(Image.ID))
    taken_in = await client.post("/api/uploads", content=heic)
    assert taken_in.status_code == 201, taken_in.text


async def test_openais_route_understands_what_engines_want_to_know(site):
    reply = {"seed": 7, "negative_prompt": "blur", "steps": 5, "cfg_scale": 3.5}
    answer = await site.client.post("/v1/images/generations", json={"prompt": "a fox", "size": "64x64"} | reply)
    assert answer.status_code == 200, answer.text
    request = (await site.client.get("/api/jobs")).json()["jobs"][0]["request"]
    assert {name: request[name] for name in reply} == reply


@pytest.mark.parametrize("path", DOORS)
async def test_every_dialect_takes_webhooks_in_replicates_words_too(site, path):
    word = "queued" if path == "/api/jobs" else "start"
    hook = {"webhook": "https://hooks.example/a", "webhook_events_filter": [word]}
    answer = await site.client.post(path, json=DOORS[path] | hook)
    assert answer.status_code in (200, 202), answer.text
    rows = await site.easel.database.fetch("SELECT event FROM webhook_outbox")
    assert [row["event"] for row in rows] == ["queued"]


def test_unless_told_otherwise_easel_listens_where_the_page_says(tmp_path):
    settings = read_settings(tmp_path / "none.env", {})
    assert (settings.web.port, settings.web.host, settings.web.compat_ports) == (8484, "127.0.0.1", False)


@pytest.mark.parametrize("path", ["/api/images/generate", "/v1/generate-image", "/v1/images/generations"])
async def test_who_waits_too_long_is_told_the_jobs_in_every_dialect(tmp_path, path):
    async with site_at(tmp_path, job_timeout_s=0.02) as site:
        with held(site):
            answer = await site.client.post(path, json=DOORS[path])
        jobs = [job["id"] for job in (await site.client.get("/api/jobs")).json()["jobs"]]
        assert (answer.status_code, answer.json()["job_ids"]) == (504, jobs), answer.text
        assert (await site.ended(jobs[0]))["status"] == "done"


async def test_a_key_of_ones_own_draws_again_once_too(site):
    job = await site.draw()
    made = [
        await site.client.post(f"/api/jobs/{job['id']}/again", json={}, headers={"Idempotency-Key": "k"})
        for _ in range(2)
    ]
    assert len({answer.json()["jobs"][0]["id"] for answer in made}) == 1
