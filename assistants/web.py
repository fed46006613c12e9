"""MCP over HTTP: streamable, without sessions, behind the rules of the HTTP door, which says who calls."""

import asyncio
import contextlib
import logging
from typing import Any, Final

from mcp.server.streamable_http_manager import StreamableHTTPSessionManager

from assistants.server import AssistantServer
from assistants.tools import Tools
from generation.person import Person
from services.assistants import AssistantServices
from services.bundle import Services

CALLER: Final = "easel.caller"  # in the scope, put there by the HTTP door
MOST_BYTES: Final = 48 * 1024**2  # pictures come as base64
START_S: Final = 10.0


# the package reports a caller who went away in mid-request as a fault of its own, with a traceback
_POSTS: Final = logging.getLogger("mcp.server.streamable_http")


def _is_fault(record: logging.LogRecord) -> bool:
    return not (record.exc_info and type(record.exc_info[1]).__name__ == "ClientDisconnect")


class AssistantWeb:
    """Keep `run` as one loop; `handle` is an ASGI application."""

    def __init__(self, services: Services, own: AssistantServices) -> None:
        self._server = AssistantServer(Tools(services, own), _caller)
        self._manager: StreamableHTTPSessionManager | None = None
        self._is_up = asyncio.Event()

    async def run(self) -> None:
        """Serve until cancelled."""
        _POSTS.addFilter(_is_fault)
        manager = StreamableHTTPSessionManager(self._server.server, stateless=True, max_request_body_size=MOST_BYTES)
        async with manager.run():
            self._manager = manager
            self._is_up.set()
            try:
                await asyncio.Event().wait()
            finally:
                self._is_up.clear()

    async def handle(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer a request of a caller who is known."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._is_up.wait(), START_S)
        assert self._manager is not None, "its loop is started before the port is opened"
        await self._manager.handle_request(scope, receive, send)


def _caller(context: Any) -> Person:
    person: Person = context.request.scope[CALLER]
    return person
