"""Jobs that end with pictures, and the stores that show them."""

from dataclasses import replace
from datetime import datetime, timedelta

from generation.job import Job, JobStatus
from generation.result import JobResult, StoredImage
from store.jobs import JobStore
from tests.store.conftest import NOW, REQUEST, make_job

TTL = timedelta(days=1)


def result_of(job_id: str, pictures: int = 1, *, at: datetime = NOW, **changes) -> JobResult:
    images = tuple(
        StoredImage(
            media_id=f"media-{job_id}-{number}",
            seed=812 + number,
            width=512,
            height=768,
            media_type="image/png",
            size_bytes=99,
        )
        for number in range(1, pictures + 1)
    )
    values = {"images": images, "backend": "GPU box", "seconds": 10.0, "cost_usd": 0.04, "expires_at": at + TTL}
    return JobResult(**(values | changes))


async def draw(
    jobs: JobStore, job_id: str, *, pictures: int = 1, second: float = 0, prompt: str = "", door: str = "api", **changes
) -> Job:
    """Run a job to its end; `changes` go to the origin (user_id, private), the job (lane) or the result."""
    origin = {name: changes.pop(name) for name in ("user_id", "private", "user_name") if name in changes}
    request = replace(REQUEST, prompt=prompt or REQUEST.prompt)
    job = make_job(job_id, second=second, origin=origin | {"door": door}, request=request, drawn=request)
    await jobs.insert(job)
    lane = changes.pop("lane", "gpu1")
    now = NOW + timedelta(seconds=second)
    await jobs.claim(job_id, lane=lane, now=now)
    result = result_of(job_id, pictures, at=now, **changes)
    done = await jobs.finish(job_id, JobStatus.DONE, now=now, result=result)
    assert done
    return done
