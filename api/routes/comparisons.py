"""One prompt on several engines, side by side."""

from collections.abc import Sequence
from dataclasses import replace

from fastapi import Request

from api.caller import Maker, Reader, origin_of
from api.context import Web, web_of
from api.errors import NotFound
from api.request_keys import Key, with_request_key
from api.routes.jobs import JOB_RESPONSES, read_text, shown_with_stars, with_inputs, with_link
from api.routing import Router
from api.schemas.comparisons import CompareIn, ComparisonOut, ContenderOut
from generation.errors import RequestRejected
from generation.person import Person
from services.drawing.compare import Comparison, take_engines
from texts.text import _

router = Router(prefix="/api/comparisons", tags=["jobs"], responses=JOB_RESPONSES)
_EXAMPLE = {"text": "a red fox --engines gpu1,grid"}  # no text: a prompt
COMPARISON_EXTRA = {"requestBody": {"content": {"application/json": {"example": _EXAMPLE}}}}


@router.post("", status_code=202, openapi_extra=COMPARISON_EXTRA)
async def submit(request: Request, body: CompareIn, caller: Maker, idempotency_key: Key = "") -> ComparisonOut:
    """Draw the same with the same seed on several engines: a job each, committed together when this answers."""
    web = web_of(request)
    words, named = take_engines(body.text or "")
    parsed = await with_link(request, caller, read_text(body.model_copy(update={"text": words})))
    draft = await with_inputs(web, caller, parsed.draft)
    if draft.backend:
        raise RequestRejected(
            _("A comparison is drawn by several engines."), field="backend", hint=_("Name them in `engines`.")
        )
    hook = web.own.webhooks.wanted(body.webhook, body.webhook_events_filter)
    origin = origin_of(caller, private=body.is_private or parsed.is_private, webhook=hook)
    origin = replace(origin, agreed_usd=body.max_cost_usd or 0.0)
    origin = await with_request_key(request, origin, body)
    wanted = (*named, *body.engines)
    comparison = await web.services.compare.start(draft, origin, wanted, notes=parsed.notes)
    return await _shown(web, comparison, caller, parsed.notes)


@router.get("/{comparison_id}")
async def comparison(request: Request, comparison_id: str, caller: Reader) -> ComparisonOut:
    """Show a comparison as it stands now."""
    web = web_of(request)
    return await _shown(web, await _visible(web, comparison_id, caller), caller)


@router.post("/{comparison_id}/cancel")
async def cancel(request: Request, comparison_id: str, caller: Maker) -> ComparisonOut:
    """Cancel what still waits or runs of it; pictures that are there stay."""
    web = web_of(request)
    found = await _visible(web, comparison_id, caller)
    await web.services.compare.cancel(found.id, caller)
    return await _shown(web, found, caller)


async def _visible(web: Web, comparison_id: str, caller: Person) -> Comparison:
    try:
        return await web.services.compare.visible(comparison_id, caller)
    except RequestRejected as error:
        raise NotFound(_("Comparison not found")) from error


async def _shown(web: Web, found: Comparison, caller: Person, notes: Sequence[str] = ()) -> ComparisonOut:
    views = [await web.services.generation.view(job_id) for job_id in found.job_ids]
    jobs = {job.id: job for job in await shown_with_stars(web, [view for view in views if view], caller)}
    contenders = [
        ContenderOut(engine=each.label, lane=each.lane, job=jobs.get(each.job_id), error=str(each.error))
        for each in found.contenders
    ]
    return ComparisonOut(
        id=found.id,
        prompt=found.prompt,
        seed=found.seed,
        created_at=found.created_at,
        contenders=contenders,
        notes=[str(note) for note in notes],
    )
