"""The server's answers in our values.

Source: recorded answers of A1111 1.10.1 and Forge. A wrong name is no error there: the server takes another sampler,
scheduler or model and says so only in `info`, so what was drawn is compared with what was asked.
"""

import re
from typing import Any

from pydantic import BaseModel, Field, ValidationError

from backends.a1111.facts import A1111Facts, Checkpoint
from backends.a1111.pictures import check_picture, decode_picture
from backends.base import DeviceMemory
from generation.errors import (
    BackendError,
    UnexpectedAnswer,
)
from generation.foreign import digits
from generation.request import GenerationRequest
from generation.result import GeneratedImage, GenerationResult
from generation.samplers import match_name
from net.answers import read_model
from net.calls import read_as
from texts.text import _
from utils.images import read_parameters
from utils.infotext import parse_infotext

CAPTION_FAILED = "<error>"  # with status 200


class _Info(BaseModel):
    all_seeds: list[int] = []
    sd_model_name: str | None = None
    sd_model_hash: str | None = None
    sd_vae_name: str | None = None
    sampler_name: str | None = None
    extra_generation_params: dict[str, Any] = {}
    index_of_first_image: int = Field(default=0, ge=0)
    infotexts: list[str] = []


class _Memory(BaseModel):
    """`GET /sdapi/v1/memory`; without a GPU, `cuda` holds an `error` alone."""

    class _Cuda(BaseModel):
        class _System(BaseModel):
            total: int = Field(gt=0)
            free: int = Field(ge=0)

        system: _System | None = None

    cuda: _Cuda


class _Answer(BaseModel):
    images: list[str] | None = None  # bare base64, or with a data: prefix; a grid may come first
    info: str = "{}"  # JSON inside JSON


def read_answer(
    label: str, body: bytes, request: GenerationRequest, payload: dict[str, Any], facts: A1111Facts
) -> GenerationResult:
    """Return the pictures of a finished job. Slow (JSON and base64 of megabytes): call it in a thread.

    Raises:
        UnexpectedAnswer: no JSON, no picture, a cut or oversized one.
    """
    answer = read_as(label, _Answer, body, may_have_run=True)
    info = _read_info(answer.info)
    first = info.index_of_first_image
    count = int(payload["batch_size"])
    files = [decode_picture(label, text) for text in (answer.images or [])[first : first + count]]
    if not files:
        raise UnexpectedAnswer(
            _("{label} answered without a picture.", label=label), detail=body[:200].decode("utf-8", "replace")
        )
    seeds = info.all_seeds or [_seed_at(n, payload) for n in range(count)]
    notes = _substitutions(request, payload, info, facts)
    images = tuple(
        GeneratedImage(data=data, seed=seeds[n] if n < len(seeds) else _seed_at(n, payload))
        for n, data in enumerate(files)
    )
    return GenerationResult(images=images, model=info.sd_model_name, notes=tuple(notes))


def _seed_at(index: int, payload: dict[str, Any]) -> int:
    """Return the seed of a picture of a batch: with a second seed that one counts up, the first stays."""
    seed = int(payload["seed"])
    return seed if payload["subseed_strength"] else seed + index


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
    label: str, body: bytes, request: GenerationRequest, payload: dict[str, Any], facts: A1111Facts
) -> GenerationResult:
    """Return the pictures of a job of the agent-scheduler; what was drawn is known from their texts only. Slow.

    Raises:
        UnexpectedAnswer: no JSON, no picture, a cut or oversized one.
    """
    answer = read_as(label, _ScheduledAnswer, body, may_have_run=True)
    count = int(payload["batch_size"])
    kept = answer.data[-count:]  # a grid would come first
    if not kept:
        raise UnexpectedAnswer(_("{label} answered without a picture.", label=label), detail=answer.message)
    files = [decode_picture(label, item.image) for item in kept]
    given = [parse_infotext(item.infotext).parameters for item in kept]
    seeds = [digits(entry.get("Seed", ""), request.seed + n) for n, entry in enumerate(given)]
    info = _Info(
        sd_model_name=given[0].get("Model"),
        sd_model_hash=given[0].get("Model hash"),
        sd_vae_name=given[0].get("VAE"),
        sampler_name=given[0].get("Sampler"),
        extra_generation_params=dict(given[0]),
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
        check_picture(label, data)
        given = parse_infotext(read_parameters(data) or "").parameters
        seed = given.get("Seed", "")
        images.append(GeneratedImage(data=data, seed=digits(seed, request.seed + n)))
        model = given.get("Model") or model
    return GenerationResult(images=tuple(images), model=model)


class _Upscaled(BaseModel):
    image: str


class _Caption(BaseModel):
    caption: str


def read_upscaled(label: str, body: bytes, request: GenerationRequest, upscaler: str) -> GenerationResult:
    """Return the enlarged picture.

    Raises:
        UnexpectedAnswer: there is none in the answer, or a broken one.
    """
    answer = read_as(label, _Upscaled, body, may_have_run=True)
    if not answer.image:
        raise UnexpectedAnswer(_("{label} answered without a picture.", label=label))
    data = decode_picture(label, answer.image)
    return GenerationResult(images=(GeneratedImage(data=data, seed=request.seed),), model=upscaler)


def read_memory(label: str, body: bytes) -> tuple[DeviceMemory, ...]:
    """Return the memory of the GPU; nothing where there is none, which the server reports as a success."""
    found = read_as(label, _Memory, body).cuda.system
    return (DeviceMemory(device="cuda", total_bytes=found.total, free_bytes=found.free),) if found else ()


def read_caption(label: str, body: bytes) -> str:
    """Return what the picture shows.

    Raises:
        BackendError: the server could not say; it reports that as a success.
    """
    caption = read_as(label, _Caption, body, may_have_run=True).caption.strip()
    if not caption or CAPTION_FAILED in caption:
        raise BackendError(
            _("{label} could not describe the picture.", label=label),
            detail=caption,
            hint=_("Its describing model may be missing: the server downloads it at the first use."),
        )
    return caption


def _substitutions(request: GenerationRequest, payload: dict[str, Any], info: _Info, facts: A1111Facts) -> list[str]:
    notes = []
    if request.model and info.sd_model_name:
        asked = facts.checkpoint(request.model) or Checkpoint(title=request.model, name=request.model)
        got = Checkpoint(title=info.sd_model_name, name=info.sd_model_name, hash=info.sd_model_hash or "")
        is_same = match_name(got.name, (asked.name,)) or match_name(got.name, (asked.title,))
        if not is_same and (not got.hash or got.hash != asked.hash):
            notes.append(
                _(
                    "model {name} was not used: {sd_model_name} drew it",
                    name=asked.name,
                    sd_model_name=info.sd_model_name,
                )
            )
    if info.sampler_name and info.sampler_name != payload["sampler_name"]:
        notes.append(
            _(
                "sampler {payload} was not used: the engine took {sampler_name}",
                payload=payload["sampler_name"],
                sampler_name=info.sampler_name,
            )
        )
    scheduler = str(info.extra_generation_params.get("Schedule type", ""))
    if request.scheduler and payload["scheduler"].casefold() not in {"automatic", scheduler.casefold()}:
        notes.append(
            _(
                "scheduler {payload} was not used: the engine took {scheduler}",
                payload=payload["scheduler"],
                scheduler=scheduler or "Automatic",
            )
        )
    if request.vae and not _vae_was_used(request.vae, info):
        notes.append(_("VAE {vae} was not used", vae=request.vae))
    return notes


def _vae_was_used(vae: str, info: _Info) -> bool:
    """A1111 names it in `sd_vae_name`, Forge as `Module 1: name` in the infotext."""
    if info.sd_vae_name:
        return info.sd_vae_name.casefold() == vae.casefold()
    stem = vae.rsplit(".", 1)[0].casefold()
    return any(re.search(rf"module \d+: {re.escape(stem)}", text.casefold()) for text in info.infotexts)
