"""The child of `bench.local_bench`: its maker takes a set time for a picture of 1.5 MB and tells how long that was."""

import io
import time
from collections.abc import Sequence
from typing import Final

from PIL import Image

from backends.child_side import serve
from backends.embedded.work.engine import LocalEngine
from backends.embedded.work.orders import ChildOrder, Device, ModelFolder, OnStep, Rung

SIDE: Final = 1024
STEP_S: Final = 0.05


class TimedMaker:
    """A maker whose device is called by the seconds of its last picture."""

    most_at_once: int | None = None

    def __init__(self) -> None:
        self._spent_s = 0.0
        self._preview = _noise(256, "JPEG")
        self._picture = _noise(SIDE, "PNG")

    def choose(self, model: ModelFolder) -> None:
        """Do nothing: it has one device."""

    def look(self) -> Device:
        return Device(name="cpu", kind="cuda", title=f"{self._spent_s}", dtype="float32")

    def load(self, model: ModelFolder, rung: Rung) -> None:
        """Do nothing: there are no weights."""

    def draw(self, order: ChildOrder, seeds: Sequence[int], on_step: OnStep) -> list[bytes]:
        spent = 0.0
        for step in range(1, order.steps + 1):
            began = time.perf_counter()
            time.sleep(STEP_S)
            spent += time.perf_counter() - began
            on_step(step, lambda: self._preview)
        self._spent_s = spent
        return [self._picture] * len(seeds)

    def notes(self) -> list[str]:
        return []

    def unload(self) -> None:
        """Do nothing: there are no weights."""

    def free_cache(self) -> None:
        """Do nothing: there is no cache."""

    def is_out_of_memory(self, error: Exception) -> bool:
        return False


def _noise(side: int, kind: str) -> bytes:
    grain = Image.effect_noise((side, side), 40)
    out = io.BytesIO()
    Image.merge("RGB", (grain, grain.rotate(90), grain.rotate(180))).quantize(32).convert("RGB").save(out, kind)
    return out.getvalue()


if __name__ == "__main__":
    engine = LocalEngine(TimedMaker())
    serve(engine.work, beat_s=2.0)
