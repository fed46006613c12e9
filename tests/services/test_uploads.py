"""Each person brings so much within the time pictures are kept: counted by the hour, through restarts, to the byte."""

import asyncio

import pytest

from generation.errors import LimitReached
from services.people.uploads import MB, UploadQuota
from settings.storage import StorageSettings
from store.uploads import UploadStore
from tests.fakes import FakeClock
from tests.store.ready import open_database


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
async def database(tmp_path):
    opened = await open_database(tmp_path / "easel.sqlite3")
    yield opened
    await opened.close()


def quota_of(database, clock, quota_mb=10, ttl_s=24 * 3600.0):
    settings = StorageSettings(max_upload_mb_per_user=quota_mb, media_ttl_s=ttl_s)
    return UploadQuota(UploadStore(database), clock, settings)


async def test_who_has_brought_enough_waits_and_others_do_not(database, clock):
    quota = quota_of(database, clock)
    await quota.charge("api:ann", 6 * MB)
    await quota.charge("api:ann", 4 * MB)
    with pytest.raises(LimitReached, match="10 MB of pictures within 24 h") as refused:
        await quota.charge("api:ann", 1)
    assert 23 * 3600 <= refused.value.retry_after <= 24 * 3600
    await quota.charge("api:bob", 10 * MB)
    await clock.advance(refused.value.retry_after)
    await quota.charge("api:ann", 10 * MB)


async def test_what_was_refused_does_not_count(database, clock):
    quota = quota_of(database, clock)
    for _ in range(3):
        with pytest.raises(LimitReached):
            await quota.charge("api:ann", 11 * MB)
    await quota.charge("api:ann", 10 * MB)


async def test_a_restart_forgets_nothing(database, clock):
    await quota_of(database, clock).charge("api:ann", 10 * MB)
    with pytest.raises(LimitReached):
        await quota_of(database, clock).charge("api:ann", 1)


async def test_many_at_once_are_not_more_than_one_after_another(database, clock):
    quota = quota_of(database, clock)
    results = await asyncio.gather(*(quota.charge("api:ann", MB) for _ in range(30)), return_exceptions=True)
    assert sum(item is None for item in results) == 10


async def test_zero_is_no_limit_and_nothing_is_written(database, clock):
    await quota_of(database, clock, quota_mb=0).charge("api:ann", 10**15)
    assert await database.fetch("SELECT * FROM uploads") == []


async def test_what_counts_no_longer_is_forgotten(database, clock):
    quota = quota_of(database, clock, ttl_s=1.0)
    for _ in range(5):
        await quota.charge("api:ann", MB)
        await clock.advance(3600)
    await quota.charge("api:ann", MB)
    assert len(await database.fetch("SELECT * FROM uploads")) == 1
