"""`PROVENANCE=c2pa`: each picture that leaves Easel is signed, by whichever door it leaves."""

import base64
import io
import logging
import zipfile
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from PIL import Image

from generation.result import GeneratedImage
from tests.api.conftest import Site, site_at
from tests.api.test_picture_sizes import uploaded
from tests.utils.certificates import NOW, issue
from tests.utils.manifests import is_signed, manifest_of
from tests.utils.pictures import noise
from tests.utils.timestamps import authority
from tests.utils.videos import MP4
from utils.content_credentials import NotSigned, PictureSigner
from utils.picture_texts import read_parameters
from utils.provenance import ALGORITHMIC, TRAINED, VOCABULARY, source_type_of

MB = 1024 * 1024
SECRET = "a heron over the marsh"


@asynccontextmanager
async def signing_site(folder, **reply):
    issued = issue(folder / "keys")
    async with site_at(folder / "data", **issued.settings, **reply) as site:
        yield site


@pytest.fixture
async def signing(tmp_path):
    async with signing_site(tmp_path) as site:
        yield site


async def file_of(site: Site, url: str) -> bytes:
    answer = await site.client.get(url)
    assert answer.status_code == 200, answer.text
    return answer.content


async def test_a_new_picture_is_signed_and_keeps_its_xmp_and_parameters(signing):
    image = (await signing.draw())["images"][0]
    data = await file_of(signing, image["url"])
    manifest = manifest_of(data)
    assert manifest.is_valid
    assert manifest.actions == [{"action": "c2pa.created", "digitalSourceType": VOCABULARY + ALGORITHMIC}]
    assert source_type_of(data) == ALGORITHMIC
    assert (read_parameters(data) or "").startswith("a red fox")


async def test_downloads_and_conversions_are_signed_and_lead_to_the_original(signing):
    url = (await signing.draw())["images"][0]["url"]
    label = manifest_of(await file_of(signing, url)).own["label"]
    for form, steps in (
        ("?format=jpeg", ["opened", "transcoded"]),
        ("?format=webp&download=1", ["opened", "transcoded"]),
        ("?size=256", ["opened", "transcoded"]),
        ("?size=64", ["opened", "transcoded"]),
    ):
        data = await file_of(signing, url + form)
        manifest = manifest_of(data)
        assert (manifest.is_valid, manifest.steps) == (True, steps)
        assert manifest.ingredients[0]["active_manifest"] == label
        assert source_type_of(data) == ALGORITHMIC
    assert manifest_of(await file_of(signing, f"{url}?download=1")).own["label"] == label


@pytest.mark.parametrize("kind", ["png", "jpeg", "webp"])
async def test_every_picture_of_an_archive_is_signed(signing, kind):
    ids = [(await signing.draw(seed=seed))["images"][0]["id"] for seed in (1, 2)]
    answer = await signing.client.post("/api/archive", json={"ids": ids, "format": kind})
    assert answer.status_code == 200, answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        files = [archive.read(name) for name in archive.namelist()]
    assert [manifest_of(data).is_valid for data in files] == [True, True]


async def test_what_other_programs_get_is_signed(signing):
    body = {"prompt": "a fox", "size": "64x64", "steps": 4, "response_format": "b64_json", "output_format": "webp"}
    answer = await signing.client.post("/v1/images/generations", json=body)
    assert manifest_of(base64.b64decode(answer.json()["data"][0]["b64_json"])).is_valid


async def test_what_discord_is_sent_is_signed_within_its_limit(signing):
    job = await signing.draw(width=256, height=256, batch_size=4)
    media = signing.easel.services.media
    whole = await media.upload_copy(job["images"][0]["id"], 10 * MB)
    assert manifest_of(whole.data).steps == ["created"]
    limit = len(whole.data) // 2
    smaller = await media.upload_copy(job["images"][0]["id"], limit)
    assert len(smaller.data) <= limit
    assert manifest_of(smaller.data).is_valid
    result = signing.easel.services.media
    stored = await signing.easel.services.generation.get(job["id"])
    sheet = await result.grid_of(stored.result, 10 * MB)
    manifest = manifest_of(sheet.data)
    assert (manifest.is_valid, manifest.steps, len(manifest.ingredients)) == (True, ["created", "placed"], 4)


async def test_a_picture_that_went_in_is_told_of_but_not_shown(signing):
    brought = await uploaded(signing, noise((64, 64)))
    job = await signing.draw(mode="img2img", init_image=brought)
    manifest = manifest_of(await file_of(signing, job["images"][0]["url"]))
    assert manifest.is_valid
    [ingredient] = manifest.ingredients
    assert ingredient["relationship"] == "inputTo"
    assert ingredient.keys() <= {"title", "relationship", "label"}
    assert brought not in manifest.text


async def test_nothing_of_a_private_request_is_in_the_manifest(signing):
    job = await signing.draw(prompt=SECRET, negative_prompt="crowds", is_private=True)
    text = manifest_of(await file_of(signing, job["images"][0]["url"])).text
    assert not [word for word in ("heron", "marsh", "crowds", "local", "sketch", job["id"]) if word in text.casefold()]


async def test_what_was_brought_is_neither_marked_nor_signed(signing):
    brought = await uploaded(signing, noise((64, 64)))
    for form in ("", "?size=64", "?format=jpeg"):
        data = await file_of(signing, f"/api/media/{brought}{form}")
        assert (is_signed(data), source_type_of(data)) == (False, None)


def engine_gives(site: Site, data: bytes) -> None:
    backend = site.easel.registry.get("sketch").backend
    generate = backend.generate

    async def other(request, report):
        result = await generate(request, report)
        return replace(result, images=tuple(GeneratedImage(data=data, seed=image.seed) for image in result.images))

    backend.generate = other


async def test_what_an_engine_signed_itself_stays_in_the_chain(signing, tmp_path):
    theirs = issue(tmp_path / "theirs")
    given = PictureSigner.open(theirs.certificate, theirs.key, NOW).sign_new(noise((64, 64)), TRAINED)
    engine_gives(signing, given)
    manifest = manifest_of(await file_of(signing, (await signing.draw())["images"][0]["url"]))
    assert (manifest.is_valid, manifest.steps) == (True, ["opened", "edited.metadata"])
    assert manifest.ingredients[0]["active_manifest"] == manifest_of(given).own["label"]


async def test_a_new_picture_has_the_time_of_an_authority_and_copies_ask_nobody(tmp_path):
    with authority(tmp_path / "authority") as (url, asked):
        async with signing_site(tmp_path, C2PA_TIMESTAMP_URL=url) as site:
            assert asked == []  # a start asks nobody
            image = (await site.draw())["images"][0]
            data = await file_of(site, image["url"])
            copy = await file_of(site, f"{image['url']}?format=webp")
    assert len(asked) == 1
    assert manifest_of(data).is_valid
    assert "timeStamp.validated" in manifest_of(data).text
    assert manifest_of(data).own["signature_info"]["time"]
    assert "time" not in manifest_of(copy).own["signature_info"]


async def test_a_video_is_given_as_it_was_made(signing):
    engine_gives(signing, MP4)
    assert await file_of(signing, (await signing.draw())["images"][0]["url"]) == MP4


async def test_a_picture_that_cannot_be_signed_comes_with_its_xmp_and_the_log_says_so(signing, monkeypatch, caplog):
    def fail(*_: object, **__: object) -> bytes:
        raise NotSigned("the certificate was not valid at time of signing")

    monkeypatch.setattr(PictureSigner, "_sign", fail)
    with caplog.at_level(logging.WARNING):
        job = await signing.draw(prompt=SECRET)
    assert job["status"] == "done"
    data = await file_of(signing, job["images"][0]["url"])
    assert (is_signed(data), source_type_of(data)) == (False, ALGORITHMIC)
    [record] = [record for record in caplog.records if record.action == "sign_failed"]
    assert record.error == "the certificate was not valid at time of signing"
    assert "heron" not in caplog.text


@pytest.mark.parametrize("setting", ["xmp", "off"])
async def test_a_certificate_alone_signs_nothing(tmp_path, setting):
    reply = issue(tmp_path / "keys").settings | {"PROVENANCE": setting}
    async with site_at(tmp_path / "data", **reply) as site:
        assert not is_signed(await file_of(site, (await site.draw())["images"][0]["url"]))


async def test_a_copy_of_a_picture_from_before_is_signed_from_now_on(tmp_path):
    async with site_at(tmp_path / "data") as site:
        image = (await site.draw())["images"][0]
    async with signing_site(tmp_path) as site:
        assert not is_signed(await file_of(site, image["url"]))
        manifest = manifest_of(await file_of(site, f"{image['url']}?format=webp"))
    assert (manifest.is_valid, manifest.steps) == (True, ["opened", "transcoded"])
    assert "active_manifest" not in manifest.ingredients[0]


async def test_a_signed_picture_is_still_a_picture(signing):
    data = await file_of(signing, (await signing.draw())["images"][0]["url"])
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        assert (image.format, image.size) == ("PNG", (64, 64))
    answer = await signing.client.post("/api/recall", content=data)
    assert answer.json()["draft"]["prompt"] == "a red fox"
