"""Jobs and requests for tests of the queue."""

import itertools
from datetime import UTC, datetime

from generation.job import Job, Origin
from generation.request import GenerationRequest

_numbers = itertools.count(1)


def make_request(**changes: object) -> GenerationRequest:
    values: dict[str, object] = {
        "prompt": "a red fox",
        "width": 512,
        "height": 512,
        "steps": 20,
        "cfg_scale": 7,
        "seed": 42,
        "sampler": "Euler",
    }
    return GenerationRequest(**(values | changes))  # type: ignore[arg-type]


def make_job(user: str = "ann", lane: str = "gpu", *, candidates: tuple[str, ...] = (), **changes: object) -> Job:
    """A queued job with an id of its own."""
    request = make_request()
    values: dict[str, object] = {
        "id": f"{next(_numbers):06x}{'0' * 6}",
        "request": request,
        "drawn": request,
        "origin": Origin(door="test", user_id=user),
        "lane": lane,
        "candidates": candidates or (lane,),
        "created_at": datetime(2026, 1, 1, tzinfo=UTC),
    }
    return Job(**(values | changes))  # type: ignore[arg-type]
