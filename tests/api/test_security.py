"""Hostile requests: names, paths, sizes, bombs, headers, addresses of the home network."""

import struct
import zlib
from dataclasses import replace

import httpx
import pytest

from api import middleware
from api.app import create_app
from tests.api.conftest import FAR, SMALL, png


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "[::1", "", "localhost@evil.example"])
async def test_a_name_that_is_not_ours_is_refused(client, host):
    answer = await client.get("/api/session", headers={"Host": host})
    assert answer.status_code == 421


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:8080", "127.0.0.1:3000", "[::1]:80"])
async def test_names_of_this_machine_are_ours(client, host):
    assert (await client.get("/healthz", headers={"Host": host})).status_code == 200


async def test_no_file_outside_the_page_is_served(client):
    for path in ("/static/../app.py", "/static/%2e%2e/app.py", "/static/..%2fapp.py", "/static/css/../../../main.py",
                 "/static//etc/passwd", "/static/%00", "/static/js/..%5c..%5capp.py"):  # fmt: skip
        answer = await client.get(path)
        assert answer.status_code in (400, 404), path
        assert b"import" not in answer.content


@pytest.mark.parametrize("prefix", ["/api/jobs/", "/api/media/", "/api/gallery/", "/api/workflows/", "/api/engines/"])
async def test_no_id_reaches_further_than_its_table(client, prefix):
    for part in ("..%2f..%2fsecret.key", "%2e%2e", "x%00y", "'; DROP TABLE jobs;--", "a" * 5000, "\u202e"):
        answer = await client.get(prefix + part)
        assert answer.status_code in (400, 404, 405, 422), part


async def test_every_answer_carries_the_strict_headers(site, client):
    image = (await site.draw())["images"][0]
    for path in ("/", "/docs", "/api/session", "/api/nothing", image["url"], "/static/js/main.js"):
        headers = (await client.get(path)).headers
        assert "default-src 'self'" in headers["content-security-policy"], path
        assert "unsafe" not in headers["content-security-policy"]
        assert (headers["x-content-type-options"], headers["x-frame-options"]) == ("nosniff", "DENY")


async def test_a_prompt_gets_no_headers_of_its_own(site, client):
    job = await site.draw(prompt='a"; filename="evil.exe\r\nSet-Cookie: a=b ü 狐')
    answer = await client.get(job["images"][0]["url"], params={"download": 1})
    named = answer.headers["content-disposition"]
    assert named.isascii()
    assert named.count('"') == 2
    assert "set-cookie" not in answer.headers
    assert "/" not in named


async def test_a_body_that_is_too_large_is_refused_by_its_length(client):
    answer = await client.post(
        "/api/uploads", content=b"x", headers={"Content-Length": str(middleware.MAX_BODY_BYTES + 1)}
    )
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


@pytest.mark.parametrize("length", ["-1", "x", "1, 2", "٣"])
async def test_a_length_that_is_no_number_crashes_nothing(client, length):
    answer = await client.post("/api/uploads", content=b"x", headers={"Content-Length": length.encode()})
    assert answer.status_code in (400, 413)


def bomb(side):
    """A PNG that claims to be huge and holds next to nothing."""
    head = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
    chunks = [(b"IHDR", head), (b"IDAT", zlib.compress(b"\0" * 1000)), (b"IEND", b"")]
    packed = [
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data)) for name, data in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(packed)


@pytest.mark.parametrize(
    "data", [bomb(60_000), b"", b"<svg onload=alert(1)>", b"GIF89a", png()[:60], b"%PDF-1.4", b"\x89PNG\r\n\x1a\n"]
)
async def test_a_file_that_is_no_picture_or_a_bomb_is_refused(client, data):
    answer = await client.post("/api/uploads", content=data)
    assert (answer.status_code, answer.json()["field"]) == (400, "init_image")


async def test_an_upload_is_served_back_as_the_picture_it_is(client):
    made = await client.post("/api/uploads", content=png() + b"<script>alert(1)</script>")
    assert made.status_code == 201
    answer = await client.get(made.json()["url"])
    assert answer.headers["content-type"] == "image/png"
    assert b"<script>" not in answer.content


@pytest.mark.parametrize(
    "url",
    ["http://127.0.0.1/x.png", "http://169.254.169.254/latest", "http://[::1]/", "file:///etc/passwd", "gopher://x"],
)
async def test_pictures_by_address_are_not_fetched_from_the_home_network(site, url):
    drawer = await site.key_client("read", "generate")
    answer = await drawer.post("/generate/img2img", json={"prompt": "a", "imageUrl": url} | SMALL)
    assert answer.status_code in (400, 422)
    assert "root:" not in answer.text


async def test_an_error_of_ours_shows_no_traceback(site, client, monkeypatch):
    async def broken(*args, **kwargs):
        raise RuntimeError("/secret/path")

    monkeypatch.setattr(site.web.services.generation, "recent", broken)
    answer = await site.visitor(near=True).get("/api/jobs")
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert "secret" not in answer.text


async def test_beyond_this_machine_bare_addresses_are_ours_and_names_are_not(site):
    app = create_app(replace(site.web, settings=site.web.settings.changed(host="0.0.0.0")))
    transport = httpx.ASGITransport(app, client=FAR)
    async with httpx.AsyncClient(transport=transport, base_url="http://192.0.2.7:8484") as client:
        assert (await client.get("/healthz")).status_code == 200
        assert (await client.get("/api/jobs")).status_code == 401
        assert (await client.get("/healthz", headers={"Host": "rebound.example"})).status_code == 421
