"""The kinds of ControlNet by what people call them."""

from collections.abc import Sequence
from typing import Final

from generation.samplers import match_name

# What people call the kinds that A1111 and Forge list.
_ALIASES: Final = {
    "pose": "openpose", "edges": "canny", "edge": "canny", "lines": "lineart", "line": "lineart", "normal": "normalmap",
    "seg": "segmentation", "hed": "softedge", "sketch": "scribble",
}  # fmt: skip


def match_control_kind(wanted: str, kinds: Sequence[str]) -> str | None:
    """Return the one of an engine's kinds that is meant, None if none is."""
    kind = wanted.strip().casefold()
    return kind if kind in kinds else match_name(_ALIASES.get(kind, kind), kinds)
