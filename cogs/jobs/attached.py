"""Attachments of a finished job's message: its picture, the grid of a batch, its videos."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from cogs.cards import CardPicture
from cogs.jobs.alt import alt_of
from generation.job import Job
from generation.result import JobResult, StoredImage
from lazy import dataclass
from services.pictures.media import MediaService, Upload, file_name
from texts.text import _, _n

FILES_OF_A_MESSAGE: Final = 10
SPOILER: Final = "SPOILER_"  # Discord's own
LinkTo = Callable[[StoredImage, Job], str]  # where people can watch a file; "" where nowhere is open to them


@dataclass(frozen=True, kw_only=True)
class Attached:
    """Files within Discord's limits. `left_out`: a line on the videos that are too large for it."""

    pictures: tuple[CardPicture, ...] = ()
    is_smaller: bool = False
    left_out: str = ""


async def attached(media: MediaService, job: Job, limit_bytes: int, link_to: LinkTo) -> Attached:
    """Choose what to attach for a job that is done, in at most `limit_bytes`."""
    result = job.result
    if result is None or not result.images:
        return Attached()
    if any(image.is_video for image in result.images):
        return await _with_videos(media, job, result, limit_bytes, link_to)
    if len(result.images) > 1:
        upload = await media.grid_of(result, limit_bytes)
    else:
        upload = await media.upload_copy(result.images[0].media_id, limit_bytes)
    if upload is None:
        return Attached()
    picture = to_picture(job, result.images[0], upload)
    return Attached(pictures=(picture,), is_smaller=upload.is_smaller)


def to_picture(job: Job, image: StoredImage, upload: Upload) -> CardPicture:
    name = file_name(job.drawn.prompt, image.seed, job.created_at, upload.extension)
    return CardPicture(data=upload.data, filename=hidden(name, job), alt_text=alt_of(job, image))


def hidden(name: str, job: Job) -> str:
    """Return the name of a file so that Discord hides it until it is clicked, if the job is to be a spoiler."""
    is_covered = job.origin.spoiler or (job.result is not None and job.result.is_covered)
    return f"{SPOILER}{name}" if is_covered else name


async def _with_videos(media: MediaService, job: Job, result: JobResult, limit_bytes: int, link_to: LinkTo) -> Attached:
    """Attach each file by itself, as many as fit; of a video that does not, its still."""
    pictures: list[CardPicture] = []
    too_large: list[tuple[StoredImage, int]] = []
    is_smaller = False
    for image in result.images[:FILES_OF_A_MESSAGE]:
        room = limit_bytes - sum(len(picture.data) for picture in pictures)
        upload = await media.upload_copy(image.media_id, room)
        if upload is None and await media.get(image.media_id) is None:
            continue
        if image.is_video and (upload is None or upload.video_bytes):
            too_large.append((image, image.size_bytes))
        elif upload is not None:
            is_smaller = is_smaller or upload.is_smaller
        if upload is not None:
            alone = replace(job, result=replace(result, images=(image,)))
            pictures.append(to_picture(alone, image, upload))
    return Attached(
        pictures=tuple(pictures), is_smaller=is_smaller, left_out=_left_out(job, too_large, limit_bytes, link_to)
    )


def _left_out(job: Job, too_large: list[tuple[StoredImage, int]], limit_bytes: int, link_to: LinkTo) -> str:
    if not too_large:
        return ""
    sizes = ", ".join(f"{size / 1024**2:.1f} MB" for __, size in too_large)
    what = _n("The video has", "{count} videos have", count=len(too_large))
    links = [link for image, __ in too_large if (link := link_to(image, job))]
    where = " ".join(_("[Watch it](<{link}>)", link=link) for link in links) or _("It is in the studio.")
    return _(
        "🎞️ {what} {sizes}, more than Discord takes here ({limit_bytes:.3g} MB). {where}",
        what=what,
        sizes=sizes,
        limit_bytes=limit_bytes / 1024**2,
        where=where,
    )
