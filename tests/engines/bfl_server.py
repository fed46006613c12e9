"""A stand-in for Black Forest Labs' API on a real socket: a job, an address to ask, a picture for ten minutes.

By hand: `python -m tests.engines.bfl_server`, key `KEY`.
"""

import asyncio
import base64
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.engines.listener import QueuedListener, by_hand, draw

KEY = "bfl-test-0123456789abcdef"
MODELS = ("flux-2-pro", "flux-2-max", "flux-2-flex", "flux-2-klein-9b", "flux-2-klein-4b")
FIELDS = {"prompt", "width", "height", "seed", "output_format", "input_image"}
MORE = {f"input_image_{number}" for number in range(2, 9)}
OWN = {"prompt_upsampling", "safety_tolerance"}  # not of klein


@dataclass
class Job:
    """One request. `plan`: draw, fault, request, content, lost."""

    id: str
    model: str
    body: dict[str, Any]
    plan: str
    is_running: bool = True
    polls: int = 0
    picture: bytes = field(default=b"", repr=False)


class BflServer(QueuedListener):
    """`async with BflServer() as server:`; `server.plans` says what becomes of the next requests."""

    key_header, key, open_path = "x-key", KEY, "/delivery/"

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.refusals: list[int] = []
        self.cost: float | None = None

    @property
    def submitted(self) -> list[dict[str, Any]]:
        return [job.body for job in self.jobs.values()]

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/v1/credits", self._credits),
            web.get("/v1/get_result", self._result),
            web.get("/delivery/{id}", self._delivery),
            web.post("/v1/{model}", self._begin),
        ]

    def no_key(self) -> web.Response:
        return web.json_response({"detail": "Not authenticated"}, status=403)

    async def _credits(self, _: web.Request) -> web.Response:
        return web.json_response({"credits": 812.5})

    async def _begin(self, request: web.Request) -> web.Response:
        model = request.match_info["model"]
        if model not in MODELS:
            return web.json_response({"detail": "Not Found"}, status=404)
        if self.refusals:
            return web.json_response({"detail": "no"}, status=self.refusals.pop(0))
        body = await request.json()
        if fault := _invalid(model, body):
            detail = [{"loc": ["body", fault], "msg": "Value error", "type": "value_error"}]
            return web.json_response({"detail": detail}, status=422)
        id = f"00000000-0000-4000-8000-{next(self.numbers):012d}"
        job = Job(id=id, model=model, body=body, plan=self.next_plan())
        self.jobs[job.id] = job
        self.keep(self._work(job))
        url = f"http://{request.host}/v1/get_result?id={job.id}"
        return web.json_response({"id": job.id, "polling_url": url})

    async def _work(self, job: Job) -> None:
        await self.held()
        if job.plan == "draw":
            kind = job.body.get("output_format", "jpeg").upper()
            job.picture = await asyncio.to_thread(draw, job.body["width"], job.body["height"], job.body["seed"], kind)
        job.is_running = False

    async def _result(self, request: web.Request) -> web.Response:
        job = self.jobs.get(request.query.get("id", ""))
        if job is None or job.plan == "lost":
            return web.json_response({"id": request.query.get("id"), "status": "Task not found"}, status=404)
        job.polls += 1
        entry: dict[str, Any] = {"id": job.id, "status": "Pending", "result": None, "progress": 0.25}
        if not job.is_running:
            entry |= self._end(job, request.host)
        return web.json_response(entry)

    def _end(self, job: Job, host: str) -> dict[str, Any]:
        if job.plan == "fault":
            return {"status": "Error", "details": {"error": "Generation failed"}}
        if job.plan in {"request", "content"}:
            reasons = {"Moderation Reasons": ["Derivative Works Filter"]}
            return {"status": f"{job.plan.title()} Moderated", "details": reasons}
        sample = {"sample": f"http://{host}/delivery/{job.id}", "seed": job.body["seed"], "prompt": job.body["prompt"]}
        return {"status": "Ready", "progress": 1.0, "result": sample} | ({"cost": self.cost} if self.cost else {})

    async def _delivery(self, request: web.Request) -> web.Response:
        job = self.jobs.get(request.match_info["id"])
        if job is None or not job.picture:
            return web.Response(status=404)
        return web.Response(body=job.picture, content_type=f"image/{job.body.get('output_format', 'jpeg')}")


def _invalid(model: str, body: dict[str, Any]) -> str:
    """Return the field that the documents do not allow."""
    allowed = FIELDS | MORE | (set() if "klein" in model else OWN)
    if strange := sorted(body.keys() - allowed):
        return strange[0]
    if not body.get("prompt"):
        return "prompt"
    for name in ("width", "height"):
        if not 64 <= body.get(name, 1024) <= 4096 or body.get(name, 1024) % 16:
            return name
    if body.get("output_format", "jpeg") not in {"jpeg", "png"} or not 0 <= body.get("seed", 0) < 2**31:
        return "output_format"
    for name in ({"input_image"} | MORE) & body.keys():
        if not base64.b64decode(body[name], validate=True):
            return name
    return ""


if __name__ == "__main__":
    by_hand(BflServer, "Black Forest Labs", 7813, __doc__)
