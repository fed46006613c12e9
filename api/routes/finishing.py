"""Drafts: what one of them would become, and drawing it in full."""

from dataclasses import replace

from fastapi import Request

from api.caller import Maker, Reader, origin_of
from api.context import web_of
from api.request_keys import Key, with_request_key
from api.routes.jobs import JOB_RESPONSES, shown
from api.routing import Router
from api.schemas.jobs import FinishIn, FinishOut, SubmittedOut
from api.sight import visible_job
from generation.deeds import Deed
from generation.errors import RequestRejected
from generation.quick import full_size, is_unfinished
from services.drawing.finishing import NO_DRAFT

router = Router(prefix="/api", tags=["jobs"], responses=JOB_RESPONSES)


@router.get("/jobs/{job_id}/finish")
async def look(request: Request, job_id: str, caller: Reader) -> FinishOut:
    """Return what a picture of this draft becomes, and what that costs; nothing is drawn."""
    web = web_of(request)
    job = await visible_job(web, job_id, caller)
    if not is_unfinished(job):
        raise RequestRejected(NO_DRAFT, field="job")
    price = await web.services.intakes.finisher.price(job, caller)
    width, height = full_size(job.request)
    cost = price.usd if price else None
    return FinishOut(width=width, height=height, steps=job.request.steps, is_paid=price is not None, cost_usd=cost)


@router.post("/jobs/{job_id}/finish", status_code=202)
async def finish(
    request: Request, job_id: str, body: FinishIn, caller: Maker, idempotency_key: Key = ""
) -> SubmittedOut:
    """Draw one picture of a draft in full: the same composition, at the size and with the steps that were asked for."""
    web = web_of(request)
    job = await visible_job(web, job_id, caller)
    private = job.origin.private if body.is_private is None else body.is_private
    origin = replace(origin_of(caller, private=private), agreed_usd=body.max_cost_usd or 0.0, deed=Deed.FINISH)
    origin = replace(await with_request_key(request, origin, body), parent_number=body.index + 1)
    view = await web.services.intakes.finisher.finish(job.id, body.index, origin)
    return SubmittedOut(jobs=[shown(web, view, caller)], notes=[])
