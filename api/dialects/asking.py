"""What the dialects share on the way in: words, pictures, names of models, and jobs that are asked for together."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import partial
from typing import Annotated, Any, Final

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field

from api.caller import origin_of
from api.context import Web, web_of
from api.dialects.failures import ModelMissing
from api.schemas.requests import MOST_TEXT_CHARS
from api.sight import charge, check_use
from generation.chat_words import seen
from generation.errors import RequestRejected
from generation.job import JobView
from generation.lora_tags import take_lora_tags
from generation.request import Draft, Lora, SourceImage, seed_after
from generation.samplers import match_name
from services.engines.catalog import Engine
from services.people.access import Caller
from services.pictures.fetching import MEDIA_PATH
from services.pictures.masks import MaskedSource, take_masked
from utils.threads import LARGE_BYTES, run_in_thread

KEY_HEADER: Final = "Idempotency-Key"
MOST_KEY_CHARS: Final = 200
NEAREST: Final = 3
MOST_UNKNOWN: Final = 10  # fields told of by name: notes are kept with the job
# What `webhook_events_filter` says in Replicate's words.
EVENTS: Final = {"start": ("queued",), "completed": ("finished", "failed")}

Words = Annotated[str, Field(max_length=MOST_TEXT_CHARS)]
Picture = Annotated[str, Field(description="A data: URL, base64, an http(s) link, or the id of a picture here.")]


class Said(BaseModel):
    """A body of a published dialect: what it does not know is passed over, and that is said in a note."""

    model_config = ConfigDict(extra="allow", populate_by_name=True)

    webhook: Annotated[str, Field(max_length=2000, description="Told what becomes of the job.")] | None = None
    webhook_events_filter: Annotated[list[str], Field(max_length=8)] = []

    def notes(self) -> list[str]:
        """Say which fields are not known here."""
        unknown = [*(self.model_extra or ())]
        told = [f"{name[:40]} ignored: there is no such field here" for name in unknown[:MOST_UNKNOWN]]
        more = len(unknown) - MOST_UNKNOWN
        return [*told, f"{more} more fields ignored"] if more > 0 else told


@dataclass(frozen=True, kw_only=True)
class Ask:
    """Pictures to be drawn: what was said, how many, remarks so far, and the body behind an Idempotency-Key."""

    draft: Draft
    body: Said
    count: int = 1
    notes: Sequence[str] = ()
    job_id: str = ""
    digest: str = ""  # of files that came besides the body


def words_of(prompt: str | None) -> tuple[str, tuple[Lora, ...]]:
    """Clean a prompt and take the LoRAs out of it.

    Raises:
        RequestRejected: there is none.
    """
    loras: list[Lora] = []
    text = take_lora_tags(seen(prompt or ""), loras)
    if not text:
        raise RequestRejected("Prompt is required", field="prompt")
    return text, tuple(loras)


async def take_picture(request: Request, caller: Caller, said: str | None, field: str) -> SourceImage:
    """Take a picture in whatever form it was given, also by the absolute address this server gave it.

    Raises:
        RequestRejected: there is none, or it cannot be used.
    """
    if not said:
        raise RequestRejected(f"{field} is required", field=field)
    web = web_of(request)
    said = said.strip()
    for base in (web.base_url(request), web.options.image_cdn_url):
        if base and said.startswith(f"{base}{MEDIA_PATH}"):
            said = said.removeprefix(base)
    if media_id := web.fetcher.media_id(said):
        await check_use(web, caller, media_id, field)
    return await web.fetcher.take(said, field=field, charge=partial(charge, web, caller))


async def take_pair(
    request: Request, caller: Caller, image: str | None, mask: str | None, fields: tuple[str, str]
) -> MaskedSource:
    """Take a picture and its mask, white where it is redrawn, made the picture's size."""
    web = web_of(request)
    source = await take_picture(request, caller, image, fields[0])
    stencil = await take_picture(request, caller, mask, fields[1]) if mask else None
    try:
        return await take_masked(web.services.media, source.data, stencil.data if stencil else None)
    except RequestRejected as error:
        raise RequestRejected(error.user_message, field=fields[1], hint=error.hint) from error


def engines_of(web: Web, caller: Caller) -> list[Engine]:
    return web.services.catalog.engines(caller.user_id, None)


def with_model(web: Web, caller: Caller, draft: Draft, wanted: str | None) -> Draft:
    """Ask for a model by name; an engine's own name stands for what that draws with.

    Raises:
        ModelMissing: no engine has it.
    """
    if not wanted:
        return draft
    engines = engines_of(web, caller)
    models = model_names(engines)
    found = match_name(wanted, models)
    if found or not all(engine.capabilities and engine.capabilities.models is not None for engine in engines):
        return replace(draft, model=models[found] if found else wanted)
    if named := match_name(wanted, [engine.name for engine in engines]):
        return replace(draft, backend=named)
    names = [*models, *(engine.name for engine in engines)]
    near = get_close_matches(wanted.casefold(), names, n=NEAREST, cutoff=0.3) or names[:NEAREST]
    raise ModelMissing(f"Model {wanted[:100]} not loaded", field="model", hint=f"There is: {', '.join(near)}.")


def model_names(engines: Sequence[Engine]) -> dict[str, str]:
    """Every name and title of a model, with the name its engine knows it by."""
    known = [model for engine in engines if engine.capabilities for model in engine.capabilities.models or ()]
    return {model.title: model.name for model in known} | {model.name: model.name for model in known}


async def submit(request: Request, caller: Caller, ask: Ask) -> list[JobView]:
    """Commit the jobs of one request; more than an engine draws at once become several.

    Raises:
        GenerationError: as `GenerationService.submit`; the address of the webhook may not be used.
    """
    web = web_of(request)
    key = await _key(request, ask)
    hook = web.own.webhooks.wanted(ask.body.webhook, _events(ask.body.webhook_events_filter))
    sizes = _sizes(web, caller, ask)
    async with web.services.generation.together(len(sizes)) as submission:
        for number, size in enumerate(sizes):
            draft = replace(ask.draft, batch_size=size) if ask.count > 1 else ask.draft
            if draft.seed is not None and number:
                draft = replace(draft, seed=seed_after(draft.seed, sum(sizes[:number])))
            keys = {**key, "request_key": f"{key['request_key']}#{number}"} if key else {}
            origin = origin_of(caller, webhook=hook, **keys)
            job_id = "" if number else ask.job_id
            await submission.add(draft, origin, notes=(*ask.body.notes(), *ask.notes), job_id=job_id)
        return await submission.commit()


def _sizes(web: Web, caller: Caller, ask: Ask) -> list[int]:
    """How many pictures each job has: as many as every engine that may get it draws at once."""
    backend = ask.draft.backend
    named = web.services.catalog.engine(backend, caller.user_id, None) if backend else None
    known = [named] if named else engines_of(web, caller)
    most = min((engine.capabilities.max_batch for engine in known if engine.capabilities), default=1)
    whole, rest = divmod(ask.count, most)
    return [most] * whole + ([rest] if rest else [])


async def _key(request: Request, ask: Ask) -> dict[str, Any]:
    key = request.headers.get(KEY_HEADER, "")
    if not key:
        return {}
    if len(key) > MOST_KEY_CHARS:
        raise RequestRejected(f"{KEY_HEADER} has at most {MOST_KEY_CHARS} characters.", field=KEY_HEADER)
    said = [request.url.path, ask.body.model_dump(mode="json", exclude_unset=True), ask.digest]
    return {"request_key": key, "request_digest": await run_in_thread(_digest, said)}


def _digest(said: Any) -> str:
    return hashlib.sha256(json.dumps(_hashed(said), sort_keys=True).encode()).hexdigest()


def _hashed(said: Any) -> Any:
    """Put a hash in the place of each picture: writing it as JSON would hold Python's lock for long."""
    if isinstance(said, str):
        return hashlib.sha256(said.encode()).hexdigest() if len(said) > LARGE_BYTES else said
    if isinstance(said, dict):
        return {name: _hashed(value) for name, value in said.items()}
    return [_hashed(value) for value in said] if isinstance(said, list) else said


def _events(wanted: Sequence[str]) -> list[str]:
    return [event for word in wanted for event in EVENTS.get(word, (word,))]
