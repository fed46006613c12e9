"""Small pictures of what is being drawn. Only where the whole model is in memory: else they would cost too much."""

import io
from typing import Any, Final

import torch
from PIL import Image

from backends.embedded.models.families import FLUX, KLEIN, SDXL
from backends.embedded.work.orders import ChildOrder

SIDE: Final = 32  # of what is decoded, in latents: 256 pixels
QUALITY: Final = 75
# Colours of SDXL's latents: its decoder overflows in half precision. Source: the table that ComfyUI and others use.
SDXL_COLOURS: Final = (
    (0.3651, 0.4232, 0.4341),
    (-0.2533, -0.0042, 0.1068),
    (0.1076, 0.1111, -0.0362),
    (-0.3165, -0.2492, -0.2188),
)
SDXL_BASE: Final = (0.1084, -0.0175, -0.0011)


@torch.no_grad()
def preview(pipe: Any, latents: torch.Tensor, order: ChildOrder) -> bytes | None:
    """Return a JPEG of the first picture of a batch; None where its family has no quick way."""
    family = order.model.family
    if family == KLEIN:
        return None
    if family == FLUX:
        latents = pipe._unpack_latents(latents[:1], order.height, order.width, pipe.vae_scale_factor)
    latents = latents[:1]
    scale = SIDE / max(latents.shape[-2:])
    if scale < 1:
        size = [max(1, round(side * scale)) for side in latents.shape[-2:]]
        latents = torch.nn.functional.interpolate(latents.float(), size=size, mode="area").to(latents.dtype)
    if family == SDXL:
        colours = torch.tensor(SDXL_COLOURS, device=latents.device)
        pixels = torch.einsum("chw,cr->rhw", latents[0].float(), colours)
        pixels = pixels + torch.tensor(SDXL_BASE, device=latents.device)[:, None, None]
    else:
        config = pipe.vae.config
        shift = getattr(config, "shift_factor", None) or 0.0
        values = latents.to(pipe.vae.dtype) / config.scaling_factor + shift
        pixels = pipe.vae.decode(values, return_dict=False)[0][0].float()
    return _jpeg(pixels)


def _jpeg(pixels: torch.Tensor) -> bytes:
    values = ((pixels.clamp(-1, 1) + 1) * 127.5).nan_to_num().to(torch.uint8)
    picture = Image.fromarray(values.permute(1, 2, 0).cpu().numpy())
    if max(picture.size) < 8 * SIDE:
        factor = 8 * SIDE / max(picture.size)
        picture = picture.resize((round(picture.width * factor), round(picture.height * factor)))
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=QUALITY)
    return buffer.getvalue()
