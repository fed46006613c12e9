"""Parameters of a picture, in the form that other programs read."""

import re
from dataclasses import replace
from datetime import datetime
from typing import Final

from constants import APP_NAME, VERSION
from generation.fields import FIELDS, Field
from generation.lora_tags import tag_of
from generation.request import FROM_PICTURE_ALONE, GenerationRequest, alone_in
from generation.result import GeneratedImage
from texts.text import _
from utils.images import ImageInfo, with_parameters
from utils.infotext import format_infotext
from utils.provenance import with_source_type
from utils.video import inspect_file, is_video

SLUG_CHARS: Final = 40
# As Automatic1111 writes them; what it does not know follows.
_ORDER: Final = (
    "Steps", "Sampler", _("Schedule type"), _("CFG scale"), _("Distilled CFG Scale"), "Seed", "Size", "Model", "VAE",
    _("Variation seed"), _("Variation seed strength"),
    _("Denoising strength"), _("Clip skip"), _("Hires upscale"), _("Hires steps"), _("Hires upscaler"),
)  # fmt: skip


def labelled(
    image: GeneratedImage,
    nth: int,
    request: GenerationRequest,
    model: str | None,
    engine: str,
    source_type: str | None = None,
) -> tuple[ImageInfo, bytes]:
    """Check one file and put its parameters and its kind of source in, unless it has some or is a video. Blocks.

    `nth`: of the pictures that were drawn together, from 1 on.

    Raises:
        BadImage: it is cut off, damaged or too large.
    """
    info = inspect_file(image.data)
    request = replace(request, **alone_in(request, nth - 1, image.seed))
    text = parameters_of(request, info, seed=image.seed, model=model, engine=engine)
    if is_video(image.data):
        return info, image.data
    data = with_parameters(image.data, text)
    return info, with_source_type(data, source_type) if source_type else data


def parameters_of(request: GenerationRequest, info: ImageInfo, *, seed: int, model: str | None, engine: str) -> str:
    """Write how a picture was made, in the form of Automatic1111, with the engine's name besides."""
    prompt = " ".join([request.prompt, *map(tag_of, request.loras)]).strip()
    hires = request.hires
    written = {field.infotext: _written(field, getattr(request, field.name)) for field in FIELDS if field.infotext}
    written |= {
        "Seed": seed,
        "Model": model or request.model,
        # A hires fix is written as A1111 does: the size before it, and what it did.
        "Size": f"{request.width}x{request.height}" if hires else f"{info.width}x{info.height}",
        "Hires upscale": hires.factor if hires else None,
        "Hires steps": hires.steps if hires else None,
        "Hires upscaler": hires.upscaler if hires else None,
    }
    if hires:
        written["Denoising strength"] = hires.denoising_strength
    if request.mode in FROM_PICTURE_ALONE:
        written |= {"Steps": None, "CFG scale": None, "Upscale factor": request.upscale_factor}
    keys = sorted(written, key=lambda key: _ORDER.index(key) if key in _ORDER else len(_ORDER))
    ends = {"Engine": engine, "Version": f"{APP_NAME} {VERSION}"}
    return format_infotext(prompt, request.negative_prompt, {key: written[key] for key in keys} | ends)


def _written(field: Field, value: object) -> object:
    if isinstance(value, tuple):
        return ", ".join(map(str, value)) or None
    return None if value is False or value == field.neutral else value


def file_name(prompt: str, seed: int, when: datetime, extension: str) -> str:
    """Return a name that says what is in the file: `a-red-fox-in-the-snow-812-20260101.png`."""
    slug = re.sub(r"[^a-z0-9]+", "-", prompt.casefold()).strip("-")
    if len(slug) > SLUG_CHARS:
        slug = slug[:SLUG_CHARS].rpartition("-")[0] or slug[:SLUG_CHARS]
    return f"{slug or 'picture'}-{seed}-{when:%Y%m%d}.{extension}"
