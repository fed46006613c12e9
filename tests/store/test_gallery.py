"""The history in pages, searched and narrowed; and every statement leaves out what is not for the viewer."""

import asyncio
from datetime import timedelta

import pytest

from generation.policy import listing
from store.gallery import GalleryStore
from store.gallery_filters import PictureFilter, conditions
from tests.people import visitor
from tests.store.conftest import NOW
from tests.store.gallery_rig import draw

ME = "api:7"


@pytest.fixture
def gallery(database):
    return GalleryStore(database)


async def ids(gallery, viewer=ME, *, is_admin=False, limit=50, before=None, **wanted):
    found = await gallery.history(
        visitor(viewer, is_admin=is_admin), wanted=PictureFilter(**wanted), limit=limit, before=before
    )
    return [picture.id for picture in found]


async def test_the_history_is_newest_first_and_a_jobs_pictures_in_their_order(jobs, gallery):
    await draw(jobs, "a", pictures=2)
    await draw(jobs, "b", second=1)
    assert await ids(gallery) == ["b-1", "a-1", "a-2"]


async def test_new_pictures_and_deletions_do_not_shift_the_pages(jobs, gallery):
    for number in range(5):
        await draw(jobs, f"j{number}", second=number)
    first = await gallery.history(visitor(ME), wanted=PictureFilter(), limit=2)
    await draw(jobs, "new", second=9)
    await gallery.delete(first[0].id, NOW)
    assert [picture.id for picture in first] == ["j4-1", "j3-1"]
    assert await ids(gallery, limit=2, before=first[-1].seq) == ["j2-1", "j1-1"]


@pytest.mark.parametrize(
    ("text", "found"),
    [("FOX", ["fox-1"]), ("100%", ["percent-1"]), ("a_b", ["line-1"]), ("\\", ["slash-1"]), ("'; DROP", [])],
)
async def test_a_search_takes_every_sign_literally(jobs, gallery, text, found):
    prompts = {"fox": "a red fox", "percent": "100% wool", "line": "a_b", "slash": "a\\b", "other": "axb 100 wool"}
    for job_id, prompt in prompts.items():
        await draw(jobs, job_id, prompt=prompt)
    assert await ids(gallery, text=text) == found


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({"model": "SDXL"}, ["b-1"]),
        ({"engine": "grid"}, ["b-1"]),
        ({"engine": "gpu BOX"}, ["c-1", "b-1", "a-1"]),
        ({"job_id": "a"}, ["a-1"]),
        ({"since": NOW + timedelta(seconds=10)}, ["c-1", "b-1"]),
        ({"until": NOW + timedelta(seconds=10)}, ["a-1"]),
        ({"since": NOW + timedelta(seconds=10), "until": NOW + timedelta(seconds=20), "model": "sdxl"}, ["b-1"]),
        ({"user_key": "api:8"}, []),
    ],
)
async def test_the_history_can_be_narrowed(jobs, gallery, wanted, found):
    await draw(jobs, "a")
    await draw(jobs, "b", second=10, lane="grid", model="sdxl")
    await draw(jobs, "c", second=20)
    assert await ids(gallery, **wanted) == found


async def test_others_see_what_is_not_private_and_came_by_the_api_and_admins_what_is_not_private(jobs, gallery):
    await draw(jobs, "open")
    await draw(jobs, "secret", private=True)
    await draw(jobs, "discord", door="discord")
    await draw(jobs, "hidden", door="discord", private=True)
    assert await ids(gallery, ME) == ["secret-1", "open-1"]
    assert await ids(gallery, "discord:7") == ["hidden-1", "discord-1", "open-1"]
    assert await ids(gallery, "api:9") == ["open-1"]
    assert await ids(gallery, "api:9", is_admin=True) == ["discord-1", "open-1"]
    for picture in ("secret-1", "media-secret-1"):
        assert await gallery.picture(picture, visitor("api:9", is_admin=True)) is None
        assert (await gallery.picture(picture, visitor(ME))).id == "secret-1"


async def test_of_two_stars_at_once_one_counts(jobs, gallery):
    await draw(jobs, "a")
    stars = await asyncio.gather(*(gallery.star(ME, "a-1", NOW) for _ in range(10)))
    assert sum(stars) == 1
    assert await gallery.count_stars(ME) == 1
    assert await gallery.unstar(ME, "a-1")
    assert not await gallery.unstar(ME, "a-1")


async def test_nothing_that_is_gone_can_be_a_favourite(jobs, gallery):
    await draw(jobs, "a")
    await gallery.delete("a-1", NOW)
    assert not await gallery.star(ME, "a-1", NOW)
    assert not await gallery.star(ME, "nobody", NOW)


async def test_a_favourite_is_shown_to_its_owner_and_counted_for_all(jobs, gallery):
    await draw(jobs, "a")
    await gallery.star("api:8", "a-1", NOW)
    mine, theirs = [await gallery.picture("a-1", visitor(viewer)) for viewer in (ME, "api:8")]
    assert (mine.is_favorite, mine.favorites, mine.is_kept) == (False, 1, True)
    assert theirs.is_favorite
    assert await ids(gallery, favorites=True) == []
    assert await ids(gallery, "api:8", favorites=True) == ["a-1"]


async def test_a_deleted_picture_leaves_favourites_and_collections(jobs, gallery):
    await draw(jobs, "a", pictures=2)
    await gallery.add_collection(ME, "c1", name="Foxes", description="", now=NOW)
    await gallery.add_to_collection("c1", "a-1", NOW)
    await gallery.star(ME, "a-1", NOW)
    assert await gallery.kept() == {"media-a-1"}
    assert sorted(await gallery.delete_job("a", NOW)) == ["media-a-1", "media-a-2"]
    assert await gallery.kept() == set()
    assert await ids(gallery) == []
    assert (await gallery.collection(ME, "c1")).pictures == 0


async def test_collections_belong_to_one_person_and_names_are_taken_once(jobs, gallery):
    await draw(jobs, "a")
    assert await gallery.add_collection(ME, "c1", name="Foxes", description="red", now=NOW)
    assert not await gallery.add_collection(ME, "c2", name="Foxes", description="", now=NOW)
    assert await gallery.add_collection("api:8", "c3", name="Foxes", description="", now=NOW)
    assert await gallery.add_collection(ME, "c4", name="Birds", description="", now=NOW)
    assert not await gallery.change_collection(ME, "c4", name="Foxes", description=None, now=NOW)
    assert await gallery.change_collection(ME, "c4", name="Owls", description=None, now=NOW)
    assert not await gallery.change_collection("api:8", "c4", name="Mine", description=None, now=NOW)
    assert await gallery.add_to_collection("c1", "a-1", NOW)
    assert not await gallery.add_to_collection("c1", "a-1", NOW)
    foxes, owls = await gallery.collections(ME)
    assert (foxes.name, foxes.description, foxes.pictures, foxes.cover_media_id) == ("Foxes", "red", 1, "media-a-1")
    assert (owls.name, owls.pictures, owls.cover_media_id) == ("Owls", 0, None)
    assert await ids(gallery, collection="c1") == ["a-1"]
    assert await ids(gallery, "api:8", collection="c1") == [], "it is somebody else's"
    assert not await gallery.delete_collection("api:8", "c1")
    assert await gallery.delete_collection(ME, "c1")
    assert await ids(gallery) == ["a-1"], "its pictures stay"


async def test_a_persons_history_is_read_by_an_index_and_not_sorted(database):
    from store import gallery as sql

    query = sql._SELECT + conditions(PictureFilter(user_key=ME))[0] + " ORDER BY g.seq DESC LIMIT :limit"
    params = listing(visitor(ME)) | {"user_key": ME, "limit": 50}
    plan = [row["detail"] for row in await database.fetch("EXPLAIN QUERY PLAN " + query, params)]
    assert any("generated_images_user" in step for step in plan), plan
    assert not any("TEMP B-TREE" in step for step in plan), plan
