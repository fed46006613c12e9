"""Our request in Stability AI's words: which of its endpoints does it, and that one's fields.

Source: its REST reference as a rendering of 2024-12 and later clients give it. There are no sizes but ratios, no steps
and no samplers, and one picture for each call.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any, Final

from backends.kind import option_of
from backends.stability.kind import DRAWING, FORMATS, REDRAWING
from constants import DEFAULT_DENOISING_STRENGTH
from generation.errors import CapabilityError, RequestRejected
from generation.request import GenerationRequest, Mode, SourceImage
from generation.samplers import match_name
from lazy import dataclass
from texts.text import _
from utils.masks import border_of, cut_to

ROOT: Final = "/v2beta/stable-image"
RATIOS: Final = ("21:9", "16:9", "3:2", "5:4", "1:1", "4:5", "2:3", "9:16", "9:21")
EDITS: Final = ("erase", "search-and-replace", "search-and-recolor", "remove-background")
CONTROLS: Final = ("sketch", "structure", "style")
UPSCALERS: Final = ("fast", "conservative", "creative")
PRESETS: Final = (
    "enhance", "anime", "photographic", "digital-art", "comic-book", "fantasy-art", "line-art", "analog-film",
    "neon-punk", "isometric", "low-poly", "origami", "modeling-compound", "cinematic", "3d-model", "pixel-art",
    "tile-texture",
)  # fmt: skip
MAX_SEED: Final = 4_294_967_294
MAX_BYTES: Final = 10 * 1024 * 1024  # of a whole request
INSTEAD_OF: Final = " instead of "  # no text: read in prompts
ENLARGED: Final = "the same picture, sharp and in high detail"  # no text: its slower upscalers want words
CREATIVITY: Final = {"conservative": (0.2, 0.5, 0.35), "creative": (0.1, 0.5, 0.3)}  # least, most, usual

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class StableOrder:
    """One call: `name` is what it costs as; `is_begun` where its answer only names a job."""

    path: str
    name: str
    values: Mapping[str, str]
    files: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    is_begun: bool = False

    def sent(self) -> dict[str, Any]:
        """Return it as httpx takes it: always a form with parts, even without a file."""
        words = [(name, (None, value)) for name, value in self.values.items()]
        pictures = [(name, (f"{name}.png", data, "application/octet-stream")) for name, data in self.files.items()]
        return {"files": [*words, *pictures]}


def to_order(request: GenerationRequest, options: Mapping[str, str], say: Say) -> StableOrder:
    """Return the call for one picture. Slow with pictures in it: call it in a thread.

    Raises:
        CapabilityError: no endpoint does that.
        RequestRejected: a picture or the words for it are missing, or it is too large.
    """
    makers = {
        Mode.TXT2IMG: _drawn, Mode.IMG2IMG: _redrawn, Mode.INPAINT: _repainted, Mode.UPSCALE: _enlarged,
        Mode.RESTYLE: _restyled,
    }  # fmt: skip
    order = makers[request.mode](request, options, say)
    if sum(map(len, order.files.values())) > MAX_BYTES - 65_536:
        raise RequestRejected(
            _("The picture to work on is larger than {most} MB.", most=MAX_BYTES // 1024**2),
            field="image",
            hint=_("Send a smaller one."),
        )
    return order


def name_of(request: GenerationRequest, options: Mapping[str, str]) -> str:
    """Return the name that a request costs as, without looking at its pictures."""
    if request.mode is Mode.UPSCALE:
        return request.upscaler or "fast"
    if request.mode is Mode.RESTYLE:
        return "style-transfer"
    if request.mode is Mode.INPAINT:
        return "erase" if request.model == "erase" else "inpaint"
    if request.control and request.mode is Mode.TXT2IMG:
        return request.control[0].kind
    usual = "model" if request.mode is Mode.TXT2IMG else "edit_model"
    return request.model or option_of(options, usual, DRAWING[0] if usual == "model" else REDRAWING[0])


def ratio_for(width: int, height: int) -> str:
    """Return the ratio that is nearest to a size."""

    def distance(ratio: str) -> float:
        wide, __, high = ratio.partition(":")
        return abs(math.log(int(wide) / int(high) * height / width))

    return min(RATIOS, key=distance)


def _drawn(request: GenerationRequest, options: Mapping[str, str], say: Say) -> StableOrder:
    if request.control:
        return _controlled(request, options, say)
    model = name_of(request, options)
    if model in EDITS:
        raise CapabilityError(
            _("{model} works on a picture.", model=model), field="model", hint=_("Attach one, or pick another model.")
        )
    values = _words(request, options) | _ratio(request, say)
    if model == "core":
        style = next((preset for style in request.styles if (preset := match_name(style, PRESETS))), None)
        return StableOrder(
            path=f"{ROOT}/generate/core", name=model, values=values | ({"style_preset": style} if style else {})
        )
    for style in request.styles:
        say(_("style {style} ignored: only core has styles", style=style))
    if model == "ultra":
        return StableOrder(path=f"{ROOT}/generate/ultra", name=model, values=values)
    return StableOrder(path=f"{ROOT}/generate/sd3", name=model, values=_of_sd3(values, request, model))


def _controlled(request: GenerationRequest, options: Mapping[str, str], say: Say) -> StableOrder:
    unit = request.control[0]
    for other in request.control[1:]:
        say(_("ControlNet {kind} left out: one at a time here", kind=other.kind))
    values = _words(request, options)
    weight = f"{min(1.0, max(0.0, unit.weight)):g}"
    values |= {"fidelity": weight} | _ratio(request, say) if unit.kind == "style" else {"control_strength": weight}
    files = {"image": _data(unit.image)}
    return StableOrder(path=f"{ROOT}/control/{unit.kind}", name=unit.kind, values=values, files=files)


def _redrawn(request: GenerationRequest, options: Mapping[str, str], say: Say) -> StableOrder:
    model, files = name_of(request, options), {"image": _data(request.init_image)}
    if model in EDITS:
        return _edited(request, options, model, files)
    if model == "core":
        say(_("{model} does not draw over pictures: {other} does it", model=model, other=REDRAWING[0]))
        model = REDRAWING[0]
    strength = DEFAULT_DENOISING_STRENGTH if request.denoising_strength is None else request.denoising_strength
    values = _words(request, options) | {"strength": f"{strength:g}"}
    if model == "ultra":
        return StableOrder(path=f"{ROOT}/generate/ultra", name=model, values=values, files=files)
    values = _of_sd3(values, request, model) | {"mode": "image-to-image"}
    return StableOrder(path=f"{ROOT}/generate/sd3", name=model, values=values, files=files)


def _edited(
    request: GenerationRequest, options: Mapping[str, str], model: str, files: Mapping[str, bytes]
) -> StableOrder:
    path = f"{ROOT}/edit/{model}"
    if model == "remove-background":
        wanted = _format(options)
        return StableOrder(
            path=path, name=model, values={"output_format": "png" if wanted == "jpeg" else wanted}, files=files
        )
    if model == "erase":
        raise CapabilityError(
            _("erase takes away what is under a mask."), field="mask", hint=_("Paint one, or pick another model.")
        )
    prompt, instead, searched = request.prompt.partition(INSTEAD_OF)
    if not instead or not prompt.strip() or not searched.strip():
        raise RequestRejected(
            _("{model} has to know what to look for.", model=model),
            field="prompt",
            hint=_("Write it like this: a grey wolf instead of the red fox."),
        )
    name = "search_prompt" if model == "search-and-replace" else "select_prompt"
    values = _words(request, options) | {"prompt": prompt.strip(), name: searched.strip()}
    return StableOrder(path=path, name=model, values=values, files=files)


def _repainted(request: GenerationRequest, options: Mapping[str, str], say: Say) -> StableOrder:
    image, mask = _data(request.init_image), _data(request.mask_image)
    values = _words(request, options)
    if request.model == "erase":
        values = {name: values[name] for name in ("seed", "output_format")}
        return StableOrder(path=f"{ROOT}/edit/erase", name="erase", values=values, files={"image": image, "mask": mask})
    if border := border_of(mask):
        sides = {name: str(side) for name, side in zip(("left", "up", "right", "down"), border, strict=True) if side}
        values.pop("negative_prompt", None)
        files = {"image": cut_to(image, border)}
        return StableOrder(path=f"{ROOT}/edit/outpaint", name="outpaint", values=values | sides, files=files)
    return StableOrder(path=f"{ROOT}/edit/inpaint", name="inpaint", values=values, files={"image": image, "mask": mask})


def _enlarged(request: GenerationRequest, options: Mapping[str, str], say: Say) -> StableOrder:
    upscaler, files = request.upscaler or UPSCALERS[0], {"image": _data(request.init_image)}
    path = f"{ROOT}/upscale/{upscaler}"
    if upscaler == "fast":
        return StableOrder(path=path, name=upscaler, values={"output_format": _format(options)}, files=files)
    least, most, usual = CREATIVITY[upscaler]
    creativity = usual if request.denoising_strength is None else min(most, max(least, request.denoising_strength))
    values = _words(request, options) | {"creativity": f"{creativity:g}"}
    values["prompt"] = request.prompt.strip() or ENLARGED
    return StableOrder(path=path, name=upscaler, values=values, files=files, is_begun=upscaler == "creative")


def _restyled(request: GenerationRequest, options: Mapping[str, str], say: Say) -> StableOrder:
    if not request.more_images:
        raise CapabilityError(
            _("Style transfer takes its style from a second picture."), field="image", hint=_("Attach one.")
        )
    files = {"init_image": _data(request.init_image), "style_image": _data(request.more_images[0])}
    values = _words(request, options)
    if not request.prompt.strip():
        values.pop("prompt")
    strength = 1.0 if request.denoising_strength is None else request.denoising_strength
    values |= {"style_strength": f"{strength:g}"}
    return StableOrder(path=f"{ROOT}/control/style-transfer", name="style-transfer", values=values, files=files)


def _words(request: GenerationRequest, options: Mapping[str, str]) -> dict[str, str]:
    values = {"prompt": request.prompt, "seed": str(max(1, request.seed)), "output_format": _format(options)}
    return values | ({"negative_prompt": request.negative_prompt} if request.negative_prompt else {})


def _of_sd3(values: dict[str, str], request: GenerationRequest, model: str) -> dict[str, str]:
    values |= {"model": model, "output_format": "jpeg" if values["output_format"] == "jpeg" else "png"}
    if model.endswith("-turbo"):
        values.pop("negative_prompt", None)
        return values
    return values | {"cfg_scale": f"{min(10.0, max(1.0, request.cfg_scale)):g}"}


def _ratio(request: GenerationRequest, say: Say) -> dict[str, str]:
    ratio = ratio_for(request.width, request.height)
    wide, __, high = ratio.partition(":")
    if abs(math.log(int(wide) / int(high) * request.height / request.width)) > 0.01:
        say(_("drawn as {ratio}, the nearest ratio here", ratio=ratio))
    return {"aspect_ratio": ratio}


def _format(options: Mapping[str, str]) -> str:
    return option_of(options, "output_format", FORMATS[0])


def _data(image: SourceImage | None) -> bytes:
    if image is None or not image.data:
        raise RequestRejected(_("The picture to work on is missing."), field="image", hint=_("Attach it once more."))
    return image.data
