"""The address of the MCP door: who calls is found out here, by the rules of every route; the rest is `assistants`'s."""

from collections.abc import Awaitable, Callable
from typing import Final

from starlette.requests import Request
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from api.caller import find_caller, unknown
from api.context import web_of
from api.errors import NotFound
from services.refusals import check_scope
from texts.text import _

PATH: Final = "/mcp"
Handle = Callable[[Scope, Receive, Send], Awaitable[None]]


class McpGate:
    """Lets in who is known, and hands on."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        caller = await find_caller(request)
        if caller is None:
            raise unknown(request)
        check_scope(caller, "read")
        handle = web_of(request).mcp
        if handle is None:
            raise NotFound(_("Assistants cannot come in here: the packages of MCP are not installed, or MCP is off."))
        await handle(scope, receive, send)


def mcp_route() -> Route:
    # without sessions there is nothing to listen to (GET) and nothing to end (DELETE): 405, as the protocol has it
    return Route(PATH, endpoint=McpGate(), methods=["POST"], include_in_schema=False)
