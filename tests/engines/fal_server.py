"""A stand-in for fal.ai on a real socket: its prices, its queue with the addresses of a request, and its store.

By hand: `python -m tests.engines.fal_server`, key `KEY`.
"""

import asyncio
import base64
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.engines.listener import QueuedListener, by_hand, draw

KEY = "fal-test-0123:456789abcdef"
MODELS = ("fal-ai/flux-2", "fal-ai/flux-2-pro", "fal-ai/flux-2-flex")
PRICES = {
    "fal-ai/flux-2": (0.012, "megapixels"),
    "fal-ai/flux-2-pro": (0.03, "megapixels"),
    "fal-ai/flux-2-flex": (0.06, "images"),
    "fal-ai/flux-2/edit": (0.024, "megapixels"),
    "fal-ai/flux-2-pro/edit": (0.045, "megapixels"),
    "fal-ai/flux-2-flex/edit": (0.12, "compute seconds"),
}
FIELDS = {"prompt", "image_size", "seed", "output_format", "num_images", "enable_safety_checker"}


@dataclass
class Job:
    """One request. `plan`: draw, fault, policy, nsfw, lost."""

    id: str
    endpoint: str
    body: dict[str, Any]
    plan: str
    is_running: bool = True
    is_cancelled: bool = False
    polls: int = 0
    picture: bytes = field(default=b"", repr=False)


class FalServer(QueuedListener):
    """`async with FalServer() as server:`; `server.plans` says what becomes of the next requests."""

    key, open_path = f"Key {KEY}", "/files/"

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.prices = dict(PRICES)

    @property
    def submitted(self) -> list[dict[str, Any]]:
        return [job.body for job in self.jobs.values()]

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/v1/models/pricing", self._pricing),
            web.get("/files/{id}", self._file),
            web.get("/{owner}/{app}/requests/{id}/status", self._status),
            web.put("/{owner}/{app}/requests/{id}/cancel", self._cancel),
            web.get("/{owner}/{app}/requests/{id}", self._result),
            web.post("/{owner}/{app}", self._begin),
            web.post("/{owner}/{app}/{way}", self._begin),
        ]

    def no_key(self) -> web.Response:
        return web.json_response({"detail": "Invalid API key"}, status=401)

    async def _pricing(self, request: web.Request) -> web.Response:
        asked = [name for name in request.query.get("endpoint_id", "").split(",") if name]
        if not asked or any(name not in PRICES for name in asked):
            error = {"type": "validation_error", "message": "endpoint_id is required"}
            return web.json_response({"error": error}, status=400)
        prices = [
            {"endpoint_id": name, "unit_price": self.prices[name][0], "unit": self.prices[name][1], "currency": "USD"}
            for name in asked
            if name in self.prices
        ]
        return web.json_response({"prices": prices, "next_cursor": None, "has_more": False})

    async def _begin(self, request: web.Request) -> web.Response:
        endpoint = request.path[1:]
        if endpoint not in PRICES:
            return web.json_response({"detail": "Path not found"}, status=404)
        body = await request.json()
        id = f"00000000-0000-4000-9000-{next(self.numbers):012d}"
        job = Job(id=id, endpoint=endpoint, body=body, plan=self.next_plan())
        self.jobs[job.id] = job
        self.keep(self._work(job))
        url = f"http://{request.host}/{'/'.join(endpoint.split('/')[:2])}/requests/{job.id}"
        return web.json_response({"request_id": job.id, "response_url": url, "status_url": f"{url}/status",
                                  "cancel_url": f"{url}/cancel", "queue_position": 0})  # fmt: skip

    async def _work(self, job: Job) -> None:
        await self.held()
        if job.plan in {"draw", "nsfw"} and not _invalid(job) and not job.is_cancelled:
            size, kind = job.body["image_size"], job.body.get("output_format", "jpeg").upper()
            job.picture = await asyncio.to_thread(draw, size["width"], size["height"], job.body["seed"], kind)
        job.is_running = False

    def _job(self, request: web.Request) -> Job | None:
        job = self.jobs.get(request.match_info["id"])
        app = f"{request.match_info['owner']}/{request.match_info['app']}"
        return job if job and job.plan != "lost" and "/".join(job.endpoint.split("/")[:2]) == app else None

    async def _status(self, request: web.Request) -> web.Response:
        job = self._job(request)
        if job is None:
            return _unknown()
        job.polls += 1
        if job.is_running:
            waits = job.polls == 1
            state = {"status": "IN_QUEUE", "queue_position": 3} if waits else {"status": "IN_PROGRESS", "logs": None}
            return web.json_response({"request_id": job.id, **state}, status=202)
        ended: dict[str, Any] = {"request_id": job.id, "status": "COMPLETED", "metrics": {"inference_time": 1.2}}
        if job.plan == "fault":
            ended |= {"error": "Generation failed", "error_type": "internal_server_error"}
        return web.json_response(ended)

    async def _result(self, request: web.Request) -> web.Response:
        job = self._job(request)
        if job is None:
            return _unknown()
        if job.is_running:
            return web.json_response({"detail": "Request is still in progress"}, status=400)
        if job.plan == "fault":
            return _detail(500, ["body"], "internal_server_error", "Generation failed")
        if job.plan == "policy":
            more = {"categories": ["sexual"], "input": job.body["prompt"]}
            return _detail(422, ["body", "prompt"], "content_policy_violation", "flagged by a content checker", **more)
        if fault := _invalid(job):
            return _detail(422, ["body", *fault.split(".")], "value_error", "Value error")
        image = {"url": f"http://{request.host}/files/{job.id}", "content_type": "image/png", **job.body["image_size"]}
        answer = {"images": [image], "timings": {"inference": 1.2}, "seed": job.body["seed"],
                  "has_nsfw_concepts": [job.plan == "nsfw"], "prompt": job.body["prompt"]}  # fmt: skip
        return web.json_response(answer)

    async def _cancel(self, request: web.Request) -> web.Response:
        job = self._job(request)
        if job is None:
            return web.json_response({"status": "NOT_FOUND"}, status=404)
        if not job.is_running:
            return web.json_response({"status": "ALREADY_COMPLETED"}, status=400)
        job.is_cancelled, job.is_running = True, False
        return web.json_response({"status": "CANCELLATION_REQUESTED"}, status=202)

    async def _file(self, request: web.Request) -> web.Response:
        job = self.jobs.get(request.match_info["id"])
        if job is None or not job.picture:
            return web.Response(status=404)
        return web.Response(body=job.picture, content_type=f"image/{job.body.get('output_format', 'jpeg')}")


def _unknown() -> web.Response:
    return web.json_response({"detail": "Request not found"}, status=404)


def _detail(status: int, place: list[str], kind: str, words: str, **more: Any) -> web.Response:
    found = {"loc": place, "msg": words, "type": kind, "url": f"https://docs.fal.ai/errors#{kind}", **more}
    return web.json_response({"detail": [found]}, status=status, headers={"X-Fal-Retryable": "false"})


def _invalid(job: Job) -> str:
    """Return the field that the documents do not allow."""
    body, is_edit = job.body, job.endpoint.endswith("/edit")
    if strange := sorted(body.keys() - FIELDS - ({"image_urls"} if is_edit else set())):
        return strange[0]
    if not body.get("prompt"):
        return "prompt"
    size = body.get("image_size", {})
    for name in ("width", "height"):
        if not 512 <= size.get(name, 1024) <= 2048:
            return f"image_size.{name}"
    if body.get("output_format", "jpeg") not in {"jpeg", "png"} or not 0 <= body.get("seed", 0) < 2**32:
        return "output_format"
    urls = body.get("image_urls", [])
    if is_edit and not 1 <= len(urls) <= 4:
        return "image_urls"
    for url in urls:
        head, __, data = url.partition(";base64,")
        if head not in {"data:image/png", "data:image/jpeg"} or not base64.b64decode(data, validate=True):
            return "image_urls"
    return ""


if __name__ == "__main__":
    by_hand(FalServer, "fal.ai", 7814, __doc__)
