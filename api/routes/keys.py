"""API keys: made, listed and revoked by admins."""

from typing import Annotated, Any

from fastapi import Path, Request, Response

from api.caller import Admin
from api.context import web_of
from api.errors import NotFound, errors
from api.routing import Router
from api.schemas.dashboard import KeyIn, KeyOut, KeysOut, NewKeyOut
from services.people.access import SCOPES, Key
from texts.text import _

router = Router(prefix="/api", tags=["keys"], responses=errors(401, 403))


@router.get("/keys")
async def keys(request: Request, caller: Admin) -> KeysOut:
    """List all keys; tokens are stored nowhere and cannot be shown."""
    return KeysOut(keys=[_key(item) for item in await web_of(request).access.list_keys()])


@router.post("/keys", status_code=201, responses=errors(400, 422))
async def create(request: Request, body: KeyIn, caller: Admin) -> NewKeyOut:
    """Make a key; its token is shown this once."""
    key, token = await web_of(request).access.create_key(
        body.name, body.scopes, body.user_key, body.rate_per_minute, body.expires_at
    )
    return NewKeyOut(key=_key(key), token=token)


@router.delete("/keys/{key_id}", status_code=204, responses=errors(404, 422))
async def revoke(
    request: Request, key_id: Annotated[str, Path(pattern=r"^[0-9a-f]{1,32}$")], caller: Admin
) -> Response:
    """End a key at once."""
    if not await web_of(request).access.revoke_key(key_id):
        raise NotFound(_("There is no such key, or it has ended."))
    return Response(status_code=204)


def _key(key: Key) -> KeyOut:
    names = ("id", "name", "user_key", "rate_per_minute", "created_at", "expires_at", "last_used_at", "revoked_at")
    values: dict[str, Any] = {name: getattr(key, name) for name in names}
    return KeyOut(**values, scopes=[scope for scope in SCOPES if scope in key.scopes])
