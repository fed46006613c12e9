"""Jobs: ask for pictures, look how they come along, change one's mind."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Final

from fastapi import Query, Request, Response

from api.caller import Maker, Reader, origin_of
from api.context import Web, web_of
from api.dialects.requests import take_picture
from api.engines import price_of
from api.errors import NotFound, errors
from api.request_keys import Key, with_request_key
from api.routing import Router
from api.schemas.jobs import AgainIn, EstimateOut, JobIn, JobOut, JobsOut, ParsedOut, SubmittedOut
from api.schemas.requests import DraftIn
from api.sight import check_inputs, visible_job
from api.views import draft_json
from generation.errors import BackendError, GenerationError, RequestRejected
from generation.job import JobStatus, JobView, Origin, child_of
from generation.options import as_checked
from generation.person import Person
from generation.picture_links import place_of
from generation.prompt_syntax import ParsedPrompt, parse_prompt
from generation.request import Draft, Mode, SourceImage, draft_of
from generation.several_pictures import ONE_IS_USED, not_used
from services.drawing.splitting import repeated_all
from texts.text import _

JOB_RESPONSES: Final = errors(400, 401, 402, 403, 404, 410, 422, 429, 502, 503)
router = Router(prefix="/api", tags=["jobs"], responses=JOB_RESPONSES)

MOST_JOBS = 200
_EXAMPLE = {"text": "a red fox in the snow --steps 20 --ar 3:2"}  # no text: a prompt
JOB_EXTRA = {"requestBody": {"content": {"application/json": {"example": _EXAMPLE}}}}


def shown(web: Web, view: JobView, caller: Person) -> JobOut:
    is_mine = view.job.user_key == caller.user_key
    return web.hub.views.job(view, is_mine=is_mine, preview=web.hub.preview_version(view))


async def shown_with_stars(web: Web, views: Sequence[JobView], caller: Person) -> list[JobOut]:
    """Write jobs with what only the gallery knows: the caller's favourites, and what is kept beyond its time."""
    media_ids = [image.media_id for view in views if view.job.result for image in view.job.result.images]
    gallery = web.services.records.gallery
    favorites = await gallery.starred(caller, media_ids) if media_ids else frozenset()
    kept = await gallery.kept_among(media_ids) if media_ids else frozenset()
    lost = await gallery.lost_among(media_ids) if media_ids else frozenset()
    return [
        web.hub.views.job(
            view,
            is_mine=view.job.user_key == caller.user_key,
            preview=web.hub.preview_version(view),
            favorites=favorites,
            kept=kept,
            lost=lost,
        )
        for view in views
    ]


def read_text(body: DraftIn, *, has_workflow: bool = False, takes_several: bool = False) -> ParsedPrompt:
    """Read the text with its options; fields win over them. `has_workflow`: what is changed has one."""
    parsed = parse_prompt(
        body.text or "",
        has_workflow=has_workflow or bool(body.workflow),
        fetches_pictures=True,
        takes_several=takes_several,
    )
    return parsed.under(body.to_draft())


async def filled(web: Web, parsed: ParsedPrompt, drafts: Sequence[Draft]) -> tuple[list[Draft], list[str]]:
    """Put words in place of the wildcards of a text; return the remarks on both, too."""
    remarks: tuple[str, ...] = ()
    if parsed.has_wildcards:
        drafts, remarks = await web.services.wildcards.fill(drafts)
    return [*drafts], [*parsed.notes, *remarks]


async def with_link(request: Request, caller: Person, parsed: ParsedPrompt) -> ParsedPrompt:
    """Fetch the picture whose address stands in front of the words; one that was sent wins."""
    if not parsed.pictures:
        return parsed
    if parsed.draft.init_image is not None:
        note = not_used(_("what lies at {place}", place=place_of(parsed.pictures[0])), ONE_IS_USED)
        return replace(parsed, pictures=(), notes=(*parsed.notes, note))
    picture = await take_picture(request, caller, parsed.pictures[0], "text")
    return replace(parsed, pictures=()).under(Draft(init_image=picture))


async def with_inputs(web: Web, caller: Person, draft: Draft) -> Draft:
    """Look at the input picture, and say it early when it has expired or is not theirs."""
    await check_inputs(web, caller, draft)
    if draft.init_image is None:
        return draft
    source = await web.services.media.load(draft.init_image)
    mode = draft.mode or (Mode.INPAINT if draft.mask_image else Mode.IMG2IMG)
    mode = mode if not draft.upscale_factor else draft.mode or Mode.UPSCALE
    return as_checked(replace(draft, init_image=source, mode=mode), draft)


@router.post("/jobs", status_code=202, openapi_extra=JOB_EXTRA)
async def submit(request: Request, body: JobIn, caller: Maker, idempotency_key: Key = "") -> SubmittedOut:
    """Ask for pictures. They are committed to the queue when this answers."""
    web = web_of(request)
    parsed = await with_link(request, caller, read_text(body, takes_several=True))
    drafts = [await with_inputs(web, caller, draft) for draft in parsed.drafts]
    private = body.is_private or parsed.is_private
    hook = web.own.webhooks.wanted(body.webhook, body.webhook_events_filter)
    origin = replace(await _origin(web, caller, body, private), webhook=hook, spoiler=parsed.is_spoiler)
    origin = replace(origin, agreed_usd=body.max_cost_usd or 0.0)
    origin = await with_request_key(request, origin, body)
    parts, notes = await filled(web, parsed, repeated_all(drafts, parsed.repeat))
    views = await web.services.generation.submit_all(parts, origin, fresh=body.fresh, notes=tuple(notes))
    return SubmittedOut(jobs=[shown(web, view, caller) for view in views], notes=notes)


@router.get("/jobs")
async def jobs(
    request: Request,
    caller: Reader,
    scope: Annotated[str, Query(pattern="^(mine|active|all)$")] = "mine",
    limit: Annotated[int, Query(ge=1, le=MOST_JOBS)] = 50,
) -> JobsOut:
    """List jobs, newest first: your own, those that wait or run, or all one may see."""
    web = web_of(request)
    service = web.services.generation
    if scope == "all":
        views = await service.stream(caller, limit=limit)
    elif scope == "active":
        views = list(reversed(await service.active_of(caller.user_key)))[:limit]
    else:
        views = await service.recent(caller.user_key, limit)
    return JobsOut(jobs=await shown_with_stars(web, views, caller))


@router.get("/feed")
async def feed(
    request: Request,
    caller: Reader,
    limit: Annotated[int, Query(ge=1, le=100)] = 30,
    before: Annotated[str, Query(max_length=64)] = "",
) -> JobsOut:
    """The shared stream: what everybody made in the open and what is your own, newest first."""
    web = web_of(request)
    views = await web.services.generation.stream(caller, limit=limit, before=before)
    after = views[-1].job.id if len(views) == limit else None
    return JobsOut(jobs=await shown_with_stars(web, views, caller), next=after)


@router.get("/jobs/{job_id}")
async def job(request: Request, job_id: str, caller: Reader) -> JobOut:
    """Show one job as it stands now."""
    web = web_of(request)
    view = web.services.generation.peek(await visible_job(web, job_id, caller))
    return (await shown_with_stars(web, [view], caller))[0]


@router.post("/jobs/{job_id}/up")
async def move_up(request: Request, job_id: str, caller: Maker) -> JobOut:
    """Draw a waiting job before one's others on the same engine."""
    web = web_of(request)
    found = await visible_job(web, job_id, caller)
    return shown(web, await web.services.generation.move_up(found.id, caller), caller)


@router.post("/jobs/{job_id}/cancel")
async def cancel(request: Request, job_id: str, caller: Maker) -> JobOut:
    """Cancel a job that waits or runs; one that has ended stays as it is."""
    web = web_of(request)
    found = await visible_job(web, job_id, caller)
    cancelled = await web.services.generation.cancel(found.id, caller)
    return shown(web, web.services.generation.peek(cancelled or await web.services.generation.get(found.id)), caller)


@router.post("/jobs/{job_id}/again", status_code=202)
async def again(request: Request, job_id: str, body: AgainIn, caller: Maker, idempotency_key: Key = "") -> SubmittedOut:
    """Run a job once more: as it was, with changes, or from one of its pictures."""
    web = web_of(request)
    old = await visible_job(web, job_id, caller)
    is_own = old.request.workflow is not None
    parsed = await with_link(request, caller, read_text(body.changes, has_workflow=is_own))
    changes = parsed.draft
    if body.image:
        changes = replace(changes, init_image=SourceImage(media_id=body.image))
    changes = await with_inputs(web, caller, changes)
    if unknown := sorted(set(body.drop) - set(Draft.__dataclass_fields__)):
        raise RequestRejected(_("There is no field “{unknown}” to drop.", unknown=unknown[0]), field="drop")
    kept = replace(draft_of(old.request), **{name: getattr(Draft(), name) for name in body.drop})
    await check_inputs(web, caller, changes.over(kept))
    private = old.origin.private if body.is_private is None else body.is_private
    origin = replace(origin_of(caller, private=private), agreed_usd=body.max_cost_usd or 0.0)
    origin = await with_request_key(request, origin, body)
    (changes,), notes = await filled(web, parsed, [changes])
    view = await web.services.generation.again(old.id, origin, changes, drop=tuple(body.drop), notes=tuple(notes))
    return SubmittedOut(jobs=[shown(web, view, caller)], notes=notes)


@router.delete("/jobs/{job_id}", status_code=204)
async def delete(request: Request, job_id: str, caller: Maker) -> Response:
    """Forget the pictures of a job at once; one that waits or runs is cancelled."""
    web = web_of(request)
    found = await visible_job(web, job_id, caller)
    web.hub.gone(await web.services.generation.delete(found.id, caller))
    return Response(status_code=204)


@router.get("/jobs/{job_id}/preview", response_class=Response)
async def preview(request: Request, job_id: str, caller: Reader) -> Response:
    """The newest preview of a running job."""
    web = web_of(request)
    view = web.services.generation.peek(await visible_job(web, job_id, caller))
    data = view.progress.preview if view.progress else None
    if data is None or view.job.status is not JobStatus.RUNNING:
        raise NotFound(_("This job has no preview now."))
    other = "image/webp" if data[8:12] == b"WEBP" else "image/jpeg"
    kind = "image/png" if data.startswith(b"\x89PNG") else other
    return Response(data, media_type=kind, headers={"Cache-Control": "private, max-age=60"})


@router.post("/parse")
async def parse(body: DraftIn, caller: Reader) -> ParsedOut:
    """Read a line of prompt syntax, and say what it says."""
    parsed = parse_prompt(body.text or "", has_workflow=bool(body.workflow), fetches_pictures=True, takes_several=True)
    links = [_("drawn from the picture at {place}", place=place_of(link)) for link in parsed.pictures[:1]]
    notes = [*links, *parsed.notes]
    return ParsedOut(draft=draft_json(parsed.draft), repeat=parsed.repeat, is_private=parsed.is_private, notes=notes)


@router.post("/estimate")
async def estimate(request: Request, body: JobIn, caller: Reader) -> EstimateOut:
    """Return where a request would run now, when it would start and what it would cost; nothing is submitted."""
    web = web_of(request)
    try:
        parsed = read_text(body, takes_several=True)
        draft = await with_inputs(web, caller, parsed.draft)
        draft = draft if draft.prompt else replace(draft, prompt="a picture")
        found = await web.services.generation.estimate(
            draft, origin_of(caller), count=parsed.repeat, others=parsed.drafts[1:]
        )
    except BackendError as error:
        return _refused(error)
    except RequestRejected as error:
        if error.code != "not_capable":
            raise
        return _refused(error)
    price, cost_usd = await price_of(web, found)
    notes = [*parsed.notes[:1], *found.notes] if parsed.others else list(found.notes)
    return EstimateOut(
        engine=found.label, lane=found.lane, wait_s=round(found.wait_s, 1), seconds=found.seconds, price=price,
        cost_usd=cost_usd, notes=notes, refused=found.short or None, asks_first=found.asks,
    )  # fmt: skip


def _refused(error: GenerationError) -> EstimateOut:
    return EstimateOut(
        engine="", lane="", wait_s=0.0, seconds=None, price="", cost_usd=None, notes=[], refused=error.user_message
    )


async def _origin(web: Web, caller: Person, body: JobIn, private: bool) -> Origin:
    """Return where the answer belongs: here, or, for a job opened from Discord, in that channel too."""
    origin = origin_of(caller, private=private)
    if not body.reply_to:
        return origin
    asked = await visible_job(web, body.reply_to, caller)
    if asked.origin.door == "discord" and caller.account:
        origin = replace(
            origin,
            door="discord",
            account="",
            guild_id=asked.origin.guild_id,
            channel_id=asked.origin.channel_id,
            places=asked.origin.places,
            roles=asked.origin.roles if caller.account == asked.user_key else (),
            is_age_restricted=asked.origin.is_age_restricted,
            private=private or asked.origin.private,
            via="studio",
        )
    return child_of(asked, origin)
