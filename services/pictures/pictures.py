"""Work on a picture that somebody has: read how it was made, and draw on beyond its edges."""

import math
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from constants import DEFAULT_OUTPAINT_STRENGTH, MAX_PROMPT_CHARS
from generation.errors import RequestRejected
from generation.fields import FIELDS, RANGES, Field, Kind
from generation.job import Job
from generation.lora_tags import take_lora_tags
from generation.options import MAX_LORA_WEIGHT, MAX_STYLES, as_checked, validate
from generation.request import FROM_PICTURE_ALONE, Draft, HiresFix, Lora, Mode, Pan, SourceImage
from generation.several_pictures import in_order
from generation.values import changed
from texts.text import _
from utils import canvas
from utils.foreign_settings import settings_in
from utils.images import is_animation
from utils.infotext import Infotext
from utils.masks import HINT as MASK_HINT
from utils.masks import mask_anew
from utils.picture_texts import texts_of
from utils.pixels import BadImage
from utils.text import cut
from utils.threads import run_in_thread

PAN: Final = 0.5  # of the picture's own width or height is added
VALUE_CHARS: Final = 80  # of a value that is only named
MOST_UNUSED: Final = 20
SAYS_NOTHING: Final = _("This picture does not say how it was made.")
FIRST_ONLY: Final = _("only the first picture of the animation is used")
SAME_SCENE: Final = _("the same scene, continued")


class PictureSource(Protocol):
    """The part of the media store that is needed here."""

    async def load(self, source: SourceImage) -> SourceImage: ...

    async def keep_input(self, data: bytes) -> SourceImage: ...

    async def size_of(self, source: SourceImage) -> tuple[int, int]: ...


async def parameters_in(data: bytes) -> Infotext | None:
    """Return what a picture says of its making; None where it says nothing, or is no picture.

    Read are the texts of the programs in `utils.foreign_settings`, and our own.
    """
    return await run_in_thread(_settings_of, data)


async def left_of(data: bytes) -> tuple[str, ...]:
    """Return a remark where a picture that somebody brought has more in it than is used."""
    return (FIRST_ONLY,) if await run_in_thread(is_animation, data) else ()


def draft_from(infotext: Infotext) -> Draft:
    """Return how a picture was made as if somebody had said it; values that cannot be are passed over."""
    given = infotext.parameters
    hires = _hires(given)
    loras: list[Lora] = []
    prompt = take_lora_tags(infotext.prompt, loras, is_strict=False)[:MAX_PROMPT_CHARS]
    width, height = _whole(given, "Size-1", "width"), _whole(given, "Size-2", "height")
    values = {field.name: _value(given, field) for field in FIELDS if field.infotext}
    if hires:  # the strength is that of its second pass, not of a picture to go on from
        values["denoising_strength"] = None
    return Draft(
        prompt=prompt,
        negative_prompt=infotext.negative_prompt[:MAX_PROMPT_CHARS] or None,
        width=width if height else None,
        height=height if width else None,
        loras=tuple(lora for lora in loras if abs(lora.weight) <= MAX_LORA_WEIGHT),
        hires=hires,
        **values,
    )


def _value(given: Mapping[str, str], field: Field) -> Any:
    """Return what is said of a field, None (or nothing, of several) where it says nothing that can be."""
    text = given.get(field.infotext, "").strip()
    if field.kind in (Kind.INTEGER, Kind.SEED):
        return _whole(given, field.infotext, field.name)
    if field.kind in (Kind.NUMBER, Kind.FACTOR):
        return _number(given, field.infotext, field.name)
    if field.kind is Kind.NAMES:
        return tuple(name for name in text.split(", ") if name)[:MAX_STYLES]
    if field.kind is Kind.FLAG:
        return text.casefold() == "true" or None
    if field.kind is Kind.CHOICE:
        return next((choice for choice in field.choices if choice == text.casefold()), None)
    return given.get(field.infotext) or None


def unused_in(infotext: Infotext) -> tuple[str, ...]:
    """Return what a picture says of its making that a draft cannot hold, each with its value."""
    draft = draft_from(infotext)
    left: list[str] = []
    for key, value in infotext.parameters.items():
        name = _USED.get(key)
        is_taken = key in _ABOUT or key.endswith(_HASHES) or (name is not None and getattr(draft, name) is not None)
        if not is_taken and not (key == "Denoising strength" and draft.hires):
            left.append(f"{key} {cut(value, VALUE_CHARS)}")
    return tuple(left[:MOST_UNUSED])


def known_of(job: Job | None, info: Infotext | None) -> Draft:
    """Return what of a picture's making helps to go on from it; a picture of elsewhere brings only its words."""
    if job is not None:
        known = {field.name: getattr(job.request, field.name) for field in FIELDS if field.is_handed_on}
        return Draft(**known | {"negative_prompt": job.request.negative_prompt or None})
    draft = drawable(info) if info else Draft()
    return Draft(prompt=draft.prompt, negative_prompt=draft.negative_prompt)


def drawable(info: Infotext) -> Draft:
    """Read parameters as something to draw from words alone: in one line, at the size before it was upscaled."""
    draft = draft_from(info)
    try:
        factor = max(1.0, float(info.parameters.get("Upscale factor", 1)))
    except ValueError:
        factor = 1.0
    return changed(
        draft,
        prompt=" ".join(draft.prompt.split()),
        negative_prompt=" ".join((draft.negative_prompt or "").split()) or None,
        width=round(draft.width / factor) if draft.width else None,
        height=round(draft.height / factor) if draft.height else None,
        denoising_strength=None,
    )


async def made_from(changes: Draft, source: SourceImage, data: bytes, job: Job | None) -> tuple[Draft, tuple[str, ...]]:
    """Lay `changes` over what is known of a picture: the job that made it, or what its file says."""
    known = known_of(job, None if job else await parameters_in(data))
    if changes.mode in FROM_PICTURE_ALONE:
        return changed(changes.over(Draft(prompt=known.prompt)), init_image=source), ()
    draft = changed(changes.over(known), init_image=source)
    if draft.prompt:
        return draft, ()
    note = _("no words were given or found in the picture: drawn as “{same_scene}”", same_scene=SAME_SCENE)
    return changed(draft, prompt=SAME_SCENE), (note,)


async def with_pictures(draft: Draft, media: PictureSource) -> tuple[Draft, tuple[str, ...]]:
    """Make the pictures of a draft ready: continued where that is wanted, measured, picture and mask going together.

    Returns:
        The draft, and remarks on what was changed.

    Raises:
        RequestRejected: a picture is missing, or cannot be read or kept, or the mask does not go with it.
    """
    notes: list[str] = []
    draft = await measured(await outpainting(in_order(draft), media, notes.append), media)
    if draft.init_image is None or draft.mask_image is None or draft.mode not in (None, Mode.INPAINT):
        return draft, tuple(notes)
    picture, mask = await media.load(draft.init_image), await media.load(draft.mask_image)
    try:
        read = await run_in_thread(mask_anew, picture.data, mask.data)
    except BadImage as error:
        raise RequestRejected(str(error), field="mask_image", hint=MASK_HINT) from error
    if read is not None:
        draft = as_checked(changed(draft, mask_image=await media.keep_input(read)), draft)
    return draft, tuple(notes)


async def measured(draft: Draft, media: PictureSource) -> Draft:
    """Look up the sizes of a draft's pictures, which nothing stored knows.

    Raises:
        RequestRejected: one of them has expired.
    """
    draft = in_order(draft)
    found = changed(
        draft,
        init_image=await _measured(draft.init_image, media) if draft.init_image else None,
        more_images=tuple([await _measured(image, media) for image in draft.more_images]),
        control=tuple([changed(unit, image=await _measured(unit.image, media)) for unit in draft.control]),
    )
    return as_checked(found, draft)


async def _measured(source: SourceImage, media: PictureSource) -> SourceImage:
    if source.width:
        return source
    width, height = await media.size_of(source)
    return changed(source, width=width, height=height)


async def outpainting(draft: Draft, media: PictureSource, say: Callable[[str], None] = lambda note: None) -> Draft:
    """Turn `zoom` and `pan` into a picture on a larger canvas with a mask, for every engine that can inpaint.

    `say` takes a remark on what was changed.

    Raises:
        RequestRejected: there is no picture, or it cannot be read or kept.
    """
    if draft.zoom is None and draft.pan is None:
        return draft
    validate(draft)
    if draft.init_image is None:
        raise RequestRejected(
            _("Zoom and pan need a picture to go on from. Attach one, or reply to one."), field="init_image"
        )
    margin = ((draft.zoom or 1.0) - 1) / 2
    margins = {side: margin + (PAN if draft.pan is pan else 0) for side, pan in _SIDES.items()}
    source = await media.load(draft.init_image)
    try:
        extended = await run_in_thread(canvas.extend_canvas, source.data, **margins, grows=draft.zoom is None)
    except BadImage as error:
        raise RequestRejected(str(error), field="init_image") from error
    picture = await media.keep_input(extended.picture)
    strength = DEFAULT_OUTPAINT_STRENGTH if draft.denoising_strength is None else draft.denoising_strength
    draft = changed(
        draft,
        mode=Mode.INPAINT,
        init_image=picture,
        mask_image=await media.keep_input(extended.mask),
        denoising_strength=strength,
        zoom=None,
        pan=None,
    )
    for note in extended.notes:
        say(note)
    if draft.width or draft.height or draft.aspect:
        return draft
    return changed(draft, width=picture.width, height=picture.height, is_source_size=True)


_SIDES: Final = {"left": Pan.LEFT, "top": Pan.UP, "right": Pan.RIGHT, "bottom": Pan.DOWN}


_USED: Final = {field.infotext: field.name for field in FIELDS if field.infotext} | {
    "Size-1": "width", "Size-2": "height", "Hires upscale": "hires", "Hires steps": "hires", "Hires upscaler": "hires",
    "Hires resize-1": "hires", "Hires resize-2": "hires",
}  # fmt: skip
_ABOUT: Final = frozenset({"App", "Engine", "Version", "Upscale factor"})
_HASHES: Final = ("hash", "hashes", "Hashes")


def _settings_of(data: bytes) -> Infotext | None:
    return settings_in(texts_of(data))


def _hires(given: Mapping[str, str]) -> HiresFix | None:
    factor = _number(given, _("Hires upscale"), "hires")
    if not factor:  # A1111 writes the one or the other, Forge both with a zero
        wide, narrow = _whole(given, _("Hires resize-1"), "width"), _whole(given, "Size-1", "width")
        tall, short = _whole(given, _("Hires resize-2"), "height"), _whole(given, "Size-2", "height")
        ratios = [large / small for large, small in ((wide, narrow), (tall, short)) if large and small]
        factor = (
            round(max(ratios), 3) if ratios and RANGES["hires"].low <= max(ratios) <= RANGES["hires"].high else None
        )
    if factor is None:
        return None
    hires = HiresFix(
        factor=factor,
        steps=_whole(given, _("Hires steps"), "steps"),
        upscaler=given.get("Hires upscaler") or None,
    )
    strength = _number(given, _("Denoising strength"), "denoising_strength")
    return hires if strength is None else changed(hires, denoising_strength=strength)


def _number(given: Mapping[str, str], key: str, field: str) -> float | None:
    """Return a value that lies in the range of `field`, else None."""
    try:
        value = float(given.get(key, ""))
    except ValueError:
        return None
    allowed = RANGES[field]
    return value if math.isfinite(value) and allowed.low <= value <= allowed.high else None


def _whole(given: Mapping[str, str], key: str, field: str) -> int | None:
    text = given.get(key, "").strip()
    if text.isascii() and text.isdecimal() and len(text) <= 20:  # a float holds a seed of 64 bits only nearly
        return int(text) if RANGES[field].low <= int(text) <= RANGES[field].high else None
    value = _number(given, key, field)
    return int(value) if value is not None and value.is_integer() else None
