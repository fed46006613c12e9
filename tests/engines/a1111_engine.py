"""The inside of the stand-in: one FIFO lock, options that leak, silent substitutions, pictures and files.

Source: recorded answers in `tests/data/a1111` and `tests/data/forge`, and the measurements they came from.
"""

import asyncio
import base64
import binascii
import io
import json
import random
import re
import struct
import time
import zlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image
from PIL.PngImagePlugin import PngInfo

DATA = Path(__file__).parents[1] / "data"
REMEMBERED_TASKS = 16
EXTRA_KEYS = {
    "a1111": {"outdir_samples": ""},
    "forge": {"outdir_samples": "", "forge_additional_modules": []},
}


def recorded(family: str, name: str) -> Any:
    return json.loads((DATA / family / f"{name}.json").read_text())["response"]["json"]


class Failed(Exception):
    """An exception of the server's own, answered with a 500 (or `status`) in the fork's shape."""

    def __init__(self, kind: str, text: str, status: int = 500, *, is_http: bool = False) -> None:
        super().__init__(text)
        self.kind, self.text, self.status, self.is_http = kind, text, status, is_http


@dataclass
class Job:
    """One request being drawn. `id` is its force_task_id, or one of our own."""

    id: str
    mode: str
    body: dict[str, Any]
    step: int = 0
    steps: int = 1
    preview_id: int = 0
    started: float = field(default_factory=time.monotonic)


def draw(width: int, height: int, seed: int, text: str, image_bytes: int = 0) -> bytes:
    """Return a PNG of one colour per seed, or of about `image_bytes` of noise; `text` goes into it."""
    picture = Image.new("RGB", (width, height), tuple(random.Random(seed).randbytes(3)))
    rows = min(height, image_bytes // (width * 3))
    if rows:
        picture.paste(Image.frombytes("RGB", (width, rows), random.Random(seed).randbytes(width * rows * 3)))
    info = PngInfo()
    info.add_text("parameters", text)
    out = io.BytesIO()
    picture.save(out, "PNG", pnginfo=info, compress_level=1)
    missing = image_bytes - out.tell()
    return _padded(out.getvalue(), missing) if missing > 1000 else out.getvalue()


def bomb() -> bytes:
    """A PNG of 20000 x 20000 pixels in a hundred bytes."""
    header = struct.pack(">IIBBBBB", 20000, 20000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(b"\0")) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _padded(png: bytes, size: int) -> bytes:
    return png[:33] + _chunk(b"eaSl", random.Random(size).randbytes(size)) + png[33:]


class Engine:
    """The one GPU of the server and everything that is global around it."""

    def __init__(
        self, family: str, seconds_per_image: float, image_bytes: int, image: Callable[..., bytes] | None
    ) -> None:
        self.family = family
        self.seconds_per_image = seconds_per_image
        self._draw = image or (lambda w, h, seed, text: draw(w, h, seed, text, image_bytes))
        self.models = recorded(family, "get-sd-models")
        self.samplers = recorded(family, "get-samplers")
        self.schedulers = recorded(family, "get-schedulers")
        self.loras = recorded(family, "get-loras")
        self.vaes = recorded(family, "get-sd-vae" if family == "a1111" else "get-sd-modules")
        self.defaults: dict[str, Any] = EXTRA_KEYS[family] | recorded(family, "get-options")
        self.defaults |= {"CLIP_stop_at_last_layers": 1, "sd_vae": "Automatic"}
        self.options: dict[str, Any] = {"sd_model_checkpoint": self.models[0]["title"]}  # what config.json holds
        self.lock = asyncio.Lock()  # wakes its waiters in order
        self.pending: list[str] = []
        self.remembered: deque[str] = deque(maxlen=REMEMBERED_TASKS)
        self.current_task: str | None = None
        self.job: Job | None = None
        self.is_interrupted = False
        self.is_skipped = False
        self.submitted: list[dict[str, Any]] = []
        self.finished: list[str] = []
        self.interrupted: list[str] = []
        self.failed: list[str] = []
        self.busy: list[tuple[float, float]] = []  # (began, ended) of each run, monotonic seconds
        self.most = 0  # jobs it had at once, the one it draws among them
        self.files: dict[str, bytes] = {}
        self.check: Callable[[str, dict[str, Any]], None] = lambda mode, body: None
        self.control_maps: Callable[[dict[str, Any], str], list[bytes]] = lambda body, family: []
        self.fail_with: Failed | None = None  # thrown by the next job when it begins to draw
        self._steps_allowed: int | None = None

    def hold(self) -> None:
        """From now on each sampling step waits for `step`, or for an interrupt."""
        self._steps_allowed = 0

    def step(self, count: int = 1) -> None:
        assert self._steps_allowed is not None, "only a held engine is stepped"
        self._steps_allowed += count

    def release(self) -> None:
        """Let everything run freely again."""
        self._steps_allowed = None

    async def _step_is_allowed(self) -> None:
        while self._steps_allowed == 0 and not (self.is_interrupted or self.is_skipped):
            await asyncio.sleep(0.002)
        if self._steps_allowed:
            self._steps_allowed -= 1

    async def run(self, mode: str, body: dict[str, Any]) -> dict[str, Any]:
        """Queue, draw and answer as `/sdapi/v1/txt2img` does."""
        self.submitted.append(body)
        self.check(mode, body)
        job = Job(id=body.get("force_task_id") or f"task({len(self.submitted)})", mode=mode, body=body)
        self.pending.append(job.id)
        self.most = max(self.most, len(self.pending) + self.lock.locked())
        if mode == "img2img":
            _check_init(body)  # dies before the start: its id stays in `pending` for ever
        async with self.lock:
            self.job, self.current_task, self.is_interrupted, self.is_skipped = job, job.id, False, False
            self.pending.remove(job.id)
            began = time.monotonic()
            try:
                return await self._process(job)
            except Failed:
                self.failed.append(job.id)
                self.job = None
                raise  # `current_task` stays: progress goes on saying "active"
            finally:
                self.busy.append((began, time.monotonic()))

    async def _process(self, job: Job) -> dict[str, Any]:
        body = job.body
        overrides = body.get("override_settings") or {}
        for key in overrides:
            if key not in self.defaults:
                raise Failed("KeyError", repr(key))
        stored = {key: self.options[key] for key in overrides if key in self.options}
        if "sd_model_checkpoint" in overrides and not self.find_model(overrides["sd_model_checkpoint"]):
            overrides = {k: v for k, v in overrides.items() if k != "sd_model_checkpoint"}
        self.options |= overrides
        try:
            _check_numbers(body)
            if self.fail_with:
                failure, self.fail_with = self.fail_with, None
                raise failure
            await self.sample(job)
            answer = self._answer(job)
        finally:
            self.options |= stored  # keys that were not there before stay overridden: the leak
        if self.is_interrupted:
            self.interrupted.append(job.id)
        else:
            self.finished.append(job.id)
        self.remembered.append(job.id)
        self.job = self.current_task = None
        return answer

    async def sample(self, job: Job) -> None:
        job.steps = int(job.body.get("steps", 50))
        pause = self.seconds_per_image * job.body.get("batch_size", 1) / job.steps
        for step in range(job.steps):
            await self._step_is_allowed()
            await asyncio.sleep(pause)
            if self.is_interrupted or self.is_skipped:
                return
            job.step = step + 1
            if job.step % int(self.option("show_progress_every_n_steps") or 10) == 0:
                job.preview_id += 1

    def option(self, key: str) -> Any:
        return self.options.get(key, self.defaults.get(key))

    def find_model(self, name: str) -> dict[str, Any] | None:
        for model in self.models:
            if name in {model["title"], model["model_name"], model["hash"], f"{model['model_name']}.safetensors"}:
                return model
        return None

    def preview(self) -> str:
        job = self.job
        size = (job.body.get("width", 512) // 4, job.body.get("height", 512) // 4) if job else (64, 64)
        return base64.b64encode(draw(*size, job.step if job else 0, "")).decode()

    def _answer(self, job: Job) -> dict[str, Any]:
        body = job.body
        factor = float(body.get("hr_scale", 2.0)) if body.get("enable_hr") else 1.0
        width, height = (int(int(body.get(side, 512)) * factor) // 8 * 8 for side in ("width", "height"))
        count = int(body.get("batch_size", 1)) * int(body.get("n_iter", 1))
        seed = int(body.get("seed", -1))
        seed = random.randrange(2**32) if seed < 0 else seed
        info = self._info(body, seed, count)
        colours = info["all_subseeds" if body.get("subseed_strength") else "all_seeds"]
        pictures = [self._draw(width, height, colours[n], info["infotexts"][n]) for n in range(count)]
        if body.get("save_images"):
            self._save(job, pictures)
            if count > 1 and not body.get("do_not_save_grid") and self.option("return_grid"):
                pictures.insert(0, self._draw(width * count, height, seed, info["infotexts"][0]))
                info["infotexts"].insert(0, info["infotexts"][0])
                info["index_of_first_image"] = 1
        pictures += self.control_maps(body, self.family)
        images = [base64.b64encode(data).decode() for data in pictures]
        return {"images": images, "parameters": {**body, "init_images": None}, "info": json.dumps(info)}

    def _info(self, body: dict[str, Any], seed: int, count: int) -> dict[str, Any]:
        sampler, scheduler = self._sampling(body)
        model = self.find_model(self.option("sd_model_checkpoint") or "") or self.models[0]
        vae = self.option("sd_vae") if self.family == "a1111" else None
        vae = vae if vae in {known["model_name"] for known in self.vaes} else None
        modules = self.option("forge_additional_modules") or []
        named = "".join(f", Module {n + 1}: {m.rsplit('.', 1)[0]}" for n, m in enumerate(modules))
        strength, subseed = float(body.get("subseed_strength") or 0), int(body.get("subseed", -1))
        subseeds = [max(0, subseed) + n for n in range(count)]
        seeds = [seed if strength else seed + n for n in range(count)]  # as measured on the server itself
        varied = [f", Variation seed: {n}, Variation seed strength: {strength:g}" if strength else "" for n in subseeds]
        texts = [
            f"{body.get('prompt', '')}\nSteps: {body.get('steps', 50)}, Sampler: {sampler}, "
            f"Schedule type: {scheduler}, CFG scale: {body.get('cfg_scale', 7.0)}, Seed: {item}, "
            f"Size: {body.get('width')}x{body.get('height')}, Model hash: {model['hash']}, "
            f"Model: {model['model_name']}{variation}, Version: 1.10.1{named}"
            for item, variation in zip(seeds, varied, strict=True)
        ]
        return {
            "prompt": body.get("prompt"), "seed": seed, "all_seeds": seeds, "all_subseeds": subseeds,
            "width": body.get("width"), "height": body.get("height"), "sampler_name": sampler,
            "sd_model_name": model["model_name"],
            "sd_model_hash": model["hash"], "sd_vae_name": vae, "index_of_first_image": 0, "infotexts": texts,
            "extra_generation_params": {} if scheduler == "Automatic" else {"Schedule type": scheduler},
            "clip_skip": self.option("CLIP_stop_at_last_layers"), "version": "1.10.1",
        }  # fmt: skip

    def _sampling(self, body: dict[str, Any]) -> tuple[str, str]:
        name = body.get("sampler_name") or "Euler"
        wanted = body.get("scheduler") or "Automatic"
        found = {s["label"]: s["label"] for s in self.schedulers} | {s["name"]: s["label"] for s in self.schedulers}
        scheduler = found.get(wanted, "Automatic")
        if name not in {s["name"] for s in self.samplers}:
            return "DPM++ 2M", "Karras"
        if scheduler == "Automatic":
            own = next(s["options"].get("scheduler") for s in self.samplers if s["name"] == name)
            scheduler = found.get(own or "", "Automatic")
        return name, scheduler

    def _save(self, job: Job, pictures: list[bytes]) -> None:
        folder = self.option("outdir_samples") or self.option(f"outdir_{job.mode}_samples")
        pattern = self.option("samples_filename_pattern") or "[seed]"
        for n, data in enumerate(pictures):
            name = re.sub(r"\[generation_number\]", str(n + 1), pattern).replace("[seed]", str(n))
            if self.option("save_images_add_number"):
                name = f"{len(self.files):05}-{name}"
            day = "2026-01-01/" if self.option("save_to_dirs") else ""
            self.files[f"{folder}/{day}{name}.png"] = data


def _check_init(body: dict[str, Any]) -> None:
    images = body.get("init_images")
    if images is None:
        raise Failed("HTTPException", "Init image not found", 404, is_http=True)
    for text in [*images, *([body["mask"]] if body.get("mask") else [])]:
        try:
            Image.open(io.BytesIO(base64.b64decode(text.split(",")[-1], validate=True))).load()
        except (OSError, binascii.Error) as error:
            raise Failed("HTTPException", "Invalid encoded image", is_http=True) from error


def _check_numbers(body: dict[str, Any]) -> None:
    if body.get("prompt", "") is None:
        raise Failed("AssertionError", "")
    if body.get("steps", 50) == 0:
        raise Failed("ZeroDivisionError", "integer division or modulo by zero")
    if body.get("batch_size", 1) == 0:
        raise Failed("IndexError", "list index out of range")
    if min(body.get("width", 512), body.get("height", 512)) < 8:
        raise Failed("RuntimeError", "Calculated padded input size per channel: (10 x 2). Kernel size: (3 x 3).")
    if body.get("seed", -1) > 2**63:
        raise Failed("ValueError", "Overflow when unpacking long long")
