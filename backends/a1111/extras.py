"""What the server does with a finished picture: enlarge it, and say what it shows.

Source: `/sdapi/v1/extra-single-image` and `/sdapi/v1/interrogate`, recorded in `tests/data`. Neither knows task ids;
both wait for the same lock as drawing does.
"""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel, ValidationError

from backends.a1111.answer import decode_picture
from backends.a1111.facts import Facts, choose_upscaler
from backends.a1111.wire import encode
from constants import MAX_IMAGE_PIXELS
from generation.errors import BackendError, RequestRejected, UnexpectedAnswer
from generation.request import GenerationRequest, SourceImage
from generation.result import GeneratedImage, GenerationResult
from net.answers import read_model
from net.failures import translate
from utils.images import BadImage, inspect

DEFAULT_FACTOR: Final = 2.0
CAPTION_FAILED: Final = "<error>"  # with status 200


class _Upscaled(BaseModel):
    image: str


class _Caption(BaseModel):
    caption: str


def to_upscale(request: GenerationRequest, facts: Facts, options: Mapping[str, str]) -> tuple[dict[str, Any], int]:
    """Return the JSON body and the pixels of the result. Slow with megabytes: call it in a thread.

    The API's own default upscaler is "None", which only stretches: one is always named.

    Raises:
        RequestRejected: no readable picture, or the result would be too large.
    """
    image = encode(request.init_image, "picture to upscale")
    try:
        info = inspect(request.init_image.data if request.init_image else b"")
    except BadImage as error:
        raise RequestRejected(str(error), field="init_image") from error
    factor = request.upscale_factor or DEFAULT_FACTOR
    pixels = round(info.width * factor) * round(info.height * factor)
    if pixels > MAX_IMAGE_PIXELS:
        raise RequestRejected(
            f"Upscaled, this picture would have {pixels / 1e6:.0f} million pixels; "
            f"at most {MAX_IMAGE_PIXELS // 10**6} million are possible.",
            field="upscale_factor",
            hint="Use a smaller factor.",
        )
    payload = {
        "image": image,
        "resize_mode": 0,
        "upscaling_resize": factor,
        "upscaler_1": choose_upscaler(request.upscaler, facts, options),
        "upscaler_2": "None",
        "extras_upscaler_2_visibility": 0,
        "gfpgan_visibility": 0,
        "codeformer_visibility": 0,
        "show_extras_results": True,
    }
    return payload, pixels


def read_upscaled(label: str, body: bytes, request: GenerationRequest, upscaler: str) -> GenerationResult:
    """Return the enlarged picture.

    Raises:
        UnexpectedAnswer: there is none in the answer, or a broken one.
    """
    try:
        answer = read_model(_Upscaled, body)
    except ValidationError as error:
        raise translate(label, error, may_have_run=True) from error
    if not answer.image:
        raise UnexpectedAnswer(f"{label} answered without a picture.")
    data = decode_picture(label, answer.image)
    return GenerationResult(images=(GeneratedImage(data=data, seed=request.seed),), model=upscaler)


def to_question(image: SourceImage) -> dict[str, Any]:
    return {"image": encode(image, "picture to describe"), "model": "clip"}


def read_caption(label: str, body: bytes) -> str:
    """Return what the picture shows.

    Raises:
        BackendError: the server could not say; it reports that as a success.
    """
    try:
        caption = read_model(_Caption, body).caption.strip()
    except ValidationError as error:
        raise translate(label, error, may_have_run=True) from error
    if not caption or CAPTION_FAILED in caption:
        raise BackendError(
            f"{label} could not describe the picture.",
            detail=caption,
            hint="Its describing model may be missing: the server downloads it at the first use.",
        )
    return caption
