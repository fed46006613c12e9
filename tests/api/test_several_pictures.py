"""Several input pictures by HTTP: a list beside the one field, the `image[]` of OpenAI's edits, and re-rolls."""

from dataclasses import replace
from typing import Any

import pytest

from generation.request import GenerationRequest
from tests.api.conftest import SMALL, png
from tests.api.test_picture_sizes import uploaded

COLOURS = ("navy", "red", "green")


async def taking(site: Any, most: int) -> list[GenerationRequest]:
    """Let the engine draw from so many pictures; return what it is asked for from now on."""
    backend = site.easel.registry.get("sketch").backend
    offered = replace(await backend.capabilities(), max_images=most)

    async def capabilities():
        return offered

    backend.capabilities = capabilities
    await site.easel.registry.refresh("sketch")
    generate, asked = backend.generate, list[GenerationRequest]()

    async def other(request, report):
        asked.append(request)
        return await generate(request, report)

    backend.generate = other
    return asked


async def ids(site: Any) -> list[str]:
    return [await uploaded(site, png(colour=colour)) for colour in COLOURS]


async def test_a_list_beside_the_one_field_is_drawn_from_in_order_and_again(site, client):
    asked = await taking(site, 3)
    first, *more = await ids(site)
    job = await site.draw(init_image=first, more_images=more)
    assert [item["media_id"] for item in job["request"]["more_images"]] == more
    assert [image.media_id for image in asked[0].more_images] == more
    assert all(image.data for image in asked[0].more_images)
    answer = await client.post(f"/api/jobs/{job['id']}/again", json={})
    again = await site.ended(answer.json()["jobs"][0]["id"])
    assert [image.media_id for image in (asked[1].init_image, *asked[1].more_images)] == [first, *more]
    dropped = await client.post(f"/api/jobs/{again['id']}/again", json={"drop": ["init_image", "mode"]})
    assert dropped.json()["jobs"][0]["request"]["more_images"] == []


async def test_a_list_alone_begins_with_its_first(site):
    asked = await taking(site, 2)
    first, second, _ = await ids(site)
    await site.draw(more_images=[first, second])
    assert asked[0].init_image
    assert [image.media_id for image in (asked[0].init_image, *asked[0].more_images)] == [first, second]


async def test_an_engine_that_takes_one_says_how_many_it_leaves(site):
    asked = await taking(site, 1)
    first, *more = await ids(site)
    job = await site.draw(init_image=first, more_images=more)
    assert "2 more pictures ignored: one picture is drawn from" in job["notes"]
    assert asked[0].more_images == ()


async def test_a_picture_in_the_list_is_looked_at_as_the_first_is(site, client):
    mia = await site.session_client("discord:7")
    private = (await site.draw(is_private=True))["images"][0]["id"]
    own = await site.draw(mia)
    for more, status in (([private], 400), (["0" * 64], 400), (["a"] * 10, 422)):
        body = {"prompt": "a fox", "init_image": own["images"][0]["id"], "more_images": more} | SMALL
        answer = await mia.post("/api/jobs", json=body)
        assert answer.status_code == status, answer.text


@pytest.mark.parametrize(("most", "taken", "notes"), [(3, 2, []), (1, 0, ["2 more pictures ignored: one picture is"])])
async def test_all_pictures_of_an_edit_are_drawn_from_where_that_can_be(site, client, most, taken, notes):
    asked = await taking(site, most)
    files = [("image[]", (f"{colour}.png", png(colour=colour))) for colour in COLOURS]
    answer = await client.post("/v1/images/edits", data={"prompt": "a fox", "size": "64x64"}, files=files)
    assert answer.status_code == 200, answer.text
    assert len(asked[0].more_images) == taken
    ignored = [note for note in answer.json()["notes"] if "more pictures" in note]
    assert [note.startswith(start) for note, start in zip(ignored, notes, strict=True)] == [True] * len(notes)


async def test_all_pictures_are_forgotten_with_the_words(site, client):
    await taking(site, 3)
    first, *more = await ids(site)
    job = await site.draw(init_image=first, more_images=more, is_private=True)
    assert (await client.delete(f"/api/jobs/{job['id']}")).status_code == 204
    kept = await site.easel.services.generation.find(job["id"])
    assert (kept.request.init_image, kept.request.more_images, kept.drawn.more_images) == (None, (), ())
