"""Values that an engine made up break neither storing nor reading: no loop, no list that fails."""

import asyncio
import json
import logging
import math

import pytest

from constants import MAX_SEED
from generation.errors import Unstorable
from generation.job import JobStatus
from generation.result import JobResult, StoredImage
from scheduling.storing import retry_until_stored
from store.comparisons import Comparison, ComparisonStore, Contender
from store.gallery import GalleryStore
from store.gallery_filters import PictureFilter
from tests.fakes import FakeClock
from tests.people import visitor
from tests.store.conftest import NOW, REQUEST, make_job

SEEDS = [0, 2**31, 2**53 + 1, 2**63 - 1, 2**63, MAX_SEED]


def result_with(seed: int) -> JobResult:
    image = StoredImage(media_id="m1", seed=seed, width=64, height=64, media_type="image/png", size_bytes=9)
    return JobResult(images=(image,), backend="GPU 1", seconds=1.0, expires_at=NOW)


async def finish(jobs, result: JobResult):
    await jobs.insert(make_job())
    await jobs.claim("job1", lane="gpu1", now=NOW)
    return await jobs.finish("job1", JobStatus.DONE, now=NOW, result=result)


async def history(database):
    return await GalleryStore(database).history(visitor("discord:7", is_admin=True), wanted=PictureFilter(), limit=9)


@pytest.mark.parametrize("seed", SEEDS)
async def test_a_seed_of_64_bits_comes_back_exactly(jobs, database, seed) -> None:
    await finish(jobs, result_with(seed))
    assert (await jobs.get("job1")).result.images[0].seed == seed
    assert [picture.seed for picture in await history(database)] == [seed]


@pytest.mark.parametrize("seed", SEEDS)
async def test_so_does_that_of_a_comparison(database, seed) -> None:
    store = ComparisonStore(database)
    contenders = (Contender(lane="gpu1", label="GPU 1", job_id="job1"),)
    reported = Comparison(id="c", door="discord", prompt="a fox", seed=seed, contenders=contenders, created_at=NOW)
    await store.save(reported)
    assert (await store.get("c")).seed == seed


async def test_a_large_seed_that_an_older_version_stored_breaks_no_history(jobs, database) -> None:
    await finish(jobs, result_with(7))
    await database.write("UPDATE generated_images SET seed = 1.8446744073709552e19")
    await database.write("UPDATE jobs SET result = replace(result, '\"seed\": 7', '\"seed\": 18446744073709551615')")
    assert [picture.seed for picture in await history(database)] == [MAX_SEED]
    assert (await jobs.get("job1")).result.images[0].seed == MAX_SEED


@pytest.mark.parametrize("number", [math.inf, math.nan])
async def test_a_request_with_a_number_that_is_none_is_refused_for_good(jobs, number) -> None:
    with pytest.raises(Unstorable):
        await jobs.insert(make_job(drawn=REQUEST.__class__(**{**vars(REQUEST), "cfg_scale": number})))


async def test_a_change_that_can_never_be_written_is_not_tried_again(jobs, database) -> None:
    await jobs.insert(make_job())
    await jobs.claim("job1", lane="gpu1", now=NOW)
    await database.write("UPDATE jobs SET drawn = replace(drawn, '7.0', 'no number')")
    clock = FakeClock()
    with pytest.raises(Unstorable):
        await retry_until_stored(
            lambda: jobs.finish("job1", JobStatus.DONE, now=NOW, result=result_with(1)), clock, asyncio.Event()
        )
    assert await jobs.finish("job1", JobStatus.FAILED, now=NOW) is None  # it cannot be read, but it has ended
    rows = await database.fetch("SELECT status FROM jobs")
    assert [row["status"] for row in rows] == ["failed"]


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("drawn", '{"cfg_scale": Infinity}'), ("request", "[]"), ("request", '{"mode": "dance"}'), ("notes", "{"),
        ("origin", "null"), ("result", "{}"), ("status", "lost"), ("created_at", 1e300), ("candidates", "7"),
    ],
)  # fmt: skip
async def test_a_row_that_cannot_be_read_breaks_no_list_and_is_told_once(jobs, database, caplog, column, value) -> None:
    await jobs.insert(make_job("good", second=1))
    await jobs.insert(make_job("bad", second=2))
    await database.write(f"UPDATE jobs SET {column} = ? WHERE id = 'bad'", (value,))
    caplog.set_level(logging.ERROR)
    for _ in range(3):
        assert [job.id for job in await jobs.recent("discord:7", 9)] == ["good"]
        assert await jobs.get("bad") is None
    assert len([record for record in caplog.records if getattr(record, "action", "") == "row_unreadable"]) == 1


async def test_a_job_that_cannot_be_read_ends_with_a_sentence_at_the_next_start(jobs, database) -> None:
    await jobs.insert(make_job("good", second=1))
    await jobs.insert(make_job("bad"))
    await database.write("UPDATE jobs SET drawn = replace(drawn, '7.0', 'no number') WHERE id = 'bad'")
    assert [job.id for job in await jobs.active()] == ["good"]
    [row] = await database.fetch("SELECT status, error FROM jobs WHERE id = 'bad'")
    assert row["status"] == "failed"
    assert "cannot be read" in json.loads(row["error"])["user_message"]


async def test_half_a_character_that_an_older_version_stored_is_replaced(jobs, database) -> None:
    await finish(jobs, result_with(1))
    await database.write("UPDATE generated_images SET model = CAST(x'6dedb384' AS TEXT)")
    await database.write("UPDATE jobs SET result = json_set(result, '$.notes', json('[\"a \\udcc4 b\"]'))")
    assert [picture.model for picture in await history(database)] == ["m\ufffd\ufffd\ufffd"]
    assert (await jobs.get("job1")).result.notes == ("a \ufffd b",)
