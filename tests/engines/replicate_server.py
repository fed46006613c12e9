"""A stand-in for Replicate's HTTP API on a real socket: it takes what a model's schema says, and nothing else.

It behaves as the openapi 1.0.0-a1 and the recorded answers say. By hand: `python -m tests.engines.replicate_server`,
key `KEY`.
"""

import asyncio
import base64
import hmac
import json
import re
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from tests.engines.listener import QueuedListener, by_hand, form_of
from tests.engines.replicate_models import SDXL, picture_of, schemas

KEY = "r8_replicate_test_0123456789"
WEBHOOK_KEY = b"a secret of thirty-two bytes ..."
MAX_INSIDE = 256 * 1024
BODY = {"input", "stream", "webhook", "webhook_events_filter"}
EVENTS = {"start", "output", "logs", "completed"}


@dataclass
class Run:
    """One prediction. `plan`: draw, fault, nsfw, e005, empty, inside, aborted, canceled."""

    id: str
    slug: str
    input: dict[str, Any]
    plan: str
    deadline: str
    webhook: str = ""
    status: str = "starting"
    polls: int = 0
    created_at: str = field(default_factory=lambda: datetime.now(UTC).isoformat().replace("+00:00", "Z"))
    sources: dict[str, bytes] = field(default_factory=dict, repr=False)
    picture: bytes = field(default=b"", repr=False)
    error: str | None = None

    @property
    def has_ended(self) -> bool:
        return not self.is_running

    @property
    def is_running(self) -> bool:
        return self.status in {"starting", "processing"}


class ReplicateServer(QueuedListener):
    """`async with ReplicateServer() as server:`; `server.plans` says what becomes of the next predictions."""

    key, open_path = f"Bearer {KEY}", "/delivery/"

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.runs: dict[str, Run] = self.jobs
        self.files: dict[str, bytes] = {}
        self.models = schemas()
        self.refusals: list[tuple[int, dict[str, Any]] | None] = []  # what the next creations are answered with
        self.polls_needed = 1

    @property
    def submitted(self) -> list[dict[str, Any]]:
        return [run.input for run in self.runs.values()]

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/v1/account", self._account),
            web.get("/v1/models/{owner}/{name}", self._model),
            web.get("/v1/models/{owner}/{name}/versions/{version}", self._version),
            web.post("/v1/models/{owner}/{name}/predictions", self._by_name),
            web.post("/v1/predictions", self._by_version),
            web.get("/v1/predictions", self._list),
            web.get("/v1/predictions/{id}", self._look),
            web.post("/v1/predictions/{id}/cancel", self._cancel),
            web.post("/v1/files", self._file),
            web.get("/delivery/{id}", self._delivery),
        ]

    def no_key(self) -> web.Response:
        return problem(401, "Unauthenticated", "You did not pass a valid authentication token")

    async def _account(self, _: web.Request) -> web.Response:
        return web.json_response({"type": "organization", "username": "acme", "name": "Acme", "github_url": ""})

    def _found(self, request: web.Request) -> tuple[str, dict[str, Any]] | None:
        slug = f"{request.match_info['owner']}/{request.match_info['name']}"
        return (slug, self.models[slug]) if slug in self.models else None

    async def _model(self, request: web.Request) -> web.Response:
        if (found := self._found(request)) is None:
            return missing()
        slug, model = found
        owner, name = slug.split("/")
        version: dict[str, Any] = {"id": model["version"], "openapi_schema": model["schema"]}
        if slug == SDXL:  # as it was recorded: the schema only with the version
            version.pop("openapi_schema")
        card = {"owner": owner, "name": name, "latest_version": version, "visibility": "public", "run_count": 1}
        return web.json_response(card | ({"is_official": True} if model["official"] else {}))

    async def _version(self, request: web.Request) -> web.Response:
        found = self._found(request)
        if found is None or found[1]["version"] != request.match_info["version"]:
            return missing()
        return web.json_response({"id": found[1]["version"], "openapi_schema": found[1]["schema"]})

    async def _by_name(self, request: web.Request) -> web.Response:
        found = self._found(request)
        if found is None or not found[1]["official"]:
            return missing()
        return await self._create(request, found[0], BODY)

    async def _by_version(self, request: web.Request) -> web.Response:
        body = await request.json()
        slug = next((slug for slug, model in self.models.items() if model["version"] == body.get("version")), None)
        if slug is None or self.models[slug]["official"]:
            text = "The specified version does not exist (or perhaps you don't have permission to use it?)"
            return problem(422, "Invalid version or not permitted", text)
        return await self._create(request, slug, BODY | {"version"})

    async def _create(self, request: web.Request, slug: str, fields: set[str]) -> web.Response:
        if self.refusals and (refusal := self.refusals.pop(0)):
            status, body = refusal
            return web.json_response(body, status=status)
        body = await request.json()
        headers = request.headers
        if strange := sorted(body.keys() - fields):
            return problem(422, "Input validation failed", f"- {strange[0]}: additional property is not allowed")
        if not re.fullmatch(r"wait(=([1-9]|[1-5]\d|60))?", headers.get("Prefer", "wait")):
            return problem(400, "Bad request", "Prefer must be wait=1 to wait=60")
        if not re.fullmatch(r"\d{1,5}[smh]", headers.get("Cancel-After", "1m")):
            return problem(400, "Bad request", "Cancel-After must be a duration")
        if not set(body.get("webhook_events_filter", ())) <= EVENTS:
            return problem(422, "Input validation failed", "webhook_events_filter: unknown event")
        run = Run(
            id=f"p{next(self.numbers):025d}",
            slug=slug,
            input=body.get("input"),
            plan=self.next_plan(),
            deadline=headers.get("Cancel-After", ""),
            webhook=body.get("webhook", ""),
        )
        if invalid := self._invalid(run):
            description = {"type": "invalid", "field": f"input.{invalid[0]}", "description": invalid[1]}
            text = f"- input.{invalid[0]}: {invalid[1]}\n"
            return problem(422, "Input validation failed", text, invalid_fields=[description])
        self.runs[run.id] = run
        self.keep(self._work(run))
        return web.json_response(self._told(run, request), status=201)

    def _invalid(self, run: Run) -> tuple[str, str] | None:
        """Return the input that the model's schema does not allow, and why."""
        known = self.models[run.slug]["inputs"]
        if not isinstance(run.input, dict):
            return "", "is required"
        for name, entry in known.items():
            if entry.get("required") and name not in run.input:
                return name, f"{name} is required"
        for name, value in run.input.items():
            if name not in known:
                return name, "additional property is not allowed"
            if fault := self._fault(run, name, value, known[name]):
                return name, fault
        return None

    def _fault(self, run: Run, name: str, value: Any, entry: dict[str, Any]) -> str:
        kind = entry["type"]
        if kind in {"uri", "uris"}:
            given = value if kind == "uris" else [value]
            if not isinstance(given, list):
                return "must be a list"
            for place, item in enumerate(given):
                data = self._source(item)
                if data is None:
                    return "does not match format 'uri'"
                run.sources[name if not place else f"{name}{place}"] = data
            return ""
        if kind == "enum":
            return "" if value in entry["enum"] else f"must be one of {entry['enum']}"
        types: dict[str, Any] = {"string": str, "integer": int, "number": (int, float), "boolean": bool}
        if not isinstance(value, types[kind]) or (kind != "boolean" and isinstance(value, bool)):
            return f"must be {kind}"
        if kind in {"integer", "number"} and not entry.get("min", value) <= value <= entry.get("max", value):
            return f"Must be between {entry.get('min')} and {entry.get('max')}"
        return ""

    def _source(self, url: Any) -> bytes | None:
        if not isinstance(url, str):
            return None
        if found := re.fullmatch(r"data:image/(?:png|jpeg|webp);base64,(.+)", url):
            data = base64.b64decode(found[1])
            return data if len(data) <= MAX_INSIDE else None
        return self.files.get(url.rpartition("/")[2]) if "/v1/files/" in url else None

    async def _work(self, run: Run) -> None:
        await asyncio.sleep(0)
        run.status = "processing"
        await self.held()
        if run.has_ended:
            return
        if run.plan in {"aborted", "canceled"}:
            run.status = run.plan
        elif run.plan in ERRORS:
            run.status, run.error = "failed", ERRORS[run.plan]
        else:
            run.picture = await asyncio.to_thread(picture_of, run.input, run.sources)
            run.status = "succeeded"

    def signed(self, run: Run) -> tuple[bytes, dict[str, str]]:
        """Return what its webhook says of a prediction now, and its headers, signed as Replicate signs."""
        body = json.dumps(self._told(run)).encode()
        stamp = str(int(time.time()))
        signature = hmac.digest(WEBHOOK_KEY, f"msg_{run.id}.{stamp}.".encode() + body, "sha256")
        return body, {
            "webhook-id": f"msg_{run.id}", "webhook-timestamp": stamp, "Content-Type": "application/json",
            "webhook-signature": f"v1,{base64.b64encode(signature).decode()}",
        }  # fmt: skip

    async def _list(self, request: web.Request) -> web.Response:
        listed = [self._told(run, request) for run in reversed(self.runs.values())]
        start = int(request.query.get("cursor", 0))
        more = f"http://{request.host}/v1/predictions?cursor={start + 100}" if len(listed) > start + 100 else None
        return web.json_response({"previous": None, "next": more, "results": listed[start : start + 100]})

    async def _look(self, request: web.Request) -> web.Response:
        run = self.runs.get(request.match_info["id"])
        if run is None:
            return missing()
        run.polls += 1
        entry = self._told(run, request)
        if run.status == "succeeded" and run.polls < self.polls_needed:
            entry |= {"status": "processing", "logs": " 38%|███▊ | 19/50 [00:01<00:02]", "output": None}
        return web.json_response(entry)

    async def _cancel(self, request: web.Request) -> web.Response:
        run = self.runs.get(request.match_info["id"])
        if run is None:
            return missing()
        if not run.has_ended:
            run.status = "canceled"
        return web.json_response(self._told(run, request))

    async def _file(self, request: web.Request) -> web.Response:
        _, files = await form_of(request)
        if "content" not in files:
            return problem(400, "Bad request", "content is required")
        id = f"f{next(self.numbers)}"
        self.files[id] = files["content"][0]
        return web.json_response({"id": id, "urls": {"get": f"http://{request.host}/v1/files/{id}"}}, status=201)

    async def _delivery(self, request: web.Request) -> web.Response:
        run = self.runs.get(request.match_info["id"])
        if run is None or not run.picture:
            return web.Response(status=404)
        return web.Response(body=run.picture, content_type="image/png")

    def _told(self, run: Run, request: web.Request | None = None) -> dict[str, Any]:
        root = f"http://{request.host}" if request else self.url
        output: Any = None
        if run.status == "succeeded":
            url = f"{root}/delivery/{run.id}"
            if run.plan == "inside":
                url = "data:image/png;base64," + base64.b64encode(run.picture).decode()
            files = url if self.models[run.slug]["is_single"] else [url]
            output = [] if run.plan == "empty" else files
        urls = {"get": f"{root}/v1/predictions/{run.id}", "cancel": f"{root}/v1/predictions/{run.id}/cancel"}
        return {
            "id": run.id, "model": run.slug, "version": "hidden", "input": run.input, "logs": "", "output": output,
            "error": run.error, "status": run.status, "created_at": run.created_at, "data_removed": False, "urls": urls,
            "completed_at": run.created_at if run.has_ended else None,
            "metrics": {"predict_time": 2.0} if run.has_ended else {},
        }  # fmt: skip


ERRORS = {
    "fault": "Prediction interrupted; please retry (code: PA)",
    "memory": "CUDA out of memory. Tried to allocate 2.00 GiB",
    "nsfw": "All generated images contained NSFW content. Try running it again with a different prompt.",
    "e005": "The input or output was flagged as sensitive. Please try again with different inputs. (E005)",
}


def problem(status: int, title: str, detail: str, **more: Any) -> web.Response:
    body = {"title": title, "detail": detail, "status": status, **more}
    return web.json_response(body, status=status, content_type="application/problem+json")


def missing() -> web.Response:
    return problem(404, "Not found", "The requested resource could not be found.")


if __name__ == "__main__":
    by_hand(ReplicateServer, "Replicate", 7811, __doc__)
