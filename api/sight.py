"""The jobs a caller may see, and the pictures that may go into a new one: what is not for them is as if not there.

An id is no secret: what was drawn from a private picture in the open names it.
"""

from api.context import Web
from api.errors import NotFound
from generation.errors import RequestRejected
from generation.job import Job
from generation.person import Person
from generation.request import Draft
from services.pictures import sight
from services.pictures.media import Media
from texts.text import _


async def visible_job(web: Web, job_id: str, caller: Person) -> Job:
    """Return a job this caller may see.

    Raises:
        NotFound: there is none, or none for them.
    """
    try:
        return await web.services.generation.visible(job_id, caller)
    except RequestRejected as error:
        raise NotFound(_("Job not found")) from error


async def find_media(web: Web, media_id: str) -> tuple[Media, Job | None] | None:
    """Return a picture with the job that drew it, if one did; None when there is none that may be shown."""
    return await sight.find_media(web.services.media, web.services.generation, media_id)


async def may_use_picture(web: Web, caller: Person, media_id: str) -> bool:
    """Return whether a picture may be looked at and drawn from; one that is not there may."""
    return await sight.may_use_picture(web.services.media, web.services.generation, caller, media_id)


async def charge(web: Web, caller: Person, size_bytes: int) -> None:
    """Count what a caller brings; admins have the machine to themselves.

    Raises:
        LimitReached: it is more than one person may bring.
    """
    if not caller.is_admin:
        await web.own.uploads.charge(caller.user_key, size_bytes)


async def check_use(web: Web, caller: Person, media_id: str, field: str) -> None:
    """Refuse a private picture of somebody else's as if it were not there.

    Raises:
        RequestRejected: names `field`.
    """
    if not await may_use_picture(web, caller, media_id):
        raise RequestRejected(_("There is no picture here with the id in {field}.", field=field), field=field)


async def check_inputs(web: Web, caller: Person, draft: Draft) -> None:
    """Check every picture that goes into a draft.

    Raises:
        RequestRejected: as `check_use`.
    """
    sources = [("init_image", draft.init_image), ("mask_image", draft.mask_image)]
    more = [("more_images", image) for image in draft.more_images]
    for field, source in (*sources, *more, *(("control", unit.image) for unit in draft.control)):
        if source is not None:
            await check_use(web, caller, source.media_id, field)
