"""Jobs in every state, at a fixed time."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from cogs.jobs.context import CardContext, OtherEngine
from generation.job import Job, JobError, JobStatus, JobView, Origin, Progress
from generation.person import Person
from generation.request import Draft, GenerationRequest, Lora
from generation.result import JobResult, StoredImage
from services.drawing.styles import Style
from store.looks import SavedLook

PERSON = Person(user_key="discord:1")
NOW = datetime(2026, 1, 1, tzinfo=UTC)
REQUEST = GenerationRequest(
    prompt="a fox in a library, watercolor",
    width=768,
    height=512,
    steps=25,
    cfg_scale=7.0,
    seed=81245,
    sampler="Euler a",
    model="dreamshaper_8",
)
ORIGIN = Origin(door="discord", user_id="42", user_name="mia", guild_id="1", channel_id="2", message_id="3")
JOB = Job(
    id="3f9a12bc44de",
    request=REQUEST,
    drawn=REQUEST,
    origin=ORIGIN,
    lane="gpu1",
    candidates=("gpu1",),
    created_at=NOW,
)
CONTEXT = CardContext(engine="gpu-box")
PROGRESS = Progress(fraction=0.64, step=16, steps=25, eta_s=11.0)


def result(count: int = 1, **changes: Any) -> JobResult:
    image = StoredImage(media_id="m", seed=81245, width=768, height=512, media_type="image/png", size_bytes=1)
    images = tuple(replace(image, seed=81245 + number) for number in range(count))
    values = {"images": images, "backend": "gpu-box", "seconds": 11.2, "model": "dreamshaper_8"}
    return JobResult(**{**values, "expires_at": NOW + timedelta(hours=24), **changes})


def done(count: int = 1, **changes: Any) -> JobView:
    request = replace(REQUEST, batch_size=count)
    return JobView(
        job=replace(JOB, request=request, drawn=request, status=JobStatus.DONE, result=result(count, **changes))
    )


def failed(message: str, *, code: str = "backend_error", hint: str = "", **changes: Any) -> JobView:
    error = JobError(code=code, user_message=message, hint=hint)
    return JobView(job=replace(JOB, status=JobStatus.FAILED, error=error, **changes))


RUNNING = replace(JOB, status=JobStatus.RUNNING)


def look(text: str) -> SavedLook:
    draft = Draft(prompt=text, negative_prompt=text, loras=(Lora(name=text),), sampler=text)
    return SavedLook(code="k7f2", owner="discord:1", name=text, draft=draft)


def style(text: str) -> Style:
    return Style(id=text, name=text, value=text)


def context(text: str) -> CardContext:
    return CardContext(engine=text, remark=text, tried=(text,), others=(OtherEngine(name="o", label=text),))
