"""Find out which program answers on a port, and read what it has.

Source: `/openapi.json` of the server itself, which stays readable under `--api-auth`; the lists under `/sdapi/v1/`.
`/cmd-flags` is never asked: Forge answers it with a 500 whenever it was started with `--port`.
"""

import asyncio
import json
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from backends.a1111.errors import GONE_HINT
from backends.a1111.extensions.control import read_types
from backends.a1111.facts import A1111Facts, Checkpoint, Program, Upscaler, find_checkpoint
from generation.errors import BackendAuthError, BackendError, BackendGone, BackendUnavailable, UnexpectedAnswer
from net.answers import read_json
from net.calls import Calls
from net.reply import Reply
from texts.text import _
from utils.threads import read_apart

GET_TIMEOUT_S = 8.0
MAX_LIST_BYTES = 32 * 1024 * 1024  # LoRA metadata of a large collection runs to several megabytes
MAX_PAGE_BYTES = 4 * 1024 * 1024
API = "/sdapi/v1"
LISTS = (
    "sd-models", "samplers", "schedulers", "loras", "options", "prompt-styles", "embeddings", "upscalers",
    "latent-upscale-modes", "scripts",
)  # fmt: skip
CONTROL_TYPES = "/controlnet/control_types"
UNREACHED_HINT = _("Is it running, started with --api --listen, at this address and port, and not behind a firewall?")

_Item = TypeVar("_Item", bound=BaseModel)


class _Model(BaseModel):
    title: str
    model_name: str
    hash: str | None = None


class _Sampler(BaseModel):
    name: str
    aliases: list[str] = []


class _Scheduler(BaseModel):
    label: str


class _Lora(BaseModel):
    name: str
    alias: str | None = None


class _Module(BaseModel):
    model_name: str


class _Named(BaseModel):
    name: str


class _Style(BaseModel):
    name: str
    prompt: str | None = None
    negative_prompt: str | None = None


class _Upscaler(BaseModel):
    name: str
    model_path: str | None = None


class _Embeddings(BaseModel):
    loaded: dict[str, Any] = {}


class _Scripts(BaseModel):
    img2img: list[str] = []


async def probe(calls: Calls) -> A1111Facts:
    """Read everything from one server.

    Raises:
        BackendUnavailable: no connection, with the likeliest reason.
        BackendAuthError: it wants another user and password.
        BackendError: its API is off, or it is another product.
    """
    label = calls.label
    schema = await _schema(calls)
    paths = schema["paths"] if schema else {}
    if schema and f"{API}/txt2img" not in paths:
        raise _wrong_product(label, paths)
    fields = await asyncio.to_thread(json.dumps, schema.get("components", {}))
    family = _family(paths, fields)
    answers = await _lists(calls, family, paths)
    if not schema and answers["sd-models"] is None and answers["options"] is None:
        raise await _no_api(calls)
    checkpoints = _checkpoints(answers["sd-models"])
    settings = answers["options"] if isinstance(answers["options"], dict) else None
    current = (settings or {}).get("sd_model_checkpoint")
    loras = _parse_list(_Lora, answers["loras"])
    vaes = answers["sd-modules" if family is Program.FORGE else "sd-vae"]
    embeddings = _parse(_Embeddings, answers["embeddings"])
    scripts = _parse(_Scripts, answers["scripts"]) or _Scripts()
    return A1111Facts(
        family=family,
        has_tasks="/internal/progress" in paths and "force_task_id" in fields,
        checkpoints=checkpoints,
        current=find_checkpoint(current, checkpoints or ()) if isinstance(current, str) and current else None,
        samplers=_spellings(_parse_list(_Sampler, answers["samplers"])),
        schedulers=_names(_parse_list(_Scheduler, answers["schedulers"]), "label"),
        loras=_names(loras, "name"),
        lora_aliases=frozenset(lora.alias for lora in loras or () if lora.alias),
        vaes=_names(_parse_list(_Module, vaes), "model_name"),
        styles=_styles(_parse_list(_Style, answers["prompt-styles"])),
        embeddings=None if embeddings is None else tuple(embeddings.loaded),
        upscalers=_upscalers(_parse_list(_Upscaler, answers["upscalers"])),
        latent_upscalers=_names(_parse_list(_Named, answers["latent-upscale-modes"]), "name"),
        control=read_types(answers["control"]),
        has_soft_inpainting="soft inpainting" in scripts.img2img,
        has_guidance='"distilled_cfg_scale"' in fields,
        has_extras=not schema or f"{API}/extra-single-image" in paths,
        has_interrogate=not schema or f"{API}/interrogate" in paths,
        has_scheduler="/agent-scheduler/v1/queue/txt2img" in paths,
        settings=settings,
    )


async def _lists(calls: Calls, family: Program, paths: dict[str, Any]) -> dict[str, Any]:
    """Return every list of the server by its name; None for those it does not have."""
    vaes = "sd-modules" if family is Program.FORGE else "sd-vae"
    routes = {name: f"{API}/{name}" for name in (*LISTS, vaes)}
    if CONTROL_TYPES in paths:
        routes["control"] = CONTROL_TYPES
    questions = (_list(calls, path) for path in routes.values())
    answers = await asyncio.gather(*questions, return_exceptions=True)  # so that none is left behind half read
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
    return {"control": None} | dict(zip(routes, answers, strict=True))


async def _schema(calls: Calls) -> dict[str, Any]:
    """Return the server's own description; empty where it hides it (a proxy, FastAPI's docs switched off)."""
    try:
        reply = await _get(calls, "/openapi.json", MAX_LIST_BYTES)
    except BackendGone as error:
        error.hint = UNREACHED_HINT
        raise
    if reply.status in {401, 403} or reply.status >= 500 or 300 <= reply.status < 400:
        raise calls.refused(reply)
    try:
        schema = await read_apart(read_json, reply.body)
    except ValueError:
        return {}
    return schema if isinstance(schema, dict) and isinstance(schema.get("paths"), dict) else {}


async def _get(calls: Calls, path: str, limit: int) -> Reply:
    return await calls.call("GET", path, limit=limit, timeout=GET_TIMEOUT_S)


async def _list(calls: Calls, path: str) -> Any:
    """Return one list, or None: a fork without it, or one broken extension, must not hide the whole server."""
    try:
        reply = await _get(calls, path, MAX_LIST_BYTES)
    except (BackendUnavailable, UnexpectedAnswer):
        return None
    if reply.status in {401, 403}:
        raise BackendAuthError(
            _("{label} wants a user name and password, and not these.", label=calls.label),
            detail=f"HTTP {reply.status} on {path}",
            hint=_("Connect it with the user:password given to --api-auth."),
        )
    if reply.status != HTTPStatus.OK:
        return None
    try:
        return await read_apart(read_json, reply.body)
    except ValueError:
        return None


def _parse(kind: type[_Item], value: Any) -> _Item | None:
    try:
        return kind.model_validate(value)
    except ValidationError:
        return None


def _parse_list(kind: type[_Item], value: Any) -> list[_Item] | None:
    try:
        return [kind.model_validate(item) for item in value] if isinstance(value, list) else None
    except ValidationError:
        return None


def _names(items: Sequence[BaseModel] | None, attribute: str) -> tuple[str, ...] | None:
    return None if items is None else tuple(dict.fromkeys(getattr(item, attribute) for item in items))


def _checkpoints(models: Any) -> tuple[Checkpoint, ...] | None:
    items = _parse_list(_Model, models)
    if items is None:
        return None
    return tuple(Checkpoint(title=m.title, name=m.model_name, hash=m.hash or "") for m in items)


def _spellings(samplers: list[_Sampler] | None) -> dict[str, str] | None:
    """Return every spelling in lower case -> exact name: the server takes only the exact one and tells nobody."""
    if samplers is None:
        return None
    spellings = {alias.casefold(): s.name for s in samplers for alias in s.aliases}
    return spellings | {s.name.casefold(): s.name for s in samplers}


def _styles(styles: list[_Style] | None) -> tuple[str, ...] | None:
    """Return the names; Forge lists separators among them, which have no texts."""
    if styles is None:
        return None
    real = (style.name for style in styles if style.prompt is not None or style.negative_prompt is not None)
    return tuple(dict.fromkeys(real))


def _upscalers(upscalers: list[_Upscaler] | None) -> tuple[Upscaler, ...] | None:
    """Return all but "None", which only stretches; a path that is an address is yet to be fetched."""
    if upscalers is None:
        return None
    named = {
        u.name: Upscaler(name=u.name, is_local=bool(u.model_path) and "://" not in (u.model_path or ""))
        for u in upscalers
    }
    return tuple(upscaler for name, upscaler in named.items() if name.casefold() != "none")


def _family(paths: dict[str, Any], fields: str) -> Program:
    if f"{API}/sd-modules" in paths:
        return Program.FORGE
    if f"{API}/version" in paths:
        return Program.SDNEXT
    return Program.REFORGE if '"hr_cfg"' in fields else Program.A1111


def _wrong_product(label: str, paths: dict[str, Any]) -> BackendError:
    if "/internal/progress" in paths or "/sd_extra_networks/thumb" in paths:
        return _api_off(label)
    if "/config" in paths or "/queue/join" in paths or "/run/{api_name}" in paths:
        return _other_product(label, _("another gradio app"))
    return _other_product(label, _("another program"))


async def _no_api(calls: Calls) -> BackendError:
    """Return what answers instead of the API, by its front page."""
    label = calls.label
    try:
        reply = await _get(calls, "/", MAX_PAGE_BYTES)
    except BackendUnavailable as error:
        return BackendUnavailable(_("{label} lost the connection.", label=label), detail=error.detail)
    except UnexpectedAnswer as error:
        return UnexpectedAnswer(_("{label} is not a picture engine.", label=label), detail=error.detail)
    if reply.status == HTTPStatus.NOT_FOUND:
        return BackendUnavailable(_("{label} is gone: nothing runs behind its address.", label=label), hint=GONE_HINT)
    page = reply.body.decode("utf-8", "replace").lower()
    if "comfyui" in page:
        return _other_product(label, "ComfyUI")
    if "stable diffusion" in page or "sd-webui" in page:
        return _api_off(label)
    if "gradio" in page:
        return _other_product(label, _("another gradio app"))
    return UnexpectedAnswer(
        _("{label} answers, but it is not Stable Diffusion WebUI.", label=label),
        detail=f"HTTP {reply.status} on its front page",
        hint=_("Check the address and the port."),
    )


def _api_off(label: str) -> BackendError:
    return BackendError(
        _("{label} answers, but its API is off: start it with --api.", label=label), hint=_("Then connect it again.")
    )


def _other_product(label: str, what: str) -> BackendError:
    return BackendError(
        _("{label} answers, but it is {what}, not Stable Diffusion WebUI.", label=label, what=what),
        hint=_("Connect it as the kind of engine it is, or check the port."),
    )
