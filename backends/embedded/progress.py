"""Progress of a picture: the length of its steps, and the patience for the next one."""

from collections import deque
from collections.abc import Callable, Mapping
from statistics import median
from typing import Any, Final

from generation.job import Progress
from texts.text import _

LOADING_PATIENCE_S: Final = 1800.0  # 30 GB from a slow disk; that it lives is shown by its beats
LEAST_PATIENCE_S: Final = 60.0
PATIENCE_STEPS: Final = 5.0  # of the usual length
REMEMBERED: Final = 50  # steps
RUNG_WORDS: Final = {
    "eight_bit": _("loading the model, its weights in 8 bits since the GPU’s memory is short"),
    "model_offload": _("loading the model, part by part since the GPU’s memory is short"),
    "sequential_offload": _("loading the model, layer by layer since the GPU’s memory is very short"),
    "tiled": _("loading the model with as little memory as it can do with"),
}


class StepPace:
    """Measures the steps of a child; `steps` is how many its order has."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lengths: deque[float] = deque(maxlen=REMEMBERED)
        self._last: float | None = None

    def begin(self) -> None:
        """Forget how an earlier order went on; the lengths of its steps are still known."""
        self._last = None

    def step(self) -> None:
        now = self._clock()
        if self._last is not None:
            self._lengths.append(now - self._last)
        self._last = now

    @property
    def usual_s(self) -> float | None:
        """The usual length of a step, once there were two."""
        return median(self._lengths) if self._lengths else None

    def patience_s(self) -> float:
        """Return how long to wait for the next word: a model is loaded and words are read before the first step."""
        if self._last is None:
            return LOADING_PATIENCE_S
        return max(LEAST_PATIENCE_S, PATIENCE_STEPS * (self.usual_s or 0.0))


class Course:
    """Turns the words of a child about one order into progress."""

    def __init__(self, pace: StepPace) -> None:
        self._pace = pace
        self._fraction = 0.0
        pace.begin()

    def progress(self, values: Mapping[str, Any]) -> Progress:
        match values.get("stage"):
            case "step":
                return self._step(values)
            case "fewer":
                note = _("drawing fewer pictures at once since memory is short")
            case "loading":
                self._pace.begin()
                note = RUNG_WORDS.get(str(values["rung"]), _("loading the model"))
            case _:
                note = ""
        return Progress(fraction=self._fraction, note=note)

    def _step(self, values: Mapping[str, Any]) -> Progress:
        self._pace.step()
        step = int(values["step"])
        steps = max(step, int(values["steps"]))
        done, count, at_once = int(values["done"]), int(values["count"]), int(values["at_once"])
        self._fraction = max(self._fraction, (done + at_once * step / steps) / count)
        left = steps - step + steps * max(0, count - done - at_once) / at_once
        usual_s = self._pace.usual_s
        blobs = values.get("blobs", ())
        return Progress(
            fraction=self._fraction,
            step=step,
            steps=steps,
            preview=blobs[0] if blobs else None,
            eta_s=None if usual_s is None else usual_s * left,
        )
