"""The way down where memory is short. Pure: which rung to begin at, and which one follows."""

from typing import Final

from backends.embedded.work.orders import Device, ModelFolder, Rung

# What a picture of a megapixel needs besides the weights, and what the driver keeps for itself.
SPARE_MB: Final = 2500
# The largest part of a pipeline, which has to fit where one part at a time is in memory.
LARGEST_PART: Final = 0.75
OFFLOADING: Final = (Rung.WHOLE, Rung.MODEL_OFFLOAD, Rung.SEQUENTIAL_OFFLOAD, Rung.TILED)
IN_PLACE: Final = (Rung.WHOLE, Rung.TILED)  # the processor's memory is where things would be moved to


def rungs_for(device: Device) -> tuple[Rung, ...]:
    return OFFLOADING if device.kind in {"cuda", "rocm"} else IN_PLACE


def first_rung(device: Device, model: ModelFolder, wanted: str) -> Rung:
    """Return the quickest way that should fit; `wanted` is a setting: auto, none, model or sequential."""
    rungs = rungs_for(device)
    match wanted:
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
    if model.weights_mb * LARGEST_PART + SPARE_MB <= memory_mb:
        return Rung.MODEL_OFFLOAD
    return Rung.SEQUENTIAL_OFFLOAD


def next_rung(device: Device, rung: Rung) -> Rung | None:
    """Return the next more sparing way; None at the end."""
    rungs = rungs_for(device)
    place = rungs.index(rung) + 1
    return rungs[place] if place < len(rungs) else None
