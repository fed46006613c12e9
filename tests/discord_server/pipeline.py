"""The pipeline of every request: log, faults, token, rate limit, official document, then the handler."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from aiohttp import web

from tests.discord_server import errors, openapi_check
from tests.discord_server.faults import Fault
from tests.discord_server.uploads import BODY, Body, read_body

if TYPE_CHECKING:
    from tests.discord_server.server import DiscordServer

PREFIX = "/api/v10"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(kw_only=True)
class RequestRecord:
    """One request of the bot; `status` 0 means that the connection was cut."""

    t: float
    method: str
    path: str
    body: Any = None
    status: int = 0
    code: int | None = None


class Pipeline:
    """An aiohttp middleware as an object."""

    def __init__(self, server: DiscordServer) -> None:
        self._server = server

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path.startswith(("/gateway", "/_control")):
            return await handler(request)
        path = request.path.removeprefix(PREFIX)
        record = RequestRecord(t=self._server.now(), method=request.method, path=path)
        self._server.requests.append(record)
        fault = next((item for item in self._server.faults if item.takes(request.method, path)), None)
        try:
            response = await self._with_fault(request, handler, record, fault)
        except ConnectionResetError:  # whoever asked was killed before all of it had come
            response = web.Response(status=499)
        finally:
            self._server.changed()
        if response.content_type == "application/json":
            response.charset = None  # Discord names none, and nextcord compares the whole header
        # every answer of Discord passes Cloudflare; libraries take a 429 without this header for a ban
        if fault is None or fault.via:
            response.headers.setdefault("Via", "1.1 local")
        record.status = response.status if request.transport and not request.transport.is_closing() else 0
        return response

    async def _with_fault(
        self, request: web.Request, handler: Handler, record: RequestRecord, fault: Fault | None
    ) -> web.StreamResponse:
        if fault is None:
            return await self._answer(request, handler, record)
        if fault.delay_s:
            await asyncio.sleep(fault.delay_s)
        if fault.cut:
            if fault.cut == "after":
                await self._answer(request, handler, record)
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=499)
        if fault.status is None:
            response = await self._answer(request, handler, record)
            await asyncio.sleep(fault.late_s)
            return response
        await request.read()
        status, body, headers = fault.answer()
        return web.json_response(body, status=status, headers=headers)

    async def _answer(self, request: web.Request, handler: Handler, record: RequestRecord) -> web.StreamResponse:
        headers: dict[str, str] = {}
        try:
            if request.path.startswith(PREFIX):
                self._authorize(request, record.path)
                limited, headers = self._limit(request, record.path)
                body = await self._read(request, record)
                if limited is not None:
                    return limited
                self._hold_against_document(request, body)
                request[BODY] = body
            response = await handler(request)
            for note in request[BODY].notes if BODY in request else ():
                self._server.violate(request.method, record.path, "silent fault", note)
        except errors.ApiError as error:
            record.code = error.code
            if error.violation or error.code == 50035:
                detail = f"{error.message} {error.errors or ''}".strip()
                self._server.violate(request.method, record.path, str(error.code), detail)
            response = web.json_response(error.to_json(), status=error.status)
        except web.HTTPException as error:  # the router's own 404 and 405
            self._server.violate(request.method, record.path, "unknown route", f"{error.status}")
            body_json = {"message": f"{error.status}: {error.reason}", "code": 0}
            response = web.json_response(body_json, status=error.status)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            # a body of the wrong shape reaches the handlers only where the official document is absent or silent
            self._server.violate(request.method, record.path, "unreadable body", repr(error))
            response = web.json_response({"message": "Invalid Form Body", "code": 50035}, status=400)
        response.headers.update(headers)
        return response

    def _authorize(self, request: web.Request, path: str) -> None:
        if path.startswith(("/interactions/", "/webhooks/")) or path == "/gateway":
            return
        if request.headers.get("Authorization") != f"Bot {self._server.token}":
            raise errors.unauthorized()

    async def _read(self, request: web.Request, record: RequestRecord) -> Body:
        if request.method in ("GET", "DELETE"):
            return Body()
        body = await read_body(request)
        record.body = body.summary()
        return body

    def _limit(self, request: web.Request, path: str) -> tuple[web.Response | None, dict[str, str]]:
        """Spend from the route's bucket and, outside interactions, from the global one."""
        limits, now = self._server.rate_limits, self._server.now()
        kind, major = _bucket(request)
        if not path.startswith(("/interactions/", "/webhooks/")):
            passes, left, _ = limits.take("global", "", now)
            if not passes:
                return self._too_many(left, "global", {"X-RateLimit-Global": "true"}), {}
        passes, left, headers = limits.take(kind, major, now)
        return (None if passes else self._too_many(left, "user", headers)), headers

    def _too_many(self, left: float, scope: str, headers: dict[str, str]) -> web.Response:
        self._server.rate_limited += 1
        body = {"message": "You are being rate limited.", "retry_after": round(left, 3), "global": scope == "global"}
        headers = headers | {"Retry-After": f"{left:.3f}", "X-RateLimit-Scope": scope}
        return web.json_response(body, status=429, headers=headers)

    def _hold_against_document(self, request: web.Request, body: Body) -> None:
        resource = request.match_info.route.resource
        if body.json is None or resource is None or not self._server.check_openapi:
            return
        template = resource.canonical.removeprefix(PREFIX)
        for problem in openapi_check.check(request.method, template, body.json, multipart=body.multipart):
            self._server.violate(request.method, template, "openapi", problem)


def _bucket(request: web.Request) -> tuple[str, str]:
    resource = request.match_info.route.resource
    template = resource.canonical.removeprefix(PREFIX) if resource else request.path
    match = request.match_info
    if "reactions" in template:
        return "reaction", match["channel_id"]
    if template == "/channels/{channel_id}/messages" and request.method == "POST":
        return "message_create", match["channel_id"]
    if template == "/channels/{channel_id}/messages/{message_id}" and request.method == "PATCH":
        return "message_edit", match["channel_id"]
    if template.startswith("/webhooks/"):
        return "webhook", match["webhook_token"]
    if "/commands" in template and request.method != "GET":
        return "command_write", match.get("guild_id", "")
    return f"{request.method} {template}", match.get("channel_id") or match.get("guild_id") or ""
