"""Base of stand-ins for hosted engines: a socket, a list of what was asked, and answers that break where told to."""

import argparse
import asyncio
import contextlib
import io
import itertools
import random
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Self

from aiohttp import web
from PIL import Image

SLOW_S = 0.04
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Fault:
    """A fault of the next call to a path that contains `path`.

    Kinds: status, html, hang, reset, truncate, and slow: the right answer, a little later.
    """

    kind: str
    path: str = ""
    status: int = 500
    body: dict[str, Any] | str | bytes = ""
    headers: dict[str, str] = field(default_factory=dict)


@cache
def draw(width: int, height: int, seed: int, kind: str = "WEBP") -> bytes:
    """Return a picture of one colour per seed."""
    out = io.BytesIO()
    Image.new("RGB", (width, height), tuple(random.Random(seed).randbytes(3))).save(out, kind, method=0)
    return out.getvalue()


class Listener:
    """Listens on a free port of the loopback until the end of the block, and breaks answers where it is told to."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self._host, self._port = host, port
        self._runner: web.AppRunner | None = None
        self.faults: list[Fault] = []
        self.requests: list[tuple[str, str, dict[str, str]]] = []  # method, path, headers
        self.tasks: set[asyncio.Task[Any]] = set()

    @property
    def url(self) -> str:
        return f"http://{self._host}:{self._port}"

    def routes(self) -> list[web.RouteDef]:
        raise NotImplementedError

    def count(self, method: str, part: str) -> int:
        return sum(item == method and part in path for item, path, _ in self.requests)

    def keep(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def refuse(self, request: web.Request) -> web.Response | None:
        """Return what to answer before any handler: rates, retired paths."""
        return None

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 * 1024 * 1024, middlewares=[self._middleware])
        app.add_routes(self.routes())
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port)
        await site.start()
        self._port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in tuple(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)
        if self._runner:
            await self._runner.cleanup()

    @web.middleware
    async def _middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self.requests.append((request.method, request.path, dict(request.headers)))
        fault = next((item for item in self.faults if item.path in f"{request.method} {request.path}"), None)
        if fault:
            self.faults.remove(fault)
            if fault.kind != "slow":
                return await self._faulty(request, fault)
        refused = self.refuse(request)
        response = refused if refused is not None else await handler(request)
        if fault:
            await asyncio.sleep(SLOW_S)
        return response

    async def _faulty(self, request: web.Request, fault: Fault) -> web.StreamResponse:
        if fault.kind == "hang":
            await asyncio.sleep(3600)
        if fault.kind == "html":
            page = "<!doctype html><title>cloud</title>"
            return web.Response(text=page, status=fault.status, content_type="text/html")
        if fault.kind == "truncate":
            return web.Response(text='{"finished": 1, "do', content_type="application/json")
        if fault.kind == "reset":
            response = web.StreamResponse(headers={"Content-Length": "5000"})
            await response.prepare(request)
            await response.write(b'{"finished": ')
            assert request.transport
            request.transport.abort()
            return response
        if isinstance(fault.body, dict):
            return web.json_response(fault.body, status=fault.status, headers=fault.headers)
        if isinstance(fault.body, bytes):
            return web.Response(body=fault.body, status=fault.status, headers=fault.headers)
        return web.Response(text=fault.body, status=fault.status, headers=fault.headers)


class HeldListener(Listener):
    """A service whose pictures can be held back: `plans` says what becomes of the next ones."""

    def __init__(self, *, limit_s: float = 10.0, host: str = "127.0.0.1", port: int = 0) -> None:
        super().__init__(host, port)
        self.limit_s = limit_s
        self.plans: list[str] = []
        self._held = asyncio.Event()
        self._held.set()

    def hold(self) -> None:
        self._held.clear()

    def release(self) -> None:
        self._held.set()

    async def held(self) -> None:
        """Wait as long as pictures are held."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.limit_s):
                await self._held.wait()

    def next_plan(self) -> str:
        return self.plans.pop(0) if self.plans else "draw"


class QueuedListener(HeldListener):
    """A service that takes a job for each picture and charges for it.

    `key_header` and `key` are what every call must bring, but those to `open_path`, where they have no business.
    """

    key_header = "Authorization"
    key = ""
    open_path = ""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.jobs: dict[str, Any] = {}
        self.leaked = 0  # how often our key came to where it has no business
        self.numbers = itertools.count(1)

    def refuse(self, request: web.Request) -> web.Response | None:
        given = request.headers.get(self.key_header, "")
        if request.path.startswith(self.open_path):
            self.leaked += bool(given)
            return None
        return None if given == self.key else self.no_key()

    def no_key(self) -> web.Response:
        """Return what a call without our key is answered with."""
        raise NotImplementedError


def by_hand(kind: Callable[..., Listener], title: str, port: int, meaning: str | None) -> None:
    """Serve a stand-in until Ctrl+C, at the address that the command line names."""
    parser = argparse.ArgumentParser(description=meaning)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=port)
    arguments = parser.parse_args()

    async def serve() -> None:
        async with kind(host=arguments.host, port=arguments.port) as server:
            print(f"stand-in for {title} on {server.url}", flush=True)
            await asyncio.Event().wait()

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve())


async def form_of(request: web.Request) -> tuple[dict[str, str], dict[str, list[bytes]]]:
    """Return the fields of a form and its files. aiohttp's own reader fails at times where a part ends with a chunk."""
    boundary = request.headers["Content-Type"].partition("boundary=")[2].strip('"').encode()
    fields: dict[str, str] = {}
    files: dict[str, list[bytes]] = {}
    for part in (await request.read()).split(b"--" + boundary)[1:-1]:
        head, __, content = part.partition(b"\r\n\r\n")
        names = dict(re.findall(rb'(name|filename)="([^"]*)"', head))
        name, data = names[b"name"].decode(), content.removesuffix(b"\r\n")
        if b"filename" in names:
            files.setdefault(name, []).append(data)
        else:
            fields[name] = data.decode()
    return fields, files
