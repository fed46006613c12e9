"""OpenAI's image API: /v1/images/generations, /edits and /variations, and /v1/models, for its clients and Open WebUI.

Source: github.com/openai/openai-openapi and the official Python client. An answer has one field more, `notes`: what was
changed or ignored. A mask is transparent where the picture is redrawn; one without transparency is white there.
"""

import hashlib
from dataclasses import replace
from typing import Annotated, Any, Final, Literal, TypeVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from pydantic import Field, ValidationError
from starlette.datastructures import UploadFile

from api.bodies import FORMS, takes
from api.caller import Maker, Reader
from api.context import web_of
from api.dialects.failures import Failure, described, route_class
from api.dialects.image_studio import VARIATION, check_count, sized
from api.dialects.requests import DialectBody, DrawOrder, Words, engines_of, submit, with_look, with_model
from api.dialects.responses import DrawnPictures, base64_of, link_to, revised_prompt, wait_for
from api.routing import Router
from api.schemas.requests import Name, Number, Seed, Whole
from api.sight import charge
from constants import MAX_INPUT_IMAGE_BYTES
from generation.errors import RequestRejected
from generation.person import Person
from generation.prompt_words import words_of
from generation.request import Draft, Mode, SourceImage
from generation.several_pictures import MAX_INPUT_PICTURES, left_out
from lazy import pattern
from services.engines.model_names import ModelMissing
from services.pictures.masks import take_masked
from texts.text import _
from utils.threads import run_in_thread

# Their own names, which their clients send unasked: any engine stands in for them, and a note says so.
THEIRS: Final = pattern(r"dall-e-\d|gpt-image-[\w.-]+|chatgpt-image-[\w.-]+")
CODES: Final = {
    "sign_in": "invalid_api_key",
    "limit_reached": "rate_limit_exceeded",
    "budget_exceeded": "insufficient_quota",
    "content_blocked": "content_policy_violation",
    "model_missing": "model_not_found",
}
VARIATION_STRENGTH: Final = 0.6
MOST_FILES: Final = 17  # sixteen pictures and a mask
MOST_FIELDS: Final = 100
MOST_FIELD_BYTES: Final = 64 * 1024
_FILES: Final = frozenset({"image", "image[]", "mask"})


def _form(failure: Failure) -> dict[str, Any]:
    kind = "server_error" if failure.status >= 500 else "invalid_request_error"
    kind = "rate_limit_error" if failure.status == 429 else kind
    code = CODES.get(failure.code, failure.code)
    error = {"message": failure.text, "type": kind, "param": failure.field, "code": code, **dict(failure.money)}
    return {"error": error} | ({"job_ids": list(failure.job_ids)} if failure.job_ids else {})


router = Router(
    prefix="/v1",
    tags=["OpenAI"],
    route_class=route_class(_form),
    responses=described(_form(Failure(status=400, message="Prompt is required", field="prompt"))),
)


class _Common(DialectBody):
    model: Name | None = None
    n: Annotated[int, Field(ge=1)] | None = None
    size: Annotated[str, Field(max_length=20, description="1024x1024 or auto")] | None = None
    quality: Annotated[str, Field(max_length=40)] | None = None
    response_format: Literal["url", "b64_json"] | None = None
    output_format: Literal["png", "jpeg", "webp"] | None = None
    background: Annotated[str, Field(max_length=40)] | None = None
    user: Annotated[str, Field(max_length=300)] | None = None
    stream: bool | None = None
    seed: Seed | None = None
    negative_prompt: Words | None = None

    def notes(self) -> list[str]:
        background = self.background not in (None, "auto")
        return super().notes() + ([_("background ignored: pictures are opaque")] if background else [])


class GenerationsIn(_Common):
    """A picture from words. `seed`, `negative_prompt`, `steps` and `cfg_scale` are Easel's additions."""

    prompt: Words | None = None
    style: Annotated[str, Field(max_length=60, description="vivid, natural, or a style preset")] | None = None
    steps: Whole | None = None
    cfg_scale: Number | None = None


class EditsIn(_Common):
    """The fields of a form besides its pictures. `strength` is Easel's addition."""

    prompt: Words | None = None
    strength: Annotated[float, Field(ge=0, le=1)] | None = None


def _form_body(schema: dict[str, Any], *files: str) -> dict[str, Any]:
    properties = {name: {"type": "string", "format": "binary"} for name in files}
    properties |= {name: {"type": "string"} for name in schema["properties"]}
    content = {"schema": {"type": "object", "properties": properties, "required": ["image"]}}
    return {"requestBody": {"required": True, "content": {"multipart/form-data": content}}}


Body = TypeVar("Body", bound=_Common)
_EDITS: Final = _form_body(EditsIn.model_json_schema(), "image", "mask")
_VARIATIONS: Final = _form_body(_Common.model_json_schema(), "image")


@router.get("/models")
async def models(request: Request, caller: Reader) -> dict[str, Any]:
    """List the models of all engines, and the engines themselves by name."""
    listed: dict[str, str] = {}
    for engine in engines_of(web_of(request), caller):
        known = engine.capabilities.models if engine.capabilities else None
        listed |= {model.name: engine.name for model in known or ()}
        listed.setdefault(engine.name, engine.kind)
    data = [{"id": name, "object": "model", "created": 0, "owned_by": owner} for name, owner in listed.items()]
    return {"object": "list", "data": data}


@router.get("/models/{name:path}")
async def model(request: Request, name: str, caller: Reader) -> dict[str, Any]:
    """Show one model."""
    listed: list[dict[str, Any]] = (await models(request, caller))["data"]
    for item in listed:
        if item["id"] == name:
            return item
    raise ModelMissing(_("Model {name} not loaded", name=name[:100]), field="model")


@router.post("/images/generations")
async def generations(request: Request, body: GenerationsIn, caller: Maker) -> dict[str, Any]:
    """Draw pictures from words."""
    prompt, loras = words_of(body.prompt)
    draft = Draft(prompt=prompt, loras=loras, steps=body.steps, cfg_scale=body.cfg_scale)
    return await _draw(request, caller, body, draft, style=body.style)


@router.post("/images/edits", dependencies=[takes(FORMS)], openapi_extra=_EDITS)
async def edits(request: Request, caller: Maker) -> dict[str, Any]:
    """Change a picture: where the mask says, or all of it."""
    body, files = await _read(request, caller, EditsIn)
    prompt, loras = words_of(body.prompt)
    draft, notes = await _masked(request, files)
    more, remarks = await _others(request, caller, files["image"][1:])
    draft = replace(draft, more_images=more)
    notes = (*notes, *remarks)
    draft = replace(draft, prompt=prompt, loras=loras, denoising_strength=body.strength)
    return await _draw(request, caller, body, draft, *notes, files=files)


@router.post("/images/variations", dependencies=[takes(FORMS)], openapi_extra=_VARIATIONS)
async def variations(request: Request, caller: Maker) -> dict[str, Any]:
    """Draw other pictures like one."""
    body, files = await _read(request, caller, _Common)
    source = await web_of(request).services.media.take_input(_first(files, "image"))
    draft = Draft(
        prompt=VARIATION, mode=Mode.IMG2IMG, init_image=source, denoising_strength=VARIATION_STRENGTH
    )  # fmt: skip
    return await _draw(request, caller, body, draft, files=files)


async def _masked(request: Request, files: dict[str, list[bytes]]) -> tuple[Draft, tuple[str, ...]]:
    """Make a draft of the pictures of an edit."""
    media = web_of(request).services.media
    image, masks = _first(files, "image"), files.get("mask")
    notes: tuple[str, ...] = ()
    try:
        if masks:
            stencil = masks[0]
            try:
                stencil = (await media.load((await take_masked(media, masks[0], None)).mask)).data
            except RequestRejected:  # nothing in it is transparent
                notes += (_("the mask has no transparent part: what is white in it is redrawn"),)
            pair = await take_masked(media, image, stencil)
        else:
            pair = await take_masked(media, image, None)
    except RequestRejected as error:
        if masks:
            raise RequestRejected(error.user_message, field="mask", hint=error.hint) from error
        return Draft(mode=Mode.IMG2IMG, init_image=await media.take_input(image)), notes
    return Draft(mode=Mode.INPAINT, init_image=pair.image, mask_image=pair.mask), (*notes, *pair.notes)


async def _others(
    request: Request, caller: Person, files: list[bytes]
) -> tuple[tuple[SourceImage, ...], tuple[str, ...]]:
    """Take the pictures after the first where an engine draws from several; else say that they are not used."""
    services = web_of(request).services
    if files and services.catalog.most_pictures(caller) == 1:
        return (), (left_out([SourceImage(media_id="")] * len(files)),)
    return tuple([await services.media.take_input(data) for data in files[: MAX_INPUT_PICTURES - 1]]), ()


async def _draw(
    request: Request,
    caller: Person,
    body: _Common,
    draft: Draft,
    *notes: str,
    style: str | None = None,
    files: dict[str, list[bytes]] | None = None,
) -> dict[str, Any]:
    """Draw what a body and a draft say together, and answer when it is done."""
    if body.stream:
        raise RequestRejected(_("stream is not offered here."), field="stream", hint=_("Leave it out."))
    count = body.n or 1
    check_count(count, "n")
    web, asked = web_of(request), draft.prompt
    draft = sized(replace(draft, seed=body.seed, negative_prompt=body.negative_prompt), body.size)
    try:
        draft = with_model(web, caller, draft, body.model)
    except ModelMissing:
        if not THEIRS.fullmatch(body.model or ""):
            raise
        notes = (*notes, _("model {model} is not here: the engine's own was used", model=body.model))
    look = await with_look(request, caller, draft, quality=body.quality, style=style)
    digest = await run_in_thread(_digest, files or {})
    order = DrawOrder(draft=look.draft, body=body, count=count, notes=(*notes, *look.notes), digest=digest)
    drawn = await wait_for(request, await submit(request, caller, order))
    return await _answer(request, body, drawn, asked)


async def _answer(request: Request, body: _Common, drawn: DrawnPictures, asked: str) -> dict[str, Any]:
    wants_data = body.response_format == "b64_json" or (
        body.response_format is None and (body.model or "").startswith(("gpt-image", "chatgpt-image"))
    )
    data: list[dict[str, Any]] = []
    for job, image in drawn.pictures:
        values: dict[str, Any] = {"revised_prompt": revised_prompt(job, asked)}
        if wants_data:
            text, __ = await base64_of(web_of(request), image, (body.output_format or "").upper())
            values["b64_json"] = text
        else:
            url = link_to(request, image.media_id, is_private=job.origin.private)
            values["url"] = (
                f"{url}{'&' if '?' in url else '?'}format={body.output_format}" if body.output_format else url
            )
        data.append(values)
    created = int(web_of(request).services.clock.now().timestamp())
    answer: dict[str, Any] = {"created": created, "data": data, "notes": list(drawn.notes)}
    if wants_data and body.output_format:
        answer["output_format"] = body.output_format
    return answer


async def _read(request: Request, caller: Person, kind: type[Body]) -> tuple[Body, dict[str, list[bytes]]]:
    """Read a form: its fields as a body, and its pictures, which count as the caller's."""
    fields: dict[str, str] = {}
    files: dict[str, list[bytes]] = {}
    async with request.form(max_files=MOST_FILES, max_fields=MOST_FIELDS, max_part_size=MOST_FIELD_BYTES) as form:
        for name, value in form.multi_items():
            if isinstance(value, UploadFile) and name in _FILES:
                data = await value.read(MAX_INPUT_IMAGE_BYTES + 1)
                files.setdefault(name.removesuffix("[]"), []).append(data)
            elif isinstance(value, str):
                fields[name] = value
    _first(files, "image")
    await charge(web_of(request), caller, sum(len(data) for named in files.values() for data in named))
    try:
        return kind.model_validate(fields), files
    except ValidationError as error:
        raise RequestValidationError(error.errors()) from error


def _first(files: dict[str, list[bytes]], name: str) -> bytes:
    if not files.get(name):
        raise RequestRejected(_("{name} is required", name=name), field=name, hint=_("Send it as a file of a form."))
    return files[name][0]


def _digest(files: dict[str, list[bytes]]) -> str:
    whole = hashlib.sha256()
    for name in sorted(files):
        for data in files[name]:
            whole.update(f"{name}:{len(data)}:".encode() + hashlib.sha256(data).digest())
    return whole.hexdigest() if files else ""
