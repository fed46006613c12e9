"""Progress of a running job, when the source of its news is broken."""

import logging
from types import SimpleNamespace
from typing import Any

import pytest

from backends.comfyui.news.watch import MAX_FAILURES, JobWatch


class Crashing:
    """A source with a fault of ours in it."""

    async def listen(self, *_: Any) -> None:
        raise RuntimeError("a bug")


async def test_a_source_that_crashes_is_logged_tried_again_and_given_up(caplog: pytest.LogCaptureFixture) -> None:
    reader: Any = SimpleNamespace(is_over=False)
    watch = JobWatch(reader, Crashing(), backoff_s=0.0)
    await watch._task
    crashes = [record for record in caplog.records if record.message == "source crashed"]
    assert [record.levelno for record in crashes] == [logging.ERROR] * MAX_FAILURES
    assert not watch.is_connected
    await watch.aclose()
