"""Our request in these servers' words: only what a server documents, everything else is said in a note.

Sources: as `dialects.known`.
"""

import base64
import json
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from typing import Any, Final

from backends.kind import number_of, option_of
from backends.openai_images.dialects.dialect import Dialect
from backends.openai_images.dialects.known import FIXED_SIZES, HAS_FIXED_SIZES
from backends.openai_images.facts import Facts
from generation.errors import CapabilityError, RequestRejected
from generation.request import GenerationRequest, Mode, SourceImage
from lazy import dataclass
from net.answers import write_json
from texts.text import _
from utils.masks import erased_where_white

MAX_SOURCE_BYTES: Final = 50 * 1024 * 1024
PNG: Final = "image/png"
SIGNATURES: Final = ((b"\xff\xd8\xff", "image/jpeg"), (b"RIFF", "image/webp"))
DEFAULT_QUALITY: Final = "medium"

Say = Callable[[str], None]
Part = tuple[str, tuple[str, bytes, str]]  # a file of a form: the field, then its name, content and type


@dataclass(frozen=True, kw_only=True)
class ImageOrder:
    """One request that can be sent: JSON, or the parts of a form."""

    path: str
    model: str
    size: tuple[int, int]
    quality: str
    values: Mapping[str, Any] = field(repr=False)
    parts: tuple[Part, ...] = field(default=(), repr=False)

    def sent(self) -> dict[str, Any]:
        """Return it as httpx takes it. Slow with pictures in it: call it in a thread."""
        if not self.parts:
            return {"content": write_json(self.values), "headers": {"Content-Type": "application/json"}}
        words = [(name, (None, _word(value))) for name, value in self.values.items()]
        return {"files": [*words, *self.parts]}


def to_order(
    request: GenerationRequest, facts: Facts, options: Mapping[str, str], say: Say, count: int = 1
) -> ImageOrder:
    """Return what to send for `count` of a request's pictures. Slow (base64 of megabytes): call it in a thread.

    Raises:
        CapabilityError: there is no model for it.
        RequestRejected: the picture to work on is missing or too large.
    """
    dialect, model = facts.dialect, facts.model_for(request.model, request.mode)
    if not model:
        raise CapabilityError(_("There is no model that draws."), field="model", hint=_("Load one there."))
    size = size_for(request, dialect, model, say)
    quality = picture_quality(dialect, facts, model, options)
    values: dict[str, Any] = {"model": model, "prompt": request.prompt, "n": count}
    values |= _size_words(size, dialect, facts, model)
    if dialect.base64_word:
        values["response_format"] = dialect.base64_word
    if quality:
        values["quality"] = quality
    values |= _looks(dialect, facts, model, options)
    extras = dict(_extras(request, dialect, facts, model, say))
    values = _with_negative(values, request, dialect)
    values = _with_extras(values, extras, dialect)
    path, parts = dialect.path, tuple[Part, ...]()
    if request.mode is not Mode.TXT2IMG:
        path = dialect.edit_path
        more, parts = _pictures(request, dialect)
        values |= more
    if (partial := partial_images(dialect, facts, model, options)) and count == 1:
        values |= {"stream": True} | ({} if dialect.models_path != "/v1/models" else {"partial_images": partial})
    return ImageOrder(path=path, model=model, size=size, quality=quality, values=values, parts=parts)


def partial_images(dialect: Dialect, facts: Facts, model: str, options: Mapping[str, str]) -> int:
    """Return how many previews to ask for."""
    can = dialect.streams and (facts.streaming is None or model in facts.streaming)
    return number_of(options, "partial_images", 0) if can else 0


def per_request(dialect: Dialect, facts: Facts, model: str, options: Mapping[str, str]) -> int:
    """Return how many pictures go into one request."""
    if partial_images(dialect, facts, model, options):  # a stream does not tell whose preview it is
        return 1
    return dialect.max_n if facts.knows(model, "n") else 1


def size_for(request: GenerationRequest, dialect: Dialect, model: str, say: Say) -> tuple[int, int]:
    """Return the size to ask for: what a request says, bent to what the model draws."""
    asked = (request.width, request.height)
    if dialect.is_paid and HAS_FIXED_SIZES.match(model):
        size = min(FIXED_SIZES, key=lambda fixed: abs(math.log(fixed[0] / fixed[1] * asked[1] / asked[0])))
    elif dialect.sizing == "ratio":
        return asked  # a ratio is not a size: the picture says how large it is
    else:
        size = _within(asked, dialect)
    if size != asked:
        say(
            _(
                "size {width}×{height} → {wide}×{high}, as {model} takes",
                width=asked[0],
                height=asked[1],
                wide=size[0],
                high=size[1],
                model=model,
            )
        )
    return size


def _within(asked: tuple[int, int], dialect: Dialect) -> tuple[int, int]:
    """Scale a size into a model's limits of pixels, on its grid; no side is more than three times the other there."""
    width, height = asked
    if not dialect.min_pixels:
        return asked
    width, height = max(width, math.ceil(height / 3)), max(height, math.ceil(width / 3))
    grid = dialect.size_grid
    least, most = dialect.min_pixels, dialect.max_pixels
    factor = max(1.0, math.sqrt(least / (width * height)))
    factor = min(factor, math.sqrt(most / (width * height))) if width * height > most else factor
    if factor > 1:
        return math.ceil(width * factor / grid) * grid, math.ceil(height * factor / grid) * grid
    return int(width * factor / grid) * grid or grid, int(height * factor / grid) * grid or grid


def _size_words(size: tuple[int, int], dialect: Dialect, facts: Facts, model: str) -> dict[str, Any]:
    if dialect.sizing == "sides":
        return {"width": size[0], "height": size[1]}
    if dialect.sizing == "size":
        return {"size": f"{size[0]}x{size[1]}"}
    words: dict[str, Any] = {}
    if facts.knows(model, "aspect_ratio"):
        words["aspect_ratio"] = ratio_for(size, dialect.ratios)
    if facts.knows(model, "resolution"):
        longer = max(size)
        words["resolution"] = min(dialect.resolutions, key=lambda entry: abs(math.log(entry[1] / longer)))[0]
    return words


def ratio_for(size: tuple[int, int], ratios: tuple[str, ...]) -> str:
    """Return the ratio of a list that is nearest to a size."""

    def distance(ratio: str) -> float:
        wide, __, high = ratio.partition(":")
        return abs(math.log(float(wide) / float(high) * size[1] / size[0]))

    return min(ratios, key=distance)


def picture_quality(dialect: Dialect, facts: Facts, model: str, options: Mapping[str, str]) -> str:
    if not dialect.qualities or not facts.knows(model, "quality"):
        return ""
    wanted = option_of(options, "quality", DEFAULT_QUALITY)
    if HAS_FIXED_SIZES.match(model) and wanted in {"xhigh", "max"}:
        return "high"
    return wanted if wanted in dialect.qualities else dialect.qualities[-1]


def _looks(dialect: Dialect, facts: Facts, model: str, options: Mapping[str, str]) -> dict[str, str]:
    looks = {}
    if dialect.output_formats and facts.knows(model, "output_format"):
        wanted = option_of(options, "output_format", dialect.output_formats[0])
        looks["output_format"] = wanted if wanted in dialect.output_formats else dialect.output_formats[0]
    background = option_of(options, "background", "auto")
    if dialect.has_background and background != "auto":
        looks["background"] = background
    moderation = option_of(options, "moderation", "auto")
    if dialect.has_moderation and moderation != "auto":
        looks["moderation"] = moderation
    return looks


def _extras(
    request: GenerationRequest, dialect: Dialect, facts: Facts, model: str, say: Say
) -> Iterator[tuple[str, Any]]:
    """Yield what goes beyond OpenAI's own fields, under the server's names; what it cannot be told is said."""
    given: dict[str, Any] = {
        "seed": request.seed, "steps": request.steps, "cfg_scale": request.cfg_scale, "guidance": request.guidance,
    }  # fmt: skip
    if dialect.negative == "field":
        given["negative_prompt"] = request.negative_prompt or None
    if request.mode is not Mode.TXT2IMG and request.denoising_strength is not None:
        given["denoising_strength"] = request.denoising_strength
    for name, value in given.items():
        if value is None:
            continue
        theirs = dialect.fields.get(name)
        if theirs and facts.knows(model, theirs):
            yield theirs, value
        elif name == "denoising_strength":
            say(_("denoising strength ignored: {title} goes by the words", title=dialect.title))


def _with_negative(values: dict[str, Any], request: GenerationRequest, dialect: Dialect) -> dict[str, Any]:
    unwanted = request.negative_prompt
    if not unwanted or dialect.negative == "field":
        return values
    prompt = values["prompt"]
    avoided = f"{prompt}\nAvoid: {unwanted}."  # no text: a prompt
    written = f"{prompt}|{unwanted}" if dialect.negative == "bar" else avoided
    return {**values, "prompt": written}


def _with_extras(values: dict[str, Any], extras: dict[str, Any], dialect: Dialect) -> dict[str, Any]:
    if not dialect.is_in_prompt:
        return {**values, **extras}
    nested: dict[str, Any] = {}
    for path, value in extras.items():
        *outer, last = path.split(".")
        place = nested
        for step in outer:
            place = place.setdefault(step, {})
        place[last] = value
    prompt = f"{values['prompt']} <sd_cpp_extra_args>{json.dumps(nested)}</sd_cpp_extra_args>"
    return {**{key: value for key, value in values.items() if key != "model"}, "prompt": prompt}


def _pictures(request: GenerationRequest, dialect: Dialect) -> tuple[dict[str, Any], tuple[Part, ...]]:
    sources = [_checked(image) for image in (request.init_image, *request.more_images)]
    if dialect.edits == "references":
        listed = [{"type": "image_url", "image_url": {"url": _data_url(source.data)}} for source in sources]
        return {"input_references": listed}, ()
    if dialect.edits == "file":
        return {"file": base64.b64encode(sources[0].data).decode()}, ()
    parts = [
        (dialect.image_field, (f"picture{place}{_end(source.data)}", source.data, _type(source.data)))
        for place, source in enumerate(sources)
    ]
    mask = request.mask_image
    if request.mode is Mode.INPAINT and mask is not None:
        data = erased_where_white(mask.data) if dialect.mask == "alpha" else mask.data
        parts.append(("mask", ("mask.png", data, PNG)))
    return {}, tuple(parts)


def _checked(image: SourceImage | None) -> SourceImage:
    if image is None or not image.data:
        raise RequestRejected(_("The picture to work on is missing."), field="image", hint=_("Attach it once more."))
    if len(image.data) > MAX_SOURCE_BYTES:
        raise RequestRejected(
            _("The picture to work on is larger than {most} MB.", most=MAX_SOURCE_BYTES // 1024**2),
            field="image",
            hint=_("Send a smaller one."),
        )
    return image


def _type(data: bytes) -> str:
    return next((kind for start, kind in SIGNATURES if data.startswith(start)), PNG)


def _end(data: bytes) -> str:
    return f".{_type(data).removeprefix('image/')}"


def _data_url(data: bytes) -> str:
    return f"data:{_type(data)};base64,{base64.b64encode(data).decode()}"


def _word(value: Any) -> str:
    """Return a value as a form has it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
