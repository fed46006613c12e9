"""The picture that is meant, and the files that cannot be taken."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from cogs.attachments import address_of, read_file
from cogs.pictures.sources import PictureSources, is_private
from constants import MAX_INPUT_IMAGE_BYTES
from generation.errors import RequestRejected
from generation.job import JobStatus
from tests.cogs.samples import JOB, ORIGIN, done


class NoMedia:
    """A media store that has forgotten everything."""

    async def get(self, media_id: str) -> None:
        return None


@pytest.fixture
async def cdn() -> AsyncIterator[str]:
    """Serve /file, and no other."""

    async def answer(request: web.Request) -> web.Response:
        size = int(request.query.get("size", "0"))
        return web.Response(body=b"x" * size if size else b"the file")

    app = web.Application()
    app.router.add_get("/file", answer)
    async with TestServer(app) as server:
        yield str(server.make_url("/"))


def file(name: str = "fox.png", **changes: Any) -> SimpleNamespace:
    return SimpleNamespace(**{"filename": name, "content_type": None, "size": 8, "url": "", **changes})


def message(*files: SimpleNamespace, ephemeral: bool = False) -> Any:
    return SimpleNamespace(attachments=list(files), components=[], flags=SimpleNamespace(ephemeral=ephemeral))


@pytest.fixture
def sources() -> PictureSources:
    return PictureSources(SimpleNamespace(), NoMedia())  # type: ignore[arg-type]


async def test_the_first_picture_of_a_message_is_meant(sources: PictureSources, cdn: str) -> None:
    fox = file("FOX.JPG", url=f"{cdn}file")
    assert await sources.of_message(message(file("notes.txt"), fox), None) == b"the file"
    blob = file("blob", content_type="image/webp", url=f"{cdn}file")
    assert await sources.of_message(message(blob), None) == b"the file"
    with pytest.raises(RequestRejected, match="no picture in that message"):
        await sources.of_message(message(file("notes.txt")), None)


async def test_a_result_that_has_expired_is_taken_from_its_message(sources: PictureSources, cdn: str) -> None:
    assert await sources.of_message(message(file(url=f"{cdn}file")), done().job) == b"the file"


async def test_a_grid_and_a_preview_are_not_taken(sources: PictureSources) -> None:
    with pytest.raises(RequestRejected, match="shows 4 pictures"):
        await sources.of_message(message(file()), done(4).job)
    with pytest.raises(RequestRejected, match="still being made"):
        await sources.of_message(message(file()), replace(JOB, status=JobStatus.RUNNING))


async def test_a_file_that_is_too_large_or_gone_is_told(cdn: str) -> None:
    with pytest.raises(RequestRejected, match=r"11\.0 MB; at most 10 MB"):
        address_of(file(size=MAX_INPUT_IMAGE_BYTES * 11 // 10))  # type: ignore[arg-type]
    with pytest.raises(RequestRejected, match="too large; at most 10 MB"):
        await read_file(f"{cdn}file?size={MAX_INPUT_IMAGE_BYTES + 1}")
    for address in (f"{cdn}gone", "http://127.0.0.1:9/file"):
        with pytest.raises(RequestRejected, match="attach it again"):
            await read_file(address)


@pytest.mark.parametrize(
    ("ephemeral", "private", "expected"), [(False, False, False), (True, False, True), (False, True, True)]
)
def test_what_one_person_sees_stays_theirs(ephemeral: bool, private: bool, expected: bool) -> None:
    job = replace(JOB, origin=replace(ORIGIN, private=private))
    assert is_private(message(ephemeral=ephemeral), job) is expected
    assert is_private(message(ephemeral=ephemeral), None) is ephemeral
