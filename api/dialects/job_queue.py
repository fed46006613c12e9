"""The dialect of an asynchronous job queue: POST /generate/..., then GET /jobs/{id} until it is completed.

Source: the published API of the job-queue system that Easel unites; its names, words and texts are kept exactly.
"""

import asyncio
import secrets
from dataclasses import replace
from typing import Annotated, Any, Final, Literal

from fastapi import Query, Request
from pydantic import Field

from api.bodies import PICTURES, takes
from api.caller import Maker, Reader
from api.context import Web, web_of
from api.dialects.failures import REFUSALS, AlreadyEnded, plain_form, route_class
from api.dialects.requests import (
    DialectBody,
    DrawOrder,
    Picture,
    Words,
    engines_and_fillers_for,
    engines_of,
    renamed,
    submit,
    take_pair,
    take_picture,
    with_model,
)
from api.dialects.responses import base64_of, stamp
from api.errors import Gone
from api.routing import Router
from api.schemas.requests import MOST_TEXT_CHARS, Name, Number, Seed, Whole
from api.sight import visible_job
from api.views import parameters
from generation.job import Job, JobStatus, JobView
from generation.person import Person
from generation.prompt_words import words_of
from generation.request import Draft, Mode, Priority
from lazy import pattern
from services.drawing.drawn import model_of, notes_of
from services.drawing.style_transfer import NOTE, PROMPT, StyleTransfer, with_style_of
from texts.text import _
from utils.text import plain_words

router = Router(
    tags=["job queue"],
    route_class=route_class(plain_form),
    responses=REFUSALS,
)

WORDS: Final = {
    JobStatus.QUEUED: "queued",
    JobStatus.RUNNING: "processing",
    JobStatus.DONE: "completed",
    JobStatus.FAILED: "failed",
    JobStatus.EXPIRED: "failed",
    JobStatus.CANCELLED: "cancelled",
}
TYPES: Final = {
    Mode.TXT2IMG: "text2img",
    Mode.IMG2IMG: "img2img",
    Mode.INPAINT: "inpaint",
    Mode.UPSCALE: "upscale",
    Mode.RESTYLE: "style-transfer",
}
STYLE_FIELDS: Final = {
    "content": "contentImage",
    "style": "styleImage",
    "style_strength": "styleStrength",
    "content_strength": "contentStrength",
}
SHOWN_IMAGE_CHARS: Final = 48
_PRIORITIES: Final = {"high": Priority.HIGH, "low": Priority.LOW}
LOOKED_AT: Final = 500  # newest jobs of a caller among which `status` chooses

_IMAGE_FIELDS: Final = frozenset({"initImage", "image", "mask", "contentImage", "styleImage"})
_BASE64 = pattern(r"(?:data:|[A-Za-z0-9+/_-]{80})")

Status = Literal["queued", "processing", "completed", "failed", "cancelled"]
Part = Annotated[float, Field(ge=0, le=1)]


class _Common(DialectBody):
    prompt: Words | None = None
    negativePrompt: Words | None = None
    width: Whole | None = None
    height: Whole | None = None
    steps: Whole | None = None
    guidanceScale: Number | None = None
    seed: Seed | None = None
    sampler: Annotated[Name, Field(description="euler_a, dpm++_2m, ddim, plms ...")] | None = None
    model: Name | None = None
    priority: (
        Annotated[Name, Field(description="high goes before what waits, for who may, low behind it; else in turn")]
        | None
    ) = None

    def draft(self, prompt: str | None) -> Draft:
        text, loras = words_of(prompt)
        return Draft(
            prompt=text,
            loras=loras,
            negative_prompt=self.negativePrompt,
            width=self.width,
            height=self.height,
            steps=self.steps,
            cfg_scale=self.guidanceScale,
            seed=self.seed,
            sampler=self.sampler,
            priority=_PRIORITIES.get((self.priority or "").casefold()),
        )


class Text2ImgIn(_Common):
    """A picture from words."""


class Img2ImgIn(_Common):
    """A picture from another one; `strength` 0 changes nothing, 1 everything."""

    initImage: Picture | None = None
    strength: Part | None = None


class InpaintIn(_Common):
    """A part of a picture redrawn; the mask is white there and black where the picture stays."""

    image: Picture | None = None
    mask: Picture | None = None
    inpaintingStrength: Part | None = None


class StyleTransferIn(_Common):
    """The style of one picture on the content of another."""

    contentImage: Picture | None = None
    styleImage: Picture | None = None
    styleStrength: Part = 0.7
    contentStrength: Part = 0.3


@router.post("/generate/text2img", status_code=202)
async def text2img(request: Request, body: Text2ImgIn, caller: Maker) -> dict[str, Any]:
    """Draw a picture from words."""
    return await _accept(request, caller, body, body.draft(body.prompt))


@router.post("/generate/img2img", status_code=202, dependencies=[takes(PICTURES)])
async def img2img(request: Request, body: Img2ImgIn, caller: Maker) -> dict[str, Any]:
    """Draw a picture from another one."""
    draft = body.draft(body.prompt)
    source = await take_picture(request, caller, body.initImage, "initImage")
    draft = replace(draft, mode=Mode.IMG2IMG, init_image=source, denoising_strength=body.strength)
    return await _accept(request, caller, body, draft)


@router.post("/generate/inpaint", status_code=202, dependencies=[takes(PICTURES)])
async def inpaint(request: Request, body: InpaintIn, caller: Maker) -> dict[str, Any]:
    """Redraw a part of a picture. Without a mask it is what is transparent in the picture."""
    draft = body.draft(body.prompt)
    pair = await take_pair(request, caller, body.image, body.mask, ("image", "mask"))
    draft = replace(
        draft,
        mode=Mode.INPAINT,
        init_image=pair.image,
        mask_image=pair.mask,
        denoising_strength=body.inpaintingStrength,
    )
    return await _accept(request, caller, body, draft, *pair.notes)


@router.post("/generate/style-transfer", status_code=202, dependencies=[takes(PICTURES)])
async def style_transfer(request: Request, body: StyleTransferIn, caller: Maker) -> dict[str, Any]:
    """Draw the content of one picture in the style of another; a note says how that was done."""
    draft = body.draft(body.prompt or PROMPT)
    web = web_of(request)
    asked = StyleTransfer(
        content=await take_picture(request, caller, body.contentImage, "contentImage"),
        style=await take_picture(request, caller, body.styleImage, "styleImage"),
        style_strength=body.styleStrength,
        content_strength=body.contentStrength,
    )
    with renamed(STYLE_FIELDS):
        styled = await with_style_of(draft, asked, engines_and_fillers_for(web, caller, draft), web.services.media)
    return await _accept(request, caller, body, styled.draft, styled.note)


@router.get("/jobs")
async def jobs(
    request: Request,
    caller: Reader,
    status: Status | None = None,
    limit: Annotated[int, Query(ge=1, le=LOOKED_AT)] = 100,
) -> dict[str, Any]:
    """List your own jobs, newest first."""
    views = await web_of(request).services.generation.recent(caller.user_key, LOOKED_AT)
    chosen = [view for view in views if status in (None, WORDS[view.job.status])][:limit]
    return {"jobs": [_head(view) for view in chosen]}


@router.get("/jobs/{job_id}")
async def job(request: Request, job_id: str, caller: Reader) -> dict[str, Any]:
    """Show a job; once it is completed, with its pictures as data: URLs."""
    web = web_of(request)
    found = await visible_job(web, job_id, caller)
    view = web.services.generation.peek(found)
    shown = _head(view) | {
        "request": _echo_of(found),
        "startedAt": stamp(found.started_at),
        "completedAt": stamp(found.finished_at),
        "notes": notes_of(found),
    }
    if found.status is JobStatus.DONE:
        shown["result"] = await _result(web, found)
    elif found.error:
        shown["error"] = plain_words(f"{found.error.user_message} {found.error.hint}".strip())
    return shown


@router.post("/jobs/{job_id}/cancel")
async def cancel(request: Request, job_id: str, caller: Maker) -> dict[str, Any]:
    """Cancel a job that waits or runs."""
    web = web_of(request)
    found = await visible_job(web, job_id, caller)
    if await web.services.generation.cancel(found.id, caller) is None:
        now = await web.services.generation.get(found.id)
        raise AlreadyEnded(_("Job is already {words}", words=WORDS[now.status]))
    return {"success": True}


@router.get("/queue/status")
async def queue_status(request: Request, caller: Reader) -> dict[str, Any]:
    """Count the jobs of everybody; the mean time is in milliseconds."""
    metrics = await web_of(request).services.records.statistics.metrics()
    counts = {word: 0 for word in WORDS.values()}
    for status, number in metrics.jobs.items():
        counts[WORDS[status]] += number
    seconds = sum(engine.figures.seconds for engine in metrics.engines)
    drawn = sum(engine.figures.drawn for engine in metrics.engines)
    return {
        "queuedJobs": counts["queued"],
        "processingJobs": counts["processing"],
        "completedJobs": counts["completed"],
        "failedJobs": counts["failed"],
        "cancelledJobs": counts["cancelled"],
        "averageProcessingTime": round(seconds / drawn * 1000) if drawn else 0,
    }


@router.get("/models")
async def models(request: Request, caller: Reader) -> dict[str, Any]:
    """List the models of all engines; an engine that has only one is listed by its own name."""
    listed = []
    for engine in engines_of(web_of(request), caller):
        offered = engine.capabilities
        known = [(item.name, item.title, item.is_loaded) for item in (offered.models or () if offered else ())]
        for name, title, is_loaded in known or [(engine.name, engine.label, engine.error is None)]:
            listed.append(
                {
                    "id": name,
                    "name": title,
                    "description": (offered.remark if offered else "") or _("on {label}", label=engine.label),
                    "type": ", ".join(TYPES[mode] for mode in TYPES if offered and mode in offered.modes),
                    "loaded": is_loaded and engine.error is None,
                    "version": engine.kind,
                    "engine": engine.name,
                }
            )
    return {"models": listed}


async def _accept(request: Request, caller: Person, body: _Common, draft: Draft, *notes: str) -> dict[str, Any]:
    web = web_of(request)
    draft = with_model(web, caller, draft, body.model)
    job_id = f"job_{int(web.services.clock.now().timestamp() * 1000)}_{secrets.token_hex(6)}"
    view = (await submit(request, caller, DrawOrder(draft=draft, body=body, notes=notes, job_id=job_id)))[0]
    sent = body.model_dump(mode="json", exclude_unset=True)
    return _head(view) | {"request": {name: _trimmed(name, value) for name, value in sent.items()}}


def _trimmed(name: str, value: Any) -> Any:
    """Return what was said with pictures cut short, and whatever else is longer than words may be."""
    if isinstance(value, dict):
        return {part: _trimmed(part, inner) for part, inner in value.items()}
    if isinstance(value, list):
        return [_trimmed(name, inner) for inner in value]
    if not isinstance(value, str) or len(value) <= SHOWN_IMAGE_CHARS:
        return value
    if name in _IMAGE_FIELDS or len(value) > MOST_TEXT_CHARS or _BASE64.match(value):
        return _("{value}... ({count} characters)", value=value[:SHOWN_IMAGE_CHARS], count=len(value))
    return value


def _head(view: JobView) -> dict[str, Any]:
    job = view.job
    is_styled = any(note.startswith(NOTE) for note in job.notes)
    fraction = view.progress.fraction if view.progress and job.status is JobStatus.RUNNING else 0.0
    return {
        "id": job.id,
        "type": "style-transfer" if is_styled else TYPES[job.request.mode],
        "status": WORDS[job.status],
        "createdAt": stamp(job.created_at),
        "progress": 100 if job.status is JobStatus.DONE else round(fraction * 100),
    }


def _echo_of(job: Job) -> dict[str, Any]:
    request = parameters(job.request) | {"negativePrompt": job.request.negative_prompt, "seed": job.request.seed}
    if job.request.denoising_strength is not None:
        request["strength"] = job.request.denoising_strength
    return request


async def _result(web: Web, job: Job) -> dict[str, Any]:
    assert job.result, "a job that is done has a result"
    try:
        packed = await asyncio.gather(*(base64_of(web, image) for image in job.result.images))
    except Gone:
        packed = []
    bare = web.settings.compat_base64
    return {
        "images": [text if bare else f"data:{media_type};base64,{text}" for text, media_type in packed],
        "seed": job.result.images[0].seed if job.result.images else job.drawn.seed,
        "parameters": parameters(job.settled) | {"model": model_of(job)},
        "timeTaken": round(job.result.seconds * 1000),
    }
