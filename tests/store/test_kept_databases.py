"""Databases that Easel itself left at each form it had, killed while it drew: this one opens them and draws the rest.

`python -m scripts.keep_database` adds the one of today; the next step of the database asks for it.
"""

from __future__ import annotations

import gzip
import re
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from generation.job import JobStatus
from scripts.keep_database import KEPT, KEY
from store.migrations import easel_steps
from tests.api.conftest import site_at
from tests.store.ready import open_database
from tests.store.test_database import schema

FIRST = "m015_uploads"
FILES = sorted(KEPT.glob("*.sqlite3.gz"))
LEFT = {"a mill that turns", "a boat that waits", "a secret that waits"}
DRAWN = {"a red fox in the snow", "a quiet lake", "four owls"}


def test_there_is_one_for_each_form_but_the_newest() -> None:
    *older, __ = easel_steps()
    wanted = {FIRST, *(name for name in older if name >= "016")}
    assert wanted <= {path.name.partition(".")[0] for path in FILES}, "python -m scripts.keep_database, at that version"


@pytest.mark.parametrize("kept", FILES, ids=lambda path: path.name.partition(".")[0])
async def test_what_was_left_is_drawn_and_what_was_drawn_is_kept(tmp_path: Path, kept: Path) -> None:
    lay_as_if_just_left(kept, tmp_path / "easel.sqlite3")
    new = await open_database(tmp_path / "new.sqlite3")
    wanted = uncommented(await schema(new))
    await new.close()
    async with site_at(tmp_path, SECRET_KEY=KEY) as site:
        assert uncommented(await schema(site.easel.database)) == wanted
        ids = [row["id"] for row in await site.easel.database.fetch("SELECT id FROM jobs")]
        for job_id in ids:
            await site.ended(job_id)
        jobs = [await site.web.services.generation.get(job_id) for job_id in ids]
        (starred,) = (await site.client.get("/api/gallery?favorites=true")).json()["pictures"]
    assert {job.request.prompt for job in jobs if job.status is JobStatus.DONE} == LEFT | DRAWN
    assert [job.request.prompt for job in jobs if job.status is JobStatus.CANCELLED] == ["a kite that nobody wants"]
    assert {job.request.prompt for job in jobs if job.origin.private} == {"a quiet lake", "a secret that waits"}
    assert len(jobs) == 7
    assert starred["prompt"] == "a red fox in the snow"


def uncommented(tables: set[tuple[str, str]]) -> set[tuple[str, str]]:
    return {(name, re.sub(r'"discord:\w+"', "", sql)) for name, sql in tables}  # a comment of 018 was edited


def lay_as_if_just_left(kept: Path, path: Path) -> None:
    """Unpack a database and move its jobs to now: what waits for long is given up."""
    path.write_bytes(gzip.decompress(kept.read_bytes()))
    with closing(sqlite3.connect(path)) as raw:
        times = "created_at = created_at + :s, started_at = started_at + :s, finished_at = finished_at + :s"
        since = time.time() - raw.execute("SELECT max(created_at) FROM jobs").fetchone()[0]
        raw.execute(f"UPDATE jobs SET {times}", {"s": since})
        raw.commit()
