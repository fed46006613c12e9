"""A fake engine with many models, and small pictures to attach."""

from __future__ import annotations

import io

from PIL import Image

from generation.capabilities import Capabilities, ModelInfo
from generation.request import Mode
from tests.fakes import FakeBackend

SAMPLERS = tuple(f"Sampler {n}" for n in range(30))


def png(side: int = 64, colour: str = "navy") -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (side, side), colour).save(file, "PNG")
    return file.getvalue()


def rich_backend(name: str = "gpu1", *, hold: bool = False) -> FakeBackend:
    """Build an engine with 60 models, 30 samplers, schedulers and LoRAs."""
    models = tuple(ModelInfo(name=f"model_{n:02}", title=f"model_{n:02}", is_loaded=n == 7) for n in range(60))
    capabilities = Capabilities(
        modes=frozenset(Mode),
        models=models,
        samplers=("Euler", "Euler a", *SAMPLERS),
        schedulers=("Karras", "Normal"),
        loras=("add_detail", "pixel_art"),
    )
    return FakeBackend(name, capabilities=capabilities, hold=hold)
