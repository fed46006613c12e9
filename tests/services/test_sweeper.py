"""Pictures are gone when their time is over, whatever the store does in between."""

import asyncio
import logging
from datetime import timedelta

import pytest

from services.pictures.sweeper import LONGEST_PAUSE_S, RETRY_S, UNNAMED_EVERY_S, Sweeper
from store.image_cache import CacheUnavailable
from tests.fakes import settle
from tests.services.conftest import DAY_S
from tests.waiting import until


class CountingCache:
    """The calls that the sweeper makes, answered by the test."""

    def __init__(self, expiry=None):
        self.sweeps = self.looks = self.asked = 0
        self.ttl_s = 60.0
        self.expiry = expiry
        self.error = None

    async def sweep_unnamed(self, named_by):
        self.looks += 1
        return 0

    async def sweep(self):
        self.sweeps += 1
        if self.error:
            raise self.error
        return 0

    async def next_expiry(self):
        self.asked += 1
        if self.error:
            raise self.error
        return self.expiry


async def nobody(job_ids):
    return {}


async def no_words():
    return 0


@pytest.fixture
async def started(clock):
    tasks = []

    def start(cache, prune=no_words):
        sweeper = Sweeper(cache, clock, named_by=nobody, prune_words=prune)
        tasks.append(asyncio.create_task(sweeper.run()))
        return sweeper

    yield start
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def test_a_picture_is_gone_after_its_day_and_one_sweep(cache, clock, started):
    stored_at = clock.now()
    media_id = await cache.put(b"a picture", media_type="image/png", job_id="j1")
    started(cache)
    await clock.advance(DAY_S - 60)
    assert await cache.get(media_id) is not None

    async def is_gone():
        await clock.advance(10)
        return await cache.next_expiry() is None  # the row itself, which `get` would merely not show

    await until(is_gone)
    assert (clock.now() - stored_at).total_seconds() <= DAY_S + LONGEST_PAUSE_S


async def test_what_ended_while_easel_was_off_goes_at_start(cache, clock, started):
    await cache.put(b"a picture", media_type="image/png", job_id="j1")
    await clock.advance(DAY_S + 1)
    started(cache)

    async def is_gone():
        return await cache.next_expiry() is None

    await until(is_gone)


async def test_it_sleeps_until_the_next_expiry(clock, started):
    cache = CountingCache(expiry=clock.now() + timedelta(seconds=100))
    started(cache)
    await clock.advance(99)
    assert cache.sweeps == 1
    await clock.advance(1)
    assert cache.sweeps == 2


async def test_it_looks_up_every_few_minutes_at_the_latest(clock, started):
    cache = CountingCache(expiry=clock.now() + timedelta(days=1))
    started(cache)
    await clock.advance(LONGEST_PAUSE_S + 1)
    assert cache.sweeps == 2


async def test_an_earlier_expiry_wakes_it(clock, started):
    cache = CountingCache()
    sweeper = started(cache)
    await settle()
    cache.expiry = clock.now() + timedelta(seconds=10)
    sweeper.wake()
    await settle()
    assert cache.sweeps == 1
    await clock.advance(10)
    assert cache.sweeps == 2


async def test_what_is_kept_for_long_is_no_reason_to_look(clock, started):
    cache = CountingCache()
    cache.ttl_s = LONGEST_PAUSE_S
    sweeper = started(cache)
    await settle()
    sweeper.wake()
    await settle()
    assert cache.asked == 1
    await clock.advance(LONGEST_PAUSE_S)
    assert cache.sweeps == 2


async def test_what_the_store_leaves_over_is_no_busy_loop(clock, started):
    cache = CountingCache(expiry=clock.now() - timedelta(days=1))
    started(cache)
    await clock.advance(10)
    assert cache.sweeps <= 11


@pytest.mark.parametrize("error", [CacheUnavailable("disk full"), OSError("gone"), RuntimeError("?")])
async def test_a_store_that_fails_is_asked_again(clock, started, caplog, error):
    cache = CountingCache()
    cache.error = error
    started(cache)
    await settle()
    assert caplog.records[0].action == "cache_swept"
    cache.error = None
    await clock.advance(RETRY_S)
    assert cache.sweeps == 2


async def test_only_a_sweep_that_found_something_is_logged(cache, clock, started, caplog):
    caplog.set_level(logging.INFO)
    await cache.put(b"a picture", media_type="image/png", job_id="j1")
    await clock.advance(DAY_S + 1)
    started(cache)

    async def is_logged():
        return bool(caplog.records)

    await until(is_logged)
    assert [(record.action, record.pictures) for record in caplog.records] == [("cache_swept", 1)]


async def test_what_no_result_names_is_looked_for_at_start_and_every_hour(clock, started):
    cache = CountingCache()
    started(cache)
    await settle()
    assert cache.looks == 1
    for _ in range(int(UNNAMED_EVERY_S / LONGEST_PAUSE_S)):
        assert cache.looks == 1
        await clock.advance(LONGEST_PAUSE_S)
    assert cache.looks == 2


async def test_words_are_looked_through_with_every_sweep_and_a_failure_ends_nothing(clock, started, caplog):
    pruned = []

    async def prune():
        pruned.append(clock.now())
        if len(pruned) == 1:
            raise OSError("database is locked")
        return 0

    cache = CountingCache()
    started(cache, prune)
    await settle()
    await clock.advance(LONGEST_PAUSE_S + 1)
    assert len(pruned) == cache.sweeps == 2
    assert "could not delete old words" in caplog.text
