"""A stand-in for an AI Horde on a real socket: its job states, its rates, its refusals, and a worker that draws.

It behaves as recorded from AI Horde 5.1.5 (`tests/data/horde`), mistakes included. By hand:
`python -m tests.engines.horde_server --seconds 5`.
"""

import argparse
import asyncio
import contextlib
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tests.engines.listener import Listener, draw

API = "/api/v2"
KEYS = {"0000000000": None, "registered": 913.0}  # key -> kudos; the anonymous account's are not told here
SAMPLERS = {"k_lms", "k_heun", "k_euler", "k_euler_a", "k_dpm_2", "k_dpm_2_a", "k_dpm_fast", "k_dpm_adaptive",
            "k_dpmpp_2s_a", "k_dpmpp_2m", "dpmsolver", "k_dpmpp_sde", "DDIM", "lcm"}  # fmt: skip
NO_WORKER = "Warning: No available workers can fulfill this request. It will expire in 20 minutes unless a worker"


@dataclass
class Job:
    """A request as the server keeps it. `plan` is what the worker makes of it: draw, fault, censor, lora."""

    id: str
    body: dict[str, Any]
    plan: str
    waiting: int
    key: str = ""
    processing: int = 0
    restarted: int = 0
    faulted: bool = False
    aborted: bool = False  # by maintenance: it never changes again
    cancelled: bool = False
    generations: list[dict[str, Any]] = field(default_factory=list)

    @property
    def params(self) -> dict[str, Any]:
        return dict(self.body.get("params") or {})


class HordeServer(Listener):
    """`async with HordeServer(...) as server:`; `server.plans` says what becomes of the next jobs.

    Args:
        seconds: that a worker takes for one job.
        models: name -> number of workers.
        has_rates: the published rates, in fixed windows as the real one counts them.
        is_gone: every path of the API answers 410, as the AI Power Grid does since July 2026.
    """

    def __init__(
        self,
        *,
        seconds: float = 0.0,
        models: dict[str, int] | None = None,
        has_rates: bool = True,
        is_gone: bool = False,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        super().__init__(host, port)
        self.seconds, self.has_rates, self.is_gone = seconds, has_rates, is_gone
        self.models = {"stable_diffusion": 2, "Deliberate Inpainting": 1} if models is None else models
        self.jobs: dict[str, Job] = {}
        self.plans: list[str] = []
        self.maintenance = False
        self.too_often = 0
        self.pictures: dict[str, bytes] = {}
        self._held = asyncio.Event()
        self._held.set()
        self._windows: Counter[tuple[str, float, int]] = Counter()

    def hold(self) -> None:
        """Let no worker take a job until `release`."""
        self._held.clear()

    def release(self) -> None:
        self._held.set()

    @property
    def submitted(self) -> list[dict[str, Any]]:
        return [job.body for job in self.jobs.values()]

    def close_for_maintenance(self) -> None:
        """Refuse new jobs, and throw out those that wait."""
        self.maintenance = True
        for job in self.jobs.values():
            job.aborted, job.waiting = job.waiting > 0, 0

    def routes(self) -> list[web.RouteDef]:
        return [
            web.post(f"{API}/generate/async", self._submit),
            web.get(f"{API}/generate/check/{{id}}", self._check),
            web.get(f"{API}/generate/status/{{id}}", self._status),
            web.delete(f"{API}/generate/status/{{id}}", self._delete),
            web.get(f"{API}/status/models", self._models),
            web.get(f"{API}/status/modes", self._modes),
            web.get(f"{API}/status/heartbeat", self._heartbeat),
            web.get(f"{API}/find_user", self._user),
            web.get("/transient/{name}", self._picture),
        ]

    def refuse(self, request: web.Request) -> web.Response | None:
        if self.is_gone and request.path.startswith(API):
            text = "The legacy /api/v2 API has been retired. Use https://api.aipowergrid.io/v1."
            return web.json_response({"status": "gone", "message": text}, status=410)
        if not self.has_rates or request.path.startswith("/transient"):
            return None
        for calls, seconds in _rates(request):
            window = int(time.time() / seconds)
            key = (f"{request.method} {request.path}", seconds, window)
            self._windows[key] += 1
            if self._windows[key] > calls:
                self.too_often += 1
                left = (window + 1) * seconds - time.time()
                headers = {"Retry-After": str(int(left)), "X-RateLimit-Limit": str(calls)}
                text = f"{calls} per 1 {'second' if seconds == 1 else 'minute'}"
                return web.json_response({"message": text}, status=429, headers=headers)
        return None

    async def _submit(self, request: web.Request) -> web.Response:
        if request.content_type != "application/json":
            return _error(400, "The browser (or proxy) sent a request that this server could not understand.")
        body = await request.json()
        if refused := self._refused(request.headers.get("apikey"), body):
            return refused
        count = body["params"].get("n", 1)
        job = Job(id=str(uuid.uuid4()), body=body, plan=self.plans.pop(0) if self.plans else "draw", waiting=count,
                  key=request.headers["apikey"])  # fmt: skip
        self.jobs[job.id] = job
        answer: dict[str, Any] = {"id": job.id, "kudos": 5.0}
        if not self._is_possible(job):
            answer |= {"message": NO_WORKER, "warnings": [{"code": "NoAvailableWorker", "message": NO_WORKER}]}
        self.keep(self._work(job))
        return web.json_response(answer, status=202, headers={"Retry-After": "1", "X-RateLimit-Remaining": "1"})

    def _refused(self, key: str | None, body: dict[str, Any]) -> web.Response | None:
        if key is None:
            return _error(400, "Input payload validation failed", errors={"apikey": "Missing required parameter"})
        if errors := _schema_errors(body):
            return _error(400, "Input payload validation failed", errors=errors)
        if key not in KEYS:
            return _error(401, "No user matching sent API Key.", "InvalidAPIKey")
        if self.maintenance:
            return _error(400, "AI Horde has entered maintenance mode. Please try again later.", "MaintenanceMode")
        if len(body["params"].get("loras", ())) > 5:
            return _error(400, "You cannot request more than 5 loras per generation.", "TooManyLoras")
        if body.get("source_processing") == "inpainting" and not body.get("source_mask"):
            return _error(400, "Image validation failed.", "InpaintingMissingMask")
        if body["params"]["width"] * body["params"]["height"] > 1024 * 1024:
            text = "the client needs to already have the required kudos. This request requires 137.91 kudos to fulfil."
            return _error(403, f"Due to heavy demand, for requests over 1024x1024 {text}", "KudosUpfront")
        return None

    def _is_possible(self, job: Job) -> bool:
        is_inpainting = job.body.get("source_processing") == "inpainting"
        if is_inpainting and not any("Inpainting" in model for model in self.models):
            return False
        return any(model in self.models for model in job.body.get("models", ["stable_diffusion"]))

    async def _work(self, job: Job) -> None:
        """Be the worker: wait until it may begin, draw or fail, submit."""
        while not (self._is_possible(job) and self._held.is_set()):
            await asyncio.sleep(0.005)
            if job.cancelled or job.aborted:
                return
        tries = 2 if job.plan == "fault" else 1
        for _ in range(tries):
            job.waiting, job.processing = 0, job.waiting or job.processing
            await asyncio.sleep(self.seconds)
            if job.plan == "fault":
                job.restarted += job.processing
        count = job.processing
        if job.plan != "fault":
            job.generations = [await self._generation(job, place, count) for place in range(count)]
        job.processing = 0

    async def _generation(self, job: Job, place: int, count: int) -> dict[str, Any]:
        params, name = job.params, str(uuid.uuid4())
        seed = int(params["seed"]) + place
        self.pictures[name] = await asyncio.to_thread(draw, params["width"], params["height"], seed)
        remarks = [{"type": "batch_index", "value": "see_ref", "ref": str(place)}] if count > 1 else []
        if job.plan == "censor" or (job.plan == "censor_first" and place == 0):
            remarks.append({"type": "censorship", "value": "nsfw"})
        if job.plan == "lora":
            remarks.append({"type": "lora", "value": "download_failed", "ref": params["loras"][0]["name"]})
        return {
            "img": f"{self.url}/transient/{name}?Signature=x&Expires=1795246775", "seed": str(seed), "id": name,
            "censored": any(remark["type"] == "censorship" for remark in remarks), "gen_metadata": remarks,
            "worker_id": "bab55cb9", "worker_name": "Lab Worker", "model": job.body["models"][0], "state": "ok",
        }  # fmt: skip

    def _state(self, job: Job) -> dict[str, Any]:
        ahead = [other for other in self.jobs.values() if other.waiting and not other.cancelled]
        finished = len(job.generations)
        is_done = not (job.waiting or job.processing or job.aborted)
        return {
            "finished": finished, "processing": job.processing, "restarted": job.restarted, "waiting": job.waiting,
            "done": is_done, "faulted": job.faulted, "wait_time": 2 if job.waiting else 0,
            "queue_position": ahead.index(job) + 1 if job in ahead else 0,
            "kudos": 10.0 * finished or 3.0, "is_possible": self._is_possible(job) and not job.aborted,
        }  # fmt: skip

    async def _check(self, request: web.Request) -> web.Response:
        job = self.jobs.get(request.match_info["id"])
        return web.json_response(self._state(job)) if job else _forgotten("Check", request)

    async def _status(self, request: web.Request) -> web.Response:
        job = self.jobs.get(request.match_info["id"])
        if job is None:
            return _forgotten("Status", request)
        generations = list(reversed(job.generations))  # in the order in which they arrived, which is any
        return web.json_response({"generations": generations, "shared": False, **self._state(job)})

    async def _delete(self, request: web.Request) -> web.Response:
        job = self.jobs.get(request.match_info["id"])
        if job is None:
            return _forgotten("Delete", request)
        before = {"generations": job.generations, "shared": False, **self._state(job)}
        job.cancelled, job.waiting = True, 0
        return web.json_response(before)

    async def _models(self, _: web.Request) -> web.Response:
        named = [
            {"performance": 17550599.1, "queued": 0.0, "jobs": 0.0, "eta": 0, "type": "image", "name": name, "count": n}
            for name, n in self.models.items()
        ]
        return web.json_response(named)

    async def _modes(self, _: web.Request) -> web.Response:
        return web.json_response({"maintenance_mode": self.maintenance, "invite_only_mode": False})

    async def _heartbeat(self, _: web.Request) -> web.Response:
        return web.json_response({"message": "OK", "version": "5.1.5"})

    async def _user(self, request: web.Request) -> web.Response:
        key = request.headers.get("apikey", "")
        if key not in KEYS:
            return _error(404, f"User with api_key '{key}' not found. You have requested this URI ...", "UserNotFound")
        # ended ones too, for as long as they live; of the anonymous account none, though all are its
        own = [job.id for job in self.jobs.values() if job.key == key and KEYS[key] is not None]
        user = {"username": "labuser#2", "id": 2, "kudos": KEYS[key] or -9.0, "concurrency": 30}
        return web.json_response(user | {"active_generations": {"image": own}})

    async def _picture(self, request: web.Request) -> web.Response:
        data = self.pictures.get(request.match_info["name"])
        return web.Response(body=data, content_type="image/webp") if data else web.Response(status=404)


def _rates(request: web.Request) -> tuple[tuple[int, int], ...]:
    if request.path.endswith("/generate/async"):
        return (2, 1), (90, 60)
    if "/generate/check/" in request.path:
        return ((10, 1),)
    return ((10, 60),) if "/generate/status/" in request.path else ((90, 60),)


def _schema_errors(body: dict[str, Any]) -> dict[str, str]:
    params = body.get("params") or {}
    errors = {} if body.get("prompt") else {"prompt": "'prompt' is a required property"}
    for name in ("width", "height"):
        if not 64 <= params.get(name, 512) <= 3072 or params.get(name, 512) % 64:
            errors[f"params.{name}"] = f"{params[name]} is not a multiple of 64"
    for name, low, high in (("steps", 1, 500), ("n", 1, 20), ("cfg_scale", 0, 100), ("denoising_strength", 0.01, 1)):
        if not low <= params.get(name, low) <= high:
            errors[f"params.{name}"] = f"{params[name]} is out of {low} to {high}"
    if not isinstance(params.get("seed", ""), str):
        errors["params.seed"] = f"{params['seed']} is not of type 'string'"
    if params.get("sampler_name", "k_euler") not in SAMPLERS:
        errors["params.sampler_name"] = f"'{params['sampler_name']}' is not one of [...]"
    return errors


def _error(status: int, message: str, rc: str = "", errors: dict[str, str] | None = None) -> web.Response:
    reply = {"message": message} | ({"rc": rc} if rc else {}) | ({"errors": errors} if errors else {})
    return web.json_response(reply, status=status)


def _forgotten(call: str, request: web.Request) -> web.Response:
    text = f"Image Waiting Prompt ({call}) with ID '{request.match_info['id']}' not found."
    return _error(404, text, "RequestNotFound")


async def _serve(arguments: argparse.Namespace) -> None:
    async with HordeServer(seconds=arguments.seconds, host=arguments.host, port=arguments.port) as server:
        print(f"stand-in for an AI Horde on {server.url}", flush=True)
        await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=7801)
    parser.add_argument("--seconds", type=float, default=2.0, help="per job")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(parser.parse_args()))


if __name__ == "__main__":
    main()
