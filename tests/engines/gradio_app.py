"""A stand-in for Pinokio's gradio apps on a real socket, for tests, the bench and playing by hand.

It behaves as gradio 4.44, 5.50 and 6.31 were recorded, mistakes included: a cancelled job draws on beside the next one,
a waiting one runs all the same before gradio 6, and a stream cannot be joined again.
By hand: `python -m tests.engines.gradio_app --major 5 --seconds 1`.
"""

import argparse
import asyncio
import contextlib
import json
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import web

from tests.engines.gradio_engine import DATA, Engine, Event, bomb

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
UNAUTHORIZED: dict[int, Any] = {4: "Not authenticated", 5: {"error": "Not authenticated"},
                                6: {"error": "Not authenticated"}}  # fmt: skip


@dataclass
class Fault:
    """A fault of the next event. On join: status, hang. In its stream: reset, silent, broken, flood.

    In its end: empty, not_a_picture, bomb, big, no_file, cut.
    """

    kind: str
    status: int = 500
    body: str | dict[str, Any] = ""
    headers: dict[str, str] = field(default_factory=dict)


class GradioApp:
    """`async with GradioApp(major=5) as app:` listens on `app.url` until the end of the block.

    Args:
        major: 4, 5 or 6.
        recorded: which page, a folder of `tests/data/gradio_flux`; flux-webui's of that version if empty.
        auth: "user:password" as in `launch(auth=...)`.
        max_size: of gradio's own queue.
        show_error: whether the text of a Python exception reaches the client.
        seconds_per_step: how long a step takes.
        heartbeat_s: how often a silent stream says it is alive; 15 in the real ones.
        image: makes the pictures, from (width, height, seed, text).
    """

    def __init__(
        self,
        major: int = 5,
        recorded: str = "",
        *,
        auth: str | None = None,
        max_size: int | None = None,
        show_error: bool = False,
        seconds_per_step: float = 0.0,
        heartbeat_s: float = 15.0,
        image: Callable[..., bytes] | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.major = major
        folder = DATA / (recorded or f"gradio{major}")
        self.config: dict[str, Any] = json.loads((folder / "config.json").read_text())
        self.info: dict[str, Any] | None = json.loads((folder / "info.json").read_text())
        self.engine = Engine(major, self.config, max_size, show_error, seconds_per_step, image)
        self.auth, self.heartbeat_s = auth, heartbeat_s
        self.faults: list[Fault] = []
        self.requests: list[tuple[str, str]] = []
        self.logins = 0
        self._tokens: set[str] = set()
        self._prefix = self.config.get("api_prefix") or ""
        self._host, self._port = host, port
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://{self._host}:{self._port}"

    def break_next(self, kind: str, *, status: int = 500, body: str | dict[str, Any] = "", **headers: str) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.faults.append(Fault(kind, status=status, body=body, headers=named))

    def forget_logins(self) -> None:
        """Return what a restart does to everybody's cookies."""
        self._tokens.clear()

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 * 1024 * 1024, middlewares=[self._middleware])
        p = self._prefix
        app.add_routes(
            [
                web.get("/", self._page), web.get("/config", self._config), web.get(f"{p}/info", self._info),
                web.post("/login", self._login), web.post(f"{p}/queue/join", self._join),
                web.get(f"{p}/queue/data", self._data), web.get(f"{p}/queue/status", self._status),
                web.post(f"{p}/cancel", self._cancel), web.post(f"{p}/upload", self._upload),
                web.get(f"{p}/file={{path:.+}}", self._file),
            ]
        )  # fmt: skip
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1, handler_cancellation=True)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port)
        await site.start()
        self._port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.engine.stop()
        assert self._runner
        await self._runner.cleanup()

    @web.middleware
    async def _middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self.requests.append((request.method, request.path))
        is_open = request.path in {"/", "/login"}
        if self.auth and not is_open and not self._tokens & set(request.cookies.values()):
            return web.json_response({"detail": UNAUTHORIZED[self.major]}, status=401)
        try:
            return await handler(request)
        except web.HTTPNotFound:
            return web.json_response({"detail": "Not Found"}, status=404)

    async def _page(self, _: web.Request) -> web.Response:
        return web.Response(text="<!doctype html><script>window.gradio_config</script>", content_type="text/html")

    async def _config(self, _: web.Request) -> web.Response:
        return web.json_response(self.config)

    async def _info(self, _: web.Request) -> web.Response:
        if self.info is None:  # gradio 4 with a newer pydantic
            return web.Response(text="Internal Server Error", status=500)
        return web.json_response(self.info)

    async def _login(self, request: web.Request) -> web.Response:
        form = await request.post()
        if f"{form.get('username')}:{form.get('password')}" != self.auth:
            return web.json_response({"detail": "Incorrect credentials."}, status=400)
        self.logins += 1
        token = secrets.token_urlsafe(16)
        self._tokens.add(token)
        answer = web.json_response({"success": True})
        answer.set_cookie("access-token-x", token, httponly=True, samesite="none", secure=True)
        answer.set_cookie("access-token-unsecure-x", token, httponly=True, samesite="lax")
        return answer

    async def _join(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        fault = self.faults.pop(0) if self.faults else None
        if fault and fault.kind == "hang":
            await asyncio.sleep(3600)
        if fault and fault.kind == "status":
            return _faulty(fault)
        if not {"data", "fn_index", "session_hash"} <= body.keys():
            return web.json_response({"detail": [{"loc": ["body"], "msg": "field required"}]}, status=422)
        if self.engine.is_full:
            size = self.engine.max_size
            return web.json_response({"detail": f"Queue is full. Max size is {size} and size is {size}."}, status=503)
        event = self.engine.join(body["session_hash"], body["fn_index"], body["data"], fault.kind if fault else "")
        return web.json_response({"event_id": event.id})

    async def _data(self, request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Type": "text/event-stream; charset=utf-8"})
        event = self.engine.sessions.get(request.query["session_hash"])
        await answer.prepare(request)
        if event is None:
            message = {
                "msg": "unexpected_error",
                "event_id": None,
                "message": "404: Session not found.",
                "success": False,
            }
            await answer.write(_line(message))
            _abort(request)
            return answer
        try:
            await self._stream(request, answer, event)
        finally:
            self.engine.sessions.pop(event.session, None)  # gone with its stream, finished or not
        return answer

    async def _stream(self, request: web.Request, answer: web.StreamResponse, event: Event) -> None:
        if event.fault == "silent":
            await asyncio.sleep(3600)
        if event.fault == "flood":
            while True:
                await answer.write(b"data: " + b" " * 65536)
        while True:
            try:
                message = await asyncio.wait_for(event.messages.get(), self.heartbeat_s)
            except TimeoutError:
                message = {"msg": "heartbeat", "event_id": None}
            if message["msg"] == "process_starts" and event.fault == "broken":
                await answer.write(b'data: {"msg":"progress","progress_da\n\n')
                continue
            if message["msg"] == "process_completed" and event.fault == "reset":
                _abort(request)
                return
            await answer.write(_line(message))
            if message["msg"] == "close_stream":
                return

    async def _status(self, _: web.Request) -> web.Response:
        return web.json_response({"msg": "estimation", "queue_size": len(self.engine.waiting)})

    async def _cancel(self, request: web.Request) -> web.Response:
        self.engine.cancel((await request.json())["event_id"])
        return web.json_response({"success": True})

    async def _upload(self, request: web.Request) -> web.Response:
        part = (await request.post())["files"]
        path = f"/tmp/gradio/{secrets.token_hex(16)}/{part.filename}"
        self.engine.files[path] = part.file.read()
        return web.json_response([path])

    async def _file(self, request: web.Request) -> web.StreamResponse:
        path = request.match_info["path"]
        data = self.engine.files.get(path)
        fault = self.engine.file_faults.pop(path, "")
        if data is None or fault == "no_file":
            return web.json_response({"detail": f"File not found: {path}."}, status=404)
        if fault == "not_a_picture":
            data = b"<svg/>" * 100
        elif fault == "cut":
            data = data[: len(data) // 2]
        elif fault == "bomb":
            data = await asyncio.to_thread(bomb)
        elif fault == "big":
            return await _endless(request)
        return web.Response(body=data, content_type="image/png")


async def _endless(request: web.Request) -> web.StreamResponse:
    answer = web.StreamResponse(headers={"Content-Type": "image/png"})
    await answer.prepare(request)
    with contextlib.suppress(ConnectionError):
        for _ in range(8 * 500):
            await answer.write(bytes(128 * 1024))
    return answer


def _line(message: dict[str, Any]) -> bytes:
    return f"data: {json.dumps(message)}\n\n".encode()


def _abort(request: web.Request) -> None:
    if request.transport:
        request.transport.abort()


def _faulty(fault: Fault) -> web.Response:
    if isinstance(fault.body, dict):
        return web.json_response(fault.body, status=fault.status, headers=fault.headers)
    kind = "text/html" if fault.body.lstrip().startswith("<") else "text/plain"
    return web.Response(text=fault.body, status=fault.status, headers=fault.headers, content_type=kind)


async def _serve(arguments: argparse.Namespace) -> None:
    app = GradioApp(
        arguments.major, arguments.recorded, auth=arguments.auth, seconds_per_step=arguments.seconds,
        host=arguments.host, port=arguments.port,
    )  # fmt: skip
    async with app:
        print(f"stand-in for a gradio {arguments.major} app on {app.url}", flush=True)
        await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--major", type=int, choices=(4, 5, 6), default=5)
    parser.add_argument("--recorded", default="", help="a folder of tests/data/gradio_flux")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=7860)
    parser.add_argument("--seconds", type=float, default=0.5, help="per step")
    parser.add_argument("--auth", help="user:password")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(parser.parse_args()))


if __name__ == "__main__":
    main()
