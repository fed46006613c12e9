"""Responses of all dialects: waiting for jobs, and their pictures as data, links and sizes."""

import asyncio
import base64
from collections.abc import Sequence
from datetime import UTC, datetime

from fastapi import Request

from api.context import Web, web_of
from api.dialects.failures import DrawingFailed, StillDrawing
from api.errors import Gone
from generation.job import Job, JobStatus, JobView
from generation.result import StoredImage
from lazy import dataclass
from services.drawing.drawn import notes_of
from texts.text import _
from utils.threads import run_in_thread


@dataclass(frozen=True, kw_only=True)
class DrawnPictures:
    """The pictures of one request, each with the job that made it, and every remark."""

    pictures: tuple[tuple[Job, StoredImage], ...]
    notes: tuple[str, ...]

    @property
    def jobs(self) -> list[Job]:
        return list({job.id: job for job, __ in self.pictures}.values())


async def wait_for(request: Request, views: Sequence[JobView]) -> DrawnPictures:
    """Wait until all jobs of a request have ended. They go on whether somebody waits or not.

    Raises:
        StillDrawing: they take longer than a job may, on top of their turn in the queue.
        DrawingFailed: none of them gave a picture.
    """
    web = web_of(request)
    turn_s = max((view.eta_s or 0.0 for view in views if view.job.status is JobStatus.QUEUED), default=0.0)
    try:
        async with asyncio.timeout(web.job_timeout_s + turn_s):
            jobs = [await _ended(web, view) for view in views]
    except TimeoutError as error:
        raise StillDrawing([view.job.id for view in views]) from error
    pictures = [(job, image) for job in jobs if job.result for image in job.result.images]
    failed = [job for job in jobs if job.status is not JobStatus.DONE]
    if not pictures:
        raise DrawingFailed((failed or jobs)[0])
    notes = [note for job in jobs for note in notes_of(job)]
    notes += [
        _("a part failed: {reason}", reason=job.error.user_message if job.error else job.status) for job in failed
    ]
    return DrawnPictures(pictures=tuple(pictures), notes=tuple(dict.fromkeys(notes)))


async def _ended(web: Web, view: JobView) -> Job:
    if view.job.is_terminal:
        return view.job
    async for now in web.services.generation.watch(view.job.id):
        if now.job.is_terminal:
            return now.job
    return await web.services.generation.get(view.job.id)


def revised_prompt(job: Job, asked: str) -> str | None:
    """Return the words that were drawn, where these are not those that were asked for."""
    drawn = (job.result.revised_prompt if job.result else "") or job.request.prompt
    return drawn if drawn != asked else None


async def base64_of(web: Web, image: StoredImage, kind: str = "") -> tuple[str, str]:
    """Return a picture's bytes as base64 and its media type; `kind`: PNG, JPEG or WEBP, else as it is.

    Raises:
        Gone: it has expired.
    """
    media = await web.services.media.get(image.media_id)
    if media is None:
        raise Gone
    data, media_type = media.data, media.media_type
    if kind:
        made = await web.services.media.converted(media, kind)
        data, media_type = made.data, made.media_type
    return (await run_in_thread(base64.b64encode, data)).decode("ascii"), media_type


def link_to(request: Request, media_id: str, *, is_private: bool = False) -> str:
    """Return the absolute address of a picture, at the CDN where there is one."""
    web = web_of(request)
    base = web.settings.image_cdn_url or web.base_url(request)
    return base + web.hub.views.media_url(media_id, is_private=is_private)


def stamp(moment: datetime | None) -> str | None:
    """Write a time as ISO 8601 in UTC, to the millisecond."""
    return moment.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z") if moment else None
