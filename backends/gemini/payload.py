"""Our request in the words of `generateContent`: one picture a call, by a ratio and one of four sizes.

Source: its REST reference, `generationConfig.imageConfig`. There are no steps, samplers, strengths or masks: pictures
are changed by words.
"""

import base64
import math
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any, Final

from backends.gemini.kind import BY_REQUEST, SIZES
from backends.kind import option_of
from generation.errors import RequestRejected
from generation.request import GenerationRequest, Mode, SourceImage
from lazy import dataclass
from texts.text import _

RATIOS: Final = ("1:1", "2:3", "3:2", "3:4", "4:3", "4:5", "5:4", "9:16", "16:9", "21:9")
SIDES: Final = dict(zip(SIZES, (512, 1024, 2048, 4096), strict=True))
PRO: Final = "-pro-"  # such models have no size of 512
MAX_SEED: Final = 2**31 - 1
MAX_BYTES: Final = 14 * 1024 * 1024  # a third more as base64; 20 MB are allowed
MAX_PICTURES: Final = 10

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class GeminiOrder:
    """One call: `size` is what it costs as."""

    model: str
    size: str
    body: Mapping[str, Any] = field(repr=False)


def to_order(request: GenerationRequest, model: str, options: Mapping[str, str], say: Say) -> GeminiOrder:
    """Return the call for one picture. Slow with pictures in it: call it in a thread.

    Raises:
        RequestRejected: a picture is missing, or they are too large together.
    """
    parts: list[dict[str, Any]] = [{"text": _words(request)}]
    config: dict[str, Any] = {}
    if request.mode is Mode.TXT2IMG:
        config["aspectRatio"] = _ratio(request, say)
    else:
        parts += [_part(data) for data in _pictures(request)]
        if request.denoising_strength is not None:
            say(_("denoising strength ignored: this model goes by the words"))
    size = size_for(request, model, options)
    config["imageSize"] = size
    seed = request.seed % (MAX_SEED + 1)
    settings = {"responseModalities": ["IMAGE"], "imageConfig": config, "seed": seed}
    return GeminiOrder(model=model, size=size, body={"contents": [{"parts": parts}], "generationConfig": settings})


def size_for(request: GenerationRequest, model: str, options: Mapping[str, str]) -> str:
    """Return the size that is set, else the one with the nearest number of pixels."""
    sizes = [size for size in SIZES if not (PRO in model and size == SIZES[0])]
    wanted = option_of(options, "image_size", BY_REQUEST).upper()
    if wanted in SIZES:
        return wanted if wanted in sizes else sizes[0]
    side = math.sqrt(request.width * request.height)
    return min(sizes, key=lambda size: abs(math.log(SIDES[size] / side)))


def _ratio(request: GenerationRequest, say: Say) -> str:
    def distance(ratio: str) -> float:
        wide, __, high = ratio.partition(":")
        return abs(math.log(int(wide) / int(high) * request.height / request.width))

    ratio = min(RATIOS, key=distance)
    if distance(ratio) > 0.01:
        say(_("drawn as {ratio}, the nearest ratio here", ratio=ratio))
    return ratio


def _words(request: GenerationRequest) -> str:
    """Return the words; what is not wanted has no field of its own there."""
    avoided = f"\nAvoid: {request.negative_prompt}" if request.negative_prompt else ""  # no text: for the model
    return request.prompt + avoided


def _pictures(request: GenerationRequest) -> list[bytes]:
    pictures = [_data(request.init_image), *(image.data for image in request.more_images if image.data)]
    if sum(map(len, pictures)) > MAX_BYTES:
        raise RequestRejected(
            _("The pictures to work on are larger than {most} MB together.", most=MAX_BYTES // 1024**2),
            field="image",
            hint=_("Send smaller ones."),
        )
    return pictures


def _part(data: bytes) -> dict[str, Any]:
    kind = "webp" if data[8:12] == b"WEBP" else "png"
    kind = "jpeg" if data.startswith(b"\xff\xd8") else kind
    return {"inline_data": {"mime_type": f"image/{kind}", "data": base64.b64encode(data).decode()}}


def _data(image: SourceImage | None) -> bytes:
    if image is None or not image.data:
        raise RequestRejected(_("The picture to work on is missing."), field="image", hint=_("Attach it once more."))
    return image.data
