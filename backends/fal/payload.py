"""Our request in the words of Flux 2 at fal.ai: one picture a call. Source: fal.ai/models, the pages of Flux 2."""

import base64
import math
from collections.abc import Callable, Mapping
from typing import Any, Final

from backends.fal.kind import EDIT, FORMATS, MODELS
from backends.kind import option_of
from generation.errors import RequestRejected
from generation.request import GenerationRequest, Mode
from texts.text import _

MAX_SEED: Final = 2**31 - 1
MAX_BYTES: Final = 20 * 1024 * 1024
MAX_PICTURES: Final = 4
MEGAPIXEL: Final = 1_000_000
PNG: Final = b"\x89PNG"

Say = Callable[[str], None]


def to_body(request: GenerationRequest, options: Mapping[str, str], say: Say) -> dict[str, Any]:
    """Return the body of the call for one picture. Slow with pictures in it: call it in a thread.

    Raises:
        RequestRejected: a picture is missing, or they are too large together.
    """
    body: dict[str, Any] = {
        "prompt": request.prompt,
        "image_size": {"width": request.width, "height": request.height},
        "seed": request.seed % (MAX_SEED + 1),
        "output_format": option_of(options, "output_format", FORMATS[0]),
    }
    if request.mode is Mode.TXT2IMG:
        return body
    body["image_urls"] = [_data_url(data) for data in _pictures(request)]
    if request.denoising_strength is not None:
        say(_("denoising strength ignored: this model goes by the words"))
    return body


def model_of(request: GenerationRequest, options: Mapping[str, str]) -> str:
    return request.model or option_of(options, "model", MODELS[0])


def endpoint_of(request: GenerationRequest, options: Mapping[str, str]) -> str:
    """Return what is called: a model, or the same with pictures."""
    return f"{model_of(request, options)}{'' if request.mode is Mode.TXT2IMG else EDIT}"


def megapixels(request: GenerationRequest) -> int:
    """Return the whole megapixels that come out."""
    return max(1, math.ceil(request.width * request.height / MEGAPIXEL - 0.1))  # 1024 x 1024 counts as one


def _data_url(data: bytes) -> str:
    kind = "image/png" if data.startswith(PNG) else "image/jpeg"
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"


def _pictures(request: GenerationRequest) -> list[bytes]:
    given = [image.data for image in (request.init_image, *request.more_images) if image and image.data]
    if request.init_image is None or not request.init_image.data:
        raise RequestRejected(_("The picture to work on is missing."), field="image", hint=_("Attach it once more."))
    if sum(map(len, given)) > MAX_BYTES:
        raise RequestRejected(
            _("The pictures to work on are larger than {most} MB together.", most=MAX_BYTES // 1024**2),
            field="image",
            hint=_("Send smaller ones."),
        )
    return given
