"""A stand-in for ComfyUI on a real socket, for tests, the bench and playing by hand.

It behaves as the recorded server did, mistakes included. By hand: `python -m tests.engines.comfyui_server --port 8188`.
"""

import argparse
import asyncio
import base64
import contextlib
import json
import uuid
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import WSMsgType, web

from tests.engines.comfyui_checks import check
from tests.engines.comfyui_engine import DATA, Engine, recorded

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
VERSIONS = {"interrupt by id": (0, 3, 56), "cancel by id": (0, 25)}


@dataclass
class Fault:
    """A fault of the next call of a path. `after_accept`: the server does what was asked all the same."""

    path: str
    kind: str  # status, hang, slow, reset, truncate, repeat
    status: int = 500
    body: str = ""
    content_type: str = "text/plain"
    after_accept: bool = False
    headers: dict[str, str] = field(default_factory=dict)


class ComfyUIServer:
    """`async with ComfyUIServer(...) as server:` listens on `server.url` until the end of the block.

    Args:
        version: decides how jobs can be cancelled.
        auth: "user:password" or a bearer token that a proxy in front asks for.
        prefix: path the server lies under.
        has_socket: False is a proxy that does not pass websockets.
        takes_ids: False is a server that chooses prompt ids itself.
    """

    def __init__(
        self,
        *,
        version: str = "0.33.0",
        auth: str | None = None,
        prefix: str = "",
        has_socket: bool = True,
        takes_ids: bool = True,
        seconds_per_step: float = 0.0,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.version, self.prefix, self.has_socket, self.takes_ids = version, prefix, has_socket, takes_ids
        basic = f"Basic {base64.b64encode((auth or '').encode()).decode()}"
        bearer = f"Bearer {auth}"
        self.auth = (auth and bearer) or None
        self.auth = basic if auth and ":" in auth else self.auth
        self.engine = Engine(self._send, seconds_per_step)
        self.faults: list[Fault] = []
        self.requests: list[tuple[str, str, dict[str, str]]] = []  # method, path, headers
        self.posted: list[tuple[str, Any]] = []  # path and JSON body of control calls
        self.sockets: dict[str, web.WebSocketResponse] = {}
        self.flags: set[str] = set()
        self._host, self._port = host, port
        self._tasks: set[asyncio.Task[Any]] = set()
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://{self._host}:{self._port}{self.prefix}"

    def fail_next(
        self, path: str, kind: str = "status", *, status: int = 500, body: str = "",
        content_type: str = "text/plain", after_accept: bool = False, headers: dict[str, str] | None = None,
    ) -> None:  # fmt: skip
        self.faults.append(Fault(path, kind, status, body, content_type, after_accept, headers or {}))

    def restart(self) -> None:
        """As after a kill: sockets drop, queue and history are gone."""
        self.drop_sockets()
        self.engine.restart()

    def drop_sockets(self) -> None:
        for socket in tuple(self.sockets.values()):
            transport = socket._req.transport if socket._req else None
            if transport:
                transport.abort()
        self.sockets.clear()

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=8 * 1024 * 1024, middlewares=[self._middleware])
        for path, handler in self._routes().items():
            method, _, where = path.partition(" ")
            app.router.add_route(method, f"{self.prefix}{where}", handler)
            if not where.startswith("/api"):
                app.router.add_route(method, f"{self.prefix}/api{where}", handler)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port)
        await site.start()
        self._port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        self._tasks.add(asyncio.create_task(self.engine.work()))
        return self

    async def __aexit__(self, *_: object) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._tasks.clear()
        self.drop_sockets()
        if self._runner:
            await self._runner.cleanup()

    def _routes(self) -> dict[str, Handler]:
        routes: dict[str, Handler] = {
            "POST /prompt": self._prompt, "GET /prompt": self._remaining, "GET /queue": self._queue,
            "POST /queue": self._edit_queue, "POST /interrupt": self._interrupt, "GET /history/{id}": self._history,
            "GET /history": self._histories,
            "GET /view": self._view, "POST /upload/image": self._upload, "GET /object_info": self._object_info,
            "GET /system_stats": self._stats, "GET /embeddings": self._embeddings,
            "POST /free": self._free, "GET /ws": self._socket,
        }  # fmt: skip
        if self._version >= VERSIONS["cancel by id"]:
            routes["POST /api/jobs/{id}/cancel"] = self._cancel
        return routes

    @property
    def _version(self) -> tuple[int, ...]:
        return tuple(int(part) for part in self.version.split("."))

    @web.middleware
    async def _middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        path = request.path.removeprefix(self.prefix)
        self.requests.append((request.method, path, dict(request.headers)))
        if self.auth and request.headers.get("Authorization") != self.auth:
            return web.Response(status=401, text="Authorization required")
        if "Origin" in request.headers:
            return web.Response(status=403)
        fault = next((fault for fault in self.faults if path.startswith(fault.path)), None)
        if fault is None:
            return await handler(request)
        self.faults.remove(fault)
        return await self._break(fault, request, handler)

    async def _break(self, fault: Fault, request: web.Request, handler: Handler) -> web.StreamResponse:
        await request.read()
        answer = await handler(request) if fault.after_accept else None
        if fault.kind == "hang":
            await asyncio.sleep(30)
        if fault.kind == "slow":
            await asyncio.sleep(0.05)
            return await handler(request)
        if fault.kind == "reset":
            assert request.transport is not None
            request.transport.abort()
        if fault.kind == "truncate":
            answer = answer or await handler(request)
            assert isinstance(answer, web.Response)
            body = bytes(answer.body or b"")  # type: ignore[arg-type]
            return web.Response(body=body[: len(body) // 2], content_type=answer.content_type)
        if fault.kind == "repeat":  # something on the way sends it twice, and only the second answer comes through
            await handler(request)
            return await handler(request)
        return web.Response(
            status=fault.status, text=fault.body, content_type=fault.content_type, headers=fault.headers
        )

    async def _prompt(self, request: web.Request) -> web.Response:
        try:
            body = json.loads(await request.read())
            graph = body.get("prompt")
            if graph is None:
                return _refused({"type": "no_prompt", "message": "No prompt provided", "details": "", "extra_info": {}})
            outputs, errors, stop = check(graph, self.engine.info, self._has_file)
        except (ValueError, AttributeError):  # a body that is no JSON, or the editor's own format
            return web.Response(status=500, text="500 Internal Server Error\n\nServer got itself in trouble")
        if stop:
            return _refused(stop, errors)
        prompt_id = body.get("prompt_id") if self.takes_ids else None
        if prompt_id is not None and str(uuid.UUID(prompt_id)) != prompt_id:
            return _refused({"type": "invalid_prompt_id", "message": "prompt_id must be a valid UUID"})
        extra = {**(body.get("extra_data") or {}), "client_id": body.get("client_id")}
        job = self.engine.queue(prompt_id or str(uuid.uuid4()), graph, extra, outputs)
        return web.json_response({"prompt_id": job.id, "number": job.number, "node_errors": errors})

    def _has_file(self, reference: str) -> bool:
        return self.engine.locate(reference) in self.engine.files

    async def _remaining(self, _: web.Request) -> web.Response:
        left = len(self.engine.pending) + (self.engine.running is not None)
        return web.json_response({"exec_info": {"queue_remaining": left}})

    async def _queue(self, _: web.Request) -> web.Response:
        running = [self.engine.running.item] if self.engine.running else []
        return web.json_response({"queue_running": running, "queue_pending": [j.item for j in self.engine.pending]})

    async def _edit_queue(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.posted.append(("/queue", body))
        self.engine.delete([job.id for job in self.engine.pending] if body.get("clear") else body.get("delete", []))
        return web.Response()

    async def _interrupt(self, request: web.Request) -> web.Response:
        content = await request.read()
        body = json.loads(content) if content else {}
        self.posted.append(("/interrupt", body))
        wanted = body.get("prompt_id") if self._version >= VERSIONS["interrupt by id"] else None
        if self.engine.running and wanted in {None, self.engine.running.id}:
            self.engine.interrupt()
        return web.Response()

    async def _cancel(self, request: web.Request) -> web.Response:
        wanted = request.match_info["id"]
        self.posted.append(("/api/jobs/cancel", wanted))
        is_running = self.engine.running is not None and self.engine.running.id == wanted
        if is_running:
            self.engine.interrupt()
        return web.json_response({"cancelled": is_running or self.engine.delete([wanted])})

    async def _history(self, request: web.Request) -> web.Response:
        wanted = request.match_info["id"]
        entry = self.engine.history.get(wanted)
        return web.json_response({wanted: entry} if entry else {})

    async def _histories(self, request: web.Request) -> web.Response:
        newest = list(self.engine.history.items())[-int(request.query["max_items"]) :]
        return web.json_response(dict(newest))

    async def _view(self, request: web.Request) -> web.Response:
        asked = request.query
        if ".." in asked["filename"]:
            return web.Response(status=400)
        data = self.engine.files.get((asked.get("type", "output"), asked.get("subfolder", ""), asked["filename"]))
        if data is None:
            return web.Response(status=404)
        return web.Response(body=data, content_type="video/mp4" if asked["filename"].endswith(".mp4") else "image/png")

    async def _upload(self, request: web.Request) -> web.Response:
        try:
            form = await request.post()
        except web.HTTPRequestEntityTooLarge as error:
            return web.Response(status=413, text=error.text)
        image = form.get("image")
        if not isinstance(image, web.FileField):
            return web.Response(status=400)
        kind, folder = str(form.get("type", "input")), str(form.get("subfolder", ""))
        data, name = image.file.read(), image.filename
        stem, _, suffix = name.rpartition(".")
        number = 0
        while form.get("overwrite") != "true" and self.engine.files.get((kind, folder, name), data) != data:
            number += 1
            name = f"{stem} ({number}).{suffix}"
        self.engine.files[kind, folder, name] = data
        return web.json_response({"name": name, "subfolder": folder, "type": kind})

    async def _object_info(self, _: web.Request) -> web.Response:
        return web.json_response(self.engine.info)

    async def _embeddings(self, _: web.Request) -> web.Response:
        return web.json_response(["tiny_embed"])

    async def _stats(self, _: web.Request) -> web.Response:
        reported = recorded("system_stats")
        reported["system"]["comfyui_version"] = self.version
        return web.json_response(reported)

    async def _free(self, request: web.Request) -> web.Response:
        body = await request.json()
        self.posted.append(("/free", body))
        if body.get("free_memory"):
            self.engine.cache.clear()
        return web.Response()

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        if not self.has_socket:
            return web.Response(status=400)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        name = request.query.get("clientId") or uuid.uuid4().hex
        self.sockets[name] = socket
        await socket.send_json({"type": "status", "data": {"status": {"exec_info": {}}, "sid": name}})
        async for message in socket:
            if message.type is WSMsgType.TEXT and json.loads(message.data).get("type") == "feature_flags":
                self.flags.add(name)
                await socket.send_json({"type": "feature_flags", "data": {"supports_preview_metadata": True}})
        self.sockets.pop(name, None)  # the newer one of the same name too: it falls silent
        return socket

    def _send(self, frame: dict[str, Any] | bytes, client: str | None) -> None:
        """As on the server: frames of a job go to its client, those of a job without one to everybody."""
        wanted = list(self.sockets) if client is None else [client]
        for name in wanted:
            socket = self.sockets.get(name)
            if socket is None or socket.closed:
                continue
            sending = socket.send_bytes(frame) if isinstance(frame, bytes) else socket.send_json(frame)
            task = asyncio.ensure_future(_quietly(sending))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)


async def _quietly(sending: Awaitable[None]) -> None:
    with contextlib.suppress(ConnectionError, RuntimeError):
        await sending


def _refused(error: dict[str, Any], node_errors: dict[str, Any] | None = None) -> web.Response:
    return web.json_response({"error": error, "node_errors": node_errors or {}}, status=400)


async def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8188)
    parser.add_argument("--seconds", type=float, default=5.0, help="per picture of 20 steps")
    chosen = parser.parse_args()
    async with ComfyUIServer(port=chosen.port, seconds_per_step=chosen.seconds / 20) as server:
        print(f"ComfyUI stand-in at {server.url}, answers from {DATA.name}")
        await asyncio.Event().wait()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_main())
