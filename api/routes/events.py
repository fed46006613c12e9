"""The stream of what happens: jobs, queue, deletions, alerts."""

import json
from functools import partial
from typing import Any, Final

from fastapi import Request
from fastapi.responses import StreamingResponse

from api.caller import Reader, is_known
from api.context import web_of
from api.errors import errors
from api.events import sse
from api.routes.session import session_of
from api.routing import Router
from generation.errors import LimitReached
from texts.text import _

router = Router(tags=["events"], responses=errors(401, 403))

EVENTS: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"text/event-stream": {"schema": {"type": "string"}}}, "description": _("Server-sent events.")}
}


@router.get("/events", response_class=StreamingResponse, responses=EVENTS)
async def events(request: Request, caller: Reader) -> StreamingResponse:
    """Every change of every job the caller may see, as server-sent events.

    `hello` (the session), `job` (a job, whole), `queue` (how busy the engines are), `gone` (pictures deleted),
    `alert`, and `resync` to a reader that fell too far behind: it should load its lists again.
    """
    web = web_of(request)
    reader = web.hub.open(caller)
    if reader is None:
        raise LimitReached(_("Too many event streams are open."), retry_after=10.0)
    try:
        active = await web.services.generation.active_of(caller.user_key)
        hello = json.loads((await session_of(request, caller)).model_dump_json())
    except BaseException:
        web.hub.leave(reader)  # no stream follows that would do it
        raise
    first = [
        sse("hello", hello),
        web.hub.queue_event(caller.user_id),
        *(web.hub.job_event(view.job, caller) for view in active),
    ]
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(
        web.hub.stream(reader, first, is_known=partial(is_known, request)),
        media_type="text/event-stream",
        headers=headers,
    )
