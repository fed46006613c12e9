"""The inside of the gradio stand-in: its queue with one slot, its functions, and pictures made from the seed."""

import asyncio
import hashlib
import random
import secrets
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.utils.pictures import picture

DATA = Path(__file__).parent.parent / "data" / "gradio_flux"


@dataclass
class Event:
    id: str
    session: str
    fn_index: int
    data: list[Any]
    fault: str
    messages: asyncio.Queue[dict[str, Any]] = field(default_factory=asyncio.Queue)
    is_deaf: bool = False  # cancelled: the client has been told that it is over

    def say(self, msg: str, **values: Any) -> None:
        if not self.is_deaf:
            self.messages.put_nowait({"msg": msg, "event_id": self.id, **values})

    def end(self, output: dict[str, Any], *, success: bool = True) -> None:
        self.say("process_completed", output=output, success=success)
        if not self.is_deaf:
            self.messages.put_nowait({"msg": "close_stream", "event_id": None})
        self.is_deaf = True


class Refused(Exception):
    """`gr.Error`: its text always reaches the client."""


class Engine:
    """One slot, as gradio's default. `most_at_once` is how many jobs ever drew side by side on "the GPU"."""

    def __init__(
        self,
        major: int,
        config: dict[str, Any],
        max_size: int | None,
        show_error: bool,
        seconds_per_step: float,
        image: Callable[..., bytes] | None,
    ) -> None:
        self.major, self.config, self.max_size = major, config, max_size
        self.show_error, self.seconds_per_step = show_error, seconds_per_step
        self.sessions: dict[str, Event] = {}
        self.waiting: list[Event] = []
        self.drawing: list[Event] = []
        self.most_at_once = 0
        self.submitted: list[dict[str, Any]] = []  # values by label, in the order of drawing
        self.finished: list[str] = []  # their prompts
        self.files: dict[str, bytes] = {}
        self.file_faults: dict[str, str] = {}
        self.fail_with: Exception | None = None
        self.fails_always = False  # with `fail_with`, each time
        self.own_seed: int | None = None  # drawn with, whatever was asked for
        self.progress: Callable[[int, int], list[dict[str, Any]]] = _bar
        self._image = image or _picture
        self._slot: Event | None = None
        self._open = asyncio.Event()
        self._open.set()
        self._tasks: set[asyncio.Task[None]] = set()

    @property
    def is_full(self) -> bool:
        return self.max_size is not None and len(self.waiting) >= self.max_size

    def hold(self) -> None:
        """Let no step end until `release`."""
        self._open.clear()

    def release(self) -> None:
        self._open.set()

    async def stop(self) -> None:
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def join(self, session: str, fn_index: int, data: list[Any], fault: str) -> Event:
        event = Event(secrets.token_hex(16), session, fn_index, data, fault)
        self.sessions[session] = event
        self.waiting.append(event)
        event.say("estimation", rank=len(self.waiting) - 1, queue_size=len(self.waiting), rank_eta=None)
        self._start_next()
        return event

    def cancel(self, event_id: str) -> None:
        for event in tuple(self.waiting):
            if event.id == event_id:
                event.end({})
                if self.major >= 6:
                    self.waiting.remove(event)
        if self._slot and self._slot.id == event_id:
            event, self._slot = self._slot, None
            event.end({})
            self._start_next()  # beside the cancelled one, which nothing stops

    def _start_next(self) -> None:
        if self._slot or not self.waiting:
            return
        self._slot = self.waiting.pop(0)
        for rank, event in enumerate(self.waiting):
            event.say("estimation", rank=rank, queue_size=len(self.waiting), rank_eta=1.0)
        task = asyncio.create_task(self._work(self._slot))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _work(self, event: Event) -> None:
        self.drawing.append(event)
        self.most_at_once = max(self.most_at_once, len(self.drawing))
        event.say("process_starts", eta=None)
        try:
            data = await self._call(event)
        except Refused as error:
            text = repr(str(error)) if self.major == 4 else str(error)
            event.end({"error": text, "duration": 10, "visible": True, "title": "Error"}, success=False)
        except Exception as error:
            event.end({"error": str(error) if self.show_error else None}, success=False)
        else:
            event.end({"data": data, "is_generating": False, "duration": 1.0, "average_duration": 1.0})
        finally:
            self.drawing.remove(event)
            if self._slot is event:
                self._slot = None
                self._start_next()

    async def _call(self, event: Event) -> list[Any]:
        dependency = next(d for d in self.config["dependencies"] if d.get("id") == event.fn_index)
        components = {c["id"]: c for c in self.config["components"]}
        inputs = [components[number] for number in dependency["inputs"]]
        if len(event.data) != len(inputs):
            raise ValueError(f"needed: {len(inputs)}, got: {len(event.data)}")
        for component, value in zip(inputs, event.data, strict=True):
            self._check(component, value)
        reply = {c["props"]["label"]: value for c, value in zip(inputs, event.data, strict=True)}
        self.submitted.append(reply)
        steps = int(reply.get("Number of inference steps", reply.get("Steps", 4)))
        for number in range(steps):
            event.say("progress", progress_data=self.progress(number, steps))
            await asyncio.sleep(self.seconds_per_step)
            await self._open.wait()
            if number == 0 and self.fail_with:
                error = self.fail_with
                if not self.fails_always:
                    self.fail_with = None
                raise error
        files, seed = self._pictures(reply, event.fault)
        self.finished.append(reply["Prompt"])
        outputs = [components[number]["type"] for number in dependency["outputs"]]
        if event.fault == "empty":
            files = []
        gallery = [{"image": file, "caption": None} for file in files]
        made = {"gallery": gallery, "image": files[0] if files else None}
        return [made.get(kind, seed) for kind in outputs]

    def _check(self, component: dict[str, Any], value: Any) -> None:
        props, kind = component["props"], component["type"]
        if kind == "number" or (kind == "slider" and self.major >= 5):
            if props.get("maximum") is not None and value > props["maximum"]:
                raise Refused(f"Value {value} is greater than maximum value {props['maximum']}.")
            if props.get("minimum") is not None and value < props["minimum"]:
                raise Refused(f"Value {value} is less than minimum value {props['minimum']}.")
        if kind == "dropdown" and self.major >= 5:
            choices = [sent for _, sent in props["choices"]]
            if value not in choices:
                raise Refused(f"Value: {value} is not in the list of choices: {choices}")

    def _pictures(self, reply: dict[str, Any], fault: str) -> tuple[list[dict[str, Any]], int]:
        seed = reply.get("Seed", reply.get("Seed (0 = random)"))
        if reply.get("Randomize seed") or ("Seed (0 = random)" in reply and seed == 0):
            seed = random.randint(1, 2**31 - 1)
        seed = seed if self.own_seed is None else self.own_seed
        size = int(reply.get("Width", 512)), int(reply.get("Height", 512))
        files = []
        for number in range(int(reply.get("Number of images", 1))):
            data = self._image(*size, seed + number, reply["Prompt"])
            path = f"/tmp/gradio/{hashlib.sha256(data).hexdigest()}/image {number}.png"
            self.files[path] = data
            if fault:
                self.file_faults[path] = fault
            url = f"http://10.0.0.9:7860/file={path}"  # as seen from elsewhere: not to be used
            files.append(
                {"path": path, "url": url, "size": None, "orig_name": None, "mime_type": None, "is_stream": False,
                 "meta": {"_type": "gradio.FileData"}}
            )  # fmt: skip
        return files, seed


def bomb() -> bytes:
    """A small PNG file of 20,000 x 20,000 pixels."""
    return _chunks(20_000, 20_000, zlib.compress(bytes(20_001 * 64), 9))


def _chunks(width: int, height: int, pixels: bytes) -> bytes:
    head = width.to_bytes(4, "big") + height.to_bytes(4, "big") + bytes([8, 0, 0, 0, 0])
    parts = [(b"IHDR", head), (b"IDAT", pixels), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big") for kind, data in parts
    )


def _bar(number: int, steps: int) -> list[dict[str, Any]]:
    return [{"index": number, "length": steps, "unit": "steps", "progress": None, "desc": None}]


def _picture(width: int, height: int, seed: int, text: str) -> bytes:
    colour = hashlib.sha256(f"{seed} {text}".encode()).digest()[:3]
    return picture("PNG", (width, height), color=tuple(colour))
