"""Answers that machines ask for all day and that need nothing of the request, given before a route is looked for.

They have routes all the same, which describe them; a test holds that both answer alike.
"""

from collections.abc import Callable, Mapping
from typing import Final

from pydantic import BaseModel
from starlette.types import ASGIApp, Receive, Scope, Send

from api.context import Web
from api.routes.health import alive

ANSWERS: Final[Mapping[str, Callable[[Web], BaseModel]]] = {"/healthz": alive}
METHODS: Final = frozenset({"GET", "HEAD"})


class QuickAnswers:
    """Stands behind the guard, whose rules and headers hold here too."""

    def __init__(self, app: ASGIApp, answers: Mapping[str, Callable[[Web], BaseModel]] = ANSWERS) -> None:
        self._app = app
        self._answers = answers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] not in self._answers or scope["method"] not in METHODS:
            await self._app(scope, receive, send)
            return
        body = self._answers[scope["path"]](scope["app"].state.web).model_dump_json().encode()
        headers = [(b"content-length", b"%d" % len(body)), (b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})
