"""From what was said to what is drawn: a `Draft` becomes a `GenerationRequest` with every value filled in."""

import math
from dataclasses import fields
from typing import Any, Final

from constants import DEFAULT_DENOISING_STRENGTH, MAX_SIDE_PX, MIN_SIDE_PX
from generation.capabilities import Capabilities
from generation.errors import RequestRejected
from generation.fields import BY_FIELD
from generation.framing import exact_size
from generation.lora_tags import with_tags_as_loras
from generation.options import validate
from generation.quick import PICTURES, can_be_quick
from generation.request import FROM_PICTURE_ALONE, Draft, GenerationRequest, Mode, draw_seed
from generation.values import changed
from texts.text import _

# What a request takes over as it was said, in the modes where it means something.
_KEPT: Final = {field.name: BY_FIELD[field.name].modes for field in fields(GenerationRequest) if field.name in BY_FIELD}


def resolve(
    draft: Draft,
    *,
    width: int,
    height: int,
    steps: int,
    cfg_scale: float,
    strength: float = DEFAULT_DENOISING_STRENGTH,
    grid: int = 8,
) -> GenerationRequest:
    """Fill what the draft leaves open with the values given, draw the seed, and settle mode and size.

    Args:
        draft: what was said, preferences already laid under it with `Draft.over`; LoRA tags in its texts are taken out.
        width: pixels when no size was said; with `height` also the pixel count that an aspect ratio keeps.
        height: pixels when no size was said.
        steps: when none were said.
        cfg_scale: when neither it nor a guidance was said: on a model without guidance of its own they are one.
        strength: how far from its picture, when nothing was said.
        grid: pixels; sizes made from an aspect ratio are multiples of it. A size that was said is left alone.

    Raises:
        RequestRejected: a value out of its range, or a mode without the pictures it needs.
    """
    draft = with_tags_as_loras(draft)
    validate(draft)
    mode = mode_of(draft)
    _check_pictures(draft, mode)
    final_width, final_height = _size(draft, width, height, grid)
    values: dict[str, Any] = {name: getattr(draft, name) for name, modes in _KEPT.items() if mode in modes} | {
        "mode": mode,
        "negative_prompt": draft.negative_prompt or "",
        "width": final_width,
        "height": final_height,
        "steps": _steps(steps if draft.steps is None else draft.steps, draft.stop),
        "cfg_scale": next(value for value in (draft.cfg_scale, draft.guidance, cfg_scale) if value is not None),
        "seed": draw_seed() if draft.seed is None else draft.seed,
        "styles": tuple(dict.fromkeys(draft.styles)),
        "hires": changed(hires, upscaler=hires.upscaler or draft.upscaler) if (hires := draft.hires) else None,
        "batch_size": draft.batch_size or (PICTURES if draft.draft and can_be_quick(draft, mode) else 1),
        "is_source_size": draft.is_source_size or None,
    }
    if values.get("denoising_strength", 0) is None:
        values["denoising_strength"] = strength
    values |= _variation(draft, mode)
    values |= {name: None for name, value in values.items() if value is False}
    return GenerationRequest(**values)


def resolve_for(draft: Draft, capabilities: Capabilities) -> GenerationRequest:
    """Fill what the draft leaves open with what is usual on one engine.

    Raises:
        RequestRejected: as in `resolve`.
    """
    return resolve(
        draft,
        strength=capabilities.default_strength if draft.init_image else DEFAULT_DENOISING_STRENGTH,
        width=capabilities.default_width,
        height=capabilities.default_height,
        steps=capabilities.default_steps,
        cfg_scale=capabilities.default_cfg_scale,
        grid=capabilities.size_grid,
    )


def mode_of(draft: Draft) -> Mode:
    """Return what kind of picture making a draft asks for, said or by the pictures it brings."""
    if draft.mode is not None:
        return draft.mode
    if draft.mask_image:
        return Mode.INPAINT
    if draft.upscale_factor:
        return Mode.UPSCALE
    return Mode.IMG2IMG if draft.init_image else Mode.TXT2IMG


def _variation(draft: Draft, mode: Mode) -> dict[str, Any]:
    """Return the second seed and how much of it is taken: none without the other."""
    strength = draft.subseed_strength if draft.chaos is None else draft.chaos / 100
    if not strength or mode in FROM_PICTURE_ALONE:
        return {"subseed": None, "subseed_strength": None}
    subseed = draw_seed() if draft.subseed is None else draft.subseed
    return {"subseed": subseed, "subseed_strength": strength}


def _check_pictures(draft: Draft, mode: Mode) -> None:
    if mode is not Mode.TXT2IMG and draft.init_image is None:
        raise RequestRejected(
            _("{mode:capital} needs a picture to start from. Attach one, or reply to one.", mode=mode),
            field="init_image",
        )
    if mode is Mode.INPAINT and draft.mask_image is None:
        raise RequestRejected(
            _("Inpaint needs a mask: a second picture, white where the first may change."), field="mask_image"
        )


def _size(draft: Draft, width: int, height: int, grid: int) -> tuple[int, int]:
    """Return the size said; with an aspect ratio, the side said or the usual pixel count decides the rest."""
    if draft.aspect is None or (draft.width is not None and draft.height is not None):
        return draft.width or width, draft.height or height
    ratio = draft.aspect[0] / draft.aspect[1]
    if draft.width is not None:
        return draft.width, _snap(draft.width / ratio, grid)
    if draft.height is not None:
        return _snap(draft.height * ratio, grid), draft.height
    if exact := exact_size(draft.aspect, width * height, grid):
        return exact
    return _snap(math.sqrt(width * height * ratio), grid), _snap(math.sqrt(width * height / ratio), grid)


def _steps(steps: int, stop: float | None) -> int:
    """Return how many steps are drawn of so many."""
    return steps if stop is None else max(1, round(steps * stop / 100))


def _snap(side: float, grid: int) -> int:
    lowest = -(-MIN_SIDE_PX // grid) * grid
    highest = MAX_SIDE_PX // grid * grid
    return max(lowest, min(highest, round(side / grid) * grid))
