"""A stand-in for Stability AI's REST API on a real socket: forms only, a picture a call, no strange fields.

It behaves as the reference of v2beta says. By hand: `python -m tests.engines.stability_server`, key `KEY`.
"""

import asyncio
import io
import math
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from PIL import Image

from tests.engines.listener import HeldListener, by_hand, draw, form_of

KEY = "sk-stability-test-0123"
RATIOS = {"21:9", "16:9", "3:2", "5:4", "1:1", "4:5", "2:3", "9:16", "9:21"}
WORDS = {"prompt", "negative_prompt", "seed", "output_format"}
# of each endpoint: what it must have, and what it may have besides
FIELDS: dict[str, tuple[set[str], set[str]]] = {
    "generate/core": ({"prompt"}, WORDS | {"aspect_ratio", "style_preset"}),
    "generate/ultra": ({"prompt"}, WORDS | {"aspect_ratio", "image", "strength"}),
    "generate/sd3": ({"prompt"}, WORDS | {"mode", "image", "strength", "aspect_ratio", "model", "cfg_scale"}),
    "edit/inpaint": ({"image", "prompt"}, WORDS | {"mask", "grow_mask"}),
    "edit/erase": ({"image"}, {"mask", "grow_mask", "seed", "output_format"}),
    "edit/outpaint": ({"image"}, {"left", "right", "up", "down", "creativity", "prompt", "seed", "output_format"}),
    "edit/search-and-replace": ({"image", "prompt", "search_prompt"}, WORDS | {"grow_mask"}),
    "edit/search-and-recolor": ({"image", "prompt", "select_prompt"}, WORDS | {"grow_mask"}),
    "edit/remove-background": ({"image"}, {"output_format"}),
    "control/sketch": ({"image", "prompt"}, WORDS | {"control_strength"}),
    "control/structure": ({"image", "prompt"}, WORDS | {"control_strength"}),
    "control/style": ({"image", "prompt"}, WORDS | {"fidelity", "aspect_ratio"}),
    "control/style-transfer": (
        {"init_image", "style_image"}, WORDS | {"style_strength", "composition_fidelity", "change_strength"},
    ),
    "upscale/fast": ({"image"}, {"output_format"}),
    "upscale/conservative": ({"image", "prompt"}, WORDS | {"creativity"}),
    "upscale/creative": ({"image", "prompt"}, WORDS | {"creativity"}),
}  # fmt: skip
RANGES = {
    "strength": (0, 1),
    "control_strength": (0, 1),
    "fidelity": (0, 1),
    "cfg_scale": (1, 10),
    "seed": (0, 2**32 - 2),
    "creativity": (0.1, 0.5),
    "left": (0, 2000),
    "right": (0, 2000),
    "up": (0, 2000),
    "down": (0, 2000),
}


@dataclass
class Job:
    """One call as it came. `plan`: draw, fault, moderated, filtered, unpaid."""

    path: str
    body: dict[str, str]
    files: dict[str, bytes]
    plan: str
    is_running: bool = True
    polls: int = 0
    picture: bytes = field(default=b"", repr=False)


class StabilityServer(HeldListener):
    """`async with StabilityServer() as server:`; `server.plans` says what becomes of the next calls."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.jobs: list[Job] = []
        self.polls_needed = 2

    @property
    def submitted(self) -> list[dict[str, str]]:
        return [job.body for job in self.jobs]

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/v1/user/balance", self._balance),
            web.post("/v2beta/stable-image/{room}/{name}", self._call),
            web.get("/v2beta/results/{id}", self._result),
        ]

    def refuse(self, request: web.Request) -> web.Response | None:
        if request.headers.get("Authorization", "") == f"Bearer {KEY}":
            return None
        return _error(401, "unauthorized", "authorization: invalid or missing header value")

    async def _balance(self, _: web.Request) -> web.Response:
        return web.json_response({"credits": 7.903292496944721})

    async def _call(self, request: web.Request) -> web.Response:
        endpoint = f"{request.match_info['room']}/{request.match_info['name']}"
        if endpoint not in FIELDS:
            return _error(404, "not_found", "the requested endpoint does not exist")
        if request.content_type != "multipart/form-data":
            return _error(400, "bad_request", "content-type: must be multipart/form-data")
        if request.headers.get("Accept") not in {"image/*", "application/json"}:
            return _error(400, "bad_request", "accept: must be image/* or application/json")
        body, files = await form_of(request)
        plan = self.next_plan()
        job = Job(path=endpoint, body=body, files={name: given[0] for name, given in files.items()}, plan=plan)
        if refused := self._refused(job):
            return refused
        self.jobs.append(job)
        work = asyncio.create_task(self._work(job))  # it goes on when the caller hangs up
        self.tasks.add(work)
        work.add_done_callback(self.tasks.discard)
        if endpoint == "upscale/creative":
            return web.json_response({"id": f"{len(self.jobs) - 1:064d}"})
        return await asyncio.shield(work)

    def _refused(self, job: Job) -> web.Response | None:
        must, may = FIELDS[job.path]
        given = {*job.body, *job.files}
        if missing := sorted(must - given):
            return _error(400, "bad_request", f"{missing[0]}: is required")
        if strange := sorted(given - must - may):
            return _error(400, "bad_request", f"{strange[0]}: unknown field")
        if "prompt" in job.body and not job.body["prompt"]:
            return _error(400, "bad_request", "prompt: must be 1 to 10000 characters")
        if job.body.get("aspect_ratio", "1:1") not in RATIOS:
            return _error(400, "bad_request", "aspect_ratio: unknown")
        for name, (low, high) in RANGES.items():
            if name in job.body and not low <= float(job.body[name]) <= high:
                return _error(400, "bad_request", f"{name}: must be between {low} and {high}")
        if job.path == "generate/sd3":
            return self._bad_sd3(job)
        return None

    def _bad_sd3(self, job: Job) -> web.Response | None:
        is_redrawn = job.body.get("mode") == "image-to-image"
        if is_redrawn != ("image" in job.files) or (is_redrawn and "aspect_ratio" in job.body):
            return _error(400, "bad_request", "image: only with mode image-to-image, and without aspect_ratio")
        if job.body.get("output_format") not in {"png", "jpeg"}:
            return _error(400, "bad_request", "output_format: must be png or jpeg")
        if "turbo" in job.body.get("model", "") and "negative_prompt" in job.body:
            return _error(400, "bad_request", "negative_prompt: not with turbo")
        return None

    async def _work(self, job: Job) -> web.Response:
        try:
            async with asyncio.timeout(self.limit_s):
                await self._held.wait()
        except TimeoutError:
            return _error(500, "internal_error", "An unexpected internal error occurred.")
        finally:
            job.is_running = False
        if job.plan == "fault":
            return _error(500, "internal_error", "An unexpected internal error occurred. Contact support.")
        if job.plan == "moderated":
            return _error(403, "content_moderation", "Your request was flagged by our content moderation system.")
        if job.plan == "unpaid":
            return _error(402, "payment_required", "You lack sufficient credits to make this request.")
        job.picture = await asyncio.to_thread(self._drawn, job)
        return self._picture(job)

    def _picture(self, job: Job) -> web.Response:
        reason = "CONTENT_FILTERED" if job.plan == "filtered" else "SUCCESS"
        kind = job.body.get("output_format", "png")
        headers = {"finish-reason": reason, "seed": job.body.get("seed", "1"), "Content-Type": f"image/{kind}"}
        return web.Response(body=job.picture, headers=headers)

    def _drawn(self, job: Job) -> bytes:
        kind, seed = job.body.get("output_format", "png").upper(), int(job.body.get("seed", 1))
        source = job.files.get("image") or job.files.get("init_image")
        if source is None or "aspect_ratio" in job.body:
            wide, __, high = job.body.get("aspect_ratio", "1:1").partition(":")
            ratio, pixels = int(wide) / int(high), 1.5e6 if job.path == "generate/core" else 2**20
            return draw(_grid(math.sqrt(pixels * ratio)), _grid(math.sqrt(pixels / ratio)), seed, kind)
        width, height = Image.open(io.BytesIO(source)).size
        if job.path.startswith("upscale/"):
            return draw(width * 4, height * 4, seed, kind)
        sides = [int(job.body.get(name, 0)) for name in ("left", "right", "up", "down")]
        return draw(width + sides[0] + sides[1], height + sides[2] + sides[3], seed, kind)

    async def _result(self, request: web.Request) -> web.Response:
        number = int(request.match_info["id"]) if request.match_info["id"].isdigit() else -1
        if not 0 <= number < len(self.jobs):
            return _error(404, "not_found", "id: the generation either does not exist or has expired.")
        job = self.jobs[number]
        job.polls += bool(job.picture)  # how long it is drawn is for the machine to say
        if not job.picture or job.polls < self.polls_needed:
            return web.json_response({"id": request.match_info["id"], "status": "in-progress"}, status=202)
        return self._picture(job)


def _grid(side: float) -> int:
    return round(side / 64) * 64


def _error(status: int, name: str, text: str) -> web.Response:
    return web.json_response({"id": "ed14db44362126aab3cbd25cca51ffe3", "name": name, "errors": [text]}, status=status)


if __name__ == "__main__":
    by_hand(StabilityServer, "Stability AI", 7810, __doc__)
