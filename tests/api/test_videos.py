"""Videos by HTTP: in parts for players, with a still, packed and saved under their own names."""

import io
import zipfile
from dataclasses import replace

import pytest
from PIL import Image

from generation.result import GeneratedImage
from tests.utils.videos import MP4


@pytest.fixture
async def video(site, monkeypatch):
    backend = site.easel.registry.get("sketch").backend
    generate = backend.generate

    async def other(request, report):
        result = await generate(request, report)
        return replace(result, images=(GeneratedImage(data=MP4, seed=request.seed),))

    monkeypatch.setattr(backend, "generate", other)
    return (await site.draw())["images"][0]


async def test_a_job_shows_its_video_with_a_still(client, video):
    assert (video["media_type"], video["width"], video["height"]) == ("video/mp4", 96, 64)
    assert video["file_name"].endswith(".mp4")
    assert video["alt"].startswith("Generated video: a red fox")
    whole = await client.get(video["url"])
    assert (whole.status_code, whole.headers["content-type"], whole.content) == (200, "video/mp4", MP4)
    assert whole.headers["accept-ranges"] == "bytes"
    still = await client.get(video["thumbnail_url"])
    assert still.headers["content-type"] == "image/jpeg"
    with Image.open(io.BytesIO(still.content)) as picture:
        assert picture.size == (96, 64)


@pytest.mark.parametrize(
    ("asked", "first", "last"),
    [("bytes=0-", 0, len(MP4) - 1), ("bytes=0-1", 0, 1), ("bytes=100-199", 100, 199),
     ("bytes=-5", len(MP4) - 5, len(MP4) - 1),
     ("bytes=10-999999", 10, len(MP4) - 1), ("bytes=-999999", 0, len(MP4) - 1)],
)  # fmt: skip
async def test_a_player_gets_the_part_it_asks_for(client, video, asked, first, last):
    part = await client.get(video["url"], headers={"Range": asked})
    assert (part.status_code, part.content) == (206, MP4[first : last + 1])
    assert part.headers["content-range"] == f"bytes {first}-{last}/{len(MP4)}"
    assert int(part.headers["content-length"]) == last - first + 1


@pytest.mark.parametrize("asked", ["bytes=5-2", "bytes=0-1,4-5", "bytes=-", "words=0-1", "bytes=a-b", "bytes=١-٢"])
async def test_what_is_no_single_range_gets_the_whole(client, video, asked):
    answer = await client.get(video["url"], headers={"Range": asked.encode()})
    assert (answer.status_code, answer.content) == (200, MP4)


@pytest.mark.parametrize("asked", ["bytes=99999-", "bytes=-0"])
async def test_a_range_beyond_the_end_is_refused(client, video, asked):
    answer = await client.get(video["url"], headers={"Range": asked})
    assert (answer.status_code, answer.headers["content-range"]) == (416, f"bytes */{len(MP4)}")


async def test_a_part_of_what_was_another_file_is_the_whole(client, video):
    tag = (await client.get(video["url"])).headers["etag"]
    same = await client.get(video["url"], headers={"Range": "bytes=0-1", "If-Range": tag})
    other = await client.get(video["url"], headers={"Range": "bytes=0-1", "If-Range": '"another"'})
    assert (same.status_code, other.status_code) == (206, 200)


async def test_another_format_leaves_it_a_video(client, video):
    answer = await client.get(video["url"], params={"format": "webp", "download": "1"})
    assert (answer.headers["content-type"], answer.content) == ("video/mp4", MP4)
    assert answer.headers["content-disposition"].endswith('.mp4"')


async def test_the_gallery_and_its_archive_have_it(client, video):
    (row,) = (await client.get("/api/gallery")).json()["pictures"]
    assert (row["media_type"], row["alt"].split(":")[0]) == ("video/mp4", "Generated video")
    packed = await client.post("/api/archive", json={"ids": [row["id"]], "format": "webp"})
    with zipfile.ZipFile(io.BytesIO(packed.content)) as archive:
        (name,) = archive.namelist()
        assert (name.rpartition(".")[2], archive.read(name)) == ("mp4", MP4)


async def test_a_variation_of_a_video_is_refused_in_a_sentence(site, client, video):
    body = {"image": video["id"], "changes": {"denoising_strength": 0.6}}
    job = (await client.get("/api/jobs")).json()["jobs"][0]
    answer = await client.post(f"/api/jobs/{job['id']}/again", json=body)
    if answer.status_code == 202:
        ended = await site.ended(answer.json()["jobs"][0]["id"])
        assert "only pictures can be drawn from" in ended["error"]["message"]
    else:
        assert "only pictures can be drawn from" in answer.text
