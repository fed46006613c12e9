"""Models in single `.safetensors` files, as people share them: which family one is of, by the names of its weights.

Such a file lacks settings and word lists; those of a model of the same family on this machine stand in. Source: the
format's own description (eight bytes of length, then JSON), and the diffusers library's page on single files.
"""

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from backends.embedded.models.families import FLUX, SD15, SDXL

SUFFIX: Final = ".safetensors"
MOST_HEADER_BYTES: Final = 64 * 2**20


@dataclass(frozen=True, kw_only=True)
class SingleFile:
    """A model in one file. `is_guided`: of FLUX.1, whether it takes guidance."""

    name: str
    path: Path
    family: str
    weights_mb: int
    is_guided: bool = True


def single_file(path: Path) -> SingleFile | None:
    """Return the model in a file, None where it is none, or of a family whose files cannot be read."""
    try:
        facts = path.stat()
    except OSError:
        return None
    return _read(path, facts.st_size, facts.st_mtime_ns)


@lru_cache(maxsize=1000)
def _read(path: Path, size: int, _changed: int) -> SingleFile | None:
    names = _names(path)
    family = _family(names)
    if not family:
        return None
    is_guided = family != FLUX or any("guidance_" in name for name in names)
    return SingleFile(name=path.stem, path=path, family=family, weights_mb=size // 2**20, is_guided=is_guided)


def _names(path: Path) -> frozenset[str]:
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 2 <= length <= MOST_HEADER_BYTES:
                return frozenset()
            header: Any = json.loads(file.read(length))
    except (OSError, ValueError):
        return frozenset()
    return frozenset(header) if isinstance(header, dict) else frozenset()


def _family(names: frozenset[str]) -> str:
    def has(*parts: str) -> bool:
        return any(name.startswith(parts) for name in names)

    if has("conditioner.embedders.1.model."):  # no text: names of weights
        return SDXL
    if has("cond_stage_model.transformer.") and has("model.diffusion_model.input_blocks."):  # no text: the same
        return SD15
    blocks = ("double_blocks.0.", "model.diffusion_model.double_blocks.0.", "transformer_blocks.0.")
    lone = ("single_blocks.0.", "model.diffusion_model.single_blocks.0.", "single_transformer_blocks.0.")
    is_later = any("modulation_img" in name for name in names)  # FLUX.2
    return FLUX if has(*blocks) and has(*lone) and not is_later else ""
