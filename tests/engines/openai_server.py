"""A stand-in for OpenAI's images API and the servers that speak it, on a real socket, strict on all of them.

It behaves as OpenAI's openapi of 2026-08 and the others' documents say. By hand:
`python -m tests.engines.openai_server --dialect openai`, key `sk-test`.
"""

import argparse
import asyncio
import base64
import contextlib
import io
import json
import re
import uuid
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from PIL import Image

from tests.engines.listener import HeldListener, draw, form_of

KEY = "sk-test-0123456789"
MODELS: dict[str, list[dict[str, Any]]] = {
    "openai": [
        {"id": "gpt-5.5", "object": "model", "owned_by": "system"},
        {"id": "gpt-image-2", "object": "model", "owned_by": "system", "shutdown_date": None},
        {"id": "gpt-image-2.6-flare", "object": "model", "owned_by": "system"},
        {"id": "gpt-image-2.6-sunburst", "object": "model", "owned_by": "system"},
        {"id": "gpt-image-1.5", "object": "model", "owned_by": "system", "shutdown_date": "2026-12-01"},
    ],
    "xai": [{"id": name, "object": "model", "owned_by": "xai"} for name in ("grok-4.5", "grok-imagine-image-2.0")],
    "openrouter": [
        {"id": "openai/gpt-image-2.6-flare", "name": "GPT Image 2.6 Flare", "supports_streaming": True,
         "supported_parameters": {"aspect_ratio": {"type": "enum"}, "resolution": {"type": "enum"},
                                  "n": {"type": "range"}, "quality": {"type": "enum"},
                                  "output_format": {"type": "enum"}}},
        {"id": "black-forest-labs/flux.2-klein", "name": "FLUX.2 klein", "supports_streaming": False,
         "supported_parameters": {"aspect_ratio": {"type": "enum"}, "seed": {"type": "range"}}},
    ],
    "together": [{"id": "black-forest-labs/FLUX.1-schnell", "object": "model", "owned_by": "bfl"}],
    "localai": [{"id": "gpt-4", "object": "model"}, {"id": "stablediffusion", "object": "model"}],
    "sdcpp": [{"id": "sd-cpp-local", "object": "model", "owned_by": "local"}],
    "lemonade": [
        {"id": "Llama-3.2-1B", "object": "model", "owned_by": "lemonade", "labels": ["chat"]},
        {"id": "SD-Turbo", "object": "model", "owned_by": "lemonade", "labels": ["image"]},
    ],
    "vllm": [{"id": "Qwen/Qwen-Image", "object": "model", "owned_by": "vllm"}],
    "llama_swap": [{"id": "sd-turbo", "object": "model", "owned_by": "llama-swap"}],
    "classic": [{"id": "some-model", "object": "model", "owned_by": "somebody"}],
}  # fmt: skip
OWN = {
    "model",
    "prompt",
    "n",
    "size",
    "quality",
    "output_format",
    "background",
    "moderation",
    "stream",
    "partial_images",
}
CLASSIC = {"model", "prompt", "n", "size", "response_format"}
FIELDS: dict[str, set[str]] = {
    "openai": OWN,
    "xai": {"model", "prompt", "n", "aspect_ratio", "resolution", "quality", "response_format"},
    "openrouter": {"model", "prompt", "n", "aspect_ratio", "resolution", "quality", "output_format", "seed", "stream",
                   "input_references"},
    "together": {"model", "prompt", "n", "width", "height", "steps", "seed", "response_format"},
    "localai": CLASSIC | {"seed", "step", "file"},
    "sdcpp": {"prompt", "n", "size", "output_format"},
    "lemonade": CLASSIC | {"seed", "steps", "cfg_scale"},
    "vllm": CLASSIC | {"seed", "num_inference_steps", "guidance_scale", "negative_prompt"},
    "llama_swap": CLASSIC,
    "classic": CLASSIC,
}  # fmt: skip
WHITE_MASKS = {"sdcpp", "lemonade"}
HOSTED = {"openai", "xai", "openrouter", "together"}
RESOLUTIONS = {"1k": 1024, "2k": 2048, "1K": 1024, "2K": 2048, "4K": 4096}
TICKS = 10_000_000_000
EXTRA = re.compile(r"<sd_cpp_extra_args>(.*?)</sd_cpp_extra_args>")


@dataclass
class Job:
    """One request as it came. `plan`: draw, fault, moderated, url, revised, fewer."""

    body: dict[str, Any]
    plan: str
    files: dict[str, list[bytes]] = field(default_factory=dict)
    is_running: bool = True


class OpenAIServer(HeldListener):
    """`async with OpenAIServer("openai") as server:`; `server.plans` says what becomes of the next requests.

    Args:
        dialect: whose ways it has.
        seconds: that a picture takes.
        limit_s: after which a request that is held ends by itself.
        key: that is right; of a local server none is asked for.
        models: instead of those that the dialect has.
    """

    def __init__(
        self,
        dialect: str = "openai",
        *,
        seconds: float = 0.0,
        limit_s: float = 10.0,
        key: str | None = None,
        models: list[dict[str, Any]] | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        super().__init__(limit_s=limit_s, host=host, port=port)
        usual = KEY if dialect in HOSTED else ""
        self.dialect, self.seconds = dialect, seconds
        self.key = usual if key is None else key
        self.models = MODELS[dialect] if models is None else models
        self.jobs: list[Job] = []
        self.pictures: dict[str, bytes] = {}

    @property
    def submitted(self) -> list[dict[str, Any]]:
        return [job.body for job in self.jobs]

    def routes(self) -> list[web.RouteDef]:
        if self.dialect == "openrouter":
            return [
                web.post("/v1/images", self._generate),
                web.get("/v1/images/models", self._models),
                web.get("/v1/images/models/{author}/{slug}/endpoints", self._endpoints),
                web.get("/pictures/{name}", self._picture),
            ]
        edits = [] if self.dialect in {"xai", "together", "localai"} else [web.post("/v1/images/edits", self._edit)]
        return [
            web.post("/v1/images/generations", self._generate),
            *edits,
            web.get("/v1/models", self._models),
            web.get("/pictures/{name}", self._picture),
        ]

    def refuse(self, request: web.Request) -> web.Response | None:
        if not self.key or request.path.startswith("/pictures"):
            return None
        if request.headers.get("Authorization", "") == f"Bearer {self.key}":
            return None
        return self._error(401, "Incorrect API key provided: sk-wron*ng.", code="invalid_api_key")

    async def _models(self, _: web.Request) -> web.Response:
        return web.json_response(
            {"object": "list", "data": self.models} if self.dialect != "sdcpp" else {"data": self.models}
        )

    async def _endpoints(self, request: web.Request) -> web.Response:
        line = {"billable": "output_image", "cost_usd": 0.014, "unit": "megapixel"}
        if request.match_info["author"] == "openai":
            line = {"billable": "output_image", "cost_usd": 0.00003, "unit": "token"}
        name = "/".join(request.match_info[part] for part in ("author", "slug"))
        return web.json_response({"id": name, "endpoints": [{"provider_name": "lab", "pricing": [line]}]})

    async def _generate(self, request: web.Request) -> web.StreamResponse:
        if request.content_type != "application/json":
            return self._error(400, "Content-Type must be application/json")
        body = await request.json()
        return await self._answer(request, Job(body=body, plan=self._plan()), FIELDS[self.dialect])

    async def _edit(self, request: web.Request) -> web.StreamResponse:
        if request.content_type != "multipart/form-data":
            return self._error(400, "Content-Type must be multipart/form-data")
        body, files = await form_of(request)
        job = Job(body=dict(body), plan=self._plan(), files=files)
        names = {"image", "image[]", "mask"}
        if strange := set(job.files) - names:
            return self._error(400, f"Unknown parameter: '{strange.pop()}'.")
        if not {"image", "image[]"} & set(job.files):
            return self._error(400, "at least one image[] required")
        if refused := self._bad_mask(job):
            return refused
        for name in ("n", "partial_images", "seed"):
            if name in job.body:
                job.body[name] = int(job.body[name])
        job.body |= {"stream": job.body["stream"] == "true"} if "stream" in job.body else {}
        return await self._answer(request, job, FIELDS[self.dialect])

    def _bad_mask(self, job: Job) -> web.Response | None:
        if "mask" not in job.files:
            return None
        image = next(files[0] for name, files in job.files.items() if name != "mask")
        mask, picture = (Image.open(io.BytesIO(data)) for data in (job.files["mask"][0], image))
        if mask.size != picture.size:
            return self._error(400, "Invalid input mask - mask size does not match image size", code="invalid_image")
        if self.dialect == "openai" and "A" not in mask.getbands():
            return self._error(
                400, "Invalid mask image format - mask image missing alpha channel", code="invalid_image"
            )
        return None

    def _plan(self) -> str:
        return self.next_plan()

    async def _answer(self, request: web.Request, job: Job, known: set[str]) -> web.StreamResponse:
        if refused := self._refused(job.body, known):
            return refused
        self.jobs.append(job)
        work = asyncio.create_task(self._work(job))  # it goes on when the caller hangs up
        self.tasks.add(work)
        work.add_done_callback(self.tasks.discard)
        if job.body.get("stream"):
            return await self._stream(request, job, work)
        return await asyncio.shield(work)

    def _refused(self, body: dict[str, Any], known: set[str]) -> web.Response | None:
        if strange := sorted(set(body) - known):
            return self._error(400, f"Unknown parameter: '{strange[0]}'.", code="unknown_parameter", param=strange[0])
        if not body.get("prompt"):
            return self._error(400, "prompt required", param="prompt")
        names = [model["id"] for model in self.models]
        if "model" in known and body.get("model") not in names:
            text = f"The model `{body.get('model')}` has been deprecated. Learn more: https://platform.openai.com/docs"
            return self._error(404, text, code="model_not_found")
        most = 1 if self.dialect == "lemonade" else 10
        if not 1 <= body.get("n", 1) <= most:
            return self._error(400, f"Invalid 'n': expected a value <= {most}.", param="n")
        return self._bad_size(body)

    def _bad_size(self, body: dict[str, Any]) -> web.Response | None:
        if "size" not in body:
            return None
        match = re.fullmatch(r"(\d+)x(\d+)", str(body["size"]))
        if not match:
            return self._error(400, f"Invalid size format: '{body['size']}'.", param="size")
        width, height = int(match[1]), int(match[2])
        if self.dialect != "openai":
            return None
        if str(body["model"]).startswith("gpt-image-1"):
            is_fine = body["size"] in {"1024x1024", "1536x1024", "1024x1536"}
        else:
            is_fine = not (width % 16 or height % 16) and 1 / 3 <= width / height <= 3
            is_fine = is_fine and 655_360 <= width * height <= 8_294_400 and max(width, height) <= 3840
        return (
            None if is_fine else self._error(400, f"Invalid size '{body['size']}'.", param="size", code="invalid_value")
        )

    async def _work(self, job: Job) -> web.Response:
        try:
            async with asyncio.timeout(self.limit_s):
                await asyncio.sleep(self.seconds)
                await self._held.wait()
        except TimeoutError:
            return self._error(500, "The server had an error while processing your request.", kind="server_error")
        finally:
            job.is_running = False
        if job.plan == "fault":
            return self._error(500, "The server had an error while processing your request.", kind="server_error")
        if job.plan == "moderated":
            return self._moderated()
        return web.json_response(await self._drawn(job))

    def _moderated(self) -> web.Response:
        error = {
            "message": "Your request was rejected by the safety system. If you believe this is an error, contact us at "
            "help.openai.com and include the request ID 0000. safety_violations=[sexual].",
            "type": "image_generation_user_error", "param": None, "code": "moderation_blocked",
            "moderation_details": {"moderation_stage": "output", "categories": ["sexual"]},
        }  # fmt: skip
        return web.json_response({"error": error}, status=400)

    def _size(self, body: dict[str, Any]) -> tuple[int, int]:
        if "width" in body:
            return body["width"], body["height"]
        if "size" in body:
            width, __, height = str(body["size"]).partition("x")
            return int(width), int(height)
        wide, __, high = str(body.get("aspect_ratio", "1:1")).partition(":")
        longer = RESOLUTIONS[body.get("resolution", "1k")]
        ratio = float(wide) / float(high)
        return (longer, round(longer / ratio)) if ratio >= 1 else (round(longer * ratio), longer)

    async def _drawn(self, job: Job) -> dict[str, Any]:
        body = job.body
        width, height = self._size(body)
        data: list[dict[str, Any]] = []
        extra = EXTRA.search(body["prompt"])
        seed = json.loads(extra[1])["seed"] if extra else body.get("seed", len(self.jobs) * 100)
        for place in range(body.get("n", 1) - (job.plan == "fewer")):
            kind = body.get("output_format", "png")
            picture = await asyncio.to_thread(draw, width, height, seed + place, kind.upper())
            if job.plan == "url" or (body.get("response_format") == "url"):
                name = f"{uuid.uuid4()}.{kind}"
                self.pictures[name] = picture
                data.append({"url": f"{self.url}/pictures/{name}"})
            else:
                data.append({"b64_json": base64.b64encode(picture).decode()})
            if job.plan == "revised":
                data[-1]["revised_prompt"] = f"A detailed picture of {body['prompt']}"
        return {"created": 1795240000, "data": data} | self._usage(body, len(data))

    def _usage(self, body: dict[str, Any], count: int) -> dict[str, Any]:
        if self.dialect == "openai":
            details = {"text_tokens": 12, "image_tokens": 0}
            drawn = {"image_tokens": 196 * count, "text_tokens": 0}
            tokens = {"input_tokens": 12, "output_tokens": 196 * count, "total_tokens": 12 + 196 * count}
            return {"usage": tokens | {"input_tokens_details": details, "output_tokens_details": drawn}}
        if self.dialect == "xai":
            return {"usage": {"cost_in_usd_ticks": count * TICKS // 20}}
        if self.dialect == "openrouter":
            return {"usage": {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0, "cost": 0.014 * count}}
        return {}

    async def _stream(self, request: web.Request, job: Job, work: asyncio.Task[web.Response]) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        picture = base64.b64encode(await asyncio.to_thread(draw, 64, 64, 1, "PNG")).decode()
        for place in range(job.body.get("partial_images", 1)):
            event = {"type": "image_generation.partial_image", "b64_json": picture, "partial_image_index": place}
            await _send(response, event)
        answer = json.loads((await work).body)  # type: ignore[arg-type]
        if "error" in answer:
            await _send(response, {"type": "error", "error": answer["error"]})
        else:
            last = {"type": "image_generation.completed", "b64_json": answer["data"][0]["b64_json"]}
            await _send(response, last | {"usage": answer["usage"]})
        return response

    async def _picture(self, request: web.Request) -> web.Response:
        if "Authorization" in request.headers:
            return web.Response(status=400, text="a key was given away")
        data = self.pictures.get(request.match_info["name"])
        return web.Response(body=data) if data else web.Response(status=404)

    def _error(
        self, status: int, message: str, *, code: str | None = None, param: str | None = None,
        kind: str = "invalid_request_error",
    ) -> web.Response:  # fmt: skip
        if self.dialect == "vllm":
            return web.json_response({"detail": message}, status=status)
        if self.dialect == "sdcpp":
            return web.json_response({"error": message}, status=status)
        error = {"message": message, "type": kind, "param": param, "code": code}
        return web.json_response({"error": error}, status=status)


async def _send(response: web.StreamResponse, event: dict[str, Any]) -> None:
    await response.write(f"event: {event['type']}\ndata: {json.dumps(event)}\n\n".encode())


async def _serve(arguments: argparse.Namespace) -> None:
    server = OpenAIServer(
        arguments.dialect, seconds=arguments.seconds, host=arguments.host, port=arguments.port, limit_s=300
    )
    async with server:
        print(f"stand-in for {arguments.dialect} on {server.url}", flush=True)
        await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dialect", default="openai", choices=FIELDS)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=7809)
    parser.add_argument("--seconds", type=float, default=2.0, help="per picture")
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(parser.parse_args()))


if __name__ == "__main__":
    main()
