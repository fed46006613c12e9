"""The dialect of an image studio over several providers: /api/images/..., answers when the pictures are there.

Source: the published API of the studio that Easel unites. Providers are the live engines. A mask is white where the
picture is redrawn.
"""

import re
from dataclasses import replace
from typing import Annotated, Any, Final

from fastapi import Query, Request

from api.bodies import PICTURES, takes
from api.caller import Maker, Reader, origin_of
from api.context import Web, web_of
from api.dialects.failures import Failure, described, plain_form, route_class
from api.dialects.providers import provider_named, provider_out
from api.dialects.requests import (
    DialectBody,
    DrawOrder,
    engines_of,
    submit,
    take_pair,
    take_picture,
    with_look,
    with_model,
)
from api.dialects.responses import DrawnPictures, link_to, revised_prompt, stamp, wait_for
from api.dialects.studio_schemas import (
    AnalysisOut,
    AnalyzeIn,
    EditIn,
    EnginesHealthOut,
    EnhancedOut,
    EnhanceIn,
    GenerateIn,
    HistoryOut,
    ImagesOut,
    ProvidersOut,
    StudioImage,
    UpscaleIn,
    VariationsIn,
)
from api.routing import Router
from api.sight import find_media
from constants import MAX_BATCH_SIZE, MAX_SIDE_PX, MIN_SIDE_PX
from generation.errors import NotAllowed, RequestRejected
from generation.person import Person
from generation.policy import may_use
from generation.prompt_words import words_of
from generation.request import Draft, Mode
from lazy import pattern
from services.drawing.drawn import model_of
from services.engines.connections import shown_lane
from services.library.gallery import MAX_PAGE, Picture, PictureFilter
from services.pictures.fetching import MEDIA_PATH
from texts.text import _

OUTPAINT_ZOOM: Final = 1.5
MOST_OFFSET: Final = 10_000
VARIATION: Final = _("a variation of this picture")
_SIZE = pattern(r"\s*(\d{1,5})\s*[x×*]\s*(\d{1,5})\s*", re.IGNORECASE)


def _form(failure: Failure) -> dict[str, Any]:
    return {"success": False} | plain_form(failure)


router = Router(
    prefix="/api/images",
    tags=["image studio"],
    route_class=route_class(_form),
    responses=described(_form(Failure(status=400, message="Prompt is required", field="prompt"))),
)


@router.post("/generate")
async def generate(request: Request, body: GenerateIn, caller: Maker) -> ImagesOut:
    """Draw pictures from words."""
    prompt, loras = words_of(body.prompt)
    draft = Draft(
        prompt=prompt,
        loras=loras,
        negative_prompt=body.negativePrompt,
        steps=body.steps,
        cfg_scale=body.cfgScale,
        seed=body.seed,
    )
    draft = _chosen(request, caller, sized(draft, body.size), body.provider, body.model)
    look = await with_look(request, caller, draft, quality=body.quality, style=body.style)
    return await _draw(request, caller, body, look.draft, body.count, prompt, *look.notes)


@router.post("/edit", dependencies=[takes(PICTURES)])
async def edit(request: Request, body: EditIn, caller: Maker) -> ImagesOut:
    """Change a picture: a part of it (inpaint), beyond its edges (outpaint), all of it (img2img), or its style."""
    is_restyled = body.editType == "style-transfer"
    prompt, loras = ("", ()) if is_restyled and not body.prompt else words_of(body.prompt)
    draft = Draft(prompt=prompt, loras=loras, negative_prompt=body.negativePrompt, seed=body.seed)
    draft = replace(draft, denoising_strength=body.strength)
    notes: tuple[str, ...] = ()
    if body.editType == "inpaint":
        pair = await take_pair(request, caller, body.imageUrl, body.mask, ("imageUrl", "mask"))
        draft = replace(draft, mode=Mode.INPAINT, init_image=pair.image, mask_image=pair.mask)
        notes = pair.notes
    elif is_restyled:
        source = await take_picture(request, caller, body.imageUrl, "imageUrl")
        like = [await take_picture(request, caller, body.styleUrl, "styleUrl")] if body.styleUrl else []
        styles = (body.styleName,) if body.styleName else ()
        draft = replace(draft, mode=Mode.RESTYLE, init_image=source, more_images=tuple(like), styles=styles)
    else:
        source = await take_picture(request, caller, body.imageUrl, "imageUrl")
        is_outpaint = body.editType == "outpaint"
        change = {"zoom": OUTPAINT_ZOOM} if is_outpaint else {"mode": Mode.IMG2IMG}
        draft = replace(draft, init_image=source, **change)
        notes = (_("mask ignored: it is for inpaint"),) if body.mask else ()
    draft = _chosen(request, caller, draft, body.provider, body.model)
    return await _draw(request, caller, body, draft, body.count, prompt, *notes)


@router.post("/variations", dependencies=[takes(PICTURES)])
async def variations(request: Request, body: VariationsIn, caller: Maker) -> ImagesOut:
    """Draw other pictures like one: by its own prompt if it was drawn here, else by the one given."""
    source = await take_picture(request, caller, body.imageUrl, "imageUrl")
    given = body.prompt or await _own_prompt(request, body.imageUrl or "", caller)
    notes = (
        () if given else (_("no prompt was given and none is known of the picture: it was drawn over without words"),)
    )
    prompt, loras = words_of(given or VARIATION)
    draft = Draft(
        prompt=prompt,
        loras=loras,
        mode=Mode.IMG2IMG,
        init_image=source,
        denoising_strength=body.strength,
        seed=body.seed,
    )
    draft = _chosen(request, caller, draft, body.provider, body.model)
    return await _draw(request, caller, body, draft, body.count, prompt, *notes)


@router.post("/upscale", dependencies=[takes(PICTURES)])
async def upscale(request: Request, body: UpscaleIn, caller: Maker) -> ImagesOut:
    """Make a picture larger, 2 or 4 times for example."""
    source = await take_picture(request, caller, body.imageUrl, "imageUrl")
    draft = Draft(mode=Mode.UPSCALE, init_image=source, upscale_factor=body.scale)
    draft = _chosen(request, caller, draft, body.provider, None)
    return await _draw(request, caller, body, draft, 1, "")


@router.post("/enhance-prompt")
async def enhance_prompt(request: Request, body: EnhanceIn, caller: Reader) -> EnhancedOut:
    """Make a prompt fuller; `source` says by what, `notes` why it was not the text engine."""
    prompts = web_of(request).services.wording.prompts
    origin = replace(origin_of(caller), agreed_usd=body.max_cost_usd or 0.0)
    found = await prompts.enhance(body.prompt or "", origin, by_engine=caller.may("generate"))
    return EnhancedOut(
        enhancedPrompt=found.prompt,
        suggestions=list(found.suggestions),
        tags=list(found.tags),
        source=found.source,
        notes=list(found.notes),
    )


@router.post("/analyze", dependencies=[takes(PICTURES)])
async def analyze(request: Request, body: AnalyzeIn, caller: Maker) -> AnalysisOut:
    """Return what a picture shows, where an engine can."""
    web = web_of(request)
    source = await take_picture(request, caller, body.imageUrl, "imageUrl")
    engine = provider_named(web, caller, body.provider)
    seeing = web.services.wording.seeing
    origin = replace(origin_of(caller), agreed_usd=body.max_cost_usd or 0.0)
    found = await seeing.describe(source, origin, backend=engine.name if engine else None)
    tags = list(found.tags) or [part.strip() for part in found.text.split(",") if part.strip()]
    return AnalysisOut(analysis=found.text, tags=tags, provider=found.engine, notes=list(found.notes))


@router.get("/history")
async def history(
    request: Request,
    caller: Reader,
    userId: Annotated[str, Query(max_length=100)] = "",
    limit: Annotated[int, Query(ge=1, le=MAX_PAGE)] = 50,
    offset: Annotated[int, Query(ge=0, le=MOST_OFFSET)] = 0,
) -> HistoryOut:
    """List your own pictures, newest first; an admin may name somebody else."""
    web = web_of(request)
    is_own = userId in ("", caller.user_key, caller.user_id)
    if not is_own and not caller.is_admin:
        raise NotAllowed(_("Only your own history may be seen. Leave userId out."))
    wanted = PictureFilter(user_key=caller.user_key if is_own else userId)
    gallery = web.services.records.gallery
    found: list[Picture] = []
    cursor = ""
    while len(found) < offset + limit:
        page = await gallery.history(caller, wanted, limit=min(MAX_PAGE, offset + limit - len(found)), cursor=cursor)
        found += page.pictures
        if page.next_cursor is None:
            break
        cursor = page.next_cursor
    images = [_past(request, picture) for picture in found[offset:]]
    total = (await gallery.count(caller, wanted)).number
    return HistoryOut(images=images, count=len(images), total=total, limit=limit, offset=offset)


@router.get("/providers")
async def providers(request: Request, caller: Reader) -> ProvidersOut:
    """List the live engines with what each can do."""
    web = web_of(request)
    listed = [provider_out(engine) for engine in engines_of(web, caller)]
    preferred = web.services.catalog.preferred(caller)
    best = next((item.name for item in listed if item.available), None)
    if preferred and any(item.available for item in listed if item.name == preferred.name):
        best = preferred.name
    return ProvidersOut(providers=listed, default=best)


@router.get("/health")
async def health(request: Request, caller: Reader) -> EnginesHealthOut:
    """Return how every engine is."""
    listed = [provider_out(engine) for engine in engines_of(web_of(request), caller)]
    up = sum(item.available for item in listed)
    some = "degraded" if up else "unhealthy"
    status = "healthy" if up and up == len(listed) else some
    known = {item.name: {"available": item.available, "error": item.error, "kind": item.kind} for item in listed}
    return EnginesHealthOut.model_validate({"success": bool(up), "status": status, "providers": known})


def sized(draft: Draft, size: str | None) -> Draft:
    """Put a size like 1024x1024 into a draft; "auto" is the engine's own.

    Raises:
        RequestRejected: it cannot be read, or no picture can be of that size.
    """
    if not size or size.strip().casefold() == "auto":
        return draft
    found = _SIZE.fullmatch(size)
    width, height = (int(found[1]), int(found[2])) if found else (0, 0)
    if min(width, height) < MIN_SIDE_PX or max(width, height) > MAX_SIDE_PX:
        allowed = _(
            "width x height, {least} to {most} pixels each, like 1024x1024",
            least=MIN_SIDE_PX,
            most=MAX_SIDE_PX,
        )
        raise RequestRejected(
            _("size cannot be “{size}”. Allowed: {allowed}.", size=size[:20], allowed=allowed), field="size"
        )
    return replace(draft, width=width, height=height)


def check_count(count: int, field: str) -> None:
    """Refuse more pictures than one request may have."""
    if count > MAX_BATCH_SIZE:
        raise RequestRejected(
            _(
                "{field} cannot be {count}. Allowed: 1 to {most}.",
                field=field,
                count=count,
                most=MAX_BATCH_SIZE,
            ),
            field=field,
        )


def _chosen(request: Request, caller: Person, draft: Draft, provider: str | None, model: str | None) -> Draft:
    web = web_of(request)
    engine = provider_named(web, caller, provider)
    draft = replace(draft, backend=engine.name) if engine else draft
    return with_model(web, caller, draft, model)


async def _draw(
    request: Request, caller: Person, body: DialectBody, draft: Draft, count: int, prompt: str, *notes: str
) -> ImagesOut:
    check_count(count, "count")
    views = await submit(request, caller, DrawOrder(draft=draft, body=body, count=count, notes=notes))
    drawn = await wait_for(request, views)
    images = _images(request, drawn, prompt)
    return ImagesOut(images=images, count=len(images), notes=list(drawn.notes))


def _images(request: Request, drawn: DrawnPictures, prompt: str) -> list[StudioImage]:
    return [
        StudioImage(
            id=image.media_id,
            url=link_to(request, image.media_id, is_private=job.origin.private),
            prompt=prompt,
            revisedPrompt=revised_prompt(job, prompt),
            provider=job.lane,
            model=model_of(job),
            size=f"{image.width}x{image.height}",
            createdAt=stamp(job.finished_at),
            seed=image.seed,
        )
        for job, image in drawn.pictures
    ]


def _past(request: Request, picture: Picture) -> dict[str, Any]:
    is_there = picture.is_there(web_of(request).services.clock.now())
    return {
        "id": picture.media_id,
        "url": link_to(request, picture.media_id, is_private=picture.is_private) if is_there else None,
        "userId": picture.user_key,
        "prompt": picture.prompt,
        "negativePrompt": picture.negative_prompt,
        "provider": shown_lane(picture.lane, ""),
        "model": picture.model or picture.engine,
        "size": f"{picture.width}x{picture.height}",
        "steps": picture.steps,
        "cfgScale": picture.cfg_scale,
        "seed": picture.seed,
        "cost": picture.cost_usd,
        "generationTime": round(picture.seconds * 1000),
        "isFavorite": picture.is_favorite,
        "createdAt": stamp(picture.created_at),
    }


async def _own_prompt(request: Request, given: str, caller: Person) -> str:
    """Return the prompt of a picture that was drawn here, where the caller may know it."""
    web: Web = web_of(request)
    media_id = given.strip().rpartition(MEDIA_PATH)[2].partition("?")[0]
    known = await find_media(web, media_id) if len(media_id) <= 64 else None
    job = known[1] if known else None
    if job is None or not may_use(caller, job):
        return ""
    return job.request.prompt
