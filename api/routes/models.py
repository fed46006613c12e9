"""Models that Easel itself draws with: what can be fetched, fetching one, deleting it. For admins."""

from typing import Annotated

from fastapi import Path, Request, Response

from api.caller import Admin
from api.context import web_of
from api.errors import errors
from api.routing import Router
from api.schemas.models import AgreementIn, FetchOut, FreedOut, ModelTermsOut, OwnModelOut, OwnModelsOut
from services.engines.own_models import Fetch, ModelOffer, OwnModels
from utils.text import plain_words

router = Router(prefix="/api", tags=["engines"], responses=errors(401, 403))

ModelName = Annotated[str, Path(min_length=1, max_length=100)]


@router.get("/models")
async def models(request: Request, caller: Admin) -> OwnModelsOut:
    """List the models that Easel itself can draw with: what each is good for, its size and its licence."""
    shelf = await _models(request).shelf(caller)
    return OwnModelsOut(
        models=[_out(offer) for offer in shelf.offers],
        others=list(shelf.others),
        can_draw=shelf.can_draw,
        hint="" if shelf.can_draw else plain_words(shelf.hint),
    )


@router.get("/models/{name}", responses=errors(400, 422, 502, 503))
async def terms(request: Request, name: ModelName, caller: Admin) -> ModelTermsOut:
    """Ask the hub how large a model is, to be shown with its licence. Nothing is fetched."""
    found = await _models(request).terms(caller, name)
    return ModelTermsOut(model=_out(found.offer), size=found.size, left=found.left)


@router.post("/models/{name}/fetch", status_code=202, responses=errors(400, 422, 502, 503))
async def fetch(request: Request, name: ModelName, body: AgreementIn, caller: Admin) -> OwnModelOut:
    """Fetch a model in the background, for who names the licence that they agree to; `fetch` says how far it is."""
    return _out(await _models(request).begin(caller, name, body.licence))


@router.delete("/models/{name}/fetch", status_code=204, responses=errors(400, 422))
async def stop(request: Request, name: ModelName, caller: Admin) -> Response:
    """Stop fetching a model. What is here stays: the next time goes on from there."""
    await _models(request).stop(caller, name)
    return Response(status_code=204)


@router.delete("/models/{name}", responses=errors(400, 422))
async def remove(request: Request, name: ModelName, caller: Admin) -> FreedOut:
    """Delete a model from this machine."""
    return FreedOut(freed=await _models(request).remove(caller, name))


def _models(request: Request) -> OwnModels:
    return web_of(request).services.models


def _out(offer: ModelOffer) -> OwnModelOut:
    model = offer.model
    return OwnModelOut(
        name=model.name,
        title=model.title,
        good_for=model.good_for,
        licence=model.licence,
        licence_url=model.licence_url,
        is_commercial=model.is_commercial,
        is_gated=model.is_gated,
        base=model.base,
        size_gb=model.size_gb,
        memory_gb=model.memory_gb,
        room=offer.room,  # type: ignore[arg-type]  # one of them
        fits=offer.fits,
        is_here=offer.is_here,
        fetch=_fetch(offer.fetch) if offer.fetch else None,
    )


def _fetch(fetch: Fetch) -> FetchOut:
    error, ended = fetch.error, "failed" if fetch.error else "done"
    return FetchOut(
        state=ended if fetch.is_over else "running",  # type: ignore[arg-type]  # one of the three
        done=fetch.done,
        total=fetch.total,
        bytes_per_s=round(fetch.per_s),
        error=plain_words(error.user_message) if error else None,
        hint=plain_words(error.hint) if error else "",
    )
