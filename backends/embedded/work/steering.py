"""ControlNets of a model in memory, and the pictures that steer, as a pipeline takes them."""

from pathlib import Path
from typing import Any, Final

import diffusers
import torch
from PIL import Image

from backends.child_side import OrderRefused
from backends.embedded.models.controls import CLASS_OF
from backends.embedded.models.drawers import POSE
from backends.embedded.models.families import SD15, SDXL
from backends.embedded.work.depths import DepthDrawer, is_depth
from backends.embedded.work.edges import edges_of
from backends.embedded.work.orders import ChildOrder, ControlFile
from backends.embedded.work.poses import PoseDrawer, is_pose
from texts.text import _

DRAWN_HERE: Final = {"canny": edges_of}  # kinds of pictures that are made of what people send


class Steering:
    """Loads ControlNets, and keeps those of the last request."""

    def __init__(self, family: str, dtype: torch.dtype) -> None:
        self._class_name = CLASS_OF.get(family, "ControlNetModel")
        self._dtype = dtype
        self._loaded: dict[str, Any] = {}
        self._drawers: dict[tuple[str, str], DepthDrawer | PoseDrawer] = {}

    def networks(self, controls: tuple[ControlFile, ...]) -> list[Any]:
        """Return the networks of a request.

        Raises:
            OrderRefused: one is damaged.
        """
        paths = [control.path for control in controls]
        self._loaded = {path: network for path, network in self._loaded.items() if path in paths}
        for control in controls:
            if control.path not in self._loaded:
                self._loaded[control.path] = self._load(Path(control.path), control.class_name or self._class_name)
        return [self._loaded[path] for path in paths]

    def _load(self, folder: Path, class_name: str) -> Any:
        more = {"variant": "fp16"} if not (folder / "diffusion_pytorch_model.safetensors").exists() else {}
        try:
            chosen = getattr(diffusers, class_name)
            network = chosen.from_pretrained(folder, torch_dtype=self._dtype, local_files_only=True, **more)
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            message = _("The ControlNet {name} cannot be loaded: a file is missing or damaged.", name=folder.name)
            raise OrderRefused(str(message), field="control") from error
        if network.config.get("num_mode"):
            network.register_forward_pre_hook(_mode_for_each, with_kwargs=True)
        return network

    def as_map(self, control: ControlFile, picture: Image.Image) -> tuple[Image.Image, bool]:
        """Return the map that a ControlNet wants, and whether that is the picture itself.

        Raises:
            OrderRefused: the network that draws it is damaged, or finds nobody.
        """
        if control.kind in DRAWN_HERE:
            return DRAWN_HERE[control.kind](picture), False
        is_pose_wanted = control.kind == POSE
        if not control.drawer or (is_pose if is_pose_wanted else is_depth)(picture):
            return picture, True
        key = (control.drawer, control.finder)
        if key not in self._drawers:
            folder, finder = Path(control.drawer), Path(control.finder) if control.finder else None
            self._drawers[key] = PoseDrawer(folder, finder) if is_pose_wanted else DepthDrawer(folder)
        return self._drawers[key].draw(picture), False


def steered(order: ChildOrder, opened: list[Image.Image], steering: Steering) -> tuple[dict[str, Any], list[str]]:
    """Return what a pipeline is called with for the pictures that steer, and codes of what is to be said.

    Raises:
        OrderRefused: a network that draws a map of one is damaged, or finds nobody.
    """
    size = (order.width, order.height)
    maps = [steering.as_map(control, picture) for control, picture in zip(order.controls, opened, strict=True)]
    networks = steering.networks(order.controls)
    drawn = [
        _pixels(picture.resize(size), control, network)
        for (picture, __), control, network in zip(maps, order.controls, networks, strict=True)
    ]
    is_plain = order.mode == "txt2img" and order.model.family in {SD15, SDXL} and not order.has_union
    weights = [control.weight for control in order.controls]
    is_alone = len(drawn) == 1 and not order.has_union
    values: dict[str, Any] = {
        "image" if is_plain else "control_image": drawn[0] if is_alone else drawn,
        "controlnet_conditioning_scale": weights[0] if is_alone else weights,
    }
    modes = [control.mode for control in order.controls]
    if any(mode is not None for mode in modes):
        values["control_mode"] = modes[0] if is_alone else modes
    return values, ["as_map"] if any(is_map for __, is_map in maps) else []


def _mode_for_each(network: Any, args: tuple[Any, ...], values: dict[str, Any]) -> tuple[tuple[Any, ...], Any]:
    """Return the values with the kind for each picture of a batch: some pipelines of FLUX.1 tell it once."""
    mode, states = values.get("controlnet_mode"), values.get("encoder_hidden_states")
    if mode is not None and states is not None:
        values = values | {"controlnet_mode": mode.reshape(-1, 1)[:1].expand(states.shape[0], 1)}
    return args, values


def _pixels(picture: Image.Image, control: ControlFile, network: Any) -> Any:
    """Return a map as a pipeline takes it.

    Source: the page of Stable Diffusion 3.5 large's own ControlNets: their edges are read on a scale of their own. They
    are known by having no places of their own (`use_pos_embed`).
    """
    if control.kind != "canny" or network.config.get("use_pos_embed", True):
        return picture
    signs = torch.frombuffer(bytearray(picture.convert("RGB").tobytes()), dtype=torch.uint8)
    values = signs.reshape(1, picture.height, picture.width, 3).permute(0, 3, 1, 2).float()
    return values * 0.5 + 0.5
