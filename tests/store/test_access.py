"""Keys and sessions: found by hash, ended for good, never stored as what people show."""

from datetime import timedelta

import pytest

from store.access import AccessStore, Key, SessionRow
from tests.store.conftest import NOW


@pytest.fixture
def access(database):
    return AccessStore(database)


KEY = Key(
    id="k1",
    name="ci",
    hash="aa",
    scopes=frozenset({"read", "generate"}),
    user_key="api:k1",
    rate_per_minute=30.0,
    created_at=NOW,
    expires_at=NOW + timedelta(days=1),
)
SESSION = SessionRow(hash="bb", user_key="discord:7", name="Ada", expires_at=NOW + timedelta(hours=1))


async def test_a_key_comes_back_as_it_was_stored(access):
    await access.add_key(KEY)
    assert await access.key_by_hash("aa") == KEY
    assert await access.keys() == [KEY]
    assert await access.key_by_hash("bb") is None


async def test_a_key_is_revoked_once_and_its_use_is_noted(access):
    await access.add_key(KEY)
    await access.touch_key("k1", NOW + timedelta(seconds=5))
    assert await access.revoke_key("k1", NOW + timedelta(seconds=9))
    assert not await access.revoke_key("k1", NOW + timedelta(seconds=99))
    assert not await access.revoke_key("none", NOW)
    (stored,) = await access.keys()
    assert stored.last_used_at == NOW + timedelta(seconds=5)
    assert stored.revoked_at == NOW + timedelta(seconds=9)


async def test_a_store_that_cannot_be_written_locks_nobody_out(access, database, caplog):
    await access.add_key(KEY)
    await database.write("PRAGMA query_only = ON")
    await access.touch_key("k1", NOW)
    assert "not noted" in caplog.text
    assert await access.key_by_hash("aa") == KEY


async def test_sessions_end_by_word_and_by_time(access):
    await access.add_session(SESSION, NOW)
    assert await access.session("bb") == SESSION
    assert await access.close_session("bb")
    assert not await access.close_session("bb")
    assert await access.session("bb") is None
    await access.add_session(SESSION, NOW)
    later = SessionRow(hash="cc", user_key="discord:8", name="", expires_at=NOW + timedelta(hours=9))
    await access.add_session(later, NOW + timedelta(hours=2))
    assert await access.session("bb") is None
    assert await access.session("cc") == later
