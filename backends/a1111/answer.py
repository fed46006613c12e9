"""The server's answers in our values, and its failures in our errors.

Source: recorded answers of A1111 1.10.1 and Forge. A wrong name is no error there: the server takes another sampler,
scheduler or model and says so only in `info`, so what was drawn is compared with what was asked.
"""

import base64
import re
from typing import Any

import httpx
from pydantic import BaseModel, Field, ValidationError

from backends.a1111.facts import Checkpoint, Facts
from backends.drawing_errors import drawing_error
from generation.errors import (
    BackendError,
    BackendGone,
    BackendUnavailable,
    GenerationError,
    OutOfMemory,
    RequestRejected,
    UnexpectedAnswer,
)
from generation.foreign import digits
from generation.request import GenerationRequest
from generation.result import GeneratedImage, GenerationResult
from generation.samplers import match_name
from net.answers import read_json, read_model
from net.failures import PROXY_STATUSES, is_html, translate, unanswered
from net.reasons import with_reason
from utils.images import BadImage, inspect, read_parameters
from utils.infotext import parse_infotext

GONE_HINT = "Is the machine or pod still running? A new one has a new address."


class _Info(BaseModel):
    all_seeds: list[int] = []
    sd_model_name: str | None = None
    sd_model_hash: str | None = None
    sd_vae_name: str | None = None
    sampler_name: str | None = None
    extra_generation_params: dict[str, Any] = {}
    index_of_first_image: int = Field(default=0, ge=0)
    infotexts: list[str] = []


class _Answer(BaseModel):
    images: list[str] | None = None  # bare base64, or with a data: prefix; a grid may come first
    info: str = "{}"  # JSON inside JSON


def read_answer(
    label: str, body: bytes, request: GenerationRequest, payload: dict[str, Any], facts: Facts
) -> GenerationResult:
    """Return the pictures of a finished job. Slow (JSON and base64 of megabytes): call it in a thread.

    Raises:
        UnexpectedAnswer: no JSON, no picture, a cut or oversized one.
    """
    try:
        answer = read_model(_Answer, body)
    except ValidationError as error:
        raise translate(label, error, may_have_run=True) from error
    info = _read_info(answer.info)
    first = info.index_of_first_image
    count = int(payload["batch_size"])
    files = [decode_picture(label, text) for text in (answer.images or [])[first : first + count]]
    if not files:
        raise UnexpectedAnswer(f"{label} answered without a picture.", detail=body[:200].decode("utf-8", "replace"))
    seeds = info.all_seeds or [int(payload["seed"]) + n for n in range(count)]
    notes = _substitutions(request, payload, info, facts)
    images = tuple(
        GeneratedImage(data=data, seed=seeds[n] if n < len(seeds) else int(payload["seed"]) + n)
        for n, data in enumerate(files)
    )
    return GenerationResult(images=images, model=info.sd_model_name, notes=tuple(notes))


def _read_info(text: str) -> _Info:
    """Read the remarks; a fork that words them in its own way still has drawn the pictures."""
    try:
        return read_model(_Info, text)
    except ValidationError:
        return _Info()


class _Scheduled(BaseModel):
    image: str
    infotext: str = ""


class _ScheduledAnswer(BaseModel):
    success: bool = False
    message: str = ""
    data: list[_Scheduled] = []


def read_scheduled(
    label: str, body: bytes, request: GenerationRequest, payload: dict[str, Any], facts: Facts
) -> GenerationResult:
    """Return the pictures of a job of the agent-scheduler; what was drawn is known from their texts only. Slow.

    Raises:
        UnexpectedAnswer: no JSON, no picture, a cut or oversized one.
    """
    try:
        answer = read_model(_ScheduledAnswer, body)
    except ValidationError as error:
        raise translate(label, error, may_have_run=True) from error
    count = int(payload["batch_size"])
    kept = answer.data[-count:]  # a grid would come first
    if not kept:
        raise UnexpectedAnswer(f"{label} answered without a picture.", detail=answer.message)
    files = [decode_picture(label, item.image) for item in kept]
    said = [parse_infotext(item.infotext).parameters for item in kept]
    seeds = [digits(one.get("Seed", ""), request.seed + n) for n, one in enumerate(said)]
    info = _Info(
        sd_model_name=said[0].get("Model"),
        sd_model_hash=said[0].get("Model hash"),
        sd_vae_name=said[0].get("VAE"),
        sampler_name=said[0].get("Sampler"),
        extra_generation_params=dict(said[0]),
        infotexts=[item.infotext for item in kept],
    )
    images = tuple(GeneratedImage(data=data, seed=seed) for data, seed in zip(files, seeds, strict=True))
    notes = _substitutions(request, payload, info, facts)
    return GenerationResult(images=images, model=info.sd_model_name, notes=tuple(notes))


def read_files(label: str, files: list[bytes], request: GenerationRequest) -> GenerationResult:
    """Return pictures fetched as files after the answer was lost; seeds come from the text inside them."""
    images = []
    model = None
    for n, data in enumerate(files):
        _check(label, data)
        said = parse_infotext(read_parameters(data) or "").parameters
        seed = said.get("Seed", "")
        images.append(GeneratedImage(data=data, seed=digits(seed, request.seed + n)))
        model = said.get("Model") or model
    return GenerationResult(images=tuple(images), model=model)


def decode_base64(text: str) -> bytes:
    """Decode with or without a `data:...;base64,` prefix; stray characters are an error, not skipped."""
    if text.startswith("data:"):
        text = text.partition(",")[2]
    return base64.b64decode(text, validate=True)


def decode_picture(label: str, text: str) -> bytes:
    try:
        data = decode_base64(text)
    except ValueError as error:  # binascii.Error is one; signs that are not ASCII are another
        raise UnexpectedAnswer(f"{label} sent a picture that is cut off.", detail=str(error)) from error
    _check(label, data)
    return data


def _check(label: str, data: bytes) -> None:
    try:
        inspect(data)
    except BadImage as error:
        raise UnexpectedAnswer(f"{label} sent a picture that cannot be used.", detail=str(error)) from error


def _substitutions(request: GenerationRequest, payload: dict[str, Any], info: _Info, facts: Facts) -> list[str]:
    notes = []
    if request.model and info.sd_model_name:
        asked = facts.checkpoint(request.model) or Checkpoint(title=request.model, name=request.model)
        got = Checkpoint(title=info.sd_model_name, name=info.sd_model_name, hash=info.sd_model_hash or "")
        is_same = match_name(got.name, (asked.name,)) or match_name(got.name, (asked.title,))
        if not is_same and (not got.hash or got.hash != asked.hash):
            notes.append(f"model {asked.name} was not used: {info.sd_model_name} drew it")
    if info.sampler_name and info.sampler_name != payload["sampler_name"]:
        notes.append(f"sampler {payload['sampler_name']} was not used: the engine took {info.sampler_name}")
    scheduler = str(info.extra_generation_params.get("Schedule type", ""))
    if request.scheduler and payload["scheduler"].casefold() not in {"automatic", scheduler.casefold()}:
        notes.append(f"scheduler {payload['scheduler']} was not used: the engine took {scheduler or 'Automatic'}")
    if request.vae and not _vae_was_used(request.vae, info):
        notes.append(f"VAE {request.vae} was not used")
    return notes


def _vae_was_used(vae: str, info: _Info) -> bool:
    """A1111 names it in `sd_vae_name`, Forge as `Module 1: name` in the infotext."""
    if info.sd_vae_name:
        return info.sd_vae_name.casefold() == vae.casefold()
    stem = vae.rsplit(".", 1)[0].casefold()
    return any(re.search(rf"module \d+: {re.escape(stem)}", text.casefold()) for text in info.infotexts)


def translate_failure(label: str, response: httpx.Response, body: bytes) -> GenerationError:
    """Return our error for an answer of a generation call that is no success."""
    status = response.status_code
    if is_html(response, body) and status in PROXY_STATUSES:
        silence = unanswered(label, response, f"HTTP {status}, a web page")
        silence.may_have_run = True
        return silence
    if is_html(response, body) and status >= 500:
        return BackendUnavailable(
            f"{label} is not answering through its proxy.",
            detail=f"HTTP {status}, a web page",
            hint="It may be starting or busy. Try again in a minute.",
            may_have_run=True,
        )
    if status in {401, 403, 429} or status < 400:
        return translate(label, response, body=body)
    name, text, fields = _explanation(body)
    if status == 404 and is_html(response, body):
        message = f"{label} is gone: nothing runs behind its address."
        return BackendGone(message, reason="nothing runs there", detail="HTTP 404, a web page", hint=GONE_HINT)
    if status == 404 and text in {"", "Not Found"}:
        return BackendError(f"{label} answers, but its API is off: start it with --api.", detail=text)
    known = _known_failure(label, f"{name}: {text}")
    if known:
        return known
    if status < 500:
        what = f"the value of {', '.join(fields)}" if fields else "this request"
        return RequestRejected(
            with_reason(f"{label} does not accept {what}.", text),
            field=fields[0] if fields else "",
            detail=f"HTTP {status}: {text}",
            hint="Try other settings.",
        )
    if not text:
        return translate(label, response, body=body)
    return drawing_error(label, text, detail=f"HTTP {status}: {name}: {text}")


def translate_text(label: str, text: str) -> GenerationError:
    """Return our error for a job that failed with these words."""
    return _known_failure(label, text) or drawing_error(label, text)


def _explanation(body: bytes) -> tuple[str, str, list[str]]:
    """Return the exception's name, the first text that explains it, and the fields that a 422 complains of."""
    try:
        answer = read_json(body)
    except ValueError:
        return "", "", []
    if not isinstance(answer, dict):
        return "", "", []
    name = str(answer.get("error") or "")
    for key in ("errors", "message", "detail"):
        value = answer.get(key)
        if isinstance(value, list):
            items = [item for item in value if isinstance(item, dict)]
            fields = [str(item["loc"][-1]) for item in items if isinstance(item.get("loc"), list) and item["loc"]]
            return name, "; ".join(str(item.get("msg", "")) for item in items), fields
        if value:
            return name, str(value), []
    return name, name, []


def _known_failure(label: str, text: str) -> GenerationError | None:
    low = text.lower()
    detail = text[:500]
    if "outofmemory" in low or "out of memory" in low or "alloc_failed" in low:
        return OutOfMemory(
            f"{label} ran out of graphics memory.",
            detail=detail,
            hint="Try a smaller size or batch: 512×512 needs 4 GB, 768×768 6 GB, 1024×1024 8 GB, 1536×1536 12 GB.",
        )
    if "nansexception" in low or "with nans was produced" in low:
        return BackendError(
            f"{label} drew nothing but broken numbers with this model.",
            detail=detail,
            hint="Try another VAE or model; its owner can start it with --no-half-vae.",
        )
    if "could not find upscaler" in low:
        return RequestRejected(
            f"{label} does not have that upscaler.",
            field="upscaler",
            detail=detail,
            hint="Leave it out, or pick another.",
        )
    if "could not find checkpoint" in low or ("model '" in low and "not found" in low):
        return RequestRejected(
            f"{label} does not have that model any more.", field="model", detail=detail, hint="Pick one from /models."
        )
    if "clip state dict" in low or "vae state dict" in low:
        return BackendError(
            f"{label} is missing this model's text encoders or VAE.",
            detail=detail,
            hint="Its owner has to add them (for Flux: ae, clip_l and t5xxl), or pick another model.",
        )
    if "init image not found" in low or "invalid encoded image" in low or "cannot identify image" in low:
        return RequestRejected(
            f"{label} cannot read that picture.", field="image", detail=detail, hint="Send it as PNG or JPEG."
        )
    if "keyerror" in low:
        return BackendError(
            f"{label} does not know one of its own settings.",
            detail=detail,
            hint="It may have been updated: its owner connects it again.",
        )
    return None
