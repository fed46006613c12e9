"""A stand-in for Google's Gemini API on a real socket: `generateContent` with what its reference allows.

By hand: `python -m tests.engines.gemini_server`, key `KEY`.
"""

import asyncio
import base64
import io
import math
from dataclasses import dataclass
from typing import Any

from aiohttp import web
from PIL import Image

from tests.engines.listener import HeldListener, by_hand, draw

KEY = "AIzaSyGeminiTest0123456789"
RATIOS = {"1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9"}
TOKENS = {"512": 747, "1K": 1120, "2K": 1680, "4K": 2520}
SIDES = {"512": 512, "1K": 1024, "2K": 2048, "4K": 4096}
MODELS = {
    "gemini-nano-banana-2.1": "Nano Banana 2.1",
    "gemini-3-pro-image": "Nano Banana Pro",
    "gemini-3-flash": "Gemini 3 Flash",
}
CONFIG = {"responseModalities", "imageConfig", "seed", "candidateCount", "temperature", "topP"}


@dataclass
class Job:
    """One call. `plan`: draw, words, blocked, safety, recitation, nothing, fault, draft."""

    model: str
    body: dict[str, Any]
    pictures: list[bytes]
    plan: str
    is_running: bool = True

    @property
    def prompt(self) -> str:
        return str(self.body["contents"][0]["parts"][0]["text"])

    @property
    def config(self) -> dict[str, Any]:
        return dict(self.body["generationConfig"]["imageConfig"])


class GeminiServer(HeldListener):
    """`async with GeminiServer() as server:`; `server.plans` says what becomes of the next calls."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.jobs: list[Job] = []
        self.models = dict(MODELS)

    @property
    def submitted(self) -> list[dict[str, Any]]:
        return [job.body for job in self.jobs]

    def routes(self) -> list[web.RouteDef]:
        return [web.get("/v1beta/models", self._list), web.post("/v1beta/models/{call}", self._call)]

    def refuse(self, request: web.Request) -> web.Response | None:
        given = request.headers.get("x-goog-api-key", "")
        if given == KEY:
            return None
        if not given:
            return _error(403, "PERMISSION_DENIED", "Method doesn't allow unregistered callers.")
        info = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
        return _error(400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key.", info)

    async def _list(self, _: web.Request) -> web.Response:
        methods = ["generateContent", "countTokens"]
        listed = [
            {"name": f"models/{name}", "displayName": title, "supportedGenerationMethods": methods}
            for name, title in self.models.items()
        ]
        return web.json_response({"models": listed})

    async def _call(self, request: web.Request) -> web.Response:
        model, __, verb = request.match_info["call"].partition(":")
        if model not in self.models or verb != "generateContent":
            return _error(404, "NOT_FOUND", f"models/{model} is not found for API version v1beta.")
        body = await request.json()
        if fault := _invalid(model, body):
            return _error(400, "INVALID_ARGUMENT", fault)
        inside = [part["inline_data"]["data"] for part in body["contents"][0]["parts"] if "inline_data" in part]
        plan = self.next_plan()
        job = Job(model=model, body=body, pictures=[base64.b64decode(data) for data in inside], plan=plan)
        self.jobs.append(job)
        work = asyncio.create_task(self._work(job))  # it goes on when the caller hangs up
        self.tasks.add(work)
        work.add_done_callback(self.tasks.discard)
        return await asyncio.shield(work)

    async def _work(self, job: Job) -> web.Response:
        try:
            async with asyncio.timeout(self.limit_s):
                await self._held.wait()
        except TimeoutError:
            return _error(503, "UNAVAILABLE", "The model is overloaded. Please try again later.")
        finally:
            job.is_running = False
        if job.plan == "fault":
            return _error(500, "INTERNAL", "An internal error has occurred. Please retry.")
        if job.plan == "slow":
            retry = {"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "32s"}
            return _error(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota.", retry)
        if job.plan == "unpaid":
            return _error(429, "RESOURCE_EXHAUSTED", "Quota exceeded for metric: requests, limit: 0, model: x")
        if job.plan == "blocked":
            return web.json_response({"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"}})
        if job.plan in {"safety", "recitation", "nothing"}:
            reason = {"safety": "IMAGE_SAFETY", "recitation": "IMAGE_RECITATION", "nothing": "NO_IMAGE"}[job.plan]
            return web.json_response({"candidates": [{"finishReason": reason, "index": 0}]})
        return await asyncio.to_thread(self._drawn, job)

    def _drawn(self, job: Job) -> web.Response:
        if job.plan == "words":
            parts: list[dict[str, Any]] = [{"text": "Which kind of fox would you like? I can describe several."}]
            count = {"modality": "TEXT", "tokenCount": 12}
        else:
            parts = [{"inlineData": {"mimeType": "image/png", "data": base64.b64encode(_picture(job)).decode()}}]
            count = {"modality": "IMAGE", "tokenCount": TOKENS[job.config["imageSize"]]}
        if job.plan == "draft":
            thought = {"thought": True, "inlineData": {"mimeType": "image/png", "data": "bm8="}}
            parts = [thought, {"text": "Here it is."}, *parts]
        candidate = {"content": {"parts": parts, "role": "model"}, "finishReason": "STOP", "index": 0}
        usage = {"promptTokenCount": 9, "candidatesTokensDetails": [count]}
        return web.json_response({"candidates": [candidate], "usageMetadata": usage, "modelVersion": job.model})


def _picture(job: Job) -> bytes:
    side, seed = SIDES[job.config["imageSize"]], int(job.body["generationConfig"].get("seed", 1))
    if "aspectRatio" in job.config:
        wide, high = map(int, job.config["aspectRatio"].split(":"))
    else:
        wide, high = Image.open(io.BytesIO(job.pictures[0])).size
    factor = side / math.sqrt(wide * high)
    return draw(round(wide * factor / 16) * 16, round(high * factor / 16) * 16, seed, "PNG")


def _invalid(model: str, body: dict[str, Any]) -> str:
    """Return what the reference does not allow; empty if all is well."""
    settings = body.get("generationConfig", {})
    config = settings.get("imageConfig", {})
    if body.keys() - {"contents", "generationConfig", "safetySettings"} or settings.keys() - CONFIG:
        return "Invalid JSON payload received. Unknown name"
    if config.keys() - {"aspectRatio", "imageSize"} or config.get("aspectRatio", "1:1") not in RATIOS:
        return "imageConfig.aspectRatio: unsupported value"
    if config.get("imageSize", "1K") not in TOKENS or ("-pro-" in model and config.get("imageSize") == "512"):
        return "imageConfig.imageSize: unsupported value"
    if set(settings.get("responseModalities", ())) - {"TEXT", "IMAGE"}:
        return "responseModalities: unsupported value"
    if not 0 <= settings.get("seed", 0) < 2**31:
        return "generationConfig.seed: out of range"
    parts = body["contents"][0]["parts"]
    if not parts or not parts[0].get("text") or any(part.keys() - {"text", "inline_data"} for part in parts):
        return "contents.parts: must not be empty"
    return ""


def _error(code: int, status: str, message: str, *details: dict[str, Any]) -> web.Response:
    error = {"code": code, "message": message, "status": status, "details": list(details)}
    return web.json_response({"error": error}, status=code)


if __name__ == "__main__":
    by_hand(GeminiServer, "Gemini", 7812, __doc__)
