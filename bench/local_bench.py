"""The cost of the engine inside: of its child process, in Easel's own memory, and of a start with its packages there.

A maker that takes a set time stands in for the libraries, so that this runs where none is installed: what lies between
the pipeline and who asked for the picture is measured.
"""

import json
import os
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Final

from backends.base import BackendConfig
from backends.child import Child
from backends.embedded.backend import EmbeddedBackend
from backends.embedded.kind import PACKAGES
from bench.floor_bench import MAIN, cpu_s_of, memory_mb_of, running
from bench.report import Figure
from generation.job import Progress
from generation.request import GenerationRequest

GROUP: Final = "local"
MODULE: Final = "bench.local_child"
PICTURES, WARM, STEPS, STARTS = 40, 5, 8, 3
OVERHEAD_MS, MEMORY_MB, START_X = 20.0, 5.0, 1.1
BROKEN: Final = "raise RuntimeError('loaded before anybody drew')\n"


async def local() -> list[Figure]:
    """Measure pictures one after the other, and starts in turns."""
    return [*await _pictures(), await _starts()]


async def _pictures() -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        _put_model(Path(folder))
        options = {"models": folder, "hf_home": str(Path(folder) / "none")}
        config = BackendConfig(name="embedded", kind="embedded", options=options)
        backend = EmbeddedBackend(config, child=Child(MODULE), makers=lambda: frozenset(PACKAGES))
        spent: list[float] = []
        own = worked = 0.0
        try:
            for number in range(WARM + PICTURES):
                if number == WARM:
                    own, worked = memory_mb_of(os.getpid()), _worked_s(backend)
                began = time.perf_counter()
                request = GenerationRequest(
                    prompt="a red fox", width=1024, height=1024, steps=STEPS, cfg_scale=7.0, seed=number
                )
                await backend.generate(request, _silent)
                took = time.perf_counter() - began
                loaded = backend.loaded()
                assert loaded is not None, "it has drawn"
                spent.append((took - float(loaded.device_title)) * 1000)
            worked = (_worked_s(backend) - worked) * 1000 / PICTURES
            grown = memory_mb_of(os.getpid()) - own
        finally:
            await backend.aclose()
    quickest = min(spent[WARM:])
    return [
        Figure(
            group=GROUP, name="the child, beyond the pipeline’s own time, the quickest", value=quickest,
            unit="ms a picture", target=f"< {OVERHEAD_MS:g}", is_met=quickest < OVERHEAD_MS,
            beside=f"usual {median(spent[WARM:]):.0f} ms: others use the machine",
        ),
        Figure(
            group=GROUP, name="the same, time on a processor, of both processes", value=worked, unit="ms a picture",
            target=f"< {OVERHEAD_MS:g}", is_met=worked < OVERHEAD_MS,
        ),
        Figure(
            group=GROUP, name=f"memory of Easel after {PICTURES} pictures more", value=grown, unit="MB",
            target=f"< {MEMORY_MB:g}", is_met=grown < MEMORY_MB,
        ),
    ]  # fmt: skip


def _worked_s(backend: EmbeddedBackend) -> float:
    child = backend._child.pid
    assert child is not None, "it has drawn"
    return time.process_time() + cpu_s_of(child)


async def _starts() -> Figure:
    """Start Easel with packages that break when they are loaded and a model, beside one without, in turns."""
    without, beside = [], []
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as packages:
        _put_model(Path(folder) / "models")
        for name in {name for names in PACKAGES.values() for name in names} - {"numpy"}:
            (Path(packages) / f"{name}.py").write_text(BROKEN)
        there = {"MODEL_PATH": str(Path(folder) / "models"), "PYTHONPATH": packages}
        for _ in range(STARTS):
            for settings, seconds in (({"MODEL_PATH": ""}, without), (there, beside)):
                async with running(MAIN, folder, WEB="false", **settings) as (_bot, took):
                    seconds.append(took)
    ratio = median(beside) / median(without)
    return Figure(
        group=GROUP, name="start with packages and a model there", value=ratio, unit="x", target=f"< {START_X:g}",
        is_met=ratio < START_X, beside=f"{median(beside):.2f} s; without {median(without):.2f} s",
    )  # fmt: skip


async def _silent(progress: Progress) -> None:
    """Return nothing: nobody watches."""


def _put_model(folder: Path) -> None:
    place = folder / "fox"
    place.mkdir(parents=True)
    (place / "model_index.json").write_text(json.dumps({"_class_name": "StableDiffusionPipeline"}))
