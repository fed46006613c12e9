"""ControlNets of a model in memory, and the pictures that steer, as a pipeline takes them."""

from pathlib import Path
from typing import Any, Final

import diffusers
import torch
from PIL import Image

from backends.child_side import OrderRefused
from backends.embedded.models.controls import CLASS_OF
from backends.embedded.models.families import SD15, SDXL
from backends.embedded.work.depths import DepthDrawer, is_depth
from backends.embedded.work.edges import edges_of
from backends.embedded.work.orders import ChildOrder, ControlFile
from texts.text import _

DRAWN_HERE: Final = {"canny": edges_of}  # kinds of pictures that are made of what people send


class Steering:
    """Loads ControlNets, and keeps those of the last request."""

    def __init__(self, family: str, dtype: torch.dtype) -> None:
        self._class = getattr(diffusers, CLASS_OF.get(family, "ControlNetModel"))
        self._dtype = dtype
        self._loaded: dict[str, Any] = {}
        self._drawers: dict[str, DepthDrawer] = {}

    def networks(self, controls: tuple[ControlFile, ...]) -> list[Any]:
        """Return the networks of a request.

        Raises:
            OrderRefused: one is damaged.
        """
        paths = [control.path for control in controls]
        self._loaded = {path: network for path, network in self._loaded.items() if path in paths}
        for path in paths:
            if path not in self._loaded:
                self._loaded[path] = self._load(Path(path))
        return [self._loaded[path] for path in paths]

    def _load(self, folder: Path) -> Any:
        more = {"variant": "fp16"} if not (folder / "diffusion_pytorch_model.safetensors").exists() else {}
        try:
            return self._class.from_pretrained(folder, torch_dtype=self._dtype, local_files_only=True, **more)
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            message = _("The ControlNet {name} cannot be loaded: a file is missing or damaged.", name=folder.name)
            raise OrderRefused(str(message), field="control") from error

    def as_map(self, control: ControlFile, picture: Image.Image) -> tuple[Image.Image, bool]:
        """Return the map that a ControlNet wants, and whether that is the picture itself.

        Raises:
            OrderRefused: the network that draws it is damaged.
        """
        if control.kind in DRAWN_HERE:
            return DRAWN_HERE[control.kind](picture), False
        if not control.drawer or is_depth(picture):
            return picture, True
        if control.drawer not in self._drawers:
            self._drawers[control.drawer] = DepthDrawer(Path(control.drawer))
        return self._drawers[control.drawer].draw(picture), False


def steered(order: ChildOrder, opened: list[Image.Image], steering: Steering) -> tuple[dict[str, Any], list[str]]:
    """Return what a pipeline is called with for the pictures that steer, and codes of what is to be said.

    Raises:
        OrderRefused: a network that draws a map of one is damaged.
    """
    size = (order.width, order.height)
    maps = [steering.as_map(control, picture) for control, picture in zip(order.controls, opened, strict=True)]
    drawn = [picture.resize(size) for picture, __ in maps]
    name = "image" if order.mode == "txt2img" and order.model.family in {SD15, SDXL} else "control_image"
    weights = [control.weight for control in order.controls]
    is_alone = len(drawn) == 1
    values = {
        name: drawn[0] if is_alone else drawn,
        "controlnet_conditioning_scale": weights[0] if is_alone else weights,
    }
    return values, ["as_map"] if any(is_map for __, is_map in maps) else []
