"""The precision that a model is drawn with. Pure: names only, as torch has them."""

from typing import Final

from backends.embedded.models.families import SD15, SDXL

HALVES: Final = frozenset({SD15, SDXL})  # trained so that fp16 is enough; the others overflow in it
GROWTH: Final = 2.0  # of weights that are kept as halves, where they are drawn with as whole numbers


def precision_for(kind: str, family: str, *, has_bf16: bool, weights_mb: int, free_mb: int | None) -> str:
    """Return float32, bfloat16 or float16.

    Args:
        kind: of the device: cuda, rocm, mps or cpu.
        family: of the model.
        has_bf16: whether the device calculates in bfloat16 by itself.
        weights_mb: of the model's files, mostly halves.
        free_mb: memory that can be used, None where that cannot be told.
    """
    if kind == "cpu":
        is_short = free_mb is not None and weights_mb * GROWTH > free_mb
        return "bfloat16" if is_short else "float32"
    if family in HALVES:
        return "float16"
    return "bfloat16" if has_bf16 else "float32"
