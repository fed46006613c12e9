"""The log line of a drawn picture: what bills and dashboards are made from."""

import pytest

from tests.fakes import FakeBackend
from tests.queue_rig import queue_rig, seeded


@pytest.mark.parametrize(("level", "shows_prompt"), [("DEBUG", True), ("INFO", False)])
async def test_a_drawn_picture_is_logged_with_who_where_how_long_and_for_how_much(caplog, level, shows_prompt):
    caplog.set_level(level, logger="scheduling.journal")
    async with queue_rig(FakeBackend("gpu")) as rig:
        job = await rig.submit("ann", **seeded(5))
    (line,) = [record for record in caplog.records if record.getMessage() == "Image generated successfully"]
    assert (line.action, line.job, line.provider, line.userId) == (
        "job_finished", job.id, "gpu", job.user_key,
    )  # fmt: skip
    assert (line.generationTime, line.cost) == (round(line.seconds * 1000), 0.0)
    assert getattr(line, "prompt", None) == (job.request.prompt[:100] if shows_prompt else None)
