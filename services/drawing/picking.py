"""One picture of several as a job of its own: it is there already, so it is done, as an answer from the cache is."""

import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from generation.errors import RequestRejected
from generation.job import Job, JobStatus, JobView, Origin
from generation.request import alone_in, draft_of
from generation.result import JobResult, StoredImage
from services.drawing.submitting import SubmissionParts
from store.database import Write
from texts.text import _

DRAWN_AGAIN: Final = _("it was no longer kept, so it is drawn again from its seed")


def picture_of(job: Job, index: int) -> StoredImage:
    """Return one of a job's pictures.

    Raises:
        RequestRejected: it has not so many.
    """
    images = job.result.images if job.result else ()
    if not 0 <= index < len(images):
        raise RequestRejected(_("There is no such picture in this batch."), field="picture")
    return images[index]


async def show_alone(
    parts: SubmissionParts, job: Job, index: int, origin: Origin, also: Sequence[Write]
) -> JobView | None:
    """Commit a job that is done, with one picture of another; None where that is no longer kept.

    Raises:
        RequestRejected: there is no such picture.
        NotAllowed: the rules of this place forbid it.
    """
    image = picture_of(job, index)
    assert job.result is not None, "it has a picture"
    if not await parts.media.has_all(replace(job.result, images=(image,))):
        return None
    if parts.gate is not None:
        await parts.gate.let_in(draft_of(job.request), origin)
        await parts.gate.judge(job.request, origin)
    alone = _alone(job, job.result, index, origin, parts.clock.now())
    return (await parts.queue.submit_all([alone], also))[0]


def _alone(job: Job, result: JobResult, index: int, origin: Origin, now: datetime) -> Job:
    """Return the job: nothing is drawn, and nothing charged."""
    image = result.images[index]
    request, drawn = (replace(each, **alone_in(each, index, image.seed)) for each in (job.request, job.drawn))
    return replace(
        job,
        id=secrets.token_hex(6),
        request=request,
        drawn=drawn,
        origin=origin,
        status=JobStatus.DONE,
        attempt=1,
        tried=(),
        remote_id=None,
        result=replace(result, images=(image,), from_cache=True, cost_usd=0.0),
        created_at=now,
        started_at=now,
        finished_at=now,
        delivered_at=None,
    )
