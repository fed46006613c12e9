"""Orders as the child reads them, and the protocol of what carries them out. Imports nothing heavy."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import field
from enum import StrEnum
from typing import Any, Final, Protocol

from lazy import dataclass

DIFFUSERS: Final = "diffusers"  # no text: names of libraries
OPENVINO: Final = "openvino"
UNION_CLASS: Final = "ControlNetUnionModel"  # of ControlNets that take several pictures of several kinds at once


class Rung(StrEnum):
    """The share of a model that is in the device's memory at once, from the quickest way to the most sparing."""

    WHOLE = "whole"
    EIGHT_BIT = "eight_bit"  # the weights in 8 bits: half of it
    MODEL_OFFLOAD = "model_offload"  # one part of the pipeline at a time
    SEQUENTIAL_OFFLOAD = "sequential_offload"  # one layer at a time
    TILED = "tiled"  # the same, and the picture is decoded in tiles


@dataclass(frozen=True, kw_only=True)
class ModelFolder:
    """A model as the child loads it. `weights_mb` is the size of its files.

    `file`: its weights, where they are in a single file; `path` has then what that lacks.
    `maker`: the library that it was saved for.
    """

    name: str
    path: str
    family: str
    weights_mb: int = 0
    file: str = ""
    maker: str = DIFFUSERS

    @property
    def is_packed(self) -> bool:
        """Return whether its weights have a form that is unpacked layer by layer while it calculates."""
        return self.file.endswith(".gguf")


@dataclass(frozen=True, kw_only=True)
class LoraFile:
    """A LoRA file with its weight."""

    path: str
    weight: float


@dataclass(frozen=True, kw_only=True)
class ControlFile:
    """A ControlNet that steers, the kind of picture it wants, and the network that draws that, if there is one.

    `class_name`: its class, empty for the usual one of its family. `mode`: the number of its kind, where it has to be
    told. `finder`: the network that finds people, for the one that draws poses.
    """

    path: str
    kind: str
    weight: float
    drawer: str = ""
    class_name: str = ""
    mode: int | None = None
    finder: str = ""

    @property
    def is_union(self) -> bool:
        return self.class_name == UNION_CLASS


@dataclass(frozen=True, kw_only=True)
class ChildOrder:
    """One request: as many pictures as `seeds`.

    The first picture that comes with it is the source, then the mask; the last ones are for `controls`.
    """

    model: ModelFolder
    mode: str
    prompt: str
    negative_prompt: str
    width: int
    height: int
    steps: int
    cfg_scale: float
    seeds: tuple[int, ...]
    guidance: float | None = None
    sampler: str | None = None
    scheduler: str | None = None
    strength: float | None = None
    clip_skip: int | None = None
    loras: tuple[LoraFile, ...] = ()
    controls: tuple[ControlFile, ...] = ()
    pictures: tuple[bytes, ...] = field(default=(), repr=False)

    @property
    def control_pictures(self) -> tuple[bytes, ...]:
        return self.pictures[len(self.pictures) - len(self.controls) :]

    @property
    def has_union(self) -> bool:
        """Return whether one ControlNet takes all pictures that steer, each by its kind."""
        return any(control.is_union for control in self.controls)

    @property
    def planned_steps(self) -> int:
        """Return how many steps are drawn: from a picture only as many as the strength is of all."""
        share = 1.0 if self.mode == "txt2img" or self.strength is None else self.strength
        return max(1, math.ceil(self.steps * share))

    @classmethod
    def read(cls, order: Mapping[str, Any], blobs: Sequence[bytes]) -> "ChildOrder":
        values = dict(order["draw"])
        values["model"] = ModelFolder(**values["model"])
        values["loras"] = tuple(LoraFile(**lora) for lora in values.get("loras", ()))
        values["controls"] = tuple(ControlFile(**control) for control in values.get("controls", ()))
        values["seeds"] = tuple(values["seeds"])
        return cls(**values, pictures=tuple(blobs))


@dataclass(frozen=True, kw_only=True)
class Device:
    """The device that draws: `kind` is cuda, rocm, mps or cpu; memory in MB, None where that cannot be told."""

    name: str  # as torch calls it: "cuda:0"
    kind: str
    title: str  # as people call it: "NVIDIA GeForce RTX 3060"
    dtype: str = ""
    total_mb: int | None = None
    free_mb: int | None = None
    is_set_back: str = ""  # what was asked for in vain


# Called after each step with its number, from 1 on, and with what makes a small preview.
OnStep = Callable[[int, Callable[[], bytes | None]], None]


class Maker(Protocol):
    """A library that draws. Everything blocks. `most_at_once`: pictures that it draws together; None: as fit."""

    @property
    def most_at_once(self) -> int | None: ...

    def choose(self, model: ModelFolder) -> None:
        """Be ready to be asked about the device of a model that is loaded next."""
        ...

    def look(self) -> Device: ...

    def load(self, model: ModelFolder, rung: Rung) -> None:
        """Have a model ready, and no other."""
        ...

    def draw(self, order: ChildOrder, seeds: Sequence[int], on_step: OnStep) -> list[bytes]:
        """Return a PNG for each seed; what `on_step` raises ends the work."""
        ...

    def notes(self) -> list[str]:
        """Return codes of what the last drawing did otherwise than it was asked to."""
        ...

    def unload(self) -> None: ...

    def free_cache(self) -> None: ...

    def is_out_of_memory(self, error: Exception) -> bool: ...
