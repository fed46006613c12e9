"""Pictures live for their time and not longer, on the disk neither; trouble with the file is one exception."""

import asyncio
import logging
import shutil
import sqlite3
import stat
from datetime import timedelta
from hashlib import sha256
from types import SimpleNamespace
from uuid import UUID

import pytest

from store.database import Database
from store.image_cache import FILE_NAME, RESERVED_BYTES, CacheUnavailable, ImageCache
from store.migrations import cache_steps
from tests.fakes import FakeClock
from tests.store.conftest import bytes_on_disk, count
from tests.store.ready import lay_cache

DAY_S = 24 * 3600.0
MARKER = b"the bytes of a private picture"
PNG = {"media_type": "image/png", "job_id": "j1"}


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
async def cache(tmp_path, clock):
    await lay_cache(tmp_path)
    opened = await ImageCache.open(tmp_path, clock=clock, ttl_s=DAY_S)
    yield opened
    await opened.close()


async def reopen(folder, clock) -> ImageCache:
    return await ImageCache.open(folder, clock=clock, ttl_s=DAY_S, busy_timeout_s=0.02)


async def test_a_picture_comes_back_as_it_was_put(cache, clock):
    media_id = await cache.put(MARKER, **PNG)
    media = await cache.get(media_id)
    assert (media.data, media.media_type, media.job_id, media.kind) == (MARKER, "image/png", "j1", "output")
    assert media.expires_at == clock.now() + timedelta(seconds=DAY_S)
    assert await cache.get("nobody") is None


async def test_ids_of_outputs_cannot_be_guessed(cache):
    ids = {await cache.put(MARKER, **PNG) for _ in range(10)}
    assert len(ids) == 10
    assert all(UUID(media_id).version == 4 for media_id in ids)


async def test_the_last_of_the_disk_is_left_to_the_jobs(cache, monkeypatch):
    kept = await cache.put(MARKER, **PNG)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=RESERVED_BYTES + len(MARKER) - 1))
    with pytest.raises(CacheUnavailable, match="almost full: 32 MB left"):
        await cache.put(MARKER, **PNG)
    assert (await cache.get(kept)).data == MARKER
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=RESERVED_BYTES + len(MARKER)))
    await cache.put(MARKER, **PNG)


async def test_the_same_input_is_stored_once_and_lives_longer_when_used_again(cache, clock):
    first = await cache.put(MARKER, media_type="image/png", job_id=None, kind="input")
    await clock.advance(3600)
    second = await cache.put(MARKER, media_type="image/png", job_id="j2", kind="input")
    assert first == second == sha256(MARKER).hexdigest()
    assert await count(cache) == 1
    media = await cache.get(first)
    assert media.expires_at == clock.now() + timedelta(seconds=DAY_S)
    assert (media.job_id, media.kind) == ("j2", "input")


async def test_an_expired_picture_reads_as_gone_before_it_is_swept(cache, clock):
    media_id = await cache.put(MARKER, **PNG)
    await clock.advance(DAY_S - 1)
    assert await cache.get(media_id)
    await clock.advance(1)
    assert await cache.get(media_id) is None
    assert await count(cache) == 1


async def test_the_sweep_takes_expired_bytes_out_of_every_file(cache, clock, tmp_path):
    for number in range(45):
        await cache.put(MARKER + bytes([number]) * 50_000, **PNG)
    await clock.advance(DAY_S / 2)
    kept = await cache.put(b"a newer picture", media_type="image/png", job_id="j2")
    full = sum(path.stat().st_size for path in tmp_path.iterdir())
    assert MARKER in bytes_on_disk(tmp_path)
    await clock.advance(DAY_S / 2)
    assert await cache.sweep() == 45
    assert MARKER not in bytes_on_disk(tmp_path)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) < full / 4
    assert (await cache.get(kept)).data == b"a newer picture"
    assert await cache.sweep() == 0


async def test_pictures_can_be_put_and_read_while_a_sweep_runs(cache, clock):
    for _ in range(60):
        await cache.put(MARKER, **PNG)
    await clock.advance(DAY_S)
    sweep = asyncio.create_task(cache.sweep())
    ids = [await cache.put(MARKER, **PNG) for _ in range(10)]
    assert all([await cache.get(media_id) for media_id in ids])
    assert await sweep == 60


async def test_the_next_expiry_is_the_earliest(cache, clock):
    assert await cache.next_expiry() is None
    await cache.put(MARKER, **PNG)
    first = clock.now() + timedelta(seconds=DAY_S)
    await clock.advance(60)
    await cache.put(MARKER, **PNG)
    assert await cache.next_expiry() == first


async def test_deleted_pictures_are_gone_and_their_result_is_not_recalled(cache, tmp_path):
    item, two = [await cache.put(MARKER, **PNG, answers="key") for _ in range(2)]
    await cache.delete([item, "nobody"])
    assert await cache.get(item) is None
    assert await cache.get(two)
    assert await cache.recall("key") is None


async def test_all_pictures_of_a_job_can_be_deleted(cache):
    mine = [await cache.put(MARKER, **PNG), await cache.put(MARKER, **PNG, kind="thumbnail", answers="key")]
    other = await cache.put(MARKER, media_type="image/png", job_id="j2")
    await cache.delete_job("j1")
    assert [await cache.get(media_id) for media_id in mine] == [None, None]
    assert await cache.get(other)
    assert await cache.recall("key") is None


async def test_a_result_is_recalled_while_its_pictures_are_there(cache, clock):
    await cache.put(MARKER, **PNG)
    assert await cache.recall("key") is None
    await cache.put(MARKER, **PNG, answers="key")
    assert await cache.recall("key") == "j1"
    assert await cache.recall("another key") is None
    await clock.advance(DAY_S)
    assert await cache.recall("key") is None


async def test_the_newest_job_answers_a_key(cache):
    for job_id in ("j1", "j2"):
        await cache.put(MARKER, media_type="image/png", job_id=job_id, answers="key")
    assert await cache.recall("key") == "j2"


async def test_the_sweep_forgets_results_without_pictures(cache, clock):
    await cache.put(MARKER, **PNG, answers="key")
    await clock.advance(DAY_S)
    await cache.sweep()
    await cache.put(MARKER, **PNG)
    assert await cache.recall("key") is None


async def test_pictures_survive_a_restart(tmp_path, clock):
    cache = await reopen(tmp_path, clock)
    media_id = await cache.put(MARKER, **PNG)
    await cache.close()
    cache = await reopen(tmp_path, clock)
    assert (await cache.get(media_id)).data == MARKER
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600
    await cache.close()


async def test_a_full_disk_is_said_and_what_fits_still_goes_in(tmp_path, clock):
    database = await Database.open(tmp_path / FILE_NAME, migrations=cache_steps())
    cache = ImageCache(database, clock=clock, ttl_s=DAY_S)
    await database.fetch("PRAGMA max_page_count = 40")
    with pytest.raises(CacheUnavailable, match="full"):
        await cache.put(MARKER * 20_000, **PNG)
    media_id = await cache.put(MARKER, **PNG)
    assert (await cache.get(media_id)).data == MARKER
    assert await count(cache) == 1
    await cache.close()


async def test_a_locked_file_is_said_and_works_again_afterwards(tmp_path, clock):
    cache = await reopen(tmp_path, clock)
    other = sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(CacheUnavailable, match="locked"):
        await cache.put(MARKER, **PNG)
    with pytest.raises(CacheUnavailable, match="locked"):
        await cache.delete_job("j1")
    other.execute("ROLLBACK")
    other.close()
    assert await cache.put(MARKER, **PNG)
    await cache.close()


async def test_a_file_locked_at_the_start_is_said_and_not_moved_aside(tmp_path, clock):
    other = sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    with pytest.raises(CacheUnavailable, match="locked"):
        await reopen(tmp_path, clock)
    other.close()
    assert not list(tmp_path.glob("*.corrupt-*"))


def overwrite(path, first: int, last: int | None = None) -> None:
    data = bytearray(path.read_bytes())
    last = len(data) if last is None else last
    data[first:last] = b"\xa5" * (last - first)
    path.write_bytes(data)


@pytest.mark.parametrize("span", [(0, 100), (50, 5000)], ids=["head", "schema"])
async def test_a_damaged_file_is_moved_aside_and_a_new_one_begun(tmp_path, clock, caplog, span):
    cache = await reopen(tmp_path, clock)
    await cache.put(MARKER * 2000, **PNG)
    await cache.close()
    overwrite(tmp_path / FILE_NAME, *span)
    with caplog.at_level(logging.ERROR):
        cache = await reopen(tmp_path, clock)
    assert "damaged" in caplog.text
    assert await count(cache) == 0
    assert await cache.get(await cache.put(MARKER, **PNG))
    assert [path.name for path in tmp_path.glob("*.corrupt-*")] == [
        f"{FILE_NAME}.corrupt-{clock.now().timestamp():.0f}"
    ]
    await cache.close()


async def watched_until_new(cache, tmp_path) -> None:
    watching = asyncio.create_task(cache.watch())
    async with asyncio.timeout(10):
        while not list(tmp_path.glob("*.corrupt-*")) or not await is_usable(cache):
            await asyncio.sleep(0.01)
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)


async def is_usable(cache) -> bool:
    try:
        return await cache.get(await cache.put(MARKER, **PNG)) is not None
    except CacheUnavailable:
        return False


async def test_damage_that_is_met_later_is_found_then_and_a_new_file_begun(tmp_path, clock, caplog):
    cache = await reopen(tmp_path, clock)
    media_id = await cache.put(MARKER * 20_000, **PNG)
    await cache.close()
    overwrite(tmp_path / FILE_NAME, 300_000)
    cache = await reopen(tmp_path, clock)
    assert not list(tmp_path.glob("*.corrupt-*"))
    with pytest.raises(CacheUnavailable):
        await cache.get(media_id)
    await watched_until_new(cache, tmp_path)
    assert "damaged" in caplog.text
    await cache.close()


async def test_a_file_that_was_cut_off_is_looked_through_beside_its_use(tmp_path, clock):
    cache = await reopen(tmp_path, clock)
    await cache.put(MARKER * 20_000, **PNG)
    await cache.close()
    overwrite(tmp_path / FILE_NAME, 300_000)
    (tmp_path / f"{FILE_NAME}-wal").touch()
    cache = await reopen(tmp_path, clock)
    await watched_until_new(cache, tmp_path)
    await cache.close()


async def test_a_sound_file_is_looked_through_only_after_an_end_that_cut_it_off(tmp_path, clock, monkeypatch):
    looked: list[str] = []
    read = Database.read
    monkeypatch.setattr(Database, "read", lambda self, sql: looked.append(sql) or read(self, sql))
    for was_cut_off in (False, True):
        cache = await reopen(tmp_path, clock)
        await cache.put(MARKER, **PNG)
        await cache.close()
        if was_cut_off:
            (tmp_path / f"{FILE_NAME}-wal").touch()
        cache = await reopen(tmp_path, clock)
        watching = asyncio.create_task(cache.watch())
        for _ in range(20):
            await asyncio.sleep(0.001)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        assert bool(looked) is was_cut_off
        assert not list(tmp_path.glob("*.corrupt-*"))
        await cache.close()


async def test_a_damaged_file_does_not_outlive_the_pictures_in_it(tmp_path, clock):
    (tmp_path / FILE_NAME).write_bytes(MARKER * 500)
    cache = await reopen(tmp_path, clock)
    await clock.advance(DAY_S - 1)
    await cache.sweep()
    assert MARKER in bytes_on_disk(tmp_path)
    await clock.advance(1)
    await cache.sweep()
    assert MARKER not in bytes_on_disk(tmp_path)
    await cache.close()


async def test_damage_while_running_is_said_and_cured_by_the_next_start(tmp_path, clock):
    cache = await reopen(tmp_path, clock)
    media_id = await cache.put(MARKER, **PNG)
    await cache.close()
    database = await Database.open(
        tmp_path / FILE_NAME, migrations=cache_steps()
    )  # has read nothing of the pictures yet
    cache = ImageCache(database, clock=clock, ttl_s=DAY_S)
    overwrite(tmp_path / FILE_NAME, 16384)
    with pytest.raises(CacheUnavailable):
        await cache.put(MARKER, **PNG)
    with pytest.raises(CacheUnavailable):
        await cache.get(media_id)
    await cache.close()
    cache = await reopen(tmp_path, clock)
    assert await cache.put(MARKER, **PNG)
    await cache.close()


async def test_a_pinned_picture_outlives_every_sweep_until_it_is_let_go(cache, clock, tmp_path):
    media_id, other = await cache.put(MARKER, **PNG), await cache.put(b"another", **PNG)
    assert await cache.pin(media_id)
    await clock.advance(100 * DAY_S)
    assert await cache.sweep() == 1
    assert (await cache.get(media_id)).data == MARKER
    assert await cache.pinned() == {media_id}
    assert not await cache.pin(other), "it is gone"
    assert await cache.unpin(media_id) == clock.now() + timedelta(seconds=DAY_S)
    assert await cache.unpin(media_id) is None
    await clock.advance(DAY_S)
    await cache.sweep()
    assert MARKER not in bytes_on_disk(tmp_path)


async def test_a_pinned_picture_can_be_deleted(cache, tmp_path):
    media_id = await cache.put(MARKER, **PNG)
    await cache.pin(media_id)
    await cache.delete([media_id])
    await cache.sweep()
    assert await cache.pinned() == set()
    assert MARKER not in bytes_on_disk(tmp_path)


async def test_pictures_that_the_results_of_ended_jobs_do_not_name_are_swept(cache, monkeypatch):
    monkeypatch.setattr("store.image_cache.JOBS_AT_ONCE", 2)
    put = {
        name: await cache.put(MARKER, media_type="image/png", job_id=name)
        for name in ("cancelled", "done", "failed", "nobodys", "running")
    }
    left = await cache.put(MARKER, media_type="image/png", job_id="done")
    source = await cache.put(b"an input", media_type="image/png", job_id=None, kind="input")
    ended = {"cancelled": set(), "done": {put["done"], "expired long ago"}, "failed": set()}

    async def named_by(job_ids):
        return {job_id: ended[job_id] for job_id in job_ids if job_id in ended}

    assert await cache.sweep_unnamed(named_by) == 3
    for media_id in (put["done"], put["nobodys"], put["running"], source):
        assert await cache.get(media_id)
    for media_id in (put["cancelled"], put["failed"], left):
        assert await cache.get(media_id) is None
    assert await cache.sweep_unnamed(named_by) == 0
