"""A person's quota of pictures, by every way they bring one."""

import base64

import pytest

from tests.api.conftest import SMALL, png, site_at

FILE = png(300, 300) + b"\0" * 600_000  # what comes counts, not what is kept of it
DATA_URL = f"data:image/png;base64,{base64.b64encode(FILE).decode()}"
WAYS = {
    "upload": ("/api/uploads", {"content": FILE}),
    "image studio": ("/api/images/variations", {"json": {"imageUrl": DATA_URL, "count": 1}}),
    "job queue": ("/generate/img2img", {"json": {"prompt": "a fox", "initImage": DATA_URL} | SMALL}),
    "two at once": ("/generate/inpaint", {"json": {"prompt": "a", "image": DATA_URL, "mask": DATA_URL} | SMALL}),
    "form": ("/v1/images/edits", {"data": {"prompt": "a fox", "size": "64x64"}, "files": {"image": FILE}}),
}


@pytest.fixture
async def strict(tmp_path):
    async with site_at(tmp_path, MAX_UPLOAD_MB_PER_USER="1") as site:
        yield site


@pytest.mark.parametrize("way", WAYS)
async def test_who_brings_too_much_is_told_to_wait(strict, way):
    mia, ann = await strict.session_client("discord:7"), await strict.session_client("discord:8")
    path, sent = WAYS[way]
    answers = [await mia.post(path, **sent) for _ in range(2)]
    assert answers[-1].status_code == 429, answers[-1].text
    assert int(answers[-1].headers["retry-after"]) > 3600
    assert "1 MB of pictures" in answers[-1].text
    assert (await ann.post("/api/uploads", content=FILE)).status_code == 201


async def test_a_picture_that_is_here_counts_once(strict):
    mia = await strict.session_client("discord:7")
    media_id = (await mia.post("/api/uploads", content=FILE)).json()["media_id"]
    for _ in range(5):
        made = await mia.post("/generate/img2img", json={"prompt": "a fox", "initImage": media_id} | SMALL)
        assert made.status_code == 202, made.text


async def test_who_owns_the_machine_has_all_of_it(strict):
    for _ in range(3):
        assert (await strict.client.post("/api/uploads", content=FILE)).status_code == 201
