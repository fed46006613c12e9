"""A database in a temporary folder, a secret box, and jobs to put in."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.fernet import Fernet

from generation.job import Job, Origin
from generation.request import GenerationRequest, Lora
from store.image_cache import ImageCache
from store.jobs import JobStore
from tests.store.ready import open_database
from utils.secrets import SecretBox

NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
REQUEST = GenerationRequest(
    prompt="a red fox", width=768, height=512, steps=30, cfg_scale=7.0, seed=812, loras=(Lora(name="ink", weight=0.5),)
)


def make_job(job_id: str = "job1", *, second: float = 0, **values) -> Job:
    """Return a queued job, made `second` seconds after NOW."""
    origin = replace(Origin(door="discord", user_id="7"), **values.pop("origin", {}))
    standard = {
        "request": REQUEST,
        "drawn": replace(REQUEST, width=512),
        "lane": "gpu1",
        "candidates": ("gpu1", "grid"),
        "created_at": NOW + timedelta(seconds=second),
    }
    return Job(id=job_id, origin=origin, **(standard | values))


@pytest.fixture
def box():
    return SecretBox(Fernet.generate_key())


@pytest.fixture
async def database(tmp_path):
    opened = await open_database(tmp_path / "easel.sqlite3")
    yield opened
    await opened.close()


@pytest.fixture
def jobs(database, box):
    return JobStore(database, box)


def bytes_on_disk(folder) -> bytes:
    """Everything in every file of the folder, the -wal file too."""
    return b"".join(path.read_bytes() for path in sorted(folder.iterdir()))


async def count(cache: ImageCache) -> int:
    """Count the pictures that lie in the file, expired or not."""
    return int((await cache._database.fetch("SELECT count(*) AS n FROM media"))[0]["n"])
