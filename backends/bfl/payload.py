"""Our request in the words of Flux 2 at Black Forest Labs: one picture a call. Source: docs.bfl.ai."""

import base64
import math
from collections.abc import Callable, Mapping
from typing import Any, Final

from backends.bfl.kind import FORMATS, MODELS
from backends.kind import option_of
from generation.errors import RequestRejected
from generation.request import GenerationRequest, Mode
from texts.text import _

MAX_SEED: Final = 2**31 - 1
MAX_BYTES: Final = 20 * 1024 * 1024
KLEIN: Final = "klein"
KLEIN_PICTURES: Final = 4
MAX_PICTURES: Final = 8
MEGAPIXEL: Final = 1_000_000

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
    if request.mode is Mode.TXT2IMG:
        return body
    most = KLEIN_PICTURES if KLEIN in model else MAX_PICTURES
    pictures = _pictures(request)
    if len(pictures) > most:
        say(_("only the first {most} of {count} pictures are used by this model", most=most, count=len(pictures)))
    for place, data in enumerate(pictures[:most], 1):
        body["input_image" if place == 1 else f"input_image_{place}"] = base64.b64encode(data).decode()
    if request.denoising_strength is not None:
        say(_("denoising strength ignored: this model goes by the words"))
    return body


def model_of(request: GenerationRequest, options: Mapping[str, str]) -> str:
    return request.model or option_of(options, "model", MODELS[0])


def megapixels(request: GenerationRequest) -> tuple[int, int]:
    """Return what is charged: whole megapixels that come out, and that go in."""
    given = (request.init_image, *request.more_images) if request.mode is not Mode.TXT2IMG else ()
    sizes = [image.width * image.height or MEGAPIXEL for image in given if image]
    return _whole(request.width * request.height), sum(map(_whole, sizes))


def _whole(pixels: int) -> int:
    return max(1, math.ceil(pixels / MEGAPIXEL - 0.1))  # 1024 x 1024 counts as one


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
