"""The edges of a picture, white on black, as ControlNets for edges want them.

Source: J. Canny, "A Computational Approach to Edge Detection" (1986): smooth, slope, thin, keep what hangs together.
"""

from typing import Final

import torch
from PIL import Image

LOW: Final = 100.0
HIGH: Final = 200.0  # as most who use such networks have it
WIDE: Final = 5  # pixels that are smoothed together
MOST_ROUNDS: Final = 100  # in which an edge is followed


def edges_of(picture: Image.Image) -> Image.Image:
    grey = picture.convert("L")
    signs = torch.frombuffer(bytearray(grey.tobytes()), dtype=torch.uint8)
    values = signs.reshape(1, 1, grey.height, grey.width).float()
    across, down = _slopes(_smooth(values))
    thin = _thin(across, down)
    edges = thin >= HIGH
    weak = thin >= LOW
    for _round in range(MOST_ROUNDS):
        grown = (torch.nn.functional.max_pool2d(edges.float(), 3, 1, 1) > 0) & weak
        if bool((grown == edges).all()):
            break
        edges = grown
    drawn = (edges[0, 0] * 255).to(torch.uint8).contiguous()
    return Image.frombytes("L", grey.size, bytes(drawn.flatten().tolist())).convert("RGB")


def _smooth(values: torch.Tensor) -> torch.Tensor:
    places = torch.arange(WIDE) - WIDE // 2
    bell = torch.exp(-(places**2) / (2 * 1.4**2))
    kernel = (bell[:, None] * bell[None, :] / bell.sum() ** 2)[None, None]
    padded = torch.nn.functional.pad(values, (WIDE // 2,) * 4, mode="replicate")
    return torch.nn.functional.conv2d(padded, kernel)


def _slopes(values: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    sobel = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]])
    padded = torch.nn.functional.pad(values, (1, 1, 1, 1), mode="replicate")
    across, down = (torch.nn.functional.conv2d(padded, kernel[None, None]) for kernel in (sobel, sobel.T))
    return across, down


def _thin(across: torch.Tensor, down: torch.Tensor) -> torch.Tensor:
    """Return the steepness where it is the largest along its own slope, else nothing."""
    steep = torch.hypot(across, down)
    padded = torch.nn.functional.pad(steep, (1, 1, 1, 1))
    height, width = steep.shape[-2:]

    def shifted(dx: int, dy: int) -> torch.Tensor:
        return padded[..., 1 + dy : 1 + dy + height, 1 + dx : 1 + dx + width]

    eighth = torch.round(torch.atan2(down, across) / (torch.pi / 4)).to(torch.int64) % 4
    kept = torch.zeros_like(steep)
    for number, (dx, dy) in enumerate(((1, 0), (1, 1), (0, 1), (-1, 1))):
        is_top = (steep >= shifted(dx, dy)) & (steep > shifted(-dx, -dy)) & (eighth == number)
        kept = torch.where(is_top, steep, kept)
    return kept
