"""Rules for every request: which names we answer to, where a browser may send it from, how much and how long.

Plain ASGI, since the framework's own middleware would buffer event streams.
"""

import asyncio
import contextlib
import json
from functools import lru_cache
from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.bodies import MAX_BODY_BYTES, MIB
from api.caller import SAFE_METHODS
from api.errors import BY_STATUS
from api.origins import is_own_page
from lazy import pattern
from settings.web import LOOPBACK_NAMES, WebSettings
from texts.text import _

BODY_TIMEOUT_S: Final = 60.0  # for all of it
CORS_MAX_AGE_S: Final = 600
_HOST = pattern(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")
CSP: Final = (
    "default-src 'self'; img-src 'self' blob: data:; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS: Final = {
    "Content-Security-Policy": CSP,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",  # what may be kept says so itself
}
_RAW_HEADERS: Final = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]


class Guard:
    """Checks every request before a route sees it, and puts the same headers on every answer."""

    def __init__(self, app: ASGIApp, settings: WebSettings) -> None:
        self._app = app
        self._names = LOOPBACK_NAMES | settings.host_names
        self._takes_addresses = settings.takes_addresses
        self._origins = frozenset(settings.origins)
        self._public_url = settings.public_url

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        origin = headers.get("origin", "")
        answer = self._with_headers(send, origin)
        if not self._is_ours(host := _host_name(headers.get("host", ""))):
            allowed = _("Add it to WEB_HOSTS, or set PUBLIC_URL, if it is yours.")
            await _refuse(answer, 421, _("This server does not answer to the name “{host}”.", host=host[:80]), allowed)
        elif scope["method"] == "OPTIONS" and origin in self._origins:
            await _answer(answer, 204, b"")
        elif scope["method"] not in SAFE_METHODS and not self._may_change(scope, headers):
            await _refuse(answer, 403, _("This request came from another site's page."), _("Open the studio itself."))
        elif headers.get("content-length", "").isdigit() and int(headers["content-length"]) > MAX_BODY_BYTES:
            await _too_large(answer)
        else:
            await self._pass(scope, receive, answer)

    async def _pass(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Hand on, counting the body; a client that sends too much or too slowly is cut off."""
        body, has_begun = _Body(scope, receive), False
        if body.is_whole and scope["method"] in SAFE_METHODS:
            await self._app(scope, receive, send)
            return

        async def watched(message: Message) -> None:
            nonlocal has_begun
            if message["type"] == "http.response.start" and not body.is_whole:
                await body.drain()
                MutableHeaders(scope=message)["Connection"] = "close"
            has_begun = True
            await send(message)

        try:
            await self._app(scope, body.receive, watched)
        except _CutOff as cut:
            if has_begun:
                raise
            await (_too_large(send) if cut.status_code == 413 else _refuse(send, cut.status_code, cut.words, ""))

    def _is_ours(self, host: str) -> bool:
        """A bare address cannot be pointed elsewhere later, as a name can (DNS rebinding)."""
        return host in self._names or (self._takes_addresses and _is_address(host))

    def _may_change(self, scope: Scope, headers: Headers) -> bool:
        if headers.getlist("origin")[1:]:
            return False
        is_listed = headers.get("origin", "") in self._origins
        return is_listed or is_own_page(headers, scheme=scope.get("scheme", "http"), public_url=self._public_url)

    def _with_headers(self, send: Send, origin: str) -> Send:
        async def answer(message: Message) -> None:
            if message["type"] == "http.response.start":
                raw = message["headers"] = list(message.get("headers", ()))
                given = {name for name, _value in raw}
                raw += [header for header in _RAW_HEADERS if header[0] not in given]
                if origin in self._origins:
                    headers = MutableHeaders(scope=message)
                    headers["Access-Control-Allow-Origin"] = origin
                    headers["Access-Control-Allow-Headers"] = "Authorization, Content-Type, Idempotency-Key, X-API-Key"
                    headers["Access-Control-Allow-Methods"] = "GET, POST, PUT, PATCH, DELETE"
                    headers["Access-Control-Max-Age"] = str(CORS_MAX_AGE_S)
                    headers["Cross-Origin-Resource-Policy"] = "cross-origin"
                    headers.add_vary_header("Origin")
            await send(message)

        return answer


class _Body:
    """The body of one request as it comes in."""

    def __init__(self, scope: Scope, receive: Receive) -> None:
        headers = Headers(scope=scope)
        self._receive = receive
        self._deadline = asyncio.get_running_loop().time() + BODY_TIMEOUT_S
        self._seen = 0
        self._is_awaited = "100-continue" in headers.get("expect", "").casefold()
        self._is_over = False
        self._turn = asyncio.Lock()  # a streaming answer listens for the client's going while we drain
        self._is_empty = headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers

    @property
    def is_whole(self) -> bool:
        return self._is_over or self._is_empty

    async def receive(self) -> Message:
        """Hand on the next part.

        Raises:
            _CutOff: it is too large, or comes too slowly.
        """
        if self._is_over:  # what comes after the body is only the news that the client has gone
            return await self._receive()
        return await self._next()

    async def drain(self) -> None:
        """Take what is left and drop it: who still sends would not read our answer."""
        if self._is_awaited and not self._seen:
            return  # the client sends nothing before we ask for it
        with contextlib.suppress(_CutOff):
            while not self.is_whole:
                await self._next()

    async def _next(self) -> Message:
        try:
            async with asyncio.timeout_at(self._deadline), self._turn:
                if self._is_over:
                    return {"type": "http.request", "body": b"", "more_body": False}
                message = await self._receive()
                self._is_over = not message.get("more_body", False)
        except TimeoutError:
            raise _CutOff(408) from None
        self._seen += len(message.get("body", b""))
        if self._seen > MAX_BODY_BYTES:
            raise _CutOff(413)
        return message


class _CutOff(HTTPException):
    """The rest of a body is not waited for. The framework lets this kind of exception through."""

    def __init__(self, status: int) -> None:
        self.words = BY_STATUS[status][1]
        super().__init__(status, headers={"Connection": "close"})


@lru_cache(maxsize=256)
def _host_name(host: str) -> str:
    if not _HOST.fullmatch(host):  # more than a name and a port would end up in the links we give out
        return host
    try:
        return (urlsplit(f"//{host}").hostname or "").casefold()
    except ValueError:
        return host


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


async def _too_large(send: Send) -> None:
    await _refuse(
        send, 413, _("A request may hold {most} MB.", most=MAX_BODY_BYTES // MIB), _("Send smaller pictures.")
    )


async def _refuse(send: Send, status: int, error: str, hint: str) -> None:
    code = {403: "not_allowed", 413: "too_large"}.get(status, "request_rejected")
    body = {"error": error, "hint": hint, "field": None, "code": code, "retry_after": None}
    await _answer(send, status, json.dumps(body).encode())


async def _answer(send: Send, status: int, body: bytes) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    if status in (408, 413):
        headers.append((b"connection", b"close"))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})
