"""The header `Idempotency-Key`: a request that is sent again under the same one gives the same jobs."""

from typing import Annotated

from fastapi import Header, Request
from pydantic import BaseModel

from generation.job import Origin
from services.drawing.idempotency import FIELD, MOST_KEY_CHARS, with_key

# Says in the API's description that a route takes one; how long it may be is checked with the key itself.
Key = Annotated[str, Header(alias=FIELD, json_schema_extra={"maxLength": MOST_KEY_CHARS})]


async def with_request_key(request: Request, origin: Origin, body: BaseModel, *, files: str = "") -> Origin:
    """Return an origin that knows the key of a request, if it has one; `files`: a digest of what came besides the body.

    Raises:
        RequestRejected: the key is too long.
    """
    asked = [request.url.path, body.model_dump(mode="json", exclude_unset=True), files]
    return await with_key(origin, request.headers.get(FIELD, ""), asked)
