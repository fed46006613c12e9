"""Pictures: out by their unguessable ids, in as files."""

from dataclasses import replace
from typing import Annotated, Final, Literal

from fastapi import Query, Request, Response
from pydantic import BaseModel

from api.bodies import FILES, takes
from api.caller import Anybody, Maker, Reader, origin_of
from api.context import Web, web_of
from api.errors import Gone, NotFound, errors
from api.ranges import in_parts
from api.routing import Router
from api.schemas.requests import MaxCost, MediaOut, Text
from api.sight import charge, check_use, find_media
from api.views import draft_json, image_name
from generation.person import Person
from generation.policy import may_use
from generation.prompt_syntax import format_prompt
from generation.request import SourceImage
from services.pictures.pictures import SAYS_NOTHING, draft_from, parameters_in, unused_in
from texts.text import _
from utils.images import EXTENSIONS
from utils.infotext import format_infotext

router = Router(prefix="/api", tags=["media"], responses=errors(422))

Format = Literal["png", "jpeg", "webp"]
FOREVER: Final = "private, max-age=86400, immutable"  # what an id stands for never changes, only ends
PICTURE: Final = {
    "content": {kind: {} for kind in ("image/png", "image/jpeg", "image/webp", "video/mp4", "video/webm")},
    "description": _("The picture or video."),
}
PART: Final = {"content": {"video/mp4": {}, "video/webm": {}}, "description": _("The part of it that was asked for.")}
FILE_BODY: Final = {
    "requestBody": {
        "required": True,
        "content": {
            kind: {"schema": {"type": "string", "format": "binary"}}
            for kind in ("image/png", "image/jpeg", "image/webp")
        },
    }
}


class RecallOut(BaseModel):
    """Parameters of a picture, as the file says."""

    text: str | None
    command: str | None
    draft: dict[str, object]
    notes: list[str] = []  # what cannot be used again, or that the file says nothing


class DescribeIn(BaseModel):
    """The picture, and the engine that should look at it."""

    media_id: Text
    backend: Text | None = None
    max_cost_usd: MaxCost | None = None


class EnhancePromptIn(BaseModel):
    """A prompt to be written more fully, without flags."""

    prompt: str
    max_cost_usd: MaxCost | None = None


class EnhancedPromptOut(BaseModel):
    """A fuller prompt; `source` is the model that wrote it, or "rules", and `notes` says why it was those."""

    prompt: str
    others: list[str]
    advice: list[str]
    tags: list[str]
    source: str
    notes: list[str]


class DescribeOut(BaseModel):
    """A description of a picture."""

    text: str
    engine: str
    notes: list[str] = []


@router.get("/media/{media_id}", response_class=Response, responses={200: PICTURE, 206: PART, **errors(400, 404, 410)})
async def media(
    request: Request,
    media_id: str,
    caller: Anybody,
    t: Annotated[str, Query(max_length=200)] = "",
    size: Annotated[int | None, Query(ge=16, le=2048)] = None,
    format: Format | None = None,
    download: bool = False,
) -> Response:
    """A picture: as the engine made it, as a smaller JPEG copy (`size`), or as another format.

    A video comes as it was made, in parts where a player asks for them (`Range`); its `size` copy is a still.

    Whoever has the link may see it, but private ones only with the signed link that their owner was given.
    """
    web = web_of(request)
    known = await find_media(web, media_id)
    if known is None:
        if await _was_here(web, caller, media_id, t):
            raise Gone(_("This picture has expired."), hint=_("Run its job again to draw it again."))
        raise NotFound(_("Picture not found"))
    found, job = known
    is_private = job is not None and job.origin.private
    if is_private and not (caller and job and may_use(caller, job)) and not _is_signed(web, media_id, t):
        raise NotFound(_("Picture not found"))
    tag = f'"{media_id[:32]}-{size or format or "o"}"'
    headers = {"Cache-Control": FOREVER, "ETag": tag}
    if request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=headers)
    if size is not None:
        small = await web.services.media.thumbnail(media_id, size)
        if small is None:
            raise NotFound(_("Picture not found"))
        return Response(small, media_type="image/jpeg", headers=headers)
    data, kind = found.data, found.media_type
    if format:
        made = await web.services.media.converted(found, format.upper())
        data, kind = made.data, made.media_type
    if download:
        extension = EXTENSIONS.get(kind, "png")
        stored = next(
            (item for item in (job.result.images if job and job.result else ()) if item.media_id == media_id), None
        )
        name = image_name(job, stored, extension) if job and stored else f"picture.{extension}"
        headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return in_parts(request, data, kind, headers)


@router.post(
    "/uploads", status_code=201, dependencies=[takes(FILES)], openapi_extra=FILE_BODY, responses=errors(400, 401, 403)
)
async def upload(request: Request, caller: Maker) -> MediaOut:
    """Bring an input picture or a mask: the body is the file. The same picture twice is one."""
    web = web_of(request)
    data = await request.body()
    await charge(web, caller, len(data))
    source = await web.services.media.take_input(data)
    return web.hub.views.source(source)


@router.post("/recall", dependencies=[takes(FILES)], openapi_extra=FILE_BODY, responses=errors(400, 401, 403))
async def recall(request: Request, caller: Reader) -> RecallOut:
    """Read how a picture was made out of its file; the body is the file."""
    found = await parameters_in(await request.body())
    if found is None:
        return RecallOut(text=None, command=None, draft={}, notes=[SAYS_NOTHING])
    draft = draft_from(found)
    text = format_infotext(found.prompt, found.negative_prompt, found.parameters)
    notes = [_("cannot be used: {part}", part=part) for part in unused_in(found)]
    return RecallOut(text=text, command=format_prompt(draft), draft=draft_json(draft), notes=notes)


@router.post("/describe", responses=errors(400, 401, 402, 403, 429, 502))
async def describe(request: Request, body: DescribeIn, caller: Maker) -> DescribeOut:
    """Return what a picture shows, where an engine can."""
    web = web_of(request)
    await check_use(web, caller, body.media_id, "media_id")
    source = await web.services.media.load(SourceImage(media_id=body.media_id))
    seeing = web.services.wording.seeing
    origin = replace(origin_of(caller), agreed_usd=body.max_cost_usd or 0.0)
    answer = await seeing.describe(source, origin, backend=body.backend)
    return DescribeOut(text=answer.text, engine=answer.engine, notes=list(answer.notes))


@router.post("/enhance", responses=errors(400, 401, 403))
async def enhance(request: Request, body: EnhancePromptIn, caller: Reader) -> EnhancedPromptOut:
    """Write a prompt more fully: by the text engine, or by rules, which give advice instead of other prompts."""
    prompts = web_of(request).services.wording.prompts
    origin = replace(origin_of(caller), agreed_usd=body.max_cost_usd or 0.0)
    found = await prompts.enhance(body.prompt, origin, by_engine=caller.may("generate"))
    return EnhancedPromptOut(
        prompt=found.prompt,
        others=list(found.suggestions) if found.has_prompts else [],
        advice=[] if found.has_prompts else list(found.suggestions),
        tags=list(found.tags),
        source=found.source,
        notes=list(found.notes),
    )


def _is_signed(web: Web, media_id: str, token: str) -> bool:
    return bool(token) and web.access.unsign(token, f"media:{media_id}")


async def _was_here(web: Web, caller: Person | None, media_id: str, token: str) -> bool:
    """Return whether a picture that is gone was one that this caller might have seen."""
    known = await web.services.records.gallery.was_there(media_id)
    if known is None:
        return False
    owner, is_private = known
    is_own = caller is not None and caller.user_key == owner
    return not is_private or is_own or _is_signed(web, media_id, token)
