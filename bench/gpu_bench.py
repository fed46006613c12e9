"""Pictures by the models on this machine: what loading one takes, and each picture, beside what others measured.

`python -m bench gpu` asks for it; it is no part of `make bench`, since most machines have no such model.
"""

import sys
import time
from collections.abc import Mapping
from pathlib import Path
from statistics import median
from typing import Any, Final

from backends.base import BackendConfig, LoadedModel
from backends.embedded.backend import EmbeddedBackend
from backends.embedded.kind import is_installed, shelf_of
from backends.embedded.models.disk import LocalModel
from bench.report import Figure
from config import read_settings
from generation.errors import GenerationError
from generation.job import Progress
from generation.request import GenerationRequest

GROUP: Final = "gpu"
TURNS: Final = 3
SEED: Final = 812
PROMPT: Final = "a red fox in the snow, late light"
# What a local Flux service's page names, by model, side and steps: docs/backends/embedded.md has the table.
ELSEWHERE: Final[Mapping[tuple[str, int, int], str]] = {
    ("flux-schnell", 1024, 4): "RTX 4090: 2 to 3 s; RTX 3090: 3 to 5 s; RTX 3060: 8 to 12 s",
    ("flux-schnell", 512, 4): "RTX 3060: 3 to 5 s",
    ("flux-dev", 1024, 20): "RTX 3090: 20 to 30 s",
}


async def gpu() -> list[Figure]:
    """Measure each model that is here, as the settings of this folder say."""
    options = dict(read_settings(Path(".env")).engines.fallback_options.get("embedded", {}))
    if not is_installed() or not shelf_of(options).models:
        print("no model, or what draws is not installed: docs/backends/embedded.md", file=sys.stderr)
        return []
    backend = EmbeddedBackend(BackendConfig(name="embedded", kind="embedded", options=options))
    try:
        return await measure(backend, shelf_of(options).models)
    finally:
        await backend.aclose()


async def measure(
    backend: EmbeddedBackend, models: tuple[LocalModel, ...], *, sizes: tuple[tuple[int, int], ...] = ()
) -> list[Figure]:
    """Measure models; `sizes` are sides with steps, in place of those that suit each model."""
    figures: list[Figure] = []
    for model in models:
        print(f"gpu: {model.name} ...", file=sys.stderr, flush=True)
        try:
            began = time.perf_counter()
            loaded = await backend.load(model.name)
            figures.append(_figure(f"{model.name}: loaded", time.perf_counter() - began, beside=_where(loaded)))
            for side, steps in sizes or sizes_of(model):
                seconds = await _picture_s(backend, model, side, steps)
                name = f"{model.name}: {side}x{side}, {steps} steps"
                figures.append(_figure(name, seconds, beside=ELSEWHERE.get((model.name, side, steps), "")))
        except GenerationError as error:
            print(f"gpu: {model.name}: {error.user_message}", file=sys.stderr)
    return figures


def sizes_of(model: LocalModel) -> list[tuple[int, int]]:
    """Return the sides and steps to measure: those that others measured, else what suits the model."""
    named = [(side, steps) for name, side, steps in ELSEWHERE if name == model.name]
    return named or [(model.family.side, model.steps)]


async def _picture_s(backend: EmbeddedBackend, model: LocalModel, side: int, steps: int) -> float:
    """Return the usual seconds of a picture, after one that warms up."""
    spent = []
    request = GenerationRequest(
        prompt=PROMPT, width=side, height=side, steps=steps, cfg_scale=model.cfg_scale, seed=SEED, model=model.name
    )
    for _turn in range(TURNS + 1):
        began = time.perf_counter()
        await backend.generate(request, _silent)
        spent.append(time.perf_counter() - began)
    return median(spent[1:])


async def _silent(progress: Progress) -> None:
    """Return nothing: nobody watches."""


def _figure(name: str, seconds: float, **more: Any) -> Figure:
    return Figure(group=GROUP, name=name, value=seconds, unit="s", **more)


def _where(loaded: LoadedModel) -> str:
    memory = f", {loaded.free_mb / 1000:.1f} GB left" if loaded.free_mb is not None else ""
    return f"{loaded.device_title}, {loaded.dtype}, {loaded.way}{memory}"
