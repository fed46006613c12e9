"""The depth of a picture, the nearest white, as ControlNets for depth want it, by a small network.

Source: the page of Depth Anything V2 in the transformers library: the shorter side about 518 pixels, each a multiple of
the network's own squares, colours about the mean of ImageNet.
"""

from pathlib import Path
from typing import Any, Final

import torch
import transformers
from PIL import Image, ImageChops

from backends.child_side import OrderRefused
from texts.text import _

SIDE: Final = 518
MEAN: Final = (0.485, 0.456, 0.406)
SPREAD: Final = (0.229, 0.224, 0.225)
GREY: Final = 2  # steps of 256 by which the colours of a grey picture may differ, after it was a JPEG


class DepthDrawer:
    """A network in memory, on the processor: it is small, and the device's memory is for the model that draws.

    Raises:
        OrderRefused: its folder is damaged.
    """

    def __init__(self, folder: Path) -> None:
        try:
            kind = transformers.DepthAnythingForDepthEstimation
            self._network: Any = kind.from_pretrained(folder, local_files_only=True).eval()
        except (OSError, ValueError, LookupError, RuntimeError) as error:
            message = _("The network {name} cannot be loaded: a file is missing or damaged.", name=folder.name)
            raise OrderRefused(str(message), field="control") from error

    def draw(self, picture: Image.Image) -> Image.Image:
        square = int(self._network.config.patch_size)
        share = SIDE / min(picture.size)
        width, height = (max(square, round(side * share / square) * square) for side in picture.size)
        resized = picture.convert("RGB").resize((width, height), Image.Resampling.BICUBIC)
        signs = torch.frombuffer(bytearray(resized.tobytes()), dtype=torch.uint8).reshape(height, width, 3)
        colours = (signs.float() / 255 - torch.tensor(MEAN)) / torch.tensor(SPREAD)
        with torch.inference_mode():
            depth = self._network(pixel_values=colours.permute(2, 0, 1)[None]).predicted_depth[0]
        low, high = depth.min(), depth.max()
        grey = ((depth - low) / (high - low).clamp(min=1e-6) * 255).round().to(torch.uint8)
        drawn = Image.frombytes("L", (grey.shape[1], grey.shape[0]), bytes(grey.flatten().tolist()))
        return drawn.resize(picture.size, Image.Resampling.BICUBIC).convert("RGB")


def is_depth(picture: Image.Image) -> bool:
    """Return whether a picture is such a map already: all of it is grey."""
    red, green, blue = picture.convert("RGB").resize((64, 64)).split()
    apart = ImageChops.lighter(ImageChops.difference(red, green), ImageChops.difference(green, blue))
    return not any(apart.histogram()[GREY + 1 :])
