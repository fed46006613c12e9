"""Messages of the bus, in and out: the field names of the local model service whose subjects these are."""

import json
from typing import Annotated, Any, Final, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from constants import MAX_PROMPT_CHARS
from generation.errors import RequestRejected
from generation.job import Job, JobStatus, JobView
from generation.result import StoredImage
from services.drawing.drawn import model_of, notes_of
from services.drawing.local_model import USUAL_MODEL
from services.refusals import wrong_value
from texts.text import _, render
from utils.text import plain_words
from utils.threads import LARGE_BYTES, read_apart, run_in_thread

MOST_UNKNOWN: Final = 10
HEAD_BYTES: Final = 512  # of a message's headers, which count with it
MOST_CHARS, MOST_ITEMS = 500, 50  # of a text, and of a list, in a message that has to be shortened
PICTURE: Final = "image_bytes_b64"

Words = Annotated[str, Field(max_length=4 * MAX_PROMPT_CHARS)]
Whole = Annotated[int, Field(ge=-(2**53), le=2**53)]
Number = Annotated[float, Field(allow_inf_nan=False)]
Seed = Annotated[int, Field(ge=-(2**64), le=2**65)]
Name = Annotated[str, Field(max_length=300)]
Token = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]  # a part of a subject


class DrawMessage(BaseModel):
    """A picture from words; what is not known is passed over, and a note says so."""

    model_config = ConfigDict(extra="allow")

    prompt: Words | None = None
    width: Whole = 1024
    height: Whole = 1024
    num_inference_steps: Whole = 4
    model: Name = USUAL_MODEL
    negative_prompt: Words | None = None
    guidance_scale: Number | None = None
    seed: Seed | None = None
    private: bool = False
    max_cost_usd: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = None
    request_id: Token | None = None

    def notes(self) -> tuple[str, ...]:
        """Return which fields are not known here."""
        unknown = [*(self.model_extra or ())]
        notes = [_("{name} ignored: there is no such field here", name=name[:40]) for name in unknown[:MOST_UNKNOWN]]
        more = len(unknown) - MOST_UNKNOWN
        return (*notes, _("{more} more fields ignored", more=more)) if more > 0 else tuple(notes)


class CancelMessage(BaseModel):
    """A job that is wanted no more, by the id Easel gave it or the one its request came with."""

    job_id: Annotated[str, Field(max_length=100)] = ""
    request_id: Token | None = None


class WrongMessage(Exception):
    """A message whose values cannot be; `body` says which."""

    def __init__(self, body: dict[str, Any]) -> None:
        super().__init__(body["error"])
        self.body = body


AnyMessage = TypeVar("AnyMessage", DrawMessage, CancelMessage)


async def read_message(kind: type[AnyMessage], data: bytes) -> AnyMessage:
    """Read a message.

    Raises:
        WrongMessage: a value is of the wrong kind.
        RequestRejected: it is no JSON object.
    """
    try:
        values = await read_apart(json.loads, data)
    except (ValueError, RecursionError):
        values = None
    if not isinstance(values, dict):
        raise RequestRejected(
            _("The message is not a JSON object."), hint=_('Send an object, like {{"prompt": "a red fox"}}.')
        )
    try:
        return kind.model_validate(values)
    except ValidationError as error:
        found = error.errors()[0]
        raise WrongMessage(wrong_value(dict(found), ".".join(map(str, found["loc"])))) from error


async def written(values: dict[str, Any], most_bytes: int) -> bytes:
    """Write a message; a long one in a thread, one that the server would not take shortened."""
    picture = values.get(PICTURE) or ""
    if len(picture) > LARGE_BYTES:
        return await run_in_thread(_fitted, values, most_bytes)
    return _fitted(values, most_bytes)


def _fitted(values: dict[str, Any], most_bytes: int) -> bytes:
    data = _dumped(values)
    if len(data) + HEAD_BYTES <= most_bytes:
        return data
    note = _("shortened: this server takes at most {most} bytes in a message", most=most_bytes)
    short = {name: value if name == PICTURE else _shortened(value) for name, value in values.items()}
    data = _dumped(short | {"notes": [*short.get("notes", ()), note]})
    if len(data) + HEAD_BYTES <= most_bytes:
        return data
    words = _("The answer is longer than the {most} bytes that this server takes in a message.", most=most_bytes)
    body = {"error": words, "hint": "", "field": None, "code": "too_long", "retry_after": None}
    return _dumped(body | {name: values[name] for name in ("job_id", "status") if name in values})


def _shortened(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _shortened(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_shortened(each) for each in value[:MOST_ITEMS]]
    return value[:MOST_CHARS] if isinstance(value, str) else value


def _dumped(values: dict[str, Any]) -> bytes:
    return json.dumps(values, default=render, ensure_ascii=False).encode("utf-8", "replace")


def failure(job: Job) -> dict[str, Any]:
    """Return why there is no picture."""
    error = job.error
    words = _("It was cancelled.") if job.status is JobStatus.CANCELLED else _("The engine failed. Please try again.")
    return {
        "error": plain_words(error.user_message if error else words),
        "hint": plain_words(error.hint if error else ""),
        "field": None,
        "code": error.code if error else str(job.status),
        "retry_after": None,
        "job_id": job.id,
        "status": str(job.status),
    }


def figures(job: Job, image: StoredImage) -> dict[str, Any]:
    """Return what the dialect says of a picture, without its bytes."""
    return {
        "seed": image.seed,
        "model": model_of(job),
        "width": image.width,
        "height": image.height,
        "num_inference_steps": job.drawn.steps,
        "prompt": job.request.prompt,
        "generation_time": round(job.result.seconds, 3) if job.result else 0.0,
        "job_id": job.id,
        "notes": [render(note) for note in notes_of(job)],
    }


def ended(job: Job, engine: str) -> dict[str, Any]:
    """Return what everybody on the bus hears of a job's end; of a private one neither words nor pictures."""
    values: dict[str, Any] = {
        "job_id": job.id,
        "status": str(job.status),
        "door": job.origin.door,
        "mode": str(job.request.mode),
        "engine": engine,
        "model": model_of(job),
        "width": job.settled.width,
        "height": job.settled.height,
        "num_inference_steps": job.drawn.steps,
        "seed": job.drawn.seed,
        "created_at": job.created_at.isoformat(),
        "finished_at": job.finished_at.isoformat() if job.finished_at else None,
        "private": job.origin.private,
        "error": failure(job)["error"] if job.status is not JobStatus.DONE else None,
        "code": failure(job)["code"] if job.status is not JobStatus.DONE else None,
    }
    if job.result:
        values |= {"generation_time": round(job.result.seconds, 3), "cost_usd": job.result.cost_usd}
    return values if job.origin.private else values | {"prompt": job.request.prompt}


def progress(view: JobView, request_id: str) -> dict[str, Any]:
    """Return how far a job is."""
    now = view.progress
    return {
        "job_id": view.job.id,
        "request_id": request_id or None,
        "status": str(view.job.status),
        "position": view.position,
        "eta_s": view.eta_s,
        "fraction": now.fraction if now else None,
        "step": now.step if now else None,
        "steps": now.steps if now else None,
        "note": render(now.note) if now else "",
    }
