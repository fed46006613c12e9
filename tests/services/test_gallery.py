"""Favourites and collections keep their files, everything else goes in its time; nobody sees what is not for them."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.fernet import Fernet

from generation.errors import GenerationError, LimitReached, NotAllowed, RequestRejected
from generation.job import JobStatus
from generation.person import Person
from services.library import gallery as limits
from services.library.gallery import GalleryService, PictureFilter
from services.pictures.media import MediaService
from store.gallery import GalleryStore
from store.image_cache import CacheUnavailable
from store.jobs import JobStore
from tests.fakes import FakeClock
from tests.store.conftest import NOW, bytes_on_disk, make_job
from tests.store.gallery_rig import draw, result_of
from tests.store.ready import open_database
from utils.secrets import SecretBox

DAY_S = 24 * 3600.0
ME, YOU, ADMIN = (
    Person(user_key="api:7"),
    Person(user_key="api:8"),
    Person(user_key="api:1", scopes=frozenset({"admin"})),
)


@pytest.fixture
def clock():
    return FakeClock(NOW)


@pytest.fixture
async def database(tmp_path):
    opened = await open_database(tmp_path / "easel.sqlite3")
    yield opened
    await opened.close()


@pytest.fixture
def jobs(database):
    return JobStore(database, SecretBox(Fernet.generate_key()))


@pytest.fixture
def media(cache, clock):
    return MediaService(cache, clock, DAY_S)


@pytest.fixture
def gallery(database, media, clock):
    return GalleryService(store=GalleryStore(database), media=media, clock=clock)


@pytest.fixture
def drawn(jobs, cache):
    """Draw a job whose files are in the media store."""

    async def draw_with_files(job_id, **values):
        job = await draw(jobs, job_id, **values)
        for image in job.result.images:
            data = f"the bytes of {image.media_id}".encode()
            await cache.put(data, media_type="image/png", job_id=job_id, media_id=image.media_id)
        return job

    return draw_with_files


async def ids(gallery, viewer=ME, **wanted):
    return [picture.id for picture in (await gallery.history(viewer, PictureFilter(**wanted))).pictures]


async def test_a_picture_expires_and_its_row_stays(gallery, drawn, cache, clock, tmp_path):
    await drawn("a")
    await clock.advance(DAY_S)
    await cache.sweep()
    picture = await gallery.picture(ME, "a-1")
    assert not picture.is_there(clock.now())
    assert (picture.prompt, picture.steps, picture.seed) == ("a red fox", 30, 813)
    assert b"the bytes of" not in bytes_on_disk(tmp_path)
    with pytest.raises(RequestRejected, match="has expired"):
        await gallery.star(ME, "a-1")
    assert await cache.pinned() == set()


async def test_a_favourite_outlives_its_day_and_begins_a_new_one_when_let_go(gallery, drawn, cache, clock):
    await drawn("a", pictures=2)
    starred = await gallery.star(ME, "media-a-1")
    assert (starred.id, starred.is_favorite, starred.is_kept) == ("a-1", True, True)
    await clock.advance(30 * DAY_S)
    await cache.sweep()
    assert [await cache.get(f"media-a-{number}") is not None for number in (1, 2)] == [True, False]
    assert (await gallery.picture(ME, "a-1")).is_there(clock.now())
    let_go = await gallery.unstar(ME, "a-1")
    assert (let_go.is_kept, let_go.expires_at) == (False, clock.now() + timedelta(seconds=DAY_S))
    await clock.advance(DAY_S)
    assert await cache.get("media-a-1") is None


async def test_stars_and_their_end_at_once_leave_rows_and_files_of_one_mind(gallery, drawn, cache):
    await drawn("a")
    for _ in range(5):
        await asyncio.gather(gallery.star(ME, "a-1"), gallery.star(YOU, "a-1"), gallery.unstar(ME, "a-1"))
        await asyncio.gather(gallery.star(ME, "a-1"), gallery.unstar(YOU, "a-1"), gallery.star(ME, "a-1"))
        picture = await gallery.picture(ME, "a-1")
        assert (picture.is_favorite, picture.favorites) == (True, 1)
        assert await cache.pinned() == {"media-a-1"}
        await asyncio.gather(gallery.unstar(ME, "a-1"), gallery.unstar(ME, "a-1"))
        assert await cache.pinned() == set()


async def test_a_file_is_kept_until_the_last_who_wants_it_lets_go(gallery, drawn, cache):
    await drawn("a")
    foxes = await gallery.create_collection(ME, " Foxes ", "red ones")
    foxes = await gallery.add_pictures(ME, foxes.id, ["a-1", "media-a-1"])
    assert (foxes.name, foxes.pictures, foxes.cover_media_id) == ("Foxes", 1, "media-a-1")
    await gallery.star(YOU, "a-1")
    await gallery.remove_pictures(ME, foxes.id, ["a-1"])
    assert await cache.pinned() == {"media-a-1"}
    await gallery.add_pictures(ME, foxes.id, ["a-1"])
    await gallery.unstar(YOU, "a-1")
    assert await cache.pinned() == {"media-a-1"}
    assert await ids(gallery, collection=foxes.id) == ["a-1"]
    await gallery.delete_collection(ME, foxes.id)
    assert await cache.pinned() == set()
    assert await ids(gallery) == ["a-1"]


async def test_a_deleted_picture_is_gone_at_once_whoever_kept_it(gallery, drawn, cache, tmp_path):
    await drawn("a", pictures=2)
    await gallery.star(ME, "a-1")
    await gallery.star(YOU, "a-1")
    with pytest.raises(NotAllowed, match="Only the person"):
        await gallery.delete(YOU, "a-1")
    await gallery.delete(ME, "a-1")
    assert await cache.get("media-a-1") is None
    assert await ids(gallery) == ["a-2"]
    assert (await gallery.history(YOU, PictureFilter(favorites=True))).pictures == ()
    await cache.sweep()
    assert b"the bytes of media-a-1" not in bytes_on_disk(tmp_path)
    with pytest.raises(RequestRejected, match="There is no picture a-1"):
        await gallery.picture(ME, "a-1")


async def test_deleting_a_job_takes_its_pictures_out_of_the_history(gallery, drawn, media, cache):
    job = await drawn("a", pictures=2)
    await gallery.star(ME, "a-2")
    await media.discard(job.id)
    await gallery.forget_job(job)
    assert await ids(gallery) == []
    assert await cache.pinned() == set()


async def test_deleting_an_answer_from_the_cache_leaves_the_file_to_the_job_that_drew_it(gallery, drawn, jobs, cache):
    await drawn("a")
    result = replace(result_of("a"), from_cache=True)
    cached = make_job(
        "b", status=JobStatus.DONE, finished_at=NOW, result=result, origin={"door": "api", "user_id": "8"}
    )
    await jobs.insert(cached)
    await gallery.star(YOU, "b-1")
    await gallery.delete(YOU, "b-1")
    assert await cache.get("media-a-1")
    assert await cache.pinned() == set(), "nobody keeps it any more"
    assert await ids(gallery, YOU) == []
    assert await ids(gallery, ME) == ["a-1"]


async def test_deleting_the_original_takes_the_file_from_answers_of_the_cache_too(gallery, drawn, jobs, cache, clock):
    await drawn("a")
    result = replace(result_of("a"), from_cache=True)
    cached = make_job(
        "b", status=JobStatus.DONE, finished_at=NOW, result=result, origin={"door": "api", "user_id": "8"}
    )
    await jobs.insert(cached)
    await gallery.star(YOU, "b-1")
    await gallery.delete(ME, "a-1")
    (left,) = (await gallery.history(YOU)).pictures
    assert (left.id, left.is_favorite, left.is_there(clock.now())) == ("b-1", False, False)


async def test_start_takes_up_what_a_crash_left_between_the_two_files(gallery, drawn, cache, database):
    await drawn("a")
    await drawn("b")
    await cache.pin("media-a-1")  # pinned, then killed before the row was written
    await GalleryStore(database).star("api:7", "b-1", NOW)  # the file was restored from an older copy
    await gallery.start()
    assert await cache.pinned() == {"media-b-1"}


async def test_a_media_store_that_fails_refuses_the_star_and_hurts_nothing_else(
    gallery, drawn, cache, monkeypatch, caplog
):
    await drawn("a")

    async def fail(*_):
        raise CacheUnavailable("disk full")

    monkeypatch.setattr(cache, "pin", fail)
    monkeypatch.setattr(cache, "unpin", fail)
    with pytest.raises(GenerationError):
        await gallery.star(ME, "a-1")
    assert not (await gallery.picture(ME, "a-1")).is_favorite
    monkeypatch.setattr(cache, "pinned", fail)
    await gallery.start()
    assert "does not answer" in caplog.text


async def test_others_pictures_are_visible_only_when_open(gallery, drawn):
    await drawn("open")
    await drawn("secret", private=True)
    await drawn("chat", door="discord")
    everybody = [[p.id for p in (await gallery.history(who, everybody=True)).pictures] for who in (YOU, ADMIN)]
    assert everybody == [["open-1"], ["chat-1", "open-1"]]
    assert await ids(gallery, YOU) == [], "the own history is only your own"
    assert await ids(gallery, YOU, user_key="api:7") == ["open-1"]
    for change in (gallery.picture, gallery.star, gallery.delete):
        with pytest.raises(RequestRejected, match="There is no picture secret-1"):
            await change(ADMIN, "secret-1")
    assert (await gallery.delete(ADMIN, "open-1")).id == "open-1"


async def test_pages_follow_each_other_to_the_end(gallery, drawn):
    for number in range(5):
        await drawn(f"j{number}")
    cursor, seen = "", []
    while cursor is not None:
        page = await gallery.history(ME, limit=2, cursor=cursor)
        seen.append([picture.id for picture in page.pictures])
        cursor = page.next_cursor
        await drawn(f"new{len(seen)}")
    assert seen == [["j4-1", "j3-1"], ["j2-1", "j1-1"], ["j0-1"]]


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"limit": 0}, "limit"),
        ({"limit": 201}, "limit"),
        ({"cursor": "x' OR 1"}, "cursor"),
        ({"cursor": "٣"}, "cursor"),
        ({"wanted": PictureFilter(text="x" * 201)}, "text"),
        ({"wanted": PictureFilter(collection="nobody's")}, "collection"),
    ],
)
async def test_what_cannot_be_asked_names_its_field(gallery, wanted, field):
    with pytest.raises(RequestRejected) as refused:
        await gallery.history(ME, **wanted)
    assert refused.value.field == field


async def test_collections_are_ones_own_and_have_a_name(gallery):
    foxes = await gallery.create_collection(ME, "Foxes")
    with pytest.raises(RequestRejected, match="already"):
        await gallery.create_collection(ME, "Foxes")
    for name in (" ", "x" * 81):
        with pytest.raises(RequestRejected, match="A name has 1 to 80"):
            await gallery.create_collection(ME, name)
    with pytest.raises(RequestRejected, match="description"):
        await gallery.change_collection(ME, foxes.id, description="x" * 501)
    for change in (gallery.delete_collection(ADMIN, foxes.id), gallery.add_pictures(YOU, foxes.id, [])):
        with pytest.raises(RequestRejected, match="You have no collection"):
            await change
    changed = await gallery.change_collection(ME, foxes.id, name="Birds", description="blue")
    assert [changed] == await gallery.collections(ME)
    assert (changed.name, changed.description) == ("Birds", "blue")


async def test_nobody_keeps_pictures_without_end(gallery, drawn, monkeypatch):
    await drawn("a", pictures=2)
    for name in ("MAX_FAVORITES", "MAX_COLLECTIONS", "MAX_COLLECTION_PICTURES"):
        monkeypatch.setattr(limits, name, 1)
    foxes = await gallery.create_collection(ME, "Foxes")
    await gallery.star(ME, "a-1")
    assert (await gallery.star(ME, "a-1")).is_favorite, "a second time is no second one"
    for change in (
        gallery.star(ME, "a-2"),
        gallery.create_collection(ME, "More"),
        gallery.add_pictures(ME, foxes.id, ["a-1", "a-2"]),
    ):
        with pytest.raises(LimitReached):
            await change


async def test_a_history_is_counted_narrowed_by_mode_and_turned_round(gallery, drawn):
    await drawn("a", prompt="a red fox")
    await drawn("b", prompt="a blue fox")
    found = await gallery.history(ME, PictureFilter(oldest_first=True), limit=1)
    rest = await gallery.history(ME, PictureFilter(oldest_first=True), limit=50, cursor=found.next_cursor)
    turned = [picture.id for picture in (*found.pictures, *rest.pictures)]
    assert turned == [*reversed(await ids(gallery))]
    assert (await gallery.count(ME, PictureFilter(text="blue"))).number == len(await ids(gallery, text="blue")) > 0
    assert await ids(gallery, mode="inpaint") == []
    assert await ids(gallery, mode="txt2img") == await ids(gallery)


async def test_facets_count_what_one_may_see(gallery, drawn):
    await drawn("a", prompt="a red fox")
    facets = await gallery.facets(ME)
    assert sum(count for _, count in facets.engines) == len(await ids(gallery))
    assert (await gallery.facets(YOU)).engines == ()


async def test_places_and_stars_are_the_viewers_own(gallery, drawn):
    await drawn("a")
    album = await gallery.create_collection(ME, "Foxes")
    await gallery.add_pictures(ME, album.id, ["a-1"])
    picture = await gallery.star(ME, "a-1")
    assert await gallery.places(ME, ["a-1"]) == {"a-1": [album.id]}
    assert await gallery.starred(ME, [picture.media_id, "other"]) == {picture.media_id}
    assert (await gallery.places(YOU, ["a-1"]), await gallery.starred(YOU, [picture.media_id])) == ({}, frozenset())
    assert await gallery.was_there(picture.media_id) == (ME.user_key, False)
    assert await gallery.was_there("never") is None
