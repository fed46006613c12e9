"""Our request in the words of Flux 2 at fal.ai: one picture a call. Source: fal.ai/models, the pages of Flux 2."""

import base64
from collections.abc import Callable, Mapping
from typing import Any, Final

from backends.fal.kind import EDIT, FORMATS, MODELS
from backends.flux_2 import MAX_SEED, pictures_of
from backends.kind import option_of
from generation.request import GenerationRequest, Mode

MAX_PICTURES: Final = 4
PNG: Final = b"\x89PNG"


def to_body(request: GenerationRequest, options: Mapping[str, str], say: Callable[[str], None]) -> dict[str, Any]:
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
    if pictures := pictures_of(request, say):
        body["image_urls"] = [_data_url(data) for data in pictures]
    return body


def model_of(request: GenerationRequest, options: Mapping[str, str]) -> str:
    return request.model or option_of(options, "model", MODELS[0])


def endpoint_of(request: GenerationRequest, options: Mapping[str, str]) -> str:
    """Return what is called: a model, or the same with pictures."""
    return f"{model_of(request, options)}{'' if request.mode is Mode.TXT2IMG else EDIT}"


def _data_url(data: bytes) -> str:
    kind = "image/png" if data.startswith(PNG) else "image/jpeg"
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"
