"""The way down where memory is short. Pure: which rung to begin at, and which one follows."""

from typing import Final

from backends.embedded.models.families import FAMILIES
from backends.embedded.work.orders import Device, ModelFolder, Rung

# What a picture of a megapixel needs besides the weights, and what the driver keeps for itself.
SPARE_MB: Final = 2500
# The largest part of a pipeline, which has to fit where one part at a time is in memory.
LARGEST_PART: Final = 0.75
OFFLOADING: Final = (Rung.WHOLE, Rung.MODEL_OFFLOAD, Rung.SEQUENTIAL_OFFLOAD, Rung.TILED)
LARGE_OFFLOADING: Final = (Rung.WHOLE, Rung.EIGHT_BIT, Rung.MODEL_OFFLOAD, Rung.SEQUENTIAL_OFFLOAD, Rung.TILED)
IN_PLACE: Final = (Rung.WHOLE, Rung.TILED)  # the processor's memory is where things would be moved to
HALF: Final = 0.55  # of the weights, in 8 bits: some layers stay as they are


def rungs_for(device: Device, model: ModelFolder) -> tuple[Rung, ...]:
    """Return the ways there are; 8 bits are for the large families alone, the small ones lose more by them."""
    if device.kind not in {"cuda", "rocm"}:
        return IN_PLACE
    return LARGE_OFFLOADING if FAMILIES[model.family].is_flow and not model.is_packed else OFFLOADING


def first_rung(device: Device, model: ModelFolder, wanted: str) -> Rung:
    """Return the quickest way that should fit; `wanted` is a setting: auto, none, 8bit, model or sequential."""
    rungs = rungs_for(device, model)
    match wanted:
        case "8bit" if device.kind != "mps" and not model.is_packed:
            return Rung.EIGHT_BIT
        case "model" if Rung.MODEL_OFFLOAD in rungs:
            return Rung.MODEL_OFFLOAD
        case "sequential" if Rung.SEQUENTIAL_OFFLOAD in rungs:
            return Rung.SEQUENTIAL_OFFLOAD
        case "none":
            return Rung.WHOLE
    memory_mb = device.free_mb if device.free_mb is not None else device.total_mb
    if Rung.MODEL_OFFLOAD not in rungs or not memory_mb or not model.weights_mb:
        return Rung.WHOLE
    if model.weights_mb + SPARE_MB <= memory_mb:
        return Rung.WHOLE
    if Rung.EIGHT_BIT in rungs and model.weights_mb * HALF + SPARE_MB <= memory_mb:
        return Rung.EIGHT_BIT
    if model.weights_mb * LARGEST_PART + SPARE_MB <= memory_mb:
        return Rung.MODEL_OFFLOAD
    return Rung.SEQUENTIAL_OFFLOAD


def next_rung(device: Device, rung: Rung, model: ModelFolder) -> Rung | None:
    """Return the next more sparing way; None at the end."""
    rungs = rungs_for(device, model)
    if rung not in rungs:  # one that was set
        return rungs[1]
    place = rungs.index(rung) + 1
    return rungs[place] if place < len(rungs) else None
