"""The pictures of a job on their way to an engine and back: every engine draws on its own grid, every result fits.

What a person asked for is the job's `request`, what the engine is asked for its `drawn`; how the one lies in the other
follows from their sizes, so a job that is taken up again after a restart needs nothing more.
"""

from collections.abc import Callable
from dataclasses import replace

from constants import DEFAULT_MASK_BLUR_PX
from generation.framing import Frame, frame, pixels
from generation.request import ControlUnit, GenerationRequest, Mode, SourceImage
from generation.result import GeneratedImage, GenerationResult
from texts.text import _
from utils import canvas
from utils.canvas import Size
from utils.pixels import BadImage
from utils.threads import run_in_thread


async def framed(asked: GenerationRequest, drawn: GenerationRequest) -> GenerationRequest:
    """Return `drawn`, whose pictures are loaded, with these on the canvas that the engine draws."""
    if drawn.mode is Mode.UPSCALE or drawn.guide is None:
        return drawn
    try:
        return await run_in_thread(_framed, _frame_of(asked, drawn), drawn)
    except BadImage:  # inputs are checked when they come, so what cannot be read here is the engine's to refuse
        return drawn


async def unframed(asked: GenerationRequest, drawn: GenerationRequest, result: GenerationResult) -> GenerationResult:
    """Return what an engine drew in the size that was asked for, pasted back into the source where there is a mask.

    Args:
        asked: the job's request.
        drawn: as the engine got it, its pictures loaded and as they came.
        result: what it drew. Files that need no change stay the engine's own.
    """
    if drawn.guide is None:
        return result
    images: list[GeneratedImage] = []
    notes: list[str] = []
    for image in result.images:  # one at a time, so that a batch needs no more memory than one picture
        try:
            data = await run_in_thread(_unframed, asked, drawn, image.data, notes.append)
        except BadImage:  # who keeps the pictures says so
            data = image.data
        images.append(replace(image, data=data))
    return replace(result, images=tuple(images), notes=tuple(dict.fromkeys((*result.notes, *notes))))


def _frame_of(asked: GenerationRequest, drawn: GenerationRequest) -> Frame:
    return frame((asked.width, asked.height), (drawn.width, drawn.height))


def _framed(place: Frame, drawn: GenerationRequest) -> GenerationRequest:
    sizes = {"size": place.size, "drawn": place.drawn, "inner": place.inner}
    control = tuple(_framed_unit(unit, place) for unit in drawn.control)
    source, mask = drawn.init_image, drawn.mask_image
    if source is None:
        return replace(drawn, control=control)
    picture = canvas.framed(source.data, **sizes)
    if mask is not None:
        mask = _as_source(mask, canvas.framed_mask(mask.data, source.data, **sizes), place.drawn)
    return replace(drawn, init_image=_as_source(source, picture, place.drawn), mask_image=mask, control=control)


def _framed_unit(unit: ControlUnit, place: Frame) -> ControlUnit:
    """Put what steers onto the canvas too if it is the picture's twin; another (a style, a face) stays as it is."""
    if place.is_plain or canvas.upright_size(unit.image.data) != place.size:
        return unit
    data = canvas.framed(unit.image.data, size=place.size, drawn=place.drawn, inner=place.inner)
    return replace(unit, image=_as_source(unit.image, data, place.drawn))


def _as_source(old: SourceImage, data: bytes, size: Size) -> SourceImage:
    return old if data == old.data else SourceImage.of(data, *size)


def _unframed(asked: GenerationRequest, drawn: GenerationRequest, data: bytes, say: Callable[[str], None]) -> bytes:
    answer = canvas.upright_size(data)
    if drawn.mode is Mode.UPSCALE:
        return data if drawn.workflow else _enlarged(drawn, data)
    factor = drawn.hires.factor if drawn.hires else 1.0
    place = _frame_of(asked, drawn)
    size, canvas_size, inner = (_times(side, factor) for side in (place.size, place.drawn, place.inner))
    if answer != canvas_size:
        if drawn.workflow is not None:  # it decides for itself how large it draws
            if drawn.mask_image is not None:
                say(
                    _(
                        "the workflow made it {answer}: it could not be put back into the picture",
                        answer=pixels(answer),
                    )
                )
            return data
        if not canvas.is_alike(answer, canvas_size):
            say(
                _(
                    "came as {answer} from the engine: cut and scaled to {size}",
                    answer=pixels(answer),
                    size=pixels(size),
                )
            )
    sizes = {"size": size, "drawn": canvas_size, "inner": inner}
    if drawn.init_image is None or drawn.mask_image is None:
        return canvas.unframed(data, **sizes)
    blur = DEFAULT_MASK_BLUR_PX if drawn.mask_blur is None else drawn.mask_blur
    return canvas.pasted_back(data, drawn.init_image.data, drawn.mask_image.data, **sizes, blur=blur)


def _enlarged(drawn: GenerationRequest, data: bytes) -> bytes:
    """Return an upscaled picture as many times larger as was asked: engines round, or know other factors."""
    if drawn.init_image is None or not drawn.upscale_factor:
        return data
    return canvas.resized(data, _times(canvas.upright_size(drawn.init_image.data), drawn.upscale_factor))


def _times(size: Size, factor: float) -> Size:
    return max(1, round(size[0] * factor)), max(1, round(size[1] * factor))
