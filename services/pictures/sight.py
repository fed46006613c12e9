"""The pictures that a person may look at and draw from, whatever the door they ask at.

A drawn one is there only while the result of its job names it: what a crash or a deletion left behind is not.
"""

from generation.job import Job
from generation.person import Person
from generation.policy import may_use
from services.drawing.generation import GenerationService
from services.pictures.media import Media, MediaService


async def find_media(
    media_service: MediaService, generation: GenerationService, media_id: str
) -> tuple[Media, Job | None] | None:
    """Return a picture with the job that drew it, if one did; None when there is none that may be shown."""
    media = await media_service.get(media_id)
    if media is None or media.job_id is None:
        return (media, None) if media else None
    job = await generation.find(media.job_id)
    images = job.result.images if job and job.result else ()
    return (media, job) if any(image.media_id == media_id for image in images) else None


async def may_use_picture(
    media_service: MediaService, generation: GenerationService, person: Person, media_id: str
) -> bool:
    """Return whether a picture may be looked at and drawn from; one that is not there may."""
    found = await find_media(media_service, generation, media_id)
    if found is None:
        return await media_service.get(media_id) is None
    __, job = found
    return job is None or may_use(person, job)
