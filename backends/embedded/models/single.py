"""Models in single files, as people share them: which family one is of, by the names of its weights.

Such a file lacks settings and word lists; those of a model of the same family on this machine stand in. Source: the
description of `.safetensors` (eight bytes of length, then JSON), and the diffusers library's page on single files.
"""

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from backends.embedded.models import gguf
from backends.embedded.models.families import FLUX, KLEIN, SD3, SD15, SDXL, Z_IMAGE
from lazy import dataclass
from texts.text import _, joined

SUFFIXES: Final = (".safetensors", gguf.SUFFIX)
MOST_HEADER_BYTES: Final = 64 * 2**20
PREFIX: Final = "model.diffusion_model."  # no text: of names of weights
PARTS: Final = frozenset({FLUX, KLEIN, SD3, Z_IMAGE})  # a file has the part that draws, and no more
# Weights whose last size is how many numbers stand for a word.
WORDS: Final = ("txt_in.weight", "context_embedder.weight", "cap_embedder.1.weight")

Shapes = Mapping[str, tuple[int, ...]]


@dataclass(frozen=True, kw_only=True)
class SingleFile:
    """A model in one file.

    `is_guided`: of FLUX.1, whether it takes guidance. `is_part`: it has the part that draws, and lacks those that read
    words and make pixels. `words_width`: numbers that stand for a word, 0 where that is not known.
    """

    name: str
    path: Path
    family: str
    weights_mb: int
    is_guided: bool = True
    is_part: bool = False
    words_width: int = 0


@dataclass(frozen=True, kw_only=True)
class UnreadFile:
    """A model in one file that cannot be drawn with, and why."""

    name: str
    why: str


def single_file(path: Path, *, has_gguf: bool = True) -> SingleFile | UnreadFile | None:
    """Return the model in a file; None where it is none, or of a family that is not drawn with.

    Args:
        path: of a file whose name ends in one of `SUFFIXES`.
        has_gguf: whether the package that unpacks `.gguf` files is installed.
    """
    try:
        facts = path.stat()
    except OSError:
        return None
    return _read(path, has_gguf, facts.st_size, facts.st_mtime_ns)


@lru_cache(maxsize=1000)
def _read(path: Path, has_gguf: bool, size: int, _changed: int) -> SingleFile | UnreadFile | None:
    head = gguf.read_head(path) if path.suffix == gguf.SUFFIX else None
    shapes = head.shapes if head else shapes_of(path)
    names = frozenset(name.removeprefix(PREFIX) for name in shapes)
    family = _family(names)
    if head and (why := _why_not(head, names, family, has_gguf)):
        return UnreadFile(name=path.name, why=why)
    if not family:
        return None
    return SingleFile(
        name=path.stem,
        path=path,
        family=family,
        weights_mb=size // 2**20,
        is_guided=family != FLUX or any("guidance_" in name for name in shapes),
        is_part=family in PARTS,
        words_width=next((sizes[-1] for name, sizes in shapes.items() if name.endswith(WORDS) and sizes), 0),
    )


def _why_not(head: gguf.GgufHead, names: frozenset[str], family: str, has_gguf: bool) -> str | None:
    if "input_blocks.0.0.weight" in names:  # of Stable Diffusion 1.5 and XL
        return _("of this family only .safetensors files can be read, or folders")
    if family and head.unread:
        return _("its weights are packed as {names}, which cannot be read here", names=joined(", ", head.unread))
    if family and not has_gguf:
        return _("the package gguf is not installed: `make run GPU=1` installs it")
    return None


def shapes_of(path: Path) -> Shapes:
    """Return the sizes of the weights in a `.safetensors` file by their names; nothing where it is none."""
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 2 <= length <= MOST_HEADER_BYTES:
                return {}
            header: Any = json.loads(file.read(length))
    except (OSError, ValueError):
        return {}
    if not isinstance(header, dict):
        return {}
    return {name: _sizes(facts) for name, facts in header.items()}


def _sizes(facts: Any) -> tuple[int, ...]:
    found = facts.get("shape") if isinstance(facts, dict) else None
    return tuple(size for size in found if isinstance(size, int)) if isinstance(found, list) else ()


def _family(names: frozenset[str]) -> str:
    """Return the family of weights with these names, of the first authors or of the diffusers library."""

    def has(*parts: str) -> bool:
        return any(name.startswith(parts) for name in names)

    if has("conditioner.embedders.1.model."):  # no text: names of weights
        return SDXL
    if has("cond_stage_model.transformer.") and has("input_blocks.0."):  # no text: the same
        return SD15
    if has("x_pad_token") and has("layers.0."):
        return Z_IMAGE
    is_of_sd3 = (
        has("pos_embed.proj.") and has("context_embedder.") and has("transformer_blocks.0.")
    )  # no text: the same
    if has("joint_blocks.0.") or is_of_sd3:
        return SD3
    if has("double_blocks.0.", "transformer_blocks.0.") and has("single_blocks.0.", "single_transformer_blocks.0."):
        if not any("modulation_img" in name for name in names):
            return FLUX
        # of FLUX.2, klein; the others take guidance, and another model reads their words
        takes_guidance = any("guidance_in." in name or "guidance_embedder" in name for name in names)
        return "" if takes_guidance else KLEIN
    return ""
