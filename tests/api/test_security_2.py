"""What others may learn of a private picture through what is drawn from it, and what a stranger can use up."""

import pytest

from tests.api.conftest import SMALL


@pytest.fixture
async def mia(site):
    return await site.session_client("discord:7")


def asked_with(media_id, job_id):
    """Every request that takes a picture by its id."""
    said = {"prompt": "a fox"} | SMALL
    own_address = f"http://127.0.0.1/api/media/{media_id}"
    return [
        ("/api/jobs", said | {"init_image": media_id, "is_private": True}),
        ("/api/jobs", said | {"control": [{"kind": "canny", "image": media_id}]}),
        (f"/api/jobs/{job_id}/again", {"image": media_id}),
        (f"/api/jobs/{job_id}/again", {"changes": {"init_image": media_id}}),
        ("/api/batches", {"prompts": ["a fox"], "common": {"init_image": media_id}}),
        ("/api/estimate", said | {"init_image": media_id}),
        ("/api/describe", {"media_id": media_id}),
        ("/generate/img2img", said | {"initImage": own_address}),
        ("/generate/inpaint", said | {"image": media_id, "mask": media_id}),
        ("/generate/style-transfer", said | {"contentImage": media_id, "styleImage": media_id}),
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
    anew = await mia.post(f"/api/jobs/{shown['id']}/again", json={"drop": ["init_image", "mode"]})
    assert (anew.status_code, anew.json()["jobs"][0]["request"]["init_image"]) == (202, None)
    assert (await client.post(f"/api/jobs/{shown['id']}/again", json={})).status_code == 202
