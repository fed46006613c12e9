"""A queue that cannot be written refuses the job with words, instead of crashing."""

import sqlite3

import pytest

from generation.errors import StoreUnavailable
from store.jobs import JobStore
from tests.jobs import make_job
from tests.queue_rig import BOX


class FullDatabase:
    async def write_all(self, writes: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")


async def test_a_full_disk_is_told_in_words() -> None:
    with pytest.raises(StoreUnavailable, match="disk is full or locked") as caught:
        await JobStore(FullDatabase(), BOX).insert(make_job())  # type: ignore[arg-type]
    assert "DATA_DIR" in caught.value.owner_hint
    assert "DATA_DIR" not in f"{caught.value.user_message} {caught.value.hint}"
