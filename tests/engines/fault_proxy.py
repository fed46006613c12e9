"""A proxy in front of any stand-in, which passes everything on but the calls that it was told to break."""

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final, Self

import aiohttp
from aiohttp import web

FLOOD_BYTES: Final = 500 * 1024 * 1024
CHUNK: Final = bytes(256 * 1024)
HOP_HEADERS: Final = frozenset(
    {"connection", "content-length", "date", "host", "keep-alive", "server", "transfer-encoding", "upgrade"}
)


@dataclass(kw_only=True)
class Fault:
    """A fault of the next calls whose "METHOD /path" contains `where`, but for those that contain `unless`.

    Kinds: `answer` (another one, without asking the engine), `hang` (no word), and after the engine has answered:
    `stall` (headers, then silence), `reset` (half of the body, then gone), `cut` (half of the body as if it were all),
    `edit` (the body, changed), `flood` (500 MB).
    """

    kind: str
    where: str
    status: int = 200
    body: bytes = b""
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    edit: Callable[[bytes], bytes] = bytes
    times: int = 1
    unless: str = ""

    def meets(self, call: str) -> bool:
        return self.where in call and not (self.unless and self.unless in call)


class FaultProxy:
    """`async with FaultProxy(server.url) as proxy:` listens on `proxy.url`. It passes no websockets on."""

    def __init__(self, upstream: str) -> None:
        self.upstream = upstream
        self.faults: list[Fault] = []
        self.calls: list[str] = []
        self.flooded = 0  # bytes
        self._port = 0
        self._open: set[asyncio.BaseTransport] = set()
        self._runner: web.AppRunner | None = None
        self._session: aiohttp.ClientSession | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def arm(self, *faults: Fault) -> None:
        self.faults += faults

    def count(self, where: str) -> int:
        return sum(where in call for call in self.calls)

    def drop(self) -> None:
        """End every connection, as a restart does."""
        for transport in tuple(self._open):
            if isinstance(transport, asyncio.Transport):
                transport.abort()

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(auto_decompress=False, cookie_jar=aiohttp.DummyCookieJar())
        await self.listen()
        return self

    async def listen(self) -> None:
        """Open the port: the same one again after `close`."""
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.05, handler_cancellation=True)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port, reuse_address=True)
        await site.start()
        self._port = self._runner.addresses[0][1]

    async def close(self) -> None:
        """Refuse connections from now on."""
        self.drop()
        if self._runner:
            await self._runner.cleanup()
            self._runner = None

    async def __aexit__(self, *_: object) -> None:
        await self.close()
        assert self._session
        await self._session.close()

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        if request.transport:
            self._open.add(request.transport)
        call = f"{request.method} {request.path}"
        self.calls.append(call)
        if request.headers.get("Upgrade"):
            return web.Response(status=400)
        fault = next((item for item in self.faults if item.meets(call)), None)
        if fault is None:
            return await self._pass_on(request)
        fault.times -= 1
        if not fault.times:
            self.faults.remove(fault)
        return await self._break(request, fault)

    async def _pass_on(self, request: web.Request) -> web.StreamResponse:
        async with self._ask(request) as answer:
            if answer.content_type == "application/json":
                body = (await answer.read()).replace(self.upstream.encode(), self.url.encode())
                return web.Response(status=answer.status, headers=_kept(answer.headers), body=body)
            response = web.StreamResponse(status=answer.status, headers=_kept(answer.headers))
            await response.prepare(request)
            async for chunk in answer.content.iter_any():
                await response.write(chunk)
            return response

    async def _break(self, request: web.Request, fault: Fault) -> web.StreamResponse:
        if fault.kind == "hang":
            await asyncio.sleep(3600)
        if fault.kind == "answer":
            return web.Response(
                status=fault.status, body=fault.body, content_type=fault.content_type, headers=fault.headers
            )
        async with self._ask(request) as answer:
            body = (await answer.read()).replace(self.upstream.encode(), self.url.encode())
            status, headers = answer.status, _kept(answer.headers)
        if fault.kind == "edit":
            return web.Response(status=status, headers=headers, body=fault.edit(body))
        if fault.kind == "cut":
            return web.Response(status=status, headers=headers, body=body[: len(body) // 2])
        response = web.StreamResponse(status=status, headers=headers)
        if fault.kind != "flood":
            response.headers["Content-Length"] = str(len(body))
        await response.prepare(request)
        if fault.kind == "stall":
            await asyncio.sleep(3600)
        if fault.kind == "flood":
            await self._flood(response)
            return response
        await response.write(body[: len(body) // 2])
        assert request.transport
        request.transport.abort()
        return response

    async def _flood(self, response: web.StreamResponse) -> None:
        with contextlib.suppress(ConnectionError):
            while self.flooded < FLOOD_BYTES:
                await response.write(CHUNK)
                self.flooded += len(CHUNK)

    def _ask(self, request: web.Request) -> aiohttp.client._RequestContextManager:
        assert self._session
        headers = [(name, value) for name, value in request.headers.items() if name.lower() not in HOP_HEADERS]
        return self._session.request(
            request.method,
            f"{self.upstream}{request.raw_path}",
            headers=headers,
            data=request.content if request.body_exists else None,
            allow_redirects=False,
        )


def _kept(headers: "aiohttp.typedefs.LooseHeaders") -> dict[str, str]:
    return {name: value for name, value in dict(headers).items() if name.lower() not in HOP_HEADERS}
