"""Our request as the input of a model, by what that model's own schema says it takes.

Only what is named there is sent, within its limits. One prediction draws one picture, so that each has a seed it can be
drawn again with.
"""

import base64
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import field
from typing import Any, Final

from backends.kind import option_of
from backends.replicate.facts import UNSAID_CFG, UNSAID_STEPS, ModelInput, ReplicateModel
from backends.replicate.kind import FORMATS
from constants import DEFAULT_DENOISING_STRENGTH
from generation.errors import CapabilityError, RequestRejected
from generation.request import GenerationRequest, Mode, SourceImage
from generation.samplers import match_sampler
from lazy import dataclass, pattern
from texts.text import _

MAX_INSIDE_BYTES: Final = 256 * 1024  # what is larger is sent as a file before
MEGAPIXEL: Final = 1_000_000
SLOW: Final = {"go_fast": False}  # otherwise the same seed gives another picture each time
CUSTOM, MATCH = "custom", "match_input_image"
_NUMBER: Final = pattern(r"\d+(?:\.\d+)?")
_SIZE: Final = pattern(r"(\d{2,5})\s*[x*×]\s*(\d{2,5})")

Say = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class ReplicateOrder:
    """One prediction: `values` are its input but for the pictures, which are `files` by the input's name.

    A picture that has one of the `links` goes by it, any other inside.
    """

    model: ReplicateModel
    values: Mapping[str, Any]
    files: Mapping[str, tuple[bytes, ...]] = field(default_factory=dict, repr=False)
    links: Mapping[bytes, str] = field(default_factory=dict, repr=False)

    def whole(self) -> dict[str, Any]:
        """Return all of its input."""
        links = self.links
        given = {name: [links.get(data) or inside(data) for data in pictures] for name, pictures in self.files.items()}
        lists = {name for name in given if self.model.inputs[name].type == "array"}
        return {**self.values, **{name: urls if name in lists else urls[0] for name, urls in given.items()}}

    @property
    def large(self) -> tuple[bytes, ...]:
        """Return the pictures that are too large to go inside."""
        every = dict.fromkeys(data for pictures in self.files.values() for data in pictures)
        return tuple(data for data in every if len(data) > MAX_INSIDE_BYTES)


def to_order(request: GenerationRequest, model: ReplicateModel, options: Mapping[str, str], say: Say) -> ReplicateOrder:
    """Return the prediction for one picture.

    Raises:
        CapabilityError: the model needs what Easel cannot give it.
        RequestRejected: a picture is missing.
    """
    values: dict[str, Any] = {}
    files = _files(request, model, say)
    if request.mode is Mode.UPSCALE:
        _put(values, model.input("scale"), _factor(request), say, _("factor"))
    else:
        _words(request, model, values, say)
        _numbers(request, model, values, say)
        _size(request, model, values, say)
    _put(values, model.input("seed"), request.seed, say)
    _put(values, model.input("count"), 1, say)
    values |= {name: value for name, value in SLOW.items() if name in model.inputs}
    if (form := model.input("format")) and (wanted := _format(form, options)):
        values[form.name] = wanted
    _check(model, values, files)
    return ReplicateOrder(model=model, values=values, files=files)


def inside(data: bytes) -> str:
    """Return a picture as an address that holds it."""
    kind = "webp" if data[8:12] == b"WEBP" else "png"
    kind = "jpeg" if data.startswith(b"\xff\xd8") else kind
    return f"data:image/{kind};base64,{base64.b64encode(data).decode()}"


def _files(request: GenerationRequest, model: ReplicateModel, say: Say) -> dict[str, tuple[bytes, ...]]:
    if request.mode is Mode.TXT2IMG:
        return {}
    place, several = model.input("image"), model.input("images")
    pictures = [_data(request.init_image), *(image.data for image in request.more_images if image.data)]
    files: dict[str, tuple[bytes, ...]] = {}
    if several and (place is None or len(pictures) > 1):
        files[several.name] = tuple(pictures)
    elif place:
        files[place.name] = (pictures[0],)
        if len(pictures) > 1:
            say(_("only the first of {count} pictures is used by this model", count=len(pictures)))
    mask = model.input("mask")
    if request.mode is Mode.INPAINT and mask:
        files[mask.name] = (_data(request.mask_image),)
    return files


def _words(request: GenerationRequest, model: ReplicateModel, values: dict[str, Any], say: Say) -> None:
    if prompt := model.input("prompt"):
        values[prompt.name] = request.prompt
    negative = model.input("negative_prompt")
    if negative and request.negative_prompt:
        values[negative.name] = request.negative_prompt
    elif request.negative_prompt:
        say(_("negative prompt ignored by {model}", model=model.title))
    sampler = model.input("sampler")
    names = [choice for choice in sampler.choices if isinstance(choice, str)] if sampler else []
    if sampler and request.sampler and (found := match_sampler(request.sampler, names)):
        values[sampler.name] = found.name
    elif request.sampler:
        say(_("sampler {wanted} ignored by {model}", wanted=request.sampler, model=model.title))


def _numbers(request: GenerationRequest, model: ReplicateModel, values: dict[str, Any], say: Say) -> None:
    """Put in the numbers that were said; for any other the model has its own."""
    if request.steps != UNSAID_STEPS:
        _put(values, model.input("steps"), request.steps, say, _("steps"))
    if request.guidance is not None or request.cfg_scale != UNSAID_CFG:
        wanted = request.cfg_scale if request.guidance is None else request.guidance
        _put(values, model.input("cfg_scale"), wanted, say, _("CFG scale"))
    if request.mode is Mode.TXT2IMG:
        return
    strength = DEFAULT_DENOISING_STRENGTH if request.denoising_strength is None else request.denoising_strength
    if place := model.input("strength"):
        _put(values, place, strength, say, _("denoising strength"))
    elif request.mode is Mode.IMG2IMG and request.denoising_strength is not None:
        say(_("denoising strength ignored: {model} goes by the words", model=model.title))


def _size(request: GenerationRequest, model: ReplicateModel, values: dict[str, Any], say: Say) -> None:
    """Put the size in in the model's way: as sides, as a ratio and an area, or as one of its sizes."""
    size, ratio = (request.width, request.height), model.input("ratio")
    wide, high, named = model.input("width"), model.input("height"), model.input("size")
    choices = [choice for choice in ratio.choices if isinstance(choice, str)] if ratio else []
    if request.mode is not Mode.TXT2IMG and ratio and MATCH in choices:
        values[ratio.name] = MATCH
        return
    if wide and high and (ratio is None or CUSTOM in choices):
        values[wide.name], values[high.name] = _side(wide, size[0]), _side(high, size[1])
        if ratio:
            values[ratio.name] = CUSTOM
        drawn = (values[wide.name], values[high.name])
        if drawn != size:
            say(_("drawn at {width}×{height}: the limits of this model", width=drawn[0], height=drawn[1]))
        return
    if ratio and (found := _nearest_ratio(choices, size)):
        values[ratio.name] = found
        if _apart(found, size) > 0.01 and request.mode is Mode.TXT2IMG:
            say(_("drawn as {ratio}, the nearest ratio here", ratio=found))
    elif named and (fixed := _nearest_size([str(choice) for choice in named.choices], size)):
        values[named.name] = fixed
    if (area := model.input("area")) and (best := _nearest_area(area, size)) is not None:
        values[area.name] = best


def _check(model: ReplicateModel, values: Mapping[str, Any], files: Mapping[str, Any]) -> None:
    given = values.keys() | files.keys()
    lacking = [entry.name for entry in model.inputs.values() if entry.is_required and entry.name not in given]
    if lacking:
        raise CapabilityError(
            _("{model} needs “{name}”, which Easel cannot give it.", model=model.title, name=lacking[0][:40]),
            field="model",
            hint=_("Pick another model: /models tells."),
        )


def _put(values: dict[str, Any], place: ModelInput | None, wanted: float, say: Say, what: str = "") -> None:
    """Put a number in, within the limits of its place; a place with choices takes the nearest of them."""
    if place is None:
        return
    numbers = [choice for choice in place.choices if isinstance(choice, int | float)]
    if place.choices and not numbers:
        texts = [text for text in place.choices if isinstance(text, str) and _NUMBER.fullmatch(text)]
        if texts:
            values[place.name] = min(texts, key=lambda text: abs(float(text) - wanted))
        return
    value = min(numbers, key=lambda number: abs(number - wanted)) if numbers else wanted
    value = value if place.low is None else max(place.low, value)
    value = value if place.high is None else min(place.high, value)
    values[place.name] = round(value) if place.type == "integer" or value == int(value) else round(value, 3)
    if what and values[place.name] != wanted:
        value = values[place.name]
        say(_("{what} {wanted:g} → {value:g}, the limit of this model", what=what, wanted=wanted, value=value))


def _factor(request: GenerationRequest) -> float:
    """Return how many times larger: as the upscaler's name says, else as was asked for."""
    named = re.search(r"(\d)x$", request.upscaler or "")
    return float(named[1]) if named else request.upscale_factor or 4.0


def _format(form: ModelInput, options: Mapping[str, str]) -> str:
    wanted = option_of(options, "output_format", FORMATS[0])
    spellings = (wanted, "jpg" if wanted == "jpeg" else wanted, *FORMATS, "jpg")
    return next((name for name in spellings if name in form.choices), "")


def _side(place: ModelInput, pixels: int) -> int:
    numbers = [choice for choice in place.choices if isinstance(choice, int)]
    if numbers:
        return min(numbers, key=lambda number: abs(number - pixels))
    low, high = place.low or 64, place.high or 4096
    return round(min(high, max(low, pixels)))


def _apart(ratio: str, size: tuple[int, int]) -> float:
    wide, __, high = ratio.partition(":")
    return abs(math.log(float(wide) / float(high) * size[1] / size[0]))


def _nearest_ratio(choices: list[str], size: tuple[int, int]) -> str:
    ratios = [choice for choice in choices if re.fullmatch(r"[1-9]\d?(?:\.\d+)?:[1-9]\d?(?:\.\d+)?", choice)]
    return min(ratios, key=lambda ratio: _apart(ratio, size), default="")


def _nearest_size(choices: list[str], size: tuple[int, int]) -> str:
    found = {choice: (int(match[1]), int(match[2])) for choice in choices if (match := _SIZE.search(choice))}

    def distance(choice: str) -> float:
        wide, high = found[choice]
        return _apart(f"{wide}:{high}", size) * 10 + abs(math.log(wide * high / (size[0] * size[1])))

    return min(found, key=distance, default="")


def _nearest_area(area: ModelInput, size: tuple[int, int]) -> Any:
    """Return the choice of megapixels, "1" or "0.5 MP", that is nearest; None where its choices are something else."""
    found = {str(choice): float(match[0]) for choice in area.choices if (match := _NUMBER.match(str(choice)))}
    wanted = size[0] * size[1] / MEGAPIXEL
    named = {choice: pixels for choice, pixels in found.items() if pixels and not choice.endswith(("p", "K", "k"))}
    best = min(named, key=lambda choice: abs(math.log(named[choice] / wanted)), default=None)
    return next((choice for choice in area.choices if str(choice) == best), None)


def _data(image: SourceImage | None) -> bytes:
    if image is None or not image.data:
        raise RequestRejected(_("The picture to work on is missing."), field="image", hint=_("Attach it once more."))
    return image.data
