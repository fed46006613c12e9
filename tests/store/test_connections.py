"""One connection for each owner, its address and key readable only with the secret key."""

from dataclasses import replace
from datetime import timedelta

import pytest
from cryptography.fernet import Fernet

from store.connections import Connection, ConnectionStore
from tests.store.conftest import NOW, bytes_on_disk
from utils.secrets import SecretBox

URL = "https://abc123-7860.proxy.example"
CONNECTION = Connection(
    id="c1",
    owner_kind="user",
    owner_id="7",
    kind="automatic1111",
    url=URL,
    key="mia:hunter2",
    label="Mia's Forge",
    created_at=NOW,
)


@pytest.fixture
def connections(database, box):
    return ConnectionStore(database, box)


async def test_a_connection_comes_back_as_it_was_saved(connections):
    await connections.save(CONNECTION)
    used = replace(CONNECTION, id="c2", owner_kind="guild", key="", last_used_at=NOW)
    await connections.save(used)
    assert await connections.get("user", "7") == CONNECTION
    assert await connections.get("guild", "7") == used
    assert await connections.get("user", "8") is None
    assert await connections.all() == [CONNECTION, used]


async def test_the_newest_connection_of_an_owner_replaces_the_one_before(connections):
    await connections.save(CONNECTION)
    newer = replace(CONNECTION, id="c2", url="https://other.example", kind="forge", key="")
    await connections.save(newer)
    assert await connections.all() == [newer]


async def test_deleting_says_whether_there_was_one(connections):
    await connections.save(CONNECTION)
    assert await connections.delete("user", "7")
    assert not await connections.delete("user", "7")
    assert await connections.get("user", "7") is None


async def test_touching_notes_when_it_was_used(connections):
    await connections.save(CONNECTION)
    await connections.touch("c1", NOW + timedelta(hours=1))
    assert (await connections.get("user", "7")).last_used_at == NOW + timedelta(hours=1)


async def test_neither_address_nor_key_can_be_read_on_the_disk(connections, tmp_path):
    await connections.save(CONNECTION)
    on_disk = bytes_on_disk(tmp_path)
    assert b"automatic1111" in on_disk
    assert b"hunter2" not in on_disk
    assert b"abc123" not in on_disk


def test_neither_address_nor_key_is_in_the_repr():
    assert "hunter2" not in repr(CONNECTION)
    assert "abc123" not in repr(CONNECTION)


async def test_with_another_key_a_connection_is_left_out_until_it_is_made_again(connections, database, caplog):
    await connections.save(CONNECTION)
    other = ConnectionStore(database, SecretBox(Fernet.generate_key()))
    assert await other.get("user", "7") is None
    assert await other.all() == []
    assert "connection left out" in caplog.text
    await other.save(CONNECTION)
    assert await other.get("user", "7") == CONNECTION
