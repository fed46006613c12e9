"""The studio's files as they are handed out: whole or packed, once, and again when they change."""

import gzip
import html
import json
import re

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Route

from api.files import STATIC, StudioFiles
from api.form import form_fields


class Folder:
    """A folder of files behind a client, with a clock that is moved by hand."""

    def __init__(self, path):
        self.path, self.now_s = path, 0.0
        files = StudioFiles(path, lambda: self.now_s)
        app = Starlette(routes=[Route("/{name:path}", files.answer)])
        self.client = httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://here")

    async def get(self, name, **headers):
        return await self.client.get(name, headers={"accept-encoding": "identity"} | headers)


@pytest.fixture
async def folder(tmp_path):
    made = Folder(tmp_path)
    yield made
    await made.client.aclose()


async def test_a_file_comes_packed_where_that_is_taken_and_whole_where_not(client):
    path = "/static/js/main.js"
    whole = await client.get(path, headers={"accept-encoding": "identity"})
    assert whole.content == (STATIC / "js" / "main.js").read_bytes()
    async with client.stream("GET", path, headers={"accept-encoding": "gzip, br"}) as packed:
        raw = b"".join([part async for part in packed.aiter_raw()])
    assert (packed.headers["content-encoding"], packed.headers["vary"]) == ("gzip", "Accept-Encoding")
    assert len(raw) == int(packed.headers["content-length"]) < len(whole.content) / 2
    assert gzip.decompress(raw) == whole.content


@pytest.mark.parametrize(
    ("path", "kind"),
    [("/", "text/html; charset=utf-8"), ("/docs", "text/html; charset=utf-8"),
     ("/static/js/main.js", "text/javascript; charset=utf-8"), ("/static/css/base.css", "text/css; charset=utf-8"),
     ("/static/icon.svg", "image/svg+xml"), ("/static/manifest.webmanifest", "application/manifest+json"),
     ("/static/styles/anime.webp", "image/webp")],
)  # fmt: skip
async def test_each_kind_is_named(client, path, kind):
    assert (await client.get(path)).headers["content-type"] == kind
    head = await client.head(path)
    assert (head.status_code, head.content) == (200, b"")


async def test_what_a_browser_has_is_not_sent_again(client):
    first = await client.get("/static/js/main.js")
    again = await client.get("/static/js/main.js", headers={"if-none-match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["cache-control"] == "no-cache"


async def test_only_get_and_head_are_answered(client):
    assert (await client.post("/static/js/main.js", headers={"origin": "null"})).status_code in (403, 405)
    assert (await client.put("/static/js/main.js")).status_code == 405


async def test_an_edited_file_is_seen_after_a_second_and_a_deleted_one_is_gone(folder):
    note = folder.path / "note.css"
    note.write_bytes(b"a")
    first = await folder.get("/note.css")
    assert first.content == b"a"
    note.write_bytes(b"bb")
    assert (await folder.get("/note.css")).content == b"a"
    folder.now_s = 1.0
    second = await folder.get("/note.css", **{"if-none-match": first.headers["etag"]})
    assert (second.status_code, second.content) == (200, b"bb")
    note.unlink()
    folder.now_s = 2.0
    assert (await folder.get("/note.css")).status_code == 404


async def test_the_page_brings_the_fields_of_its_form(client):
    page = (await client.get("/")).text
    reply = re.search("<meta name=\"fields\" content='([^']*)'>", page)
    assert json.loads(html.unescape(reply[1])) == form_fields()
