"""The style of one picture on the content of another: by the engine where it can, else by palette and tonality."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from generation.errors import RequestRejected
from generation.request import ControlUnit, Draft, Mode, SourceImage
from lazy import dataclass
from services.engines.catalog import Engine
from services.pictures.media import MediaService
from texts.text import _
from utils.images import BadImage
from utils.palettes import with_palette_of
from utils.threads import run_in_thread

NOTE: Final = "style transfer"  # no text: every such job has a note that begins so
KINDS: Final = ("ip-adapter", "reference")  # of ControlNet; the first is the closer to a style
PROMPT: Final = "the same scene in the style of the reference picture"  # no text: a prompt


@dataclass(frozen=True, kw_only=True)
class StyleTransfer:
    """Two pictures, and how much of each is wanted: 0 nothing, 1 all of it."""

    content: SourceImage
    style: SourceImage
    style_strength: float
    content_strength: float


@dataclass(frozen=True, kw_only=True)
class Styled:
    """The draft that does it, and how, in words."""

    draft: Draft
    note: str


async def with_style_of(draft: Draft, asked: StyleTransfer, engines: Iterable[Engine], media: MediaService) -> Styled:
    """Turn two pictures into a draft.

    Args:
        draft: what else was said.
        asked: the pictures; its fields are named where one of them is refused.
        engines: those the draft may go to.
        media: keeps the picture that is drawn from.

    Raises:
        RequestRejected: a number is out of its range, or a picture cannot be read.
    """
    for field, value in (("style_strength", asked.style_strength), ("content_strength", asked.content_strength)):
        if not 0 <= value <= 1:
            raise RequestRejected(
                _("{field} cannot be {value:g}. Allowed: 0 to 1.", field=field, value=value), field=field
            )
    draft = replace(draft, mode=Mode.IMG2IMG, denoising_strength=1 - asked.content_strength)
    known = tuple(engines)
    if able := _able(known):
        engine, kind = able
        unit = ControlUnit(kind=kind, image=asked.style, weight=asked.style_strength)
        draft = replace(draft, init_image=asked.content, control=(unit,), backend=engine.name)
        note = _("style transfer: by {engine} itself, with its ControlNet for {kind}", engine=engine.label, kind=kind)
        return Styled(draft=draft, note=note)
    if restyling := next((engine for engine in known if _can_restyle(engine)), None):
        draft = replace(
            draft,
            mode=Mode.RESTYLE,
            init_image=asked.content,
            more_images=(asked.style,),
            denoising_strength=asked.style_strength,
            backend=restyling.name,
        )
        note = _("style transfer: by {engine}, which needs no words for it", engine=restyling.label)
        return Styled(draft=draft, note=note)
    try:
        moved = await run_in_thread(with_palette_of, asked.content.data, asked.style.data, asked.style_strength)
    except BadImage as error:
        raise RequestRejected(str(error), field="style") from error
    draft = replace(draft, init_image=await media.take_input(moved))
    note = _(
        "style transfer: no engine here takes a style picture, so its palette and tonality were moved onto the content "
        "picture first, which was then drawn over"
    )
    return Styled(draft=draft, note=note)


def _can_restyle(engine: Engine) -> bool:
    return bool(engine.capabilities and not engine.error and Mode.RESTYLE in engine.capabilities.modes)


def _able(engines: Iterable[Engine]) -> tuple[Engine, str] | None:
    """Return the first engine that takes a style picture, and the kind of ControlNet it does that with."""
    for engine in engines:
        offered = engine.capabilities
        if offered is None or engine.error or Mode.IMG2IMG not in offered.modes:
            continue
        kinds = {kind.casefold().replace("_", "-"): kind for kind in offered.control_kinds}
        for wanted in KINDS:
            if wanted in kinds:
                return engine, kinds[wanted]
    return None
