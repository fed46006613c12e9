"""Keys, sessions and links: who has one is known, who guesses is held off, and nothing outlives its end."""

from datetime import timedelta

import pytest
from cryptography.fernet import Fernet

from generation.errors import LimitReached, RequestRejected
from services.people import access as access_module
from services.people.access import CACHE_S, GUESS_BLOCK_S, GUESSES, SESSION_S, AccessService
from store.access import AccessStore
from tests.store.ready import open_database
from utils.secrets import SecretBox

BOX = SecretBox(Fernet.generate_key())


@pytest.fixture
async def store(tmp_path):
    database = await open_database(tmp_path / "easel.sqlite3")
    yield AccessStore(database)
    await database.close()


@pytest.fixture
def access(store, clock):
    return AccessService(store, BOX, clock, admins=("1",))


async def test_a_key_says_who_its_bearer_is_and_is_stored_nowhere(access, store, tmp_path):
    key, token = await access.create_key("ci", ["generate", "read"], "discord:7")
    caller = await access.verify_key(token)
    assert (caller.user_key, caller.user_id, caller.account, caller.name) == ("discord:7", "7", "discord:7", "ci")
    assert (caller.how, caller.scopes, caller.is_admin) == ("key", {"read", "generate"}, False)
    assert token.startswith("esl_")
    assert [stored.id for stored in await access.list_keys()] == [key.id]
    on_disk = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert token.encode() not in on_disk
    assert token[4:].encode() not in on_disk
    assert key.hash not in repr(key)


async def test_a_key_of_nobody_has_a_user_of_its_own_and_admin_is_a_scope(access):
    key, token = await access.create_key("ops", ["admin"])
    caller = await access.verify_key(token)
    assert (caller.user_key, caller.account, caller.is_admin) == (f"api:{key.id}", "", True)


@pytest.mark.parametrize("token", ["", "esl_", "esl_wrong", "Bearer x", "wrong" * 100])
async def test_what_is_no_key_of_ours_is_nobody(access, token):
    await access.create_key("ci", ["read"])
    assert await access.verify_key(token) is None


async def test_a_revoked_or_expired_key_is_nobody_at_once(access, clock):
    key, token = await access.create_key("ci", ["read"])
    _, brief = await access.create_key("brief", ["read"], expires=clock.now() + timedelta(seconds=5))
    assert await access.verify_key(token)
    assert await access.verify_key(brief)
    assert await access.revoke_key(key.id)
    assert not await access.revoke_key(key.id)
    assert await access.verify_key(token) is None
    await clock.advance(6)
    assert await access.verify_key(brief) is None


async def test_a_key_revoked_by_another_process_ends_within_the_cache(access, store, clock):
    key, token = await access.create_key("ci", ["read"])
    assert await access.verify_key(token)
    await store.revoke_key(key.id, clock.now())
    await clock.advance(CACHE_S + 1)
    assert await access.verify_key(token) is None


async def test_a_known_key_costs_no_query_and_its_use_is_noted_now_and_then(access, store, clock, monkeypatch):
    _, token = await access.create_key("ci", ["read"])
    first = clock.now()
    await access.verify_key(token)
    monkeypatch.setattr(store, "key_by_hash", None)  # a query would fail
    await access.verify_key(token)
    monkeypatch.undo()
    await clock.advance(CACHE_S + 1)
    await access.verify_key(token)
    assert (await access.list_keys())[0].last_used_at == first
    await clock.advance(60)
    await access.verify_key(token)
    assert (await access.list_keys())[0].last_used_at == clock.now()


async def test_a_key_is_slowed_down_to_its_rate(access, clock):
    _, token = await access.create_key("slow", ["read"], rate_per_minute=2)
    _, other = await access.create_key("other", ["read"], rate_per_minute=2)
    for _ in range(2):
        assert await access.verify_key(token)
    with pytest.raises(LimitReached) as limited:
        await access.verify_key(token)
    assert limited.value.retry_after == pytest.approx(30)
    assert await access.verify_key(other)
    await clock.advance(30)
    assert await access.verify_key(token)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"name": " "}, "name"),
        ({"name": "x" * 61}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["write"]}, "scopes"),
        ({"user_key": "ada"}, "user_key"),
        ({"rate_per_minute": 0}, "rate_per_minute"),
    ],
)
async def test_a_key_that_makes_no_sense_is_refused_by_field(access, values, field):
    with pytest.raises(RequestRejected) as refused:
        await access.create_key(**{"name": "ci", "scopes": ["read"]} | values)
    assert refused.value.field == field


async def test_a_key_cannot_end_before_it_begins(access, clock):
    with pytest.raises(RequestRejected, match="ahead"):
        await access.create_key("ci", ["read"], expires=clock.now())


async def test_who_guesses_keys_is_held_off_and_nobody_else(access, clock):
    _, token = await access.create_key("ci", ["read"])
    for _ in range(GUESSES):
        assert await access.verify_key("esl_wrong", remote="2001:db8::1") is None
    with pytest.raises(LimitReached) as held:
        await access.verify_key("esl_other", remote="2001:db8::ffff")  # the same customer
    assert held.value.retry_after == GUESS_BLOCK_S
    assert await access.verify_key(token, remote="2001:db8::1")  # behind a proxy everybody has one address
    assert await access.verify_key("esl_wrong", remote="2001:db8:0:1::1") is None
    assert await access.verify_key("esl_wrong", remote="198.51.100.7") is None
    await clock.advance(GUESS_BLOCK_S)
    assert await access.verify_key("esl_wrong", remote="2001:db8::1") is None


async def test_a_key_that_has_ended_is_a_wrong_one(access):
    key, token = await access.create_key("ci", ["read"])
    await access.revoke_key(key.id)
    for _ in range(GUESSES):
        assert await access.verify_key(token, remote="198.51.100.7") is None
    with pytest.raises(LimitReached):
        await access.verify_key(token, remote="198.51.100.7")


async def test_a_few_typing_errors_an_hour_hold_nobody_off(access, clock):
    for _ in range(3 * GUESSES):
        assert await access.verify_key("esl_wrong", remote="198.51.100.7") is None
        await clock.advance(61)


async def test_guessing_from_everywhere_takes_bounded_memory(access, monkeypatch):
    monkeypatch.setattr(access_module, "MAX_REMEMBERED", 8)
    for last in range(50):
        await access.verify_key("esl_wrong", remote=f"198.51.100.{last}")
    assert len(access._guesses._seen) == 8


async def test_a_session_lasts_until_it_is_closed_or_ends(access, clock):
    opened, cookie = await access.open_session("discord:7", "Ada")
    found = await access.verify_session(cookie)
    assert found == opened
    assert (found.how, found.account, found.is_admin) == ("session", "discord:7", False)
    assert await access.verify_session("wrong") is None
    assert await access.close_session(cookie)
    assert await access.verify_session(cookie) is None
    _, cookie = await access.open_session("discord:1", "Owner")
    owner = await access.verify_session(cookie)
    assert owner.is_admin
    assert "admin" in owner.scopes
    await clock.advance(SESSION_S)
    assert await access.verify_session(cookie) is None


async def test_a_signed_link_is_good_for_its_subject_and_its_time_only(access, store, clock):
    token = access.sign("media:abc", 60)
    assert access.unsign(token, "media:abc")
    assert not access.unsign(token, "media:abd")
    of_an_older_version = "1767225660.mXc0GrDd4tGjMCiGHqtkUEBM5Tl5VYyZXWTUSXsdQSE"
    forgeries = (token[:-9], f"-{token}", f"{token}é", token + "A" * 8, "", "x.y", of_an_older_version, "\udc00" * 99)
    for forged in forgeries:
        assert not access.unsign(forged, "media:abc")
    elsewhere = AccessService(store, SecretBox(Fernet.generate_key()), clock)
    assert not elsewhere.unsign(token, "media:abc")
    await clock.advance(61)
    assert not access.unsign(token, "media:abc")


async def test_a_studio_link_stands_for_a_person_but_never_for_an_admin(access, clock):
    token = access.sign_in_link("discord:1", "Äda", 60)
    caller = access.verify_link(token)
    assert (caller.user_key, caller.name, caller.how, caller.is_admin) == ("discord:1", "Äda", "link", False)
    assert "admin" not in caller.scopes
    assert access.link_left_s(token) == 60
    for other in (token[::-1], "", access.sign("job:discord:1\nAda", 60), access.sign("", 60)):
        assert access.verify_link(other) is None
        assert access.link_left_s(other) == 0
    assert "Äda" not in token
    await clock.advance(61)
    assert access.verify_link(token) is None
    assert access.link_left_s(token) == 0
