"""A stand-in for ComfyUI behind `comfy-api-proxy`, which serves ComfyUI's API v2: on a real socket, for tests.

Source: recorded answers of comfy-api-proxy 0.1.6 in front of ComfyUI 0.3.64 (`tests/data/comfyui/v2`), mistakes
included. Unlike it, events are not rationed to two a second, and hashes are told by another function than BLAKE3.
"""

import asyncio
import base64
import json
import uuid
from contextlib import suppress
from datetime import UTC, datetime
from functools import wraps
from typing import Any

from aiohttp import web

from tests.engines.comfyui_checks import check
from tests.engines.comfyui_server import VERSIONS, ComfyUIServer, Handler
from tests.engines.comfyui_v2_assets import RETENTION, AssetRoutes, Proxy, refusal

TERMINAL = {"succeeded", "canceled", "failed", "expired"}
MAX_LIST_JOBS = 100
MAX_KEY_CHARS = 255
MAX_METADATA_BYTES = 1024
MAX_STREAMS = 8


class ComfyUIV2Server(AssetRoutes, ComfyUIServer):
    """`async with ComfyUIV2Server(...) as server:` answers `/api/v2`, and the classic paths beside it.

    Args:
        has_classic: False is the proxy alone, which passes nothing of the classic API on.
        token: what the proxy asks for on all paths but `/api/v2/health`.
        previews: whether the ComfyUI behind was started with previews.
        options: those of `ComfyUIServer`.
    """

    def __init__(
        self, *, has_classic: bool = True, token: str | None = None, previews: bool = True, **options: Any
    ) -> None:
        super().__init__(**options)
        self.has_classic, self.token, self.previews = has_classic, token, previews
        self.has_v2 = True  # False: the proxy was taken away, and ComfyUI answers for its paths
        self.is_upstream_there = True
        self.has_list = True  # False: as the makers' own document has it, which knows no list
        self.proxy = Proxy()
        self.accepted: list[tuple[str | None, dict[str, Any]]] = []  # idempotency key and body of each job taken
        self.received = []
        self._listeners: dict[str, asyncio.Queue[tuple[str, dict[str, Any]]]] = {}

    def restart_proxy(self) -> None:
        """As after a restart without `--state-dir`: jobs, keys and assets are forgotten, links no longer hold."""
        self.proxy = Proxy()

    def _routes(self) -> dict[str, Handler]:
        routes = super()._routes() if self.has_classic else {}
        return routes | {
            "GET /api/v2/health": self._guarded(self._health, is_open=True),
            "POST /api/v2/jobs": self._guarded(self._submit),
            "GET /api/v2/jobs": self._guarded(self._list),
            "GET /api/v2/jobs/{id}": self._guarded(self._job),
            "GET /api/v2/jobs/{id}/workflow": self._guarded(self._workflow),
            "POST /api/v2/jobs/{id}/cancel": self._guarded(self._cancel_v2),
            "GET /api/v2/jobs/{id}/events": self._guarded(self._events),
            **{path: self._guarded(handler) for path, handler in self.asset_routes().items()},
        }

    def _guarded(self, handler: Handler, *, is_open: bool = False) -> Handler:
        @wraps(handler)
        async def guarded(request: web.Request) -> web.StreamResponse:
            if not self.has_v2:
                return web.Response(status=404, text="404: Not Found")
            if self.token and not is_open and request.headers.get("Authorization") != f"Bearer {self.token}":
                return refusal(401, "unauthorized", "Invalid token.")
            return await handler(request)

        return guarded

    async def _health(self, _: web.Request) -> web.Response:
        return web.json_response({"status": "healthy", "upstream": "http://127.0.0.1:8188"})

    async def _submit(self, request: web.Request) -> web.Response:
        try:
            body = json.loads(await request.read())
        except ValueError:
            return refusal(400, "invalid_request", "Body must be JSON.")
        if refused := _faults(body):
            return refused
        missing: list[str] = []
        graph = self._resolved(body["workflow"], missing)
        if missing:
            names = ", ".join(missing)
            return refusal(422, "missing_asset", f"Unresolvable core/ASSET reference(s): {names}", missing_ids=missing)
        key = request.headers.get("Idempotency-Key")
        if key is not None and not 0 < len(key) <= MAX_KEY_CHARS:
            return refusal(400, "invalid_request", f"Idempotency-Key must be 1-{MAX_KEY_CHARS} characters.")
        if key in self.proxy.keys:
            return refusal(422, "idempotency_key_reuse", "This Idempotency-Key has already been used.")
        self.proxy.keys |= {key} if key else set()
        if not self.is_upstream_there:  # the key is held: ComfyUI may have taken the job
            return refusal(503, "upstream_unreachable", "Could not reach ComfyUI to submit the job.")
        outputs, errors, stop = check(graph, self.engine.info, self._has_file)
        if stop:
            self.proxy.keys.discard(key or "")
            return refusal(422, "invalid_workflow", stop["message"], node_errors=errors)
        job_id = str(uuid.uuid4())
        extra = {"client_id": job_id, **({"preview_method": "auto"} if self.previews else {})}
        self._listeners[job_id] = asyncio.Queue()
        self.engine.queue(job_id, graph, extra, outputs)  # what is wrong with one branch of it, nobody is told
        self.accepted.append((key, body))
        self.proxy.jobs[job_id] = {
            "workflow": graph, "metadata": body.get("metadata"), "created": datetime.now(UTC),
        }  # fmt: skip
        return web.json_response(self._told(request, job_id, {"status": "queued"}), status=201)

    def _resolved(self, value: Any, missing: list[str]) -> Any:
        if isinstance(value, dict) and value.get("__type") == "core/ASSET":
            asset = self.proxy.assets.get(str(value.get("info", {}).get("id")))
            if asset is None:
                missing.append(str(value.get("info", {}).get("id")))
                return value
            _, folder, name = asset.place
            return f"{folder}/{name}" if folder else name
        if isinstance(value, dict):
            return {key: self._resolved(item, missing) for key, item in value.items()}
        return [self._resolved(item, missing) for item in value] if isinstance(value, list) else value

    def _state(self, job_id: str) -> dict[str, Any]:
        entry = self.engine.history.get(job_id)
        if entry is not None:
            messages = entry["status"]["messages"]
            outputs = [
                {**file, "node_id": node}
                for node, reported in entry["outputs"].items()
                for file in (reported.get("images", []) if isinstance(reported, dict) else [])
            ]
            if any(kind == "execution_interrupted" for kind, _ in messages):
                return {"status": "canceled", "outputs": outputs}
            if entry["status"]["status_str"] == "success":
                return {"status": "succeeded", "outputs": outputs}
            died = next((data for kind, data in messages if kind == "execution_error"), {})
            return {"status": "failed", "outputs": outputs, "error": {
                "code": "node_execution_error", "message": died.get("exception_message", ""),
                "node_id": died.get("node_id"), "class_type": died.get("node_type"), "traceback": None,
            }}  # fmt: skip
        if self.engine.running and self.engine.running.id == job_id:
            return {"status": "running", "progress": {"value": 0.0, "nodes_done": 0, "nodes_total": 0}}
        waiting = [job.id for job in self.engine.pending]
        if job_id in waiting:
            return {"status": "queued", "queue_position": waiting.index(job_id) + 1}
        return {"status": "unknown"}

    def _told(self, request: web.Request, job_id: str, state: dict[str, Any]) -> dict[str, Any]:
        base = f"{request.scheme}://{request.host}"  # without the prefix it lies under: such links lead nowhere
        known = self.proxy.jobs.get(job_id, {})
        created = known.get("created", datetime.now(UTC))
        reported = {
            "id": job_id, "status": "expired" if state["status"] == "unknown" else state["status"],
            "created_at": created.isoformat(), "started_at": None, "completed_at": None,
            "expires_at": (created + RETENTION).isoformat(), "queue_position": state.get("queue_position"),
            "progress": state.get("progress"), "error": state.get("error"), "outputs_reused": False,
            "outputs": [self._output(base, job_id, item) for item in state.get("outputs", [])],
            "urls": {name: f"{base}/api/v2/jobs/{job_id}{end}" for name, end in _LINKS.items()},
        }  # fmt: skip
        return reported | ({"metadata": known["metadata"]} if known.get("metadata") is not None else {})

    def _output(self, base: str, job_id: str, file: dict[str, Any]) -> dict[str, Any]:
        place = {"j": job_id, "f": file["filename"], "s": file["subfolder"], "t": file["type"]}
        made = base64.urlsafe_b64encode(json.dumps(place).encode()).decode().rstrip("=")
        asset = f"{made}.{self.proxy.secret}"
        return {
            "node_id": file["node_id"], "name": file["filename"], "type": "image", "content_type": "image/png",
            "size_bytes": 0, "id": asset, "hash": None, "url": f"{base}/api/v2/assets/{asset}/content",
            "url_expires_at": (datetime.now(UTC) + RETENTION).isoformat(), "job_id": job_id,
        }  # fmt: skip

    def _asked(self, request: web.Request) -> tuple[str, dict[str, Any] | None, web.Response | None]:
        """Return the id that is asked for with its state, or the refusal."""
        job_id = request.match_info["id"]
        not_found = refusal(404, "not_found", f"No job {job_id}.")
        with suppress(ValueError):
            uuid.UUID(job_id)
            if not self.is_upstream_there:
                return job_id, None, refusal(503, "upstream_unreachable", "Could not reach ComfyUI.")
            state = self._state(job_id)
            if state["status"] != "unknown" or job_id in self.proxy.jobs:
                return job_id, state, None
        return job_id, None, not_found

    async def _list(self, request: web.Request) -> web.Response:
        if not self.has_list:
            return web.Response(status=405, text="405: Method Not Allowed")
        limit = int(request.query.get("limit", 50))
        if not 1 <= limit <= MAX_LIST_JOBS:
            return refusal(400, "invalid_request", f"'limit' must be between 1 and {MAX_LIST_JOBS}.")
        newest = list(self.proxy.jobs)[::-1][:limit]
        if newest and not self.is_upstream_there:
            return refusal(503, "upstream_unreachable", "Could not reach ComfyUI.")
        jobs = [self._told(request, job_id, self._state(job_id)) for job_id in newest]
        return web.json_response({"jobs": jobs, "truncated": False})

    async def _job(self, request: web.Request) -> web.Response:
        job_id, state, refused = self._asked(request)
        return refused or web.json_response(self._told(request, job_id, state or {}))

    async def _workflow(self, request: web.Request) -> web.Response:
        known = self.proxy.jobs.get(request.match_info["id"])
        if known is None:
            return refusal(404, "not_found", "No recoverable workflow for this job.")
        return web.json_response({"workflow": known["workflow"], "format": "api"})

    async def _cancel_v2(self, request: web.Request) -> web.Response:
        job_id, state, refused = self._asked(request)
        if refused or state is None:
            return refused or web.Response(status=500)
        self.posted.append(("/api/v2/jobs/cancel", job_id))
        if self._version >= VERSIONS["cancel by id"]:  # an older one answers 404, which nobody looks at
            if self.engine.running and self.engine.running.id == job_id:
                self.engine.interrupt()
            self.engine.delete([job_id])
        state = self._state(job_id)
        status = "canceling" if state["status"] == "running" else state["status"]
        return web.json_response(self._told(request, job_id, state | {"status": status}))

    async def _events(self, request: web.Request) -> web.StreamResponse:
        job_id, state, refused = self._asked(request)
        if refused or state is None:
            return refused or web.Response(status=500)
        if self.proxy.streams >= MAX_STREAMS:
            reported = refusal(429, "too_many_streams", "Maximum concurrent event streams reached.")
            reported.headers["Retry-After"] = "5"
            return reported
        stream = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-cache"})
        await stream.prepare(request)
        self.proxy.streams += 1
        try:
            await self._pump(stream, job_id)
        finally:
            self.proxy.streams -= 1
        return stream

    async def _pump(self, stream: web.StreamResponse, job_id: str) -> None:
        news = self._listeners.setdefault(job_id, asyncio.Queue())
        kind, reported = "status", {"status": self._shown_status(job_id)}
        while True:
            await stream.write(f"event: {kind}\ndata: {json.dumps(reported, separators=(',', ':'))}\n\n".encode())
            if kind == "status" and reported["status"] in TERMINAL:
                return
            await stream.write(b": keepalive\n\n")
            kind, reported = await news.get()

    def _send(self, frame: dict[str, Any] | bytes, client: str | None) -> None:
        super()._send(frame, client)
        news = self._listeners.get(client or "")
        if news is not None and (event := _event(frame)):
            kind, reported = event
            news.put_nowait((kind, reported or {"status": self._shown_status(client or "")}))

    def _shown_status(self, job_id: str) -> str:
        status = str(self._state(job_id)["status"])
        return "expired" if status == "unknown" else status


_LINKS = {"self": "", "events": "/events", "cancel": "/cancel"}


def _faults(body: Any) -> web.Response | None:
    """Return the refusal of a body whose form is wrong."""
    workflow = body.get("workflow")
    if not isinstance(workflow, dict):
        return refusal(422, "invalid_workflow", "Missing 'workflow' (API-format graph).")
    if isinstance(workflow.get("nodes"), list) and "links" in workflow:
        return refusal(422, "workflow_format_ui", "This is a UI-export graph.")
    metadata = body.get("metadata")
    if metadata is not None and (not isinstance(metadata, str) or len(metadata.encode()) > MAX_METADATA_BYTES):
        return refusal(422, "invalid_request", "'metadata' must be a string (opaque label).")
    if set(body.get("extra_data") or ()) - {"api_key_comfy_org"}:
        return refusal(400, "invalid_request", "'extra_data' accepts only the 'api_key_comfy_org' field.")
    assert set(body) <= {"workflow", "metadata", "extra_data", "priority"}, "the proxy would not look at the rest"
    return None


def _event(frame: dict[str, Any] | bytes) -> tuple[str, dict[str, Any]] | None:
    """Return the event that a frame of the websocket becomes."""
    if isinstance(frame, bytes):
        start = frame.index(b"\xff\xd8\xff")
        data = base64.b64encode(frame[start:]).decode()
        return "preview", {"node_id": "3", "content_type": "image/jpeg", "data_base64": data}
    kind, data = frame["type"], frame["data"]
    if kind == "progress":
        value, most = data["value"], data["max"]
        return "progress", {
            "value": value / most, "nodes_done": 0, "nodes_total": 0, "current_node": data["node"],
            "step": value, "steps": most,
        }  # fmt: skip
    return ("status", {}) if kind == "executing" and data.get("node") is None else None
