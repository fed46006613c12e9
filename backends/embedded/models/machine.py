"""The machine that would draw: its GPUs, memory and disk, and which models fit. Nothing heavy is loaded; blocks.

Source: `nvidia-smi --help-query-gpu`; the kernel's Documentation/gpu/amdgpu (`mem_info_vram_total`); sysctl(8).
"""

import platform
import shutil
import subprocess
from collections.abc import Callable, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Final

from backends.embedded.models.disk import LocalModel
from backends.embedded.models.families import FAMILIES
from backends.embedded.models.known import KnownModel
from backends.embedded.work.ladder import HALF, LARGEST_PART, SPARE_MB
from backends.embedded.work.orders import DIFFUSERS, OPENVINO
from lazy import dataclass
from texts.text import _
from utils.disks import free_bytes as disk_free_bytes
from utils.memory import free_bytes as memory_free_bytes

MB: Final = 2**20
GB: Final = 1000.0  # megabytes, as sizes of models are told
PATIENCE_S: Final = 10.0  # a driver that hangs answers nothing
DRM: Final = Path("/sys/class/drm")
AMD: Final = "0x1002"
NVIDIA_ASK: Final = (
    "nvidia-smi",
    "--query-gpu=name,driver_version,memory.total,memory.free",
    "--format=csv,noheader,nounits",
)
# A GPU names a little less than it is sold with.
NEARLY: Final = 0.95
# What the system and Easel want of the memory beside a model.
REST_MB: Final = 2000

Run = Callable[[Sequence[str]], str]


class Room(StrEnum):
    """Ways in which a model fits, from the best way to none."""

    WHOLE = "whole"
    EIGHT_BITS = "eight_bits"
    PARTS = "parts"
    LAYERS = "layers"
    PROCESSOR = "processor"
    NONE = "none"


ROOM_WORDS: Final = {
    Room.WHOLE: _("fits the GPU whole"),
    Room.EIGHT_BITS: _("fits the GPU with its weights in 8 bits"),
    Room.PARTS: _("fits the GPU part by part, which is slower"),
    Room.LAYERS: _("fits the GPU layer by layer, which is slow"),
    Room.PROCESSOR: _("the processor can draw with it, slowly"),
    Room.NONE: _("too large for this machine"),
}


@dataclass(frozen=True, kw_only=True)
class Gpu:
    """A GPU; sizes in MB, None where they cannot be told."""

    name: str
    driver: str = ""
    total_mb: int | None = None
    free_mb: int | None = None


@dataclass(frozen=True, kw_only=True)
class OwnMachine:
    """All there is to draw with."""

    gpus: tuple[Gpu, ...] = ()
    memory_mb: int | None = None  # that can be used
    disk_mb: int | None = None  # free where models are kept
    is_shared: bool = False  # the GPU has no memory of its own (Apple)

    def room_for(self, needs_gb: float, family: str, maker: str = DIFFUSERS) -> Room:
        """Return how a model fits that wants `needs_gb` of a GPU to be there whole; OpenVINO uses no such GPU."""
        needs_mb, memory_mb = needs_gb * GB, self.memory_mb
        has_memory = memory_mb is None or needs_mb + (0 if self.is_shared else REST_MB) <= memory_mb
        if maker == OPENVINO:
            return Room.PROCESSOR if has_memory else Room.NONE
        largest = max((gpu.total_mb or 0 for gpu in self.gpus), default=0)
        if self.gpus and needs_mb * NEARLY <= largest:
            return Room.WHOLE
        if self.gpus and not self.is_shared and has_memory:
            if family in FAMILIES and FAMILIES[family].is_flow and needs_mb * HALF + SPARE_MB <= largest:
                return Room.EIGHT_BITS
            return Room.PARTS if needs_mb * LARGEST_PART + SPARE_MB <= largest else Room.LAYERS
        return Room.PROCESSOR if has_memory else Room.NONE

    def room_of(self, model: KnownModel) -> Room:
        return self.room_for(model.memory_gb, model.family, model.maker)

    def words_for(self, model: KnownModel) -> str:
        return ROOM_WORDS[self.room_of(model)]

    def fit(self, model: LocalModel) -> tuple[str, str]:
        """Return how a model that is here fits, in a word and in words."""
        needs_gb = model.known.memory_gb if model.known else (model.weights_mb + SPARE_MB) / GB
        room = self.room_for(needs_gb, model.family.name, model.maker)
        if room is Room.EIGHT_BITS and model.is_packed:
            room = Room.PARTS
        return str(room), ROOM_WORDS[room]


def look_at_machine(folder: Path, visible: str = "") -> OwnMachine:
    """Return what this machine has; `folder` is where models are kept, `visible` the GPUs that may be used (0,1)."""
    apple = _apple()
    gpus = apple or (*_seen(_nvidia(_run), visible), *_amd(DRM))
    memory, disk = memory_free_bytes(), disk_free_bytes(folder)
    return OwnMachine(
        gpus=gpus,
        memory_mb=gpus[0].total_mb if apple else _in_mb(memory),
        disk_mb=_in_mb(disk),
        is_shared=bool(apple),
    )


def _in_mb(size: int | None) -> int | None:
    return None if size is None else size // MB


def _run(command: Sequence[str]) -> str:
    """Return what a program says, nothing where it is not there or fails."""
    if not shutil.which(command[0]):
        return ""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=True)  # noqa: S603  # ours
    except (OSError, subprocess.SubprocessError, UnicodeDecodeError):
        return ""
    return done.stdout


def _nvidia(run: Run) -> tuple[Gpu, ...]:
    found = []
    for line in run(NVIDIA_ASK).splitlines():
        name, driver, total, free = (*(part.strip() for part in line.split(",")), "", "", "")[:4]
        if name and driver:
            found.append(Gpu(name=name, driver=driver, total_mb=_number(total), free_mb=_number(free)))
    return tuple(found)


def _seen(gpus: tuple[Gpu, ...], visible: str) -> tuple[Gpu, ...]:
    """Return those that may be used; they are named by number, or in a way that only CUDA knows."""
    numbers = [part.strip() for part in visible.split(",") if part.strip()]
    if not numbers or not all(number.isdigit() for number in numbers):
        return gpus
    return tuple(gpus[int(number)] for number in numbers if int(number) < len(gpus))


def _amd(drm: Path) -> tuple[Gpu, ...]:
    found = []
    for device in sorted(drm.glob("card[0-9]*/device")):
        total = _number(_text(device / "mem_info_vram_total"))
        if _text(device / "vendor") != AMD or not total:
            continue
        used = _number(_text(device / "mem_info_vram_used"))
        name = _text(device / "product_name") or "AMD GPU"  # no text: a name
        free = None if used is None else (total - used) // MB
        driver = _text(Path("/sys/module/amdgpu/version")) or platform.release()
        found.append(Gpu(name=name, driver=driver, total_mb=total // MB, free_mb=free))
    return tuple(found)


def _apple() -> tuple[Gpu, ...]:
    if platform.system() != "Darwin" or platform.machine() != "arm64":
        return ()
    total = _number(_run(("sysctl", "-n", "hw.memsize")).strip())
    name = "Apple GPU"  # no text: a name
    return (Gpu(name=name, driver=platform.mac_ver()[0], total_mb=_in_mb(total)),)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() else None


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""
