"""A data folder that has lost a part: told what to put back, and nothing is replaced in silence."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from store.connections import Connection, ConnectionStore
from store.database import Database
from store.folder import DATABASE_NAME, KEY_NAME, OLD_KEY_NAME, PartMissing, open_store, reset_key
from store.image_cache import ImageCache
from store.migrations import easel_steps
from store.seals import SealStore
from tests.fakes import FakeClock
from utils.secrets import SecretBox

NOW = datetime(2026, 1, 1, tzinfo=UTC)
CONNECTION = Connection(
    id="c1", owner_kind="user", owner_id="7", kind="a1111", url="https://gpu.example", key="k", label="", created_at=NOW
)


async def open_and_close(folder: Path, key: str = "", *, connect: bool = False) -> None:
    database, box = await open_store(folder, folder / "media_cache", key, now=NOW)
    if connect:
        await ConnectionStore(database, box).save(CONNECTION)
    await database.close()


async def connections(folder: Path, key: str = "") -> list[Connection]:
    database, box = await open_store(folder, folder / "media_cache", key, now=NOW)
    found = await ConnectionStore(database, box).all()
    await database.close()
    return found


async def put_picture(folder: Path) -> None:
    cache = await ImageCache.open(folder / "media_cache", clock=FakeClock(NOW), ttl_s=3600.0)
    await cache.put(b"a picture", media_type="image/png", kind="output", job_id="j1")
    await cache.close()


@pytest.mark.parametrize("connect", [True, False], ids=["engines", "nothing else"])
async def test_a_missing_key_file_is_refused_and_not_made_anew(tmp_path: Path, connect: bool) -> None:
    await open_and_close(tmp_path, connect=connect)
    kept = (tmp_path / KEY_NAME).read_bytes()
    (tmp_path / KEY_NAME).unlink()
    for _ in range(2):
        with pytest.raises(PartMissing, match=r"secret\.key is missing .* Put secret\.key back from your backup"):
            await open_and_close(tmp_path)
    assert not (tmp_path / KEY_NAME).exists()
    (tmp_path / KEY_NAME).write_bytes(kept)
    assert await connections(tmp_path) == ([CONNECTION] if connect else [])


async def test_another_key_is_refused_wherever_it_comes_from(tmp_path: Path) -> None:
    await open_and_close(tmp_path)
    own = (tmp_path / KEY_NAME).read_text()
    (tmp_path / KEY_NAME).write_bytes(Fernet.generate_key())
    with pytest.raises(PartMissing, match=r"The key file secret\.key is not the key"):
        await open_and_close(tmp_path)
    with pytest.raises(PartMissing, match="SECRET_KEY is not the key"):
        await open_and_close(tmp_path, Fernet.generate_key().decode())
    await open_and_close(tmp_path, own)
    with pytest.raises(ValueError, match="not valid"):
        await open_and_close(tmp_path, "no key")


async def older_database(folder: Path, box: SecretBox) -> None:
    """Make one as it was before there were seals, with an engine somebody connected."""
    older = {name: script for name, script in easel_steps().items() if name != "014_seals"}
    database = await Database.open(folder / DATABASE_NAME, migrations=older)
    await ConnectionStore(database, box).save(CONNECTION)
    await database.close()


async def test_an_older_folder_is_sealed_with_the_key_that_opens_it_and_no_other(tmp_path: Path) -> None:
    key = Fernet.generate_key()
    await older_database(tmp_path, SecretBox(key))
    with pytest.raises(PartMissing, match="is missing"):
        await open_and_close(tmp_path)
    (tmp_path / KEY_NAME).write_bytes(Fernet.generate_key())
    with pytest.raises(PartMissing, match="is not the key"):
        await open_and_close(tmp_path)
    (tmp_path / KEY_NAME).write_bytes(key)
    assert await connections(tmp_path) == [CONNECTION]
    database = await Database.open(tmp_path / DATABASE_NAME, migrations=easel_steps())
    assert not await SealStore(database).fits(SecretBox(Fernet.generate_key()))
    await database.close()


async def test_a_missing_database_beside_pictures_is_refused_and_not_made_anew(tmp_path: Path) -> None:
    await put_picture(tmp_path)
    with pytest.raises(PartMissing, match=r"easel\.sqlite3 is missing .*1 picture is .* Put easel\.sqlite3 back"):
        await open_and_close(tmp_path)
    assert not (tmp_path / DATABASE_NAME).exists()
    database, _ = await open_store(tmp_path, tmp_path / "media_cache", "", now=NOW + timedelta(days=2))
    await database.close()


@pytest.mark.parametrize("content", [b"", b"no database"])
async def test_a_cache_that_cannot_be_read_stops_nobody(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "media_cache").mkdir()
    (tmp_path / "media_cache" / "cache.sqlite3").write_bytes(content)
    await open_and_close(tmp_path)


async def test_two_first_starts_at_once_agree_on_one_key(tmp_path: Path) -> None:
    await open_and_close(tmp_path)
    await asyncio.gather(*(open_and_close(tmp_path) for _ in range(4)))


@pytest.mark.parametrize("is_missing", [True, False])
async def test_reset_gives_up_what_the_lost_key_sealed_and_keeps_the_other_file(
    tmp_path: Path, is_missing: bool
) -> None:
    await open_and_close(tmp_path, connect=True)
    assert await reset_key(tmp_path, tmp_path / "media_cache", "", now=NOW) is None
    assert await connections(tmp_path) == [CONNECTION]
    other = Fernet.generate_key()
    (tmp_path / KEY_NAME).unlink()
    if not is_missing:
        (tmp_path / KEY_NAME).write_bytes(other)
    assert await reset_key(tmp_path, tmp_path / "media_cache", "", now=NOW) == 1
    assert await connections(tmp_path) == []
    assert is_missing or (tmp_path / OLD_KEY_NAME).read_bytes() == other
