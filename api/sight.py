"""Whose pictures may go into a new one by their ids: everybody's made in the open; private ones their owner's only.

An id is no secret: what was drawn from a private picture in the open names it.
"""

from api.context import Web
from api.events import can_see
from generation.errors import RequestRejected
from generation.request import Draft
from services.access import Caller


async def may_use(web: Web, caller: Caller, media_id: str) -> bool:
    """Say whether a picture may be looked at and drawn from; one that is not there may."""
    media = await web.services.media.get(media_id)
    job = await web.services.generation.find(media.job_id) if media and media.job_id else None
    return job is None or not job.origin.private or can_see(caller, job)


async def check_use(web: Web, caller: Caller, media_id: str, field: str) -> None:
    """Refuse a private picture of somebody else's as if it were not there.

    Raises:
        RequestRejected: names `field`.
    """
    if not await may_use(web, caller, media_id):
        raise RequestRejected(f"There is no picture here with the id in {field}.", field=field)


async def check_inputs(web: Web, caller: Caller, draft: Draft) -> None:
    """Check every picture that goes into a draft.

    Raises:
        RequestRejected: as `check_use`.
    """
    sources = [("init_image", draft.init_image), ("mask_image", draft.mask_image)]
    for field, source in (*sources, *(("control", unit.image) for unit in draft.control)):
        if source is not None:
            await check_use(web, caller, source.media_id, field)
