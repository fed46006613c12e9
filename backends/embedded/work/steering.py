"""ControlNets of a model in memory, and the pictures that steer, as a pipeline takes them."""

from pathlib import Path
from typing import Any, Final

import diffusers
import torch
from PIL import Image

from backends.child_side import OrderRefused
from backends.embedded.models.families import FLUX
from backends.embedded.work.edges import edges_of
from backends.embedded.work.orders import ChildOrder, ControlFile
from texts.text import _

DRAWN_HERE: Final = {"canny": edges_of}  # kinds of pictures that are made of what people send


class Steering:
    """Loads ControlNets, and keeps those of the last request."""

    def __init__(self, family: str, dtype: torch.dtype) -> None:
        self._class = diffusers.FluxControlNetModel if family == FLUX else diffusers.ControlNetModel
        self._dtype = dtype
        self._loaded: dict[str, Any] = {}

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


def steered(order: ChildOrder, opened: list[Image.Image]) -> tuple[dict[str, Any], list[str]]:
    """Return what a pipeline is called with for the pictures that steer, and codes of what is to be said."""
    size = (order.width, order.height)
    pairs = zip(order.controls, opened, strict=True)
    drawn = [
        (DRAWN_HERE[control.kind](picture) if control.kind in DRAWN_HERE else picture).resize(size)
        for control, picture in pairs
    ]
    is_flux = order.model.family == FLUX
    name = "image" if order.mode == "txt2img" and not is_flux else "control_image"
    weights = [control.weight for control in order.controls]
    is_alone = len(drawn) == 1
    values = {
        name: drawn[0] if is_alone else drawn,
        "controlnet_conditioning_scale": weights[0] if is_alone else weights,
    }
    is_map = any(control.kind not in DRAWN_HERE for control in order.controls)
    return values, ["as_map"] if is_map else []
