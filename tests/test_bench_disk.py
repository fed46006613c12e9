"""The slow disk of the bench: the store's commits wait for it."""

from pathlib import Path

from bench.slow_disk import slow_disk
from store.database import Database

NOTES = {"001_notes": "CREATE TABLE notes (text TEXT)"}


async def test_each_commit_of_the_store_waits_for_it_but_one_that_a_power_cut_may_lose(tmp_path: Path):
    with slow_disk(0.0) as disk:
        database = await Database.open(tmp_path / "easel.sqlite3", migrations=NOTES)
        before = disk.synced
        await database.write("INSERT INTO notes VALUES ('a')")
        assert disk.synced == before + 1
        await database.write("INSERT INTO notes VALUES ('b')", is_lax=True)
        assert disk.synced == before + 1
        await database.close()
