"""The device that draws: what torch finds on this machine, or what was asked for."""

from typing import Final

import torch

from backends.embedded.work.orders import Device
from lazy import dataclass
from utils.memory import free_bytes

MB: Final = 2**20


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """A device; `is_set_back` is what was asked for in vain."""

    name: str
    kind: str
    is_set_back: str = ""

    @property
    def device(self) -> torch.device:
        return torch.device(self.name)

    @property
    def has_bf16(self) -> bool:
        if self.kind in {"cuda", "rocm"}:
            return bool(torch.cuda.is_bf16_supported(including_emulation=False))
        return True

    def facts(self, dtype: str = "") -> Device:
        """Return what there is to know of it now."""
        total_mb, free_mb = _memory(self)
        return Device(
            name=self.name,
            kind=self.kind,
            title=_title(self),
            dtype=dtype,
            total_mb=total_mb,
            free_mb=free_mb,
            is_set_back=self.is_set_back,
        )

    def free_cache(self) -> None:
        if self.kind in {"cuda", "rocm"}:
            torch.cuda.empty_cache()
        elif self.kind == "mps":
            torch.mps.empty_cache()


def choose(wanted: str) -> Chosen:
    """Return the device for `auto`, `cuda`, `cuda:1`, `mps` or `cpu`; the processor where that is not there."""
    wanted = wanted.strip().lower() or "auto"
    if wanted in {"auto", "cuda", "rocm"} or wanted.startswith("cuda:"):
        number = int(wanted[5:]) if wanted[5:].isdigit() else 0
        if torch.cuda.is_available() and number < torch.cuda.device_count():
            return Chosen(name=f"cuda:{number}", kind="rocm" if torch.version.hip else "cuda")
    if wanted in {"auto", "mps"} and torch.backends.mps.is_available():
        return Chosen(name="mps", kind="mps")
    return Chosen(name="cpu", kind="cpu", is_set_back="" if wanted in {"auto", "cpu"} else wanted)


def _title(chosen: Chosen) -> str:
    if chosen.kind in {"cuda", "rocm"}:
        return str(torch.cuda.get_device_name(chosen.device))
    if chosen.kind == "mps":
        return "Apple GPU"  # no text: a name
    count = torch.get_num_threads()
    return f"CPU, {count} thread{'s'[: count != 1]}"  # no text: a name


def _memory(chosen: Chosen) -> tuple[int | None, int | None]:
    """Return the memory in MB, all of it and what is free."""
    if chosen.kind in {"cuda", "rocm"}:
        free, total = torch.cuda.mem_get_info(chosen.device)
        free += torch.cuda.memory_reserved(chosen.device) - torch.cuda.memory_allocated(chosen.device)
        return total // MB, free // MB
    if chosen.kind == "mps":
        total = torch.mps.recommended_max_memory()
        return total // MB, (total - torch.mps.driver_allocated_memory()) // MB
    free = free_bytes()
    return None, None if free is None else free // MB
