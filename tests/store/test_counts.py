"""Counts kept beside the history, and reading that neither waits for writes nor holds them up."""

import asyncio
import random
import sqlite3
from datetime import timedelta

import pytest

from generation.job import JobStatus
from store.database import Database
from store.gallery import MOST_COUNTED, GalleryStore
from store.gallery_filters import PictureFilter
from store.jobs import JobStore
from store.migrations import easel_steps
from store.statistics import StatisticsStore
from store.words import WordStore
from tests.people import visitor
from tests.store.conftest import NOW, make_job
from tests.store.gallery_rig import draw

COUNTED = """
    SELECT user_key, door, is_private, coalesce(model, '') AS model, engine, count(*) AS number
    FROM generated_images WHERE deleted_at IS NULL GROUP BY 1, 2, 3, 4, 5 ORDER BY 1, 2, 3, 4, 5
"""
KEPT = "SELECT * FROM picture_counts ORDER BY user_key, door, is_private, model, engine"
SUMS = """
    SELECT lane, sum(generations), sum(images), sum(from_cache), sum(failed), sum(cancelled), sum(expired)
    FROM image_generation_stats GROUP BY lane ORDER BY lane
"""
KEPT_SUMS = "SELECT lane, generations, images, from_cache, failed, cancelled, expired FROM lane_totals ORDER BY lane"
LONG = "WITH RECURSIVE n (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < ?) SELECT count(*) AS number FROM n"
MANY = """
    INSERT INTO generated_images (id, media_id, job_id, user_key, user_name, door, prompt, negative_prompt, mode, model,
        engine, lane, width, height, steps, cfg_scale, seed, media_type, size_bytes, seconds, cost_usd, is_private,
        from_cache, created_at, expires_at)
    WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
    SELECT 'p' || i, 'm' || i, 'j' || i, 'api:8', 'Mia', 'api', 'a fox', '', 'txt2img', 'sdxl', 'GPU', 'gpu1', 64, 64,
        1, 1, i, 'image/png', 1, 1, 0, 0, 0, i, 0 FROM n
"""


async def both(database: Database, counted: str, kept: str) -> tuple[list[tuple], list[tuple]]:
    return [tuple(row) for row in await database.fetch(counted)], [tuple(row) for row in await database.fetch(kept)]


@pytest.mark.parametrize("seed", range(5))
async def test_the_counts_are_those_of_the_rows_whatever_happens_to_them(jobs, database, seed):
    chance, gallery, words = random.Random(seed), GalleryStore(database), WordStore(database)
    for number in range(40):
        await draw(
            jobs, f"j{number}", pictures=chance.randint(1, 3), user_id=str(chance.randint(1, 3)),
            lane=chance.choice(["gpu1", "grid"]), private=chance.random() < 0.3,
        )  # fmt: skip
        if chance.random() < 0.4:
            gone = f"j{chance.randrange(number + 1)}"
            await (gallery.delete_job(gone, NOW) if chance.random() < 0.5 else gallery.delete(f"{gone}-1", NOW))
        if chance.random() < 0.1:
            await jobs.insert(make_job(f"f{number}", lane="grid"))
            await jobs.finish(f"f{number}", JobStatus.FAILED, now=NOW)
    counted, kept = await both(database, COUNTED, KEPT)
    assert counted == kept
    assert len(kept) > 3
    theirs = [row["id"] for row in await database.fetch("SELECT id FROM jobs WHERE user_key = 'api:2'")]
    await words.disown(theirs, "gone:2", NOW, lane="grid")
    await words.forget_person("api:2", "gone:2", lane="grid")
    counted, kept = await both(database, COUNTED, KEPT)
    assert counted == kept
    counted, kept = await both(database, SUMS, KEPT_SUMS)
    assert counted == kept
    for table in ("generated_images", "image_generation_stats"):
        await database.write(f"DELETE FROM {table} WHERE rowid % 2 = 0" if table == "generated_images" else
                             f"DELETE FROM {table} WHERE lane = 'grid'")  # fmt: skip
    for pair in ((COUNTED, KEPT), (SUMS, KEPT_SUMS)):
        counted, kept = await both(database, *pair)
        assert counted == kept


async def test_a_history_from_before_is_counted(tmp_path, box):
    older = {name: script for name, script in easel_steps().items() if name != "021_counts"}
    database = await Database.open(tmp_path / "old.sqlite3", migrations=older)
    await draw(JobStore(database, box), "a", pictures=3)
    await draw(JobStore(database, box), "b", user_id="8", private=True)
    await database.close()
    migrated = await Database.open(tmp_path / "old.sqlite3", migrations=easel_steps())
    counted, kept = await both(migrated, COUNTED, KEPT)
    assert counted == kept
    assert [row[-1] for row in kept] == [3, 1]
    assert (await StatisticsStore(migrated).engines())["gpu1"].images == 4
    await migrated.close()


async def test_a_long_reading_holds_up_no_write_and_is_not_held_up_by_one(database):
    reading = asyncio.create_task(database.read(LONG, (5_000_000,)))
    await database.write("INSERT INTO lane_pace VALUES ('a', '', 1, 1)")
    assert not reading.done()
    async with database.transaction():
        await database.write("UPDATE lane_pace SET samples = 2")
        assert (await database.read("SELECT samples FROM lane_pace"))[0]["samples"] == 1  # not committed yet
    assert (await database.read("SELECT samples FROM lane_pace"))[0]["samples"] == 2
    assert (await reading)[0]["number"] == 5_000_001


async def test_the_reading_connection_cannot_write(database):
    with pytest.raises(sqlite3.OperationalError, match="readonly"):
        await database.read("DELETE FROM jobs")


async def test_what_is_searched_among_everybodys_is_counted_to_a_limit_that_is_told(database):
    await database.write(MANY, (MOST_COUNTED + 5,))
    gallery = GalleryStore(database)
    me, mia = visitor("api:7"), visitor("api:8")
    assert await gallery.count(me, wanted=PictureFilter()) == (MOST_COUNTED + 5, False)
    assert await gallery.count(me, wanted=PictureFilter(text="fox")) == (MOST_COUNTED, True)
    assert await gallery.count(me, wanted=PictureFilter(model="SDXL")) == (MOST_COUNTED + 5, False)
    assert await gallery.count(mia, wanted=PictureFilter(user_key="api:8", text="fox")) == (MOST_COUNTED + 5, False)
    assert await gallery.count(me, wanted=PictureFilter(text="heron")) == (0, False)


async def test_words_are_searched_in_the_newest_pictures_of_all_and_in_every_one_of_a_person(database, monkeypatch):
    await database.write(MANY, (30,))
    await database.write("UPDATE generated_images SET prompt = 'a heron' WHERE id IN ('p2', 'p29')")
    monkeypatch.setattr("store.gallery_filters._NEWEST", " AND g.seq > (SELECT max(seq) FROM generated_images) - 10")
    gallery = GalleryStore(database)

    async def found(viewer: str, **wanted: object) -> list[str]:
        pictures = await gallery.history(visitor(viewer), wanted=PictureFilter(text="heron", **wanted), limit=9)
        return [picture.id for picture in pictures]

    assert await found("api:7") == ["p29"]
    assert await found("api:8", user_key="api:8") == ["p29", "p2"]


async def test_what_the_pages_of_the_studio_ask_reads_no_whole_table(database):
    """SQLite's own plans: each question goes by an index, so that a year of pictures costs what a day does."""
    await database.write(MANY, (2_000,))
    plans: list[str] = []
    read = database.read

    async def explained(sql, params=()):
        plans.extend(row["detail"] for row in await read(f"EXPLAIN QUERY PLAN {sql}", params))
        return await read(sql, params)

    database.read = explained
    gallery, figures, me = GalleryStore(database), StatisticsStore(database), visitor("api:7")
    await gallery.facets(me)
    await gallery.count(me, wanted=PictureFilter())
    await gallery.history(me, wanted=PictureFilter(model="rare"), limit=9)
    await gallery.history(me, wanted=PictureFilter(user_key="api:7", text="fox"), limit=9)
    for person in (None, "api:7"):
        await figures.p95(NOW - timedelta(days=7), user_key=person)
        await figures.failures(NOW - timedelta(days=7), user_key=person, limit=5)
        await figures.hours(NOW, 24, user_key=person)
    await figures.names({"api:7", "api:8"})
    await figures.engines()
    whole = [plan for plan in plans if (plan.startswith("SCAN") and "generated_images" in plan) or plan == "SCAN jobs"]
    assert whole == []
    assert any("generated_images_model" in plan for plan in plans)
