"""The inside of the stand-in: checking graphs, one worker, a cache of results, files, a history.

Source: recorded behaviour of ComfyUI 0.33 (`tests/data/comfyui`), mistakes included.
"""

import asyncio
import heapq
import io
import json
import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo

from tests.utils.videos import MP4

DATA = Path(__file__).parents[1] / "data" / "comfyui"
UPSCALE = 4
Send = Callable[[dict[str, Any] | bytes, str | None], None]  # a frame, and the client id it is for (None: everybody)


def recorded(name: str) -> Any:
    return json.loads((DATA / f"{name}.json").read_text())


class Failed(Exception):
    """The error a node ends with: an exception's type and message."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind, self.text = kind, text


class Interrupted(Exception):
    pass


@dataclass(frozen=True)
class Value:
    """The value of a link: pictures of a size, made from a seed and a source."""

    width: int = 512
    height: int = 512
    count: int = 1
    seed: int = 0
    text: str = ""


@dataclass(order=True)
class Job:
    number: int
    id: str = field(compare=False)
    graph: dict[str, Any] = field(compare=False)
    extra: dict[str, Any] = field(compare=False)
    outputs: list[str] = field(compare=False)
    messages: list[Any] = field(compare=False, default_factory=list)

    @property
    def item(self) -> list[Any]:
        return [self.number, self.id, self.graph, self.extra, self.outputs]


def draw(value: Value, number: int, graph: dict[str, Any]) -> bytes:
    """Return a PNG of one colour per seed and text, with the graph in it as the real server writes it."""
    colour = tuple(random.Random(f"{value.seed}/{value.text}/{number}").randbytes(3))
    text = PngInfo()
    text.add_text("prompt", json.dumps(graph))
    target = io.BytesIO()
    Image.new("RGB", (value.width, value.height), colour).save(target, "PNG", pnginfo=text, compress_level=1)
    return target.getvalue()


def links(node: dict[str, Any]) -> dict[str, tuple[str, int]]:
    return {n: (v[0], v[1]) for n, v in node.get("inputs", {}).items() if isinstance(v, list) and len(v) == 2}


class Engine:
    """One server's inside. `info` is what /object_info says."""

    def __init__(self, send: Send, seconds_per_step: float = 0.0) -> None:
        self.send = send
        self.seconds_per_step = seconds_per_step
        self.info: dict[str, Any] = recorded("object_info")
        self.pending: list[Job] = []
        self.running: Job | None = None
        self.history: dict[str, Any] = {}
        self.files: dict[tuple[str, str, str], bytes] = {}  # (type, subfolder, name)
        self.cache: dict[str, Any] = {}
        self.submitted: list[Job] = []
        self.finished: list[str] = []
        self.interrupted: list[str] = []
        self.fail_with: Failed | None = None  # what the next sampler dies of
        self.preview = (DATA / "12_preview_flags_latent2rgb.frame.bin").read_bytes()
        self._numbers = 0
        self._is_interrupted = False
        self._steps_allowed: int | None = None
        self._bell = asyncio.Event()

    def hold(self) -> None:
        """From now on each sampling step waits for `step`, or for an interrupt."""
        self._steps_allowed = 0

    def step(self, count: int = 1) -> None:
        assert self._steps_allowed is not None, "only a held engine is stepped"
        self._steps_allowed += count

    def release(self) -> None:
        self._steps_allowed = None

    def restart(self) -> None:
        """Forget all that is in memory: queue, history, results; the temporary files go too."""
        self.pending.clear()
        self.history.clear()
        self.cache.clear()
        self.files = {key: data for key, data in self.files.items() if key[0] != "temp"}
        self._is_interrupted = True
        self.running = None

    def queue(self, prompt_id: str, graph: dict[str, Any], extra: dict[str, Any], outputs: list[str]) -> Job:
        job = Job(self._numbers, prompt_id, graph, extra, outputs)
        self._numbers += 1
        self.submitted.append(job)
        heapq.heappush(self.pending, job)
        self._bell.set()
        self._say_status()
        return job

    def delete(self, ids: list[str]) -> bool:
        before = len(self.pending)
        self.pending = [job for job in self.pending if job.id not in ids]
        heapq.heapify(self.pending)
        self._say_status()
        return len(self.pending) < before

    def interrupt(self) -> None:
        self._is_interrupted = True

    async def work(self) -> None:
        while True:
            while not self.pending:
                self._bell.clear()
                await self._bell.wait()
            job = self.running = heapq.heappop(self.pending)
            self._is_interrupted = False
            status = await self._run(job)
            if self.running is not job:  # the server was restarted meanwhile
                continue
            outputs = {node: self.cache[self._key(job.graph, node)] for node in self._done(job, status)}
            self.history[job.id] = {
                "prompt": job.item,
                "outputs": outputs,
                "status": {"status_str": status, "completed": status == "success", "messages": job.messages},
                "meta": {},
            }
            self.running = None
            self._say_status()
            self._tell(job, "executing", node=None)

    def _done(self, job: Job, status: str) -> list[str]:
        keys = {node: self._key(job.graph, node) for node in job.outputs}
        return [node for node, key in keys.items() if key in self.cache and (status == "success" or key in self.cache)]

    async def _run(self, job: Job) -> str:
        self._log(job, "execution_start")
        order = self._order(job)
        cached = [node for node in order if self._key(job.graph, node) in self.cache]
        self._log(job, "execution_cached", nodes=cached)
        values: dict[str, Value] = {}
        node = ""
        try:
            for node in order:
                key = self._key(job.graph, node)
                if key not in self.cache or node not in cached:
                    self._tell(job, "executing", node=node, display_node=node)
                values[node] = await self._node(job, node, values, is_cached=node in cached)
                if node in job.outputs:
                    self._tell(job, "executed", node=node, output=self.cache[key])
                elif key not in self.cache:
                    self.cache[key] = True
        except Interrupted:
            self.interrupted.append(job.id)
            self._log(job, "execution_interrupted", node_id=node, node_type=job.graph[node]["class_type"], executed=[])
            return "error"
        except Failed as failure:
            self._log(
                job, "execution_error", node_id=node, node_type=job.graph[node]["class_type"], executed=[],
                exception_type=failure.kind, exception_message=failure.text, traceback=["/opt/ComfyUI/nodes.py"],
            )  # fmt: skip
            return "error"
        self._log(job, "execution_success")
        self.finished.append(job.id)
        return "success"

    async def _node(self, job: Job, node: str, values: dict[str, Value], *, is_cached: bool) -> Value:
        reported = job.graph[node]
        inputs, class_type = reported["inputs"], reported["class_type"]
        value = self._evaluate(class_type, inputs, [values[s] for s, _ in links(reported).values() if s in values])
        names = inputs.keys()
        if "latent_image" in names and not is_cached:
            await self._sample(job, node, int(inputs.get("steps", 4)))
        elif self._is_interrupted:
            raise Interrupted
        if node in job.outputs:
            key = self._key(job.graph, node)
            if key not in self.cache:
                self.cache[key] = self._save(job, class_type, inputs, value)
        return value

    def _evaluate(self, class_type: str, inputs: dict[str, Any], before: list[Value]) -> Value:
        base = next((v for v in before if v.count), Value())
        pixels = [v for v in before if v.seed or (v.width, v.height) != (512, 512)]
        base = pixels[-1] if pixels else base
        text = "/".join([*(v.text for v in before if v.text), str(inputs.get("text", ""))])
        changes: dict[str, Any] = {"text": text}
        if isinstance(inputs.get("width"), int):
            changes |= {"width": inputs["width"], "height": inputs["height"]}
        if class_type == "ImageUpscaleWithModel":
            changes |= {"width": base.width * UPSCALE, "height": base.height * UPSCALE}
        if class_type in {"LoadImage", "LoadImageMask"}:
            with Image.open(io.BytesIO(self.files[self.locate(inputs["image"])])) as image:
                changes |= {"width": image.width, "height": image.height}
        if isinstance(inputs.get("batch_size"), int):
            changes["count"] = inputs["batch_size"]
        for name in ("seed", "noise_seed"):
            if isinstance(inputs.get(name), int):
                changes["seed"] = inputs[name]
        return Value(**({f: getattr(base, f) for f in Value.__dataclass_fields__} | changes))

    async def _sample(self, job: Job, node: str, steps: int) -> None:
        for step in range(1, steps + 1):
            while self._steps_allowed == 0 and not self._is_interrupted:
                await asyncio.sleep(0.002)
            if self._steps_allowed:
                self._steps_allowed -= 1
            await asyncio.sleep(self.seconds_per_step)
            if self._is_interrupted:
                raise Interrupted
            if self.fail_with:
                failure, self.fail_with = self.fail_with, None
                raise failure
            if job.extra.get("preview_method", "none") != "none":
                self._send_preview(job, node)
            self._tell(job, "progress", value=step, max=steps, node=node)

    def _send_preview(self, job: Job, node: str) -> None:
        about = json.dumps({"node_id": node, "prompt_id": job.id, "image_type": "image/jpeg"}).encode()
        picture = self.preview[self.preview.index(b"\xff\xd8\xff") :]
        frame = (4).to_bytes(4, "big") + len(about).to_bytes(4, "big") + about + picture
        self.send(frame, job.extra.get("client_id"))

    def _save(self, job: Job, class_type: str, inputs: dict[str, Any], value: Value) -> dict[str, Any]:
        kind = "temp" if class_type == "PreviewImage" else "output"
        if class_type == "SaveVideo":
            folder, _, prefix = str(inputs.get("filename_prefix", "video/ComfyUI")).rpartition("/")
            name = f"{prefix}_{len(self.files):05}_.mp4"
            self.files[kind, folder, name] = MP4
            return {"images": [{"filename": name, "subfolder": folder, "type": kind}], "animated": [True]}
        folder, _, prefix = str(inputs.get("filename_prefix", "ComfyUI_temp_abcde")).rpartition("/")
        listed = []
        for number in range(value.count):
            name = f"{prefix}_{len(self.files):05}_.png"
            self.files[kind, folder, name] = draw(value, number, job.graph)
            listed.append({"filename": name, "subfolder": folder, "type": kind})
        return {"images": listed}

    def locate(self, reference: str) -> tuple[str, str, str]:
        """Return where "sub/name.png [temp]" lies."""
        kind = "input"
        for each in ("temp", "output", "input"):
            if reference.endswith(f" [{each}]"):
                kind, reference = each, reference.removesuffix(f" [{each}]")
        folder, _, name = reference.rpartition("/")
        return kind, folder, name

    def _order(self, job: Job) -> list[str]:
        done: dict[str, None] = {}

        def visit(node: str) -> None:
            for source, _ in links(job.graph[node]).values():
                visit(source)
            done[node] = None

        for output in job.outputs:
            visit(output)
        return list(done)

    def _key(self, graph: dict[str, Any], node: str) -> str:
        reported = graph[node]
        inputs = {n: v for n, v in reported["inputs"].items() if n not in links(reported)}
        before = {n: [self._key(graph, source), slot] for n, (source, slot) in links(reported).items()}
        return json.dumps([reported["class_type"], inputs, before], sort_keys=True)

    def _log(self, job: Job, kind: str, **data: Any) -> None:
        reported = {"prompt_id": job.id, **data, "timestamp": int(time.time() * 1000)}
        job.messages.append([kind, reported])
        self._tell(job, kind, **data)

    def _tell(self, job: Job, kind: str, **data: Any) -> None:
        self.send({"type": kind, "data": {**data, "prompt_id": job.id}}, job.extra.get("client_id"))

    def _say_status(self) -> None:
        left = len(self.pending) + (self.running is not None)
        self.send({"type": "status", "data": {"status": {"exec_info": {"queue_remaining": left}}}}, None)
