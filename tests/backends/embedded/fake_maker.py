"""Draws without torch: flat pictures whose colour comes of the seed, or what goes wrong as the prompt names it.

As a module (`python -m tests.backends.embedded.fake_maker`) it is the child process of the engine.
"""

import io
import os
import signal
import time
from hashlib import sha256

from PIL import Image, ImageEnhance

from backends.child_side import serve
from backends.embedded.work.engine import LocalEngine
from backends.embedded.work.orders import Device, Rung


class FakeOutOfMemory(RuntimeError):
    """As torch raises it."""


class FakeMaker:
    """`fits` is how much room there is: the first rung that does not run out of memory, and pictures at once."""

    def __init__(self, *, kind="cpu", fits=Rung.WHOLE, at_once=8, total_mb=8000, step_s=0.0):
        self.kind = kind
        self.fits = fits
        self.at_once = at_once
        self.total_mb = total_mb
        self.step_s = step_s
        self.model = None
        self.rung = None
        self.events = []
        self.held_back = []

    most_at_once = None

    def choose(self, model):
        pass

    def look(self):
        free_mb = self.total_mb - (self.model.weights_mb if self.model else 0)
        return Device(name=self.kind, kind=self.kind, title=f"a fake {self.kind}", dtype="float32",
                      total_mb=self.total_mb, free_mb=free_mb)  # fmt: skip

    def load(self, model, rung):
        self.events.append(("load", model.name, str(rung)))
        if "unloadable" in model.name:
            raise ValueError("no such weights")
        self.model, self.rung = model, rung

    def draw(self, order, seeds, on_step):
        rungs = list(Rung)
        if rungs.index(self.rung) < rungs.index(self.fits) or len(seeds) > self.at_once:
            self.events.append(("short", len(seeds), str(self.rung)))
            raise FakeOutOfMemory("CUDA out of memory")
        if "short of memory" in order.prompt:
            raise FakeOutOfMemory("CUDA out of memory")
        for step in range(1, order.steps + 1):
            time.sleep(self.step_s)
            _misbehave(order.prompt, step)
            on_step(step, lambda: _flat((8, 8), 0, "JPEG"))
            while "hold" in order.prompt:
                time.sleep(0.005)
                on_step(step, lambda: None)
        self.events.append(("draw", len(seeds), str(self.rung)))
        self.held_back = [f"held_back:{seed}" for seed in seeds if f"unsafe {seed}" in order.prompt]
        return [_picture(order, seed) for seed in seeds]

    def notes(self):
        return self.held_back

    def unload(self):
        if self.model:
            self.events.append(("unload", self.model.name))
        self.model = None

    def free_cache(self):
        self.events.append(("free",))

    def is_out_of_memory(self, error):
        return isinstance(error, FakeOutOfMemory)


def _misbehave(prompt, step):
    if "abort" in prompt and step == 2:
        os.abort()
    if "be killed" in prompt and step == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    if "hang" in prompt and step == 3:
        time.sleep(60)
    if "fail" in prompt and step == 2:
        raise KeyError("latents")


def _picture(order, seed):
    if order.pictures:
        picture = Image.open(io.BytesIO(order.pictures[0])).convert("RGB").resize((order.width, order.height))
        return _png(ImageEnhance.Brightness(picture).enhance(0.5))
    return _flat((order.width, order.height), seed, "PNG")


def _flat(size, seed, form):
    colour = tuple(sha256(str(seed).encode()).digest()[:3])
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, form)
    return buffer.getvalue()


def _png(picture):
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    return buffer.getvalue()


def _maker():
    values = os.environ
    return FakeMaker(
        kind=values.get("FAKE_KIND", "cpu"),
        fits=Rung(values.get("FAKE_FITS", "whole")),
        at_once=int(values.get("FAKE_AT_ONCE", "8")),
        step_s=float(values.get("FAKE_STEP_S", "0")),
    )


if __name__ == "__main__":
    serve(LocalEngine(_maker(), offload=os.environ.get("EASEL_OFFLOAD", "auto")).work, beat_s=0.05)
