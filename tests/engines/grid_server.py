"""A stand-in for the AI Power Grid's `/v1` API on a real socket: one blocking call, progress by token, no cancel.

It behaves as recorded from grid-core 4ee16f7 (`tests/data/horde`). By hand:
`python -m tests.engines.grid_server --seconds 5`, key `grid_user`.
"""

import argparse
import asyncio
import base64
import contextlib
import json
import time
import uuid
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from tests.engines.listener import Listener, draw

KEYS = {"grid_user", "grid_other"}
PRICE_USD = 0.005
DATA = Path(__file__).parents[1] / "data" / "horde"
READS = {item["path"]: item for item in json.loads((DATA / "22_aipg_v1_reads.json").read_text())["exchanges"]}


def recipe_of(model: str) -> dict[str, Any] | None:
    """The recorded contract of a model; None for one without a recipe."""
    for path, item in READS.items():
        if unquote(path) == f"/v1/models/{model}/params" and item["status"] == 200:
            return dict(item["body"])
    return None


@dataclass
class Job:
    """A call as the server keeps it. `plan`: draw, fault, empty."""

    id: str
    body: dict[str, Any]
    plan: str
    progress: int | None = None
    is_running: bool = True


class GridServer(Listener):
    """`async with GridServer(...) as server:`; `server.plans` says what becomes of the next jobs.

    Args:
        seconds: that a worker takes for one job.
        limit_s: after which the server gives a job up (300 on the real one); nothing else ends a job early.
        charges: whether pictures cost credit, of which there is `credit_usd`.
        is_horde: answer as an AI Horde would instead.
    """

    def __init__(
        self,
        *,
        seconds: float = 0.0,
        limit_s: float = 300.0,
        has_rates: bool = True,
        charges: bool = False,
        credit_usd: float = 1.0,
        is_horde: bool = False,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        super().__init__(host, port)
        self.seconds, self.limit_s, self.has_rates = seconds, limit_s, has_rates
        self.charges, self.credit_usd, self.is_horde = charges, credit_usd, is_horde
        self.models: list[dict[str, Any]] = [dict(item) for item in READS["/v1/status/models"]["body"]]
        self.jobs: list[Job] = []
        self.plans: list[str] = []
        self.pictures: dict[str, bytes] = {}
        self.too_often = 0
        self._windows: Counter[tuple[str, int]] = Counter()
        self._held = asyncio.Event()
        self._held.set()

    def hold(self) -> None:
        """Let no worker finish until `release`."""
        self._held.clear()

    def release(self) -> None:
        self._held.set()

    @property
    def submitted(self) -> list[dict[str, Any]]:
        return [job.body for job in self.jobs]

    def routes(self) -> list[web.RouteDef]:
        if self.is_horde:
            return [web.get("/api/v2/status/heartbeat", self._heartbeat)]
        return [
            web.post("/v1/images/generations", self._generate),
            web.get("/v1/progress/{token}", self._progress),
            web.get("/v1/status/models", self._models),
            web.get("/v1/models/{model}/params", self._params),
            web.get("/v1/account/credits", self._credits),
            web.post("/v1/account/credits/quote", self._quote),
            web.get("/health", self._health),
            web.get("/pictures/{name}", self._picture),
        ]

    async def _generate(self, request: web.Request) -> web.Response:
        if refused := self._unknown(request):
            return refused
        if self.has_rates and self._is_too_often(request.headers.get("Authorization", "")):
            return _openai_error(429, "Rate limit exceeded. Please slow down.")
        body = await request.json()
        if refused := self._refused(body):
            return refused
        if sum(job.is_running for job in self.jobs) >= 4:
            return _error(429, "Too many concurrent jobs (limit 4). Retry shortly.")
        job = Job(id=str(uuid.uuid4()), body=body, plan=self.plans.pop(0) if self.plans else "draw")
        self.jobs.append(job)
        work = asyncio.create_task(self._work(job))  # it goes on when the caller hangs up
        self.tasks.add(work)
        work.add_done_callback(self.tasks.discard)
        return await asyncio.shield(work)

    def _unknown(self, request: web.Request) -> web.Response | None:
        key = request.headers.get("Authorization", "").removeprefix("Bearer ") or request.headers.get("apikey", "")
        if not key:
            return _error(401, "Missing API key. Use 'apikey' header or 'Authorization: Bearer' header.")
        return None if key in KEYS else _error(401, "Invalid API key")

    def _is_too_often(self, key: str) -> bool:
        window = (key, int(time.time() / 60))
        self._windows[window] += 1
        self.too_often += self._windows[window] > 10
        return self._windows[window] > 10

    def _refused(self, body: dict[str, Any]) -> web.Response | None:
        names = [model["name"] for model in self.models]
        model = body.get("model", "FLUX.2 [klein]")
        if not names:
            return _error(503, "No image workers are online.")
        if model not in names:
            return _error(404, f"Model '{model}' is not available. Online image models: {names}")
        sides = [int(side) for side in body["size"].split("x")]
        if any(side % 64 or not 256 <= side <= 1536 for side in sides):
            return _error(422, "size dimensions must be multiples of 64 between 256 and 1536")
        if not 1 <= body.get("n", 1) <= 4:
            fault = {"type": "less_than_equal", "loc": ["body", "n"], "msg": "Input should be less than or equal to 4"}
            return web.json_response({"detail": [fault]}, status=422)
        recipe = recipe_of(model)
        if recipe is None:
            has_picture = "image" in body or "strength" in body
            text = f"model '{model}' does not accept an input image (no img2img/img2video recipe)"
            return _error(422, text) if has_picture else None
        for name, value in {**body, "width": sides[0], "height": sides[1]}.items():
            bound = recipe["params"].get("denoise" if name == "strength" else name, {})
            if bound.get("type") == "number" and not bound["minimum"] <= value <= bound["maximum"]:
                return _error(422, f"'{name}' must be between {bound['minimum']} and {bound['maximum']}")
        return None

    async def _work(self, job: Job) -> web.Response:
        try:
            async with asyncio.timeout(self.limit_s):
                for job.progress in (25, 50, 75, 100):
                    await asyncio.sleep(self.seconds / 4)
                await self._held.wait()
        except TimeoutError:
            return _error(504, "Timed out waiting for a worker.")
        finally:
            job.is_running = False
        if job.plan == "fault":
            return _error(502, "ComfyUI out of memory")
        return web.json_response(await self._drawn(job))

    async def _drawn(self, job: Job) -> dict[str, Any]:
        body = job.body
        width, height = (int(side) for side in body["size"].split("x"))
        data = []
        for place in range(0 if job.plan == "empty" else body.get("n", 1)):
            seed = body.get("seed", 7869719558034202) + place
            kind = body.get("output_format", "webp")
            picture = await asyncio.to_thread(draw, width, height, seed, kind.upper())
            item: dict[str, Any] = {"revised_prompt": body["prompt"], "seed": seed}
            if body.get("response_format") == "b64_json" or job.plan == "inside":
                item["b64_json"] = base64.b64encode(picture).decode()
            else:
                name = f"{job.id}-{place}.{kind}"
                self.pictures[name] = picture
                item["url"] = f"{self.url}/pictures/{name}"
            data.append(item)
        grid = {"job_id": job.id, "worker": "lab-grid-worker", "gen_time": 2.16, "model": body["model"]}
        return {"created": 1795245866, "data": data, "grid": grid | {"recipe_root": None}}

    async def _progress(self, request: web.Request) -> web.Response:
        token = request.match_info["token"]
        job = next((job for job in self.jobs if job.body.get("progress_token") == token), None)
        return web.json_response({"progress": job.progress if job else None})

    async def _models(self, _: web.Request) -> web.Response:
        return web.json_response(self.models)

    async def _params(self, request: web.Request) -> web.Response:
        model = request.match_info["model"]
        recipe = recipe_of(model)
        return web.json_response(recipe) if recipe else _error(404, f"Model '{model}' not found")

    async def _credits(self, request: web.Request) -> web.Response:
        return self._unknown(request) or web.json_response(self._account())

    async def _quote(self, request: web.Request) -> web.Response:
        if refused := self._unknown(request):
            return refused
        form = await request.json()
        if extra := set(form) - {"model", "modality", "n"}:
            fault = {"type": "extra_forbidden", "loc": ["body", extra.pop()], "msg": "Extra inputs are not permitted"}
            return web.json_response({"detail": [fault]}, status=422)
        cost = PRICE_USD * form["n"]
        estimate = {"priced": True, "cost_usd": cost, "balance_sufficient": cost <= self.credit_usd}
        return web.json_response(self._account() | {"estimate": estimate})

    def _account(self) -> dict[str, Any]:
        recorded = dict(READS["/v1/account/credits"]["body"])
        return recorded | {"total_spendable_usd": self.credit_usd, "charging_enabled": self.charges}

    async def _health(self, _: web.Request) -> web.Response:
        return web.json_response(READS["/health"]["body"])

    async def _heartbeat(self, _: web.Request) -> web.Response:
        return web.json_response({"message": "OK", "version": "5.1.5"})

    async def _picture(self, request: web.Request) -> web.Response:
        data = self.pictures.get(request.match_info["name"])
        return web.Response(body=data) if data else web.Response(status=404)


def _error(status: int, detail: str) -> web.Response:
    return web.json_response({"detail": detail}, status=status)


def _openai_error(status: int, message: str) -> web.Response:
    return web.json_response({"error": {"message": message, "type": "rate_limit_error"}}, status=status)


async def _serve(arguments: argparse.Namespace) -> None:
    async with GridServer(seconds=arguments.seconds, host=arguments.host, port=arguments.port) as server:
        print(f"stand-in for the AI Power Grid on {server.url}", flush=True)
        await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=7808)
    parser.add_argument("--seconds", type=float, default=2.0, help="per job")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(parser.parse_args()))


if __name__ == "__main__":
    main()
