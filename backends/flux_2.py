"""Flux 2 where services draw with it: from words, or from pictures and words."""

import math
from collections.abc import Callable, Iterable
from typing import Any, Final

from generation.capabilities import Capabilities, ModelInfo
from generation.errors import RequestRejected
from generation.request import GenerationRequest, Mode
from texts.text import _

MAX_SEED: Final = 2**31 - 1
MAX_BYTES: Final = 20 * 1024 * 1024
MEGAPIXEL: Final = 1_000_000


def flux_2(models: Iterable[str], **more: Any) -> Capabilities:
    """Return what it can do, the same wherever it runs; `more` is a service's own."""
    return Capabilities(
        modes=frozenset({Mode.TXT2IMG, Mode.IMG2IMG}),
        models=tuple(ModelInfo(name=name, title=name, is_loaded=True) for name in models),
        size_grid=16,
        max_side=2048,
        max_batch=10,
        max_seed=MAX_SEED,
        supports_steps=False,
        supports_cfg_scale=False,
        supports_negative_prompt=False,
        supports_progress=True,
        default_width=1024,
        default_height=1024,
        **more,
    )


def whole_megapixels(pixels: int) -> int:
    """Return what is counted and charged."""
    return max(1, math.ceil(pixels / MEGAPIXEL - 0.1))  # 1024 x 1024 counts as one


def pictures_of(request: GenerationRequest, say: Callable[[str], None]) -> list[bytes]:
    """Return the pictures to draw from; none where it draws from words.

    Raises:
        RequestRejected: one is missing, or they are too large together.
    """
    if request.mode is Mode.TXT2IMG:
        return []
    given = [image.data for image in (request.init_image, *request.more_images) if image and image.data]
    if request.init_image is None or not request.init_image.data:
        raise RequestRejected(_("The picture to work on is missing."), field="image", hint=_("Attach it once more."))
    if sum(map(len, given)) > MAX_BYTES:
        raise RequestRejected(
            _("The pictures to work on are larger than {most} MB together.", most=MAX_BYTES // 1024**2),
            field="image",
            hint=_("Send smaller ones."),
        )
    if request.denoising_strength is not None:
        say(_("denoising strength ignored: this model goes by the words"))
    return given
