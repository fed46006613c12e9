"""Carries orders out with a maker: loads what is wanted, draws, and climbs down the ladder where memory runs out."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from typing import Any, Final

from backends.child_side import Blobs, Reporter
from backends.embedded.work.ladder import first_rung, next_rung
from backends.embedded.work.orders import ChildOrder, Device, Maker, ModelFolder, Rung

PREVIEW_EVERY_S: Final = 1.0
PREVIEW_SHARE: Final = 5.0  # a preview costs at most a fifth of the time between two of them

Answer = tuple[Mapping[str, Any], Sequence[bytes]]


class LocalEngine:
    """One device with at most one model in its memory.

    Args:
        maker: what draws.
        offload: the way to begin with: auto, none, model or sequential.
        clock: seconds, for previews and for how long a model took to load.
    """

    def __init__(self, maker: Maker, *, offload: str = "auto", clock: Callable[[], float] = time.monotonic) -> None:
        self._maker = maker
        self._offload = offload
        self._clock = clock
        self._model: ModelFolder | None = None
        self._rung = Rung.WHOLE
        self._at_once: int | None = None  # pictures that fit into memory together, once that is known

    def work(self, order: Mapping[str, Any], blobs: Blobs, reporter: Reporter) -> Answer:
        """Carry out one order: draw, load, unload or look."""
        match order["do"]:
            case "draw":
                return self._draw(ChildOrder.read(order, blobs), reporter)
            case "load":
                self._load(ModelFolder(**order["model"]), reporter)
            case "unload":
                self._unload()
        return {"state": self._state()}, ()

    def _draw(self, order: ChildOrder, reporter: Reporter) -> Answer:
        self._load(order.model, reporter)
        pictures: list[bytes] = []
        notes: list[str] = []
        while len(pictures) < len(order.seeds):
            left = order.seeds[len(pictures) :]
            seeds = left[: min(self._at_once or len(left), self._maker.most_at_once or len(left))]
            part = {"done": len(pictures), "count": len(order.seeds), "at_once": len(seeds)}
            steps = _Steps(reporter, self._clock, part | {"steps": order.planned_steps})
            try:
                pictures += self._maker.draw(order, seeds, steps.on_step)
                notes += [code for code in self._maker.notes() if code not in notes]
            except Exception as error:
                if not self._maker.is_out_of_memory(error):
                    raise
                self._spare_memory(order.model, len(seeds), reporter, error)
            reporter.check()
        if self._rung is not Rung.WHOLE:
            notes.append(str(self._rung))
        return {"state": self._state(), "notes": notes}, pictures

    def _load(self, model: ModelFolder, reporter: Reporter, rung: Rung | None = None) -> None:
        """Have a model ready, from `rung` on if one is named; nothing is done where it is."""
        if self._model == model and rung is None:
            return
        began = self._clock()
        self._unload()
        self._maker.choose(model)
        device = self._maker.look()
        rung = rung or first_rung(device, model, self._offload)
        while True:
            reporter.report(stage="loading", model=model.name, rung=str(rung), device=device.kind)
            try:
                self._maker.load(model, rung)
                break
            except Exception as error:
                self._maker.unload()
                if not self._maker.is_out_of_memory(error) or not (sparing := next_rung(device, rung, model)):
                    raise
                rung = sparing
        self._model, self._rung = model, rung
        reporter.report(stage="loaded", model=model.name, seconds=round(self._clock() - began, 3))

    def _spare_memory(self, model: ModelFolder, at_once: int, reporter: Reporter, error: Exception) -> None:
        """Go one step down: fewer pictures at once, then more of the model out of memory.

        Raises:
            MemoryError: there is no further step.
        """
        error.__traceback__ = None  # its frames hold what filled the memory
        self._maker.free_cache()
        if at_once > 1:
            self._at_once = at_once // 2
            reporter.report(stage="fewer", at_once=self._at_once)
            return
        device = self._maker.look()
        sparing = next_rung(device, self._rung, model)
        if sparing is None:
            raise MemoryError(_shortage(device)) from error
        self._load(model, reporter, sparing)

    def _unload(self) -> None:
        self._maker.unload()
        self._maker.free_cache()
        self._model, self._at_once = None, None

    def _state(self) -> dict[str, Any]:
        model = self._model.name if self._model else ""
        return {"model": model, "rung": str(self._rung), **asdict(self._maker.look())}


class _Steps:
    """Reports the steps of some pictures out of all that were asked for, with a preview now and then."""

    def __init__(self, reporter: Reporter, clock: Callable[[], float], part: Mapping[str, int]) -> None:
        self._reporter = reporter
        self._clock = clock
        self._part = part
        self._preview_due = clock() + PREVIEW_EVERY_S

    def on_step(self, step: int, make_preview: Callable[[], bytes | None]) -> None:
        began = self._clock()
        preview = None
        if began >= self._preview_due:
            preview = make_preview()
            cost_s = self._clock() - began
            self._preview_due = self._clock() + max(PREVIEW_EVERY_S, PREVIEW_SHARE * cost_s)
        self._reporter.report(*([preview] if preview else []), stage="step", step=step, **self._part)


def _shortage(device: Device) -> str:
    if device.free_mb is None or device.total_mb is None:
        return f"{device.title} has too little memory"  # no text: for the log
    return f"{device.title} has {device.free_mb} of {device.total_mb} MB free"  # no text: for the log
