"""ControlNets on this machine: folders as the diffusers library saves them, by what their names say they are for.

Source: the diffusers library's `config.json` (`_class_name`); names of public ones, like `control_v11p_sd15_canny`.
"""

import json
from pathlib import Path
from typing import Any, Final

from backends.embedded.models.families import FLUX, SD3, SD15, SDXL, Z_IMAGE
from backends.embedded.models.single import shapes_of
from backends.embedded.work.orders import UNION_CLASS
from lazy import dataclass

CONFIG: Final = "config.json"
WEIGHTS: Final = "diffusion_pytorch_model.safetensors"
# Families that are steered by a class of ControlNets.
CLASSES: Final = {
    "ControlNetModel": frozenset({SD15, SDXL}), "ControlNetUnionModel": frozenset({SDXL}),
    "FluxControlNetModel": frozenset({FLUX}), "SD3ControlNetModel": frozenset({SD3}),
    "ZImageControlNetModel": frozenset({Z_IMAGE}),
}  # fmt: skip
CLASS_OF: Final = {family: name for name, families in reversed(CLASSES.items()) for family in families}
# Parts of names, and the kind as Easel calls it; the first that fits counts.
KINDS: Final = (
    ("canny", "canny"), ("depth", "depth"), ("pose", "openpose"), ("lineart", "lineart"), ("softedge", "softedge"),
    ("hed", "softedge"), ("scribble", "scribble"), ("normal", "normalmap"), ("seg", "segmentation"), ("mlsd", "mlsd"),
    ("tile", "tile"), ("blur", "blur"),
)  # fmt: skip
UNION: Final = "union"  # in the name of one that is for several kinds
UNION_WEIGHTS: Final = "task_embedding"  # which those of Stable Diffusion XL alone have
OF_UNION: Final = ("canny", "depth", "openpose", "softedge", "mlsd")  # of Z-Image, which tells them apart itself
OF_FLUX_UNION: Final = ("canny", "softedge", "depth", "openpose")  # of newer ones of FLUX.1, the same
# Numbers of kinds, for those that have to be told. Sources: the pages of InstantX/FLUX.1-dev-Controlnet-Union and of
# xinsir/controlnet-union-sdxl-1.0.
FLUX_MODES: Final = {"canny": 0, "tile": 1, "depth": 2, "blur": 3, "openpose": 4}
SDXL_MODES: Final = {
    "openpose": 0, "depth": 1, "softedge": 2, "scribble": 2, "canny": 3, "lineart": 3, "mlsd": 3, "normalmap": 4,
    "segmentation": 5, "tile": 6,
}  # fmt: skip
SDXL_TYPES: Final = 6  # where nothing says how many


@dataclass(frozen=True, kw_only=True)
class ControlNet:
    """A ControlNet.

    `words_width` is how many numbers stand for a word in the models that it is for, `inner_width` how many stand for a
    piece of a picture; 0 where that is not said. `mode` is the number of its kind, where it has to be told.
    """

    name: str
    path: Path
    kind: str
    families: frozenset[str]
    words_width: int
    inner_width: int = 0
    weights_mb: int = 0
    class_name: str = ""
    mode: int | None = None

    @property
    def is_union(self) -> bool:
        """Return whether it is of the class that takes several pictures of several kinds at once."""
        return self.class_name == UNION_CLASS

    def fits(self, family: str, words_width: int, inner_width: int) -> bool:
        is_wide = self.words_width in (0, words_width) and (
            0 in (self.inner_width, inner_width) or self.inner_width == inner_width
        )
        return family in self.families and is_wide


def controls_at(folder: Path, name: str) -> list[ControlNet]:
    """Return the ControlNet in a folder, once for each kind that it is for.

    Nothing where there is none, or its name does not say what it is for.
    """
    config = _json(folder / CONFIG)
    class_name = _class(folder, name, config)
    families = CLASSES.get(class_name, frozenset())
    words, inner = words_width(config), inner_width(config)
    if not families or (Z_IMAGE not in families and not words and not inner):
        return []
    size = sum(path.stat().st_size for path in folder.glob("*.safetensors") if path.exists())
    return [
        ControlNet(
            name=name, path=folder, kind=kind, families=families, words_width=words, inner_width=inner,
            weights_mb=size // 2**20, class_name=class_name, mode=mode,
        )
        for kind, mode in _kinds(name.lower(), config, class_name)
    ]  # fmt: skip


def _class(folder: Path, name: str, config: dict[str, Any]) -> str:
    """Return the class of a ControlNet; some for several kinds of pictures are saved under the name of another one."""
    saved_as = str(config.get("_class_name"))
    is_other = saved_as not in CLASSES and "num_control_type" in config
    may_be = saved_as == "ControlNetModel" and UNION in name.lower()
    if is_other or (may_be and UNION_WEIGHTS in shapes_of(folder / WEIGHTS)):
        return UNION_CLASS
    return saved_as


def _kinds(name: str, config: dict[str, Any], class_name: str) -> list[tuple[str, int | None]]:
    """Return what one is for, by its name, with the numbers of its kinds where it has to be told."""
    if class_name == UNION_CLASS:
        types = config.get("num_control_type", SDXL_TYPES)
        return [(kind, mode) for kind, mode in SDXL_MODES.items() if mode < types]
    if modes := config.get("num_mode"):
        return [(kind, mode) for kind, mode in FLUX_MODES.items() if mode < modes]
    if UNION in name and class_name in {"ZImageControlNetModel", "FluxControlNetModel"}:
        return [(kind, None) for kind in (OF_UNION if class_name == "ZImageControlNetModel" else OF_FLUX_UNION)]
    found = next((kind for part, kind in KINDS if part in name), None)
    return [(found, None)] if found else []


def words_width(config: dict[str, Any]) -> int:
    """Return how many numbers stand for a word, of a ControlNet or of what it steers; 0 where that is not said."""
    found = config.get("cross_attention_dim") or config.get("joint_attention_dim") or config.get("cap_feat_dim")
    return found if isinstance(found, int) else 0


def inner_width(config: dict[str, Any]) -> int:
    """Return how many numbers stand for a piece of a picture in a transformer; 0 where that is not said."""
    heads, each = config.get("num_attention_heads"), config.get("attention_head_dim")
    return heads * each if isinstance(heads, int) and isinstance(each, int) else 0


def _json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
