"""A real picture cache on a clock that the test moves."""

import pytest

from store.image_cache import ImageCache
from tests.fakes import FakeClock
from tests.store.ready import lay_cache

DAY_S = 24 * 3600.0


@pytest.fixture
def clock():
    return FakeClock()


@pytest.fixture
async def cache(tmp_path, clock):
    await lay_cache(tmp_path)
    store = await ImageCache.open(tmp_path, clock=clock, ttl_s=DAY_S)
    yield store
    await store.close()
