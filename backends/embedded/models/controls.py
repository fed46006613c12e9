"""ControlNets on this machine: folders as the diffusers library saves them, by what their names say they are for.

Source: the diffusers library's `config.json` (`_class_name`); names of public ones, like `control_v11p_sd15_canny`.
"""

import json
from pathlib import Path
from typing import Any, Final

from backends.embedded.models.families import FLUX, SD3, SD15, SDXL, Z_IMAGE
from lazy import dataclass

CONFIG: Final = "config.json"
# Families that are steered by a class of ControlNets.
CLASSES: Final = {
    "ControlNetModel": frozenset({SD15, SDXL}), "FluxControlNetModel": frozenset({FLUX}),
    "SD3ControlNetModel": frozenset({SD3}), "ZImageControlNetModel": frozenset({Z_IMAGE}),
}  # fmt: skip
CLASS_OF: Final = {family: name for name, families in CLASSES.items() for family in families}
# Parts of names, and the kind as Easel calls it; the first that fits counts.
KINDS: Final = (
    ("canny", "canny"), ("depth", "depth"), ("pose", "openpose"), ("lineart", "lineart"), ("softedge", "softedge"),
    ("hed", "softedge"), ("scribble", "scribble"), ("normal", "normalmap"), ("seg", "segmentation"), ("mlsd", "mlsd"),
    ("tile", "tile"),
)  # fmt: skip
UNION: Final = "union"  # in the name of one that is for several; of Z-Image all are
OF_UNION: Final = ("canny", "depth", "openpose", "softedge", "mlsd")


@dataclass(frozen=True, kw_only=True)
class ControlNet:
    """A ControlNet.

    `words_width` is how many numbers stand for a word in the models that it is for, 0 where one size of model is.
    """

    name: str
    path: Path
    kind: str
    families: frozenset[str]
    words_width: int
    weights_mb: int = 0

    def fits(self, family: str, width: int) -> bool:
        return family in self.families and self.words_width in (0, width)


def controls_at(folder: Path, name: str) -> list[ControlNet]:
    """Return the ControlNet in a folder, once for each kind that it is for.

    Nothing where there is none, or its name does not say what it is for.
    """
    config = _json(folder / CONFIG)
    families = CLASSES.get(str(config.get("_class_name")), frozenset())
    width, is_sized = words_width(config), Z_IMAGE not in families
    if not families or (is_sized and not width) or config.get("num_mode"):  # it would have to be told the kind
        return []
    kinds = tuple(kind for part, kind in KINDS if part in name.lower())[:1]
    if not is_sized and UNION in name.lower():
        kinds = OF_UNION
    size = sum(path.stat().st_size for path in folder.glob("*.safetensors") if path.exists())
    return [
        ControlNet(name=name, path=folder, kind=kind, families=families, words_width=width, weights_mb=size // 2**20)
        for kind in kinds
    ]


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
