"""The class of every route: callers are let in before their body is read, and the body is read within its limits."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from contextlib import aclosing
from io import BytesIO
from typing import Any, Final

from fastapi import Request, Response
from fastapi.dependencies.models import Dependant
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute, APIRouter
from starlette.exceptions import HTTPException

from api.bodies import ORDINARY, BodyLimits, ByteCount, JsonOutline, read_json
from api.caller import Need, caller_of
from texts.text import _
from utils.threads import read_apart

SLICE_BYTES: Final = 16 * 1024  # as much as a reader in Python gets at once; between two, others have their turn
JSON_TYPE: Final = (b"content-type", b"application/json")

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


class BoundedRequest(Request):
    """A request whose body is read within limits.

    Where a route takes JSON, it is that whatever the header calls it: `curl -d` calls everything a form. Pages of other
    sites, which may send only such types unasked, are refused by where they come from (`api/middleware.py`).
    """

    def __init__(self, request: Request, limits: BodyLimits, *, is_json: bool) -> None:
        scope = request.scope
        if is_json:
            headers = [(name, value) for name, value in scope["headers"] if name != JSON_TYPE[0]]
            scope = {**scope, "headers": [*headers, JSON_TYPE]}
        super().__init__(scope, request.receive)
        self._checks: list[ByteCount | JsonOutline] = [ByteCount(limits)]
        if is_json:
            self._checks.append(JsonOutline(limits))

    async def stream(self) -> AsyncGenerator[bytes, None]:
        """Give the body part by part.

        Raises:
            TooLarge: it holds more than the route takes.
        """
        is_read = hasattr(self, "_body")
        async with aclosing(super().stream()) as parts:
            async for part in parts:
                if is_read:
                    yield part
                    continue
                for start in range(0, len(part), SLICE_BYTES):
                    piece = part[start : start + SLICE_BYTES]
                    for check in self._checks:
                        check.feed(piece)
                    yield piece
                    await asyncio.sleep(0)
        yield b""

    async def body(self) -> bytes:
        """Return the body whole. It grows as it comes: to join 32 MB at the end would hold up everybody else."""
        if not hasattr(self, "_body"):
            whole = BytesIO()
            async for part in self.stream():
                whole.write(part)
            self._body = whole.getvalue()
        return self._body

    async def json(self) -> Any:
        """Read the body as JSON, a large one in a thread.

        Raises:
            RequestValidationError: it is none.
        """
        if not hasattr(self, "_json"):
            try:
                self._json = await read_apart(read_json, await self.body())
            except ValueError as error:
                raise RequestValidationError([{"type": "json_invalid", "loc": ("body",), "msg": str(error)}]) from error
        return self._json


class EaselRoute(APIRoute):
    """A route that asks who calls before it reads what is sent, and reads no more than `api/bodies.py` lets it."""

    def get_route_handler(self) -> Handler:
        handle = super().get_route_handler()
        takes_json = self.body_field is not None
        calls = [*_calls(self.dependant)]
        needs = [call for call in calls if isinstance(call, Need)]
        limits = next((call for call in calls if isinstance(call, BodyLimits)), ORDINARY)

        async def answer(request: Request) -> Response:
            for need in needs:
                await need(await caller_of(request))
            if request.headers.get("content-encoding", "identity").strip().casefold() != "identity":
                raise HTTPException(415, _("Send the body as it is, not compressed."))
            bounded = BoundedRequest(request, limits, is_json=takes_json)
            if takes_json and await bounded.body():
                await bounded.json()
            return await handle(bounded)

        return answer


class Router(APIRouter):
    """A router whose routes are all of this kind."""

    def __init__(self, *, route_class: type[EaselRoute] = EaselRoute, **settings: Any) -> None:
        super().__init__(route_class=route_class, **settings)


def _calls(dependant: Dependant) -> Iterator[Any]:
    for dependency in dependant.dependencies:
        yield dependency.call
        yield from _calls(dependency)
