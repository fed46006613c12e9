"""The gallery follows the table of jobs: in the same statement, once, and also for what ended before it was there."""

import asyncio
import sqlite3
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from generation.job import JobError, JobStatus
from store.database import Database
from store.jobs import JobStore
from store.migrations import easel_steps
from tests.store.conftest import NOW, REQUEST, make_job
from tests.store.gallery_rig import TTL, draw, result_of

ROOT = Path(__file__).parents[2]
TABLES = {
    "generated_images",
    "image_favorites",
    "prompt_templates",
    "image_collections",
    "collection_images",
    "image_generation_stats",
}
VIEWS = {"user_generation_summary", "provider_performance", "popular_prompt_templates", "recent_generations"}


async def rows(database, sql):
    return [dict(row) for row in await database.fetch(sql)]


async def test_the_tables_and_views_are_there_by_their_names(database):
    there = await rows(database, "SELECT type, name FROM sqlite_master")
    assert {row["name"] for row in there if row["type"] == "table"} >= TABLES
    assert {row["name"] for row in there if row["type"] == "view"} == VIEWS


async def test_a_finished_job_leaves_a_row_for_each_picture_with_how_it_was_made(jobs, database):
    await draw(jobs, "job1", pictures=2, user_name="Mia", private=True, model="sdxl")
    second, first = await rows(database, "SELECT * FROM generated_images ORDER BY seq")
    assert (first["id"], second["id"]) == ("job1-1", "job1-2")
    assert first["seq"] > second["seq"], "newest first shows the pictures of a job in their order"
    expected = {
        "media_id": "media-job1-1",
        "job_id": "job1",
        "user_key": "api:7",
        "user_name": "Mia",
        "door": "api",
        "prompt": "a red fox",
        "negative_prompt": "",
        "mode": "txt2img",
        "model": "sdxl",
        "engine": "GPU box",
        "lane": "gpu1",
        "width": 512,
        "height": 768,
        "steps": 30,
        "cfg_scale": 7.0,
        "seed": 813,
        "seconds": 10.0,
        "cost_usd": 0.02,
        "is_private": 1,
        "from_cache": 0,
        "created_at": NOW.timestamp(),
        "expires_at": (NOW + TTL).timestamp(),
        "deleted_at": None,
    }
    assert {name: first[name] for name in expected} == expected


async def test_an_answer_from_the_cache_has_rows_of_its_own(jobs, database):
    await draw(jobs, "job1")
    result = replace(result_of("job1"), from_cache=True, seconds=0.0, cost_usd=0.0)
    await jobs.insert(make_job("job2", status=JobStatus.DONE, finished_at=NOW, result=result))
    found = await rows(database, "SELECT id, media_id, from_cache FROM generated_images ORDER BY seq")
    assert [tuple(row.values()) for row in found] == [("job1-1", "media-job1-1", 0), ("job2-1", "media-job1-1", 1)]
    figures = (
        await rows(database, "SELECT sum(generations), sum(from_cache), sum(seconds) FROM image_generation_stats")
    )[0]
    assert tuple(figures.values()) == (2, 1, 10.0)


async def test_of_many_who_finish_a_job_one_leaves_rows(jobs, database):
    await jobs.insert(make_job())
    await jobs.claim("job1", lane="gpu1", now=NOW)
    ends = (JobStatus.DONE, JobStatus.FAILED, JobStatus.CANCELLED) * 4
    await asyncio.gather(*(jobs.finish("job1", end, now=NOW, result=result_of("job1")) for end in ends))
    counted = await rows(database, "SELECT generations + failed + cancelled AS ended FROM image_generation_stats")
    assert [row["ended"] for row in counted] == [1]


@pytest.mark.parametrize("end", [JobStatus.FAILED, JobStatus.CANCELLED, JobStatus.EXPIRED])
async def test_other_ends_are_counted_and_leave_no_picture(jobs, database, end):
    await jobs.insert(make_job())
    await jobs.finish("job1", end, now=NOW, error=JobError(code="x", user_message="No."))
    assert await rows(database, "SELECT id FROM generated_images") == []
    (figures,) = await rows(database, "SELECT * FROM image_generation_stats")
    assert {name for name in ("generations", "images", "failed", "cancelled", "expired") if figures[name]} == {
        end.value
    }
    assert (figures["day"], figures["user_key"], figures["lane"]) == ("2026-01-01", "discord:7", "gpu1")


async def test_what_is_queued_again_is_not_counted(jobs, database):
    await jobs.insert(make_job())
    await jobs.claim("job1", lane="gpu1", now=NOW)
    assert await rows(database, "SELECT * FROM image_generation_stats") == []


async def test_when_the_rows_cannot_be_written_the_job_has_not_ended(jobs, database):
    await jobs.insert(make_job())
    await jobs.claim("job1", lane="gpu1", now=NOW)
    await database.write("CREATE TRIGGER full BEFORE INSERT ON generated_images BEGIN SELECT raise(ABORT, 'full'); END")
    with pytest.raises(sqlite3.IntegrityError, match="full"):
        await jobs.finish("job1", JobStatus.DONE, now=NOW, result=result_of("job1"))
    assert (await jobs.get("job1")).status is JobStatus.RUNNING
    assert await rows(database, "SELECT * FROM image_generation_stats") == []


async def test_jobs_from_before_the_gallery_are_filled_in(tmp_path, box):
    older = {name: script for name, script in easel_steps().items() if name not in ("007_gallery", "021_counts")}
    database = await Database.open(tmp_path / "old.sqlite3", migrations=older)
    jobs = JobStore(database, box)
    await draw(jobs, "late", second=60)
    await draw(jobs, "early", pictures=2)
    await jobs.insert(make_job("failed"))
    await jobs.finish("failed", JobStatus.FAILED, now=NOW)
    await jobs.insert(make_job("waiting"))
    await database.close()
    migrated = await Database.open(tmp_path / "old.sqlite3", migrations=easel_steps())
    found = await rows(migrated, "SELECT id FROM recent_generations")
    assert [row["id"] for row in found] == ["late-1", "early-1", "early-2"]
    figures = await rows(migrated, "SELECT sum(generations) AS done, sum(failed) AS failed FROM image_generation_stats")
    assert figures == [{"done": 2, "failed": 1}]
    await migrated.close()


async def test_the_views_sum_up_people_and_engines(jobs, database):
    await draw(jobs, "job1", pictures=2, cost_usd=0.5)
    await draw(jobs, "job2", user_id="8", lane="grid", seconds=30.0, cost_usd=0.25)
    await draw(jobs, "job3", user_id="8")
    await jobs.insert(make_job("job4"))
    await jobs.finish("job4", JobStatus.FAILED, now=NOW)
    people = {row["user_key"]: row for row in await rows(database, "SELECT * FROM user_generation_summary")}
    assert (people["api:7"]["images"], people["api:7"]["total_cost_usd"]) == (2, 0.5)
    assert (people["api:8"]["generations"], people["api:8"]["mean_seconds"]) == (2, 20.0)
    engines = {row["provider"]: row for row in await rows(database, "SELECT * FROM provider_performance")}
    assert engines["grid"]["success_rate"] == 1.0
    assert engines["gpu1"]["success_rate"] == pytest.approx(2 / 3)
    assert engines["gpu1"]["mean_seconds"] == 10.0


WRITER = """
import asyncio, sys
from pathlib import Path
from cryptography.fernet import Fernet
from store.database import Database
from store.jobs import JobStore
from store.migrations import easel_steps
from tests.store.gallery_rig import draw
from utils.secrets import SecretBox

async def main():
    database = await Database.open(Path(sys.argv[1]), migrations=easel_steps())
    jobs = JobStore(database, SecretBox(Fernet.generate_key()))
    for number in range(1_000_000):
        await draw(jobs, f"job{number}", pictures=3)
        print(number, flush=True)

asyncio.run(main())
"""


async def test_a_kill_leaves_neither_a_picture_too_few_nor_too_many(tmp_path):
    path = tmp_path / "a"
    with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], cwd=ROOT, stdout=subprocess.PIPE) as writer:
        for _ in range(15):
            writer.stdout.readline()
        writer.kill()
    database = await Database.open(path, migrations=easel_steps())
    done = (await rows(database, "SELECT count(*) AS n FROM jobs WHERE status = 'done'"))[0]["n"]
    pictures = (await rows(database, "SELECT count(*) AS n FROM generated_images"))[0]["n"]
    figures = (await rows(database, "SELECT generations, images FROM image_generation_stats"))[0]
    assert done >= 15
    assert pictures == done * 3
    assert figures == {"generations": done, "images": pictures}
    await database.close()


async def test_what_was_asked_for_counts_as_the_prompt_and_what_was_drawn_as_the_settings(jobs, database):
    drawn = replace(REQUEST, negative_prompt="", steps=4)
    request = replace(REQUEST, negative_prompt="blur")
    await jobs.insert(make_job(request=request, drawn=drawn))
    await jobs.claim("job1", lane="gpu1", now=NOW)
    await jobs.finish("job1", JobStatus.DONE, now=NOW, result=result_of("job1"))
    assert await rows(database, "SELECT negative_prompt, steps FROM generated_images") == [
        {"negative_prompt": "blur", "steps": 4}
    ]
