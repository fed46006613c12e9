"""A stand-in for AUTOMATIC1111 or Forge on a real socket, for tests, the bench and playing by hand.

It behaves as the recorded servers did, mistakes included. By hand: `python -m tests.engines.a1111_server --seconds 5`.
"""

import argparse
import asyncio
import base64
import contextlib
import json
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import web

from tests.engines.a1111_engine import DATA, Engine, Failed, bomb
from tests.engines.a1111_extras import Extras
from tests.engines.a1111_scheduler import PATHS, Scheduler

API = "/sdapi/v1"
OPEN_PATHS = ("/openapi.json", f"{API}/loras", "/internal/", "/file=")
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class Fault:
    """A fault of the next generation call. `after_accept`: the job runs all the same."""

    kind: str  # status, hang, reset, truncate, bomb, empty
    status: int = 500
    body: str | dict[str, Any] = ""
    headers: dict[str, str] = field(default_factory=dict)
    after_accept: bool = True


class A1111Server:
    """`async with A1111Server(...) as server:` listens on `server.url` until the end of the block.

    Args:
        family: "a1111" or "forge".
        ui: whether the web UI runs too; only then are there `/internal/progress` and task ids.
        auth: "user:password" of `--api-auth`.
        api: False is a server started without `--api`.
        scheduler: whether the extension sd-webui-agent-scheduler is installed.
        image: makes the pictures, from (width, height, seed, text).
    """

    def __init__(
        self,
        family: str = "a1111",
        *,
        ui: bool = True,
        auth: str | None = None,
        api: bool = True,
        scheduler: bool = False,
        seconds_per_image: float = 0.0,
        image_bytes: int = 0,
        image: Callable[..., bytes] | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self.family, self.ui, self.api = family, ui, api
        self.auth = f"Basic {base64.b64encode(auth.encode()).decode()}" if auth else None
        self.engine = Engine(family, seconds_per_image, image_bytes, image)
        self.extras = Extras(self.engine)
        self.scheduler = Scheduler(self.engine) if scheduler else None
        self.faults: list[Fault] = []
        self.requests: list[tuple[str, str, dict[str, str]]] = []  # method, path, headers
        self.interrupt_calls = 0
        self.hidden: set[str] = set()  # paths that a fork does not have
        self._running: set[asyncio.Task[Any]] = set()
        self._host, self._port = host, port
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return f"http://{self._host}:{self._port}"

    @property
    def submitted(self) -> list[dict[str, Any]]:
        return self.engine.submitted

    @property
    def finished(self) -> list[str]:
        return self.engine.finished

    @property
    def interrupted(self) -> list[str]:
        return self.engine.interrupted

    def fail_next(
        self, *, status: int = 500, body: str | dict[str, Any] = "", after_accept: bool = False, **headers: str
    ) -> None:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self.faults.append(Fault("status", status=status, body=body, headers=named, after_accept=after_accept))

    def break_next(self, kind: str) -> None:
        """Break the next answer: hang, reset (in the middle of the body), truncate, bomb, empty."""
        self.faults.append(Fault(kind))

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 * 1024 * 1024, middlewares=[self._middleware])
        app.add_routes(self._routes())
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port)
        await site.start()
        self._port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]
        return self

    async def __aexit__(self, *_: object) -> None:
        if self.scheduler:
            await self.scheduler.close()
        for task in tuple(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        assert self._runner
        await self._runner.cleanup()

    def _routes(self) -> list[web.RouteDef]:
        engine = self.engine
        lists: dict[str, Callable[[], Any]] = {
            "sd-models": lambda: engine.models,
            "samplers": lambda: engine.samplers,
            "schedulers": lambda: engine.schedulers,
            "loras": lambda: engine.loras,
            "sd-vae" if self.family == "a1111" else "sd-modules": lambda: engine.vaes,
            "options": lambda: engine.defaults | engine.options,
        }
        routes = [web.get("/", self._front_page), web.get("/openapi.json", self._openapi)]
        routes += [web.get("/stand-in/busy", self._busy), web.get("/stand-in/most", self._most)]
        if self.ui:
            routes += [web.post("/internal/progress", self._task_progress), web.get("/file={path:.+}", self._file)]
            routes.append(web.get("/internal/pending-tasks", self._pending))
        if self.api:
            routes += [web.get(f"{API}/{name}", _list(make)) for name, make in lists.items()]
            routes += [web.post(f"{API}/{mode}", self._generate(mode)) for mode in ("txt2img", "img2img")]
            routes.append(web.get(f"{API}/progress", self._progress))
            routes.append(web.post(f"{API}/interrupt", self._interrupt))
            routes.append(web.post(f"{API}/skip", self._skip))
            routes.append(web.post(f"{API}/options", self._set_options))
            routes += self.extras.routes()
        return routes + (self.scheduler.routes() if self.scheduler else [])

    @web.middleware
    async def _middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self.requests.append((request.method, request.path, dict(request.headers)))
        if self.auth and request.path.startswith(API) and not request.path.startswith(OPEN_PATHS):
            given = request.headers.get("Authorization")
            if given != self.auth:
                text = "Incorrect username or password" if given else "Not authenticated"
                return self._error(Failed("HTTPException", text, 401, is_http=True))
        if request.path in self.hidden:
            return web.json_response({"detail": "Not Found"}, status=404)
        try:
            return await handler(request)
        except web.HTTPNotFound:
            return web.json_response({"detail": "Not Found"}, status=404)
        except Failed as failure:
            response = self._error(failure)
            if self.family == "forge" and not failure.is_http:
                await response.prepare(request)
                await response.write_eof()
                transport = request.transport
                if transport:  # the real one resets the connection after a 500
                    asyncio.get_running_loop().call_later(0.005, transport.abort)
            return response

    def _error(self, failure: Failed) -> web.Response:
        if self.family == "forge" and failure.is_http:
            return web.json_response({"detail": failure.text}, status=failure.status)
        text = "errors" if self.family == "a1111" else "message"
        reply = {"detail": failure.text, text: ""} if failure.is_http else {"detail": "", text: failure.text}
        return web.json_response({"error": failure.kind, "body": "", **reply}, status=failure.status)

    def _generate(self, mode: str) -> Handler:
        async def handle(request: web.Request) -> web.StreamResponse:
            body = await request.json()
            for name in ("steps", "width", "height", "batch_size"):
                if isinstance(body.get(name), str) and not body[name].isdigit():
                    detail = [{"loc": ["body", name], "msg": "value is not a valid integer", "type": "type_error"}]
                    return web.json_response({"detail": detail}, status=422)
            fault = self.faults.pop(0) if self.faults else None
            if fault and fault.kind == "status" and not fault.after_accept:
                return _faulty(fault)
            task = asyncio.create_task(self.engine.run(mode, body))  # outlives the connection
            self._running.add(task)
            task.add_done_callback(self._forget)
            if fault and fault.kind == "status":
                return _faulty(fault)
            answer = await asyncio.shield(task)
            return await self._send(request, answer, fault.kind if fault else "")

        return handle

    def _forget(self, task: asyncio.Task[Any]) -> None:
        self._running.discard(task)
        if not task.cancelled():
            task.exception()  # a job whose caller went away fails unheard

    async def _send(self, request: web.Request, answer: dict[str, Any], fault: str) -> web.StreamResponse:
        if fault == "empty":
            answer["images"] = []
        elif fault == "truncate":
            answer["images"] = [text[: len(text) // 2 // 4 * 4] for text in answer["images"]]
        elif fault == "bomb":
            answer["images"] = [base64.b64encode(bomb()).decode()]
        elif fault == "hang":
            await asyncio.sleep(3600)
        text = await asyncio.to_thread(json.dumps, answer)
        if fault != "reset":
            return web.Response(text=text, content_type="application/json")
        response = web.StreamResponse(headers={"Content-Length": str(len(text)), "Content-Type": "application/json"})
        await response.prepare(request)
        await response.write(text[: len(text) // 2].encode())
        assert request.transport
        request.transport.abort()
        return response

    async def _task_progress(self, request: web.Request) -> web.Response:
        engine, ask = self.engine, await request.json()
        wanted = ask.get("id_task")
        active = wanted == engine.current_task
        queued = wanted in engine.pending
        answer: dict[str, Any] = {
            "active": active, "queued": queued, "completed": wanted in engine.remembered, "progress": None,
            "eta": None, "live_preview": None, "id_live_preview": -1, "textinfo": "Waiting...",
        }  # fmt: skip
        job = engine.job
        if active:
            fraction = job.step / job.steps if job else 0.0
            answer |= {"progress": fraction, "eta": _eta(fraction, job.started) if job else None, "textinfo": None}
            answer["id_live_preview"] = job.preview_id if job else 0
            if (
                job
                and job.preview_id
                and ask.get("live_preview", True)
                and ask.get("id_live_preview") != job.preview_id
            ):
                answer["live_preview"] = f"data:image/png;base64,{engine.preview()}"
        elif queued:
            answer["textinfo"] = f"In queue: {engine.pending.index(wanted) + 1}/{len(engine.pending)}"
        return web.json_response(answer)

    async def _pending(self, _: web.Request) -> web.Response:
        return web.json_response({"size": len(self.engine.pending), "tasks": self.engine.pending})

    async def _progress(self, request: web.Request) -> web.Response:
        job = self.engine.job
        state = {
            "skipped": self.engine.is_skipped, "interrupted": self.engine.is_interrupted, "stopping_generation": False,
            "job": f"scripts_{job.mode}" if job else "", "job_count": 1 if job else 0, "job_no": 0,
            "job_timestamp": f"{job.started:.6f}" if job else "0",
            "sampling_step": job.step if job else 0, "sampling_steps": job.steps if job else 0,
        }  # fmt: skip
        fraction = max(0.01, job.step / job.steps) if job else 0.0
        picture = None
        if job and job.preview_id and request.query.get("skip_current_image", "false") != "true":
            picture = self.engine.preview()
        eta = _eta(fraction, job.started) if job else 0.0
        return web.json_response(
            {"progress": fraction, "eta_relative": eta, "state": state, "current_image": picture, "textinfo": None}
        )

    async def _interrupt(self, _: web.Request) -> web.Response:
        self.interrupt_calls += 1
        self.engine.is_interrupted = True
        return web.json_response({})

    async def _skip(self, _: web.Request) -> web.Response:
        self.engine.is_skipped = True
        return web.json_response(None)

    async def _set_options(self, request: web.Request) -> web.Response:
        values = await request.json()
        unknown = set(values) - set(self.engine.defaults)
        if unknown:
            raise Failed("KeyError", repr(unknown.pop()))
        self.engine.options |= values
        return web.json_response(None)

    async def _file(self, request: web.Request) -> web.Response:
        data = self.engine.files.get(request.match_info["path"])
        if data is None:
            return web.json_response({"detail": "File not found"}, status=404)
        return web.Response(body=data, content_type="image/png")

    async def _busy(self, _: web.Request) -> web.Response:
        """Not a real server's: when it was at work, for benchmarks."""
        return web.json_response(self.engine.busy)

    async def _most(self, _: web.Request) -> web.Response:
        """Not a real server's either: how many jobs it had at once."""
        return web.json_response(self.engine.most)

    async def _front_page(self, _: web.Request) -> web.Response:
        return web.Response(text="<!doctype html><title>Stable Diffusion</title>", content_type="text/html")

    async def _openapi(self, _: web.Request) -> web.Response:
        schema = json.loads((DATA / self.family / "openapi.json").read_text())
        hidden = () if self.ui else ("/internal/", "/file", "/config", "/run/")
        hidden += () if self.api else (API,)
        extra = PATHS if self.scheduler else ()
        schema["paths"] = {path: {} for path in (*schema["paths"], *extra) if not path.startswith(hidden)}
        return web.json_response(schema)


def _list(make: Callable[[], Any]) -> Handler:
    async def handle(_: web.Request) -> web.StreamResponse:
        return web.json_response(make())

    return handle


def _eta(fraction: float, started: float) -> float:
    took = time.monotonic() - started
    return took / fraction - took if fraction else 0.0


def _faulty(fault: Fault) -> web.Response:
    if isinstance(fault.body, dict):
        return web.json_response(fault.body, status=fault.status, headers=fault.headers)
    kind = "text/html" if fault.body.lstrip().startswith("<") else "text/plain"
    return web.Response(text=fault.body, status=fault.status, headers=fault.headers, content_type=kind)


async def _serve(arguments: argparse.Namespace) -> None:
    server = A1111Server(
        arguments.family, ui=not arguments.nowebui, auth=arguments.auth, seconds_per_image=arguments.seconds,
        image_bytes=arguments.image_bytes, host=arguments.host, port=arguments.port,
    )  # fmt: skip
    async with server:
        print(f"stand-in for {arguments.family} on {server.url}", flush=True)
        await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--family", choices=("a1111", "forge"), default="a1111")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=7860)
    parser.add_argument("--seconds", type=float, default=1.0, help="per picture")
    parser.add_argument("--image-bytes", type=int, default=0, help="about this many bytes per PNG, as noise")
    parser.add_argument("--nowebui", action="store_true")
    parser.add_argument("--auth", help="user:password, as --api-auth")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(parser.parse_args()))


if __name__ == "__main__":
    main()
