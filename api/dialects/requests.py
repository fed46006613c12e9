"""Requests of all dialects: words, pictures, names of models, and jobs that are asked for together."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Annotated, Final

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field

from api.caller import origin_of
from api.context import Web, web_of
from api.request_keys import with_request_key
from api.schemas.requests import MOST_TEXT_CHARS, MaxCost
from api.sight import charge, check_use
from generation.errors import RequestRejected
from generation.job import JobView
from generation.person import Person
from generation.request import Draft, SourceImage
from generation.values import changed
from lazy import dataclass
from services.drawing.quality import Look, with_quality, with_style
from services.drawing.splitting import most_at_once, split
from services.engines.catalog import Engine
from services.engines.model_names import name_model
from services.pictures.fetching import MEDIA_PATH
from services.pictures.masks import MaskedSource, take_masked
from texts.text import _

MOST_UNKNOWN: Final = 10  # fields told of by name: notes are kept with the job
# What `webhook_events_filter` says in Replicate's words.
EVENTS: Final = {"start": ("queued",), "completed": ("finished", "failed")}

Words = Annotated[str, Field(max_length=MOST_TEXT_CHARS)]
Picture = Annotated[str, Field(description="A data: URL, base64, an http(s) link, or the id of a picture here.")]


class DialectBody(BaseModel):
    """A body of a published dialect: what it does not know is passed over, and that is said in a note."""

    model_config = ConfigDict(extra="allow", populate_by_name=True)

    max_cost_usd: MaxCost | None = None
    webhook: Annotated[str, Field(max_length=2000, description="Told what becomes of the job.")] | None = None
    webhook_events_filter: Annotated[list[str], Field(max_length=8)] = []

    def notes(self) -> list[str]:
        """Return which fields are not known here."""
        unknown = [*(self.model_extra or ())]
        notes = [_("{name} ignored: there is no such field here", name=name[:40]) for name in unknown[:MOST_UNKNOWN]]
        more = len(unknown) - MOST_UNKNOWN
        return [*notes, _("{more} more fields ignored", more=more)] if more > 0 else notes


@dataclass(frozen=True, kw_only=True)
class DrawOrder:
    """Pictures to be drawn: what was said, how many, remarks so far, and the body behind an Idempotency-Key."""

    draft: Draft
    body: DialectBody
    count: int = 1
    notes: Sequence[str] = ()
    job_id: str = ""
    digest: str = ""  # of files that came besides the body


async def take_picture(request: Request, caller: Person, picture: str | None, field: str) -> SourceImage:
    """Take a picture in whatever form it was given, also by the absolute address this server gave it.

    Raises:
        RequestRejected: there is none, or it cannot be used.
    """
    if not picture:
        raise RequestRejected(_("{field} is required", field=field), field=field)
    web = web_of(request)
    picture = picture.strip()
    for base in (web.base_url(request), web.settings.image_cdn_url):
        if base and picture.startswith(f"{base}{MEDIA_PATH}"):
            picture = picture.removeprefix(base)
    if media_id := web.fetcher.media_id(picture):
        await check_use(web, caller, media_id, field)
    return await web.fetcher.take(picture, field=field, charge=partial(charge, web, caller))


async def take_pair(
    request: Request, caller: Person, image: str | None, mask: str | None, fields: tuple[str, str]
) -> MaskedSource:
    """Take a picture and its mask, white where it is redrawn, made the picture's size."""
    web = web_of(request)
    source = await take_picture(request, caller, image, fields[0])
    stencil = await take_picture(request, caller, mask, fields[1]) if mask else None
    try:
        return await take_masked(web.services.media, source.data, stencil.data if stencil else None)
    except RequestRejected as error:
        raise RequestRejected(error.user_message, field=fields[1], hint=error.hint) from error


def engines_of(web: Web, caller: Person) -> list[Engine]:
    return web.services.catalog.engines(caller)


def engines_for(web: Web, caller: Person, draft: Draft) -> list[Engine]:
    """Return the engines that a draft may go to: the one it names, else all."""
    return web.services.catalog.engines_for(draft, caller)


def engines_and_fillers_for(web: Web, caller: Person, draft: Draft) -> list[Engine]:
    """Return the engines that a draft may go to, and what does for them what they cannot."""
    return web.services.catalog.engines_and_fillers_for(draft, caller)


def with_model(web: Web, caller: Person, draft: Draft, wanted: str | None) -> Draft:
    """Ask for a model by name; an engine's own name stands for what that draws with.

    Raises:
        ModelMissing: no engine has it.
        BackendUnavailable: there is no engine.
    """
    return name_model(web.services.catalog, caller, draft, wanted) if wanted else draft


async def with_look(request: Request, caller: Person, draft: Draft, *, quality: str | None, style: str | None) -> Look:
    """Put a quality and a style into a draft; the engine that would draw says how many steps are usual.

    Raises:
        RequestRejected: there is no such quality or style.
    """
    web = web_of(request)
    draft = await with_style(draft, style, web.services.records.styles)
    engine = next((engine for engine in engines_for(web, caller, draft) if engine.capabilities), None)
    return with_quality(draft, quality, engine)


async def submit(request: Request, caller: Person, order: DrawOrder) -> list[JobView]:
    """Commit the jobs of one request; more than an engine draws at once become several.

    Raises:
        GenerationError: as `GenerationService.submit`; the address of the webhook may not be used.
    """
    web = web_of(request)
    hook = web.own.webhooks.wanted(order.body.webhook, _events(order.body.webhook_events_filter))
    origin = changed(origin_of(caller, webhook=hook), agreed_usd=order.body.max_cost_usd or 0.0)
    origin = await with_request_key(request, origin, order.body, files=order.digest)
    parts = split(order.draft, order.count, most_at_once(engines_for(web, caller, order.draft)))
    notes = (*order.body.notes(), *order.notes)
    return await web.services.generation.submit_all(parts, origin, notes=notes, job_id=order.job_id)


@contextmanager
def renamed(names: Mapping[str, str]) -> Iterator[None]:
    """Name the field of a refusal as a dialect calls it."""
    try:
        yield
    except RequestRejected as error:
        error.field = names.get(error.field, error.field)
        raise


def _events(wanted: Sequence[str]) -> list[str]:
    return [event for word in wanted for event in EVENTS.get(word, (word,))]
