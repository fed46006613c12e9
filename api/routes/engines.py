"""Engines: what there is, how it is, and one of your own."""

from typing import Annotated, Any, Final

from fastapi import Path, Request, Response
from fastapi.responses import JSONResponse

from api.caller import Maker, Reader
from api.context import Web, web_of
from api.engines import engines_out
from api.errors import NotFound, errors, headers_of, status_of
from api.routing import Router
from api.schemas.engines import ConnectErrorOut, EngineIn, EngineOut, EnginesOut, KindOut, KindsOut, TestOut
from generation.errors import BackendError, NotAllowed
from generation.person import Person
from services.engines.connections import Diagnosis, Owner, connectable_kinds, label_for, lane_of
from services.refusals import error_body
from texts.text import _
from utils.text import plain_words

router = Router(prefix="/api", tags=["engines"], responses=errors(401, 403))

EngineName = Annotated[str, Path(min_length=1, max_length=100)]
FAILED: Final[dict[int | str, dict[str, Any]]] = {
    status: {"model": ConnectErrorOut, "description": _("The test failed.")} for status in (502, 503)
}


@router.get("/engines")
async def engines(request: Request, caller: Reader) -> EnginesOut:
    """List the engines one may use, the preferred first."""
    return EnginesOut(engines=await engines_out(web_of(request), caller))


@router.post("/engines", status_code=201, response_model=EngineOut, responses=errors(400, 422) | FAILED)
async def connect(request: Request, body: EngineIn, caller: Maker) -> EngineOut | JSONResponse:
    """Test your own engine and keep it, in place of the one before.

    Only whoever sits at this machine and the owner's admins may name addresses of private networks. When the test
    fails, `layer` says where: address, dns, connect, tls, http, auth, api or product.
    """
    web, owner = web_of(request), _owner(caller)
    label = body.label.strip() or label_for(caller.name if caller.how == "session" else "", body.kind)
    try:
        connected = await web.services.connections.connect(body.kind, body.url, body.key, owner=owner, label=label)
    except BackendError as error:
        return JSONResponse(error_body(error) | {"layer": error.detail}, status_of(error), headers_of(error))
    return next(engine for engine in await engines_out(web, caller) if engine.name == connected.entry.name)


@router.post("/engines/refresh", responses=errors(403))
async def refresh(request: Request, caller: Maker) -> EnginesOut:
    """Ask every engine again what it can do."""
    web = web_of(request)
    await web.services.catalog.refresh(caller)
    return EnginesOut(engines=await engines_out(web, caller))


@router.delete("/engines/{name}", status_code=204, responses=errors(404, 422))
async def disconnect(request: Request, name: EngineName, caller: Maker) -> Response:
    """Forget your own engine and its key."""
    web, owner = web_of(request), _owner(caller)
    if not _is_visible(web, name, caller):
        raise NotFound(_("There is no such engine."))
    if name != lane_of(owner):
        raise NotAllowed(_("This engine is not yours to disconnect: it is in the settings, or the server's."))
    await web.services.connections.disconnect(owner)
    return Response(status_code=204)


@router.post("/engines/{name}/test", responses=errors(404, 422, 503))
async def test(request: Request, name: EngineName, caller: Maker) -> TestOut:
    """Go through all layers between Easel and an engine, and say at which it ends."""
    web = web_of(request)
    if not _is_visible(web, name, caller):
        raise NotFound(_("There is no such engine."))
    found = await web.services.connections.examine(name)
    if found is None:
        message = _("It is a part of Easel: there is nothing in between.")
        return TestOut(is_ok=True, message=message, hint="", layer="product", seconds=0.0)
    return _test(found, is_owner=caller.is_admin or name == f"user-{caller.user_id}")


@router.get("/kinds")
async def kinds(caller: Reader) -> KindsOut:
    """List the kinds of engines that may be connected."""
    return KindsOut(
        kinds=[
            KindOut(
                kind=kind.typed,
                title=kind.title,
                needs_url=not kind.is_hosted,
                needs_key=kind.needs_key,
                example=kind.example,
                help=kind.help,
            )
            for kind in connectable_kinds()
        ]
    )


def _owner(caller: Person) -> Owner:
    """Whose connection it is.

    Raises:
        NotAllowed: somebody with a link from Discord calls; links get shared.
    """
    if caller.how == "link":
        raise NotAllowed(_("A link from Discord may not change engines. Sign in, or use /sdconnect in Discord."))
    return Owner(kind="user", id=caller.user_id)


def _is_visible(web: Web, name: str, caller: Person) -> bool:
    listed = web.services.catalog.engines(caller, with_fallback=True)
    return any(engine.name == name for engine in listed)


def _test(found: Diagnosis, *, is_owner: bool) -> TestOut:
    """Write the outcome of a test; where an engine is and what it says there is for its owner."""
    if not is_owner:
        message = _("It works.") if found.is_ok else _("It does not work at the moment.")
        hint = "" if found.is_ok else _("Its owner can test it, and is told why.")
        return TestOut(
            is_ok=found.is_ok, message=message, hint=hint, layer=found.layer, seconds=round(found.seconds, 3)
        )
    hint = " ".join(filter(None, (found.hint, found.owner_hint)))
    return TestOut(
        is_ok=found.is_ok,
        message=plain_words(found.message),
        hint=plain_words(hint),
        layer=found.layer,
        seconds=round(found.seconds, 3),
    )
