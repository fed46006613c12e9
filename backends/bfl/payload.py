"""Our request in the words of Flux 2 at Black Forest Labs: one picture a call. Source: docs.bfl.ai."""

import base64
from collections.abc import Callable, Mapping
from typing import Any, Final

from backends.bfl.kind import FORMATS, MODELS
from backends.flux_2 import MAX_SEED, MEGAPIXEL, pictures_of, whole_megapixels
from backends.kind import option_of
from generation.request import GenerationRequest, Mode
from texts.text import _

KLEIN: Final = "klein"
KLEIN_PICTURES: Final = 4
MAX_PICTURES: Final = 8

Say = Callable[[str], None]


def to_body(request: GenerationRequest, model: str, options: Mapping[str, str], say: Say) -> dict[str, Any]:
    """Return the body of the call for one picture. Slow with pictures in it: call it in a thread.

    Raises:
        RequestRejected: a picture is missing, or they are too large together.
    """
    body: dict[str, Any] = {
        "prompt": request.prompt,
        "width": request.width,
        "height": request.height,
        "seed": request.seed % (MAX_SEED + 1),
        "output_format": option_of(options, "output_format", FORMATS[0]),
    }
    if KLEIN not in model:
        body["prompt_upsampling"] = False  # else the same seed draws other words each time
    most = KLEIN_PICTURES if KLEIN in model else MAX_PICTURES
    pictures = pictures_of(request, say)
    if len(pictures) > most:
        say(_("only the first {most} of {count} pictures are used by this model", most=most, count=len(pictures)))
    for place, data in enumerate(pictures[:most], 1):
        body["input_image" if place == 1 else f"input_image_{place}"] = base64.b64encode(data).decode()
    return body


def model_of(request: GenerationRequest, options: Mapping[str, str]) -> str:
    return request.model or option_of(options, "model", MODELS[0])


def megapixels(request: GenerationRequest) -> tuple[int, int]:
    """Return what is charged: whole megapixels that come out, and that go in."""
    given = (request.init_image, *request.more_images) if request.mode is not Mode.TXT2IMG else ()
    sizes = [image.width * image.height or MEGAPIXEL for image in given if image]
    return whole_megapixels(request.width * request.height), sum(map(whole_megapixels, sizes))
