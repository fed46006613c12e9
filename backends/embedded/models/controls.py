"""ControlNets on this machine: folders as the diffusers library saves them, by what their names say they are for.

Source: the diffusers library's `config.json` (`_class_name`); names of public ones, like `control_v11p_sd15_canny`.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

CONFIG: Final = "config.json"
CLASSES: Final = frozenset({"ControlNetModel", "FluxControlNetModel"})
# Parts of names, and the kind as Easel calls it; the first that fits counts.
KINDS: Final = (
    ("canny", "canny"), ("depth", "depth"), ("pose", "openpose"), ("lineart", "lineart"), ("softedge", "softedge"),
    ("hed", "softedge"), ("scribble", "scribble"), ("normal", "normalmap"), ("seg", "segmentation"), ("mlsd", "mlsd"),
    ("tile", "tile"),
)  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class ControlNet:
    """A ControlNet. `words_width` is how many numbers stand for a word in the models that it is for."""

    name: str
    path: Path
    kind: str
    words_width: int
    weights_mb: int = 0


def control_at(folder: Path, name: str) -> ControlNet | None:
    """Return the ControlNet in a folder, None where there is none or its name does not say what it is for."""
    config = _json(folder / CONFIG)
    kind = next((kind for part, kind in KINDS if part in name.lower()), "")
    width = words_width(config)
    if config.get("_class_name") not in CLASSES or not kind or not width:
        return None
    size = sum(path.stat().st_size for path in folder.glob("*.safetensors") if path.exists())
    return ControlNet(name=name, path=folder, kind=kind, words_width=width, weights_mb=size // 2**20)


def words_width(config: dict[str, Any]) -> int:
    """Return how many numbers stand for a word, of a ControlNet or of what it steers; 0 where that is not said."""
    found = config.get("cross_attention_dim") or config.get("joint_attention_dim") or config.get("cap_feat_dim")
    return found if isinstance(found, int) else 0


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
