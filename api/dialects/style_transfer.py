"""The style of one picture on the content of another: by the engine where it can, else by palette and tonality."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Final

from api.context import Web
from api.dialects.asking import engines_of
from generation.errors import RequestRejected
from generation.request import ControlUnit, Draft, Mode, SourceImage
from services.engines.catalog import Engine
from services.people.access import Caller
from utils.images import BadImage
from utils.palettes import with_palette_of
from utils.threads import run_in_thread

NOTE: Final = "style transfer"  # every such job has a note that begins so
KINDS: Final = ("ip-adapter", "reference")  # of ControlNet; the first is the closer to a style
PROMPT: Final = "the same scene in the style of the reference picture"


@dataclass(frozen=True, kw_only=True)
class Styled:
    """The draft that does it, and how, in words."""

    draft: Draft
    note: str


async def styled(
    web: Web, caller: Caller, draft: Draft, content: SourceImage, style: SourceImage, *, strength: float, kept: float
) -> Styled:
    """Turn two pictures into a draft.

    Args:
        web: the services.
        caller: whose engines may be used.
        draft: what else was said.
        content: what the picture shows.
        style: how it looks.
        strength: 0..1, how much of the style is wanted.
        kept: 0..1, how much of the content stays.

    Raises:
        RequestRejected: a number is out of its range, or a picture cannot be read.
    """
    for field, value in (("styleStrength", strength), ("contentStrength", kept)):
        if not 0 <= value <= 1:
            raise RequestRejected(f"{field} cannot be {value:g}. Allowed: 0 to 1.", field=field)
    draft = replace(draft, mode=Mode.IMG2IMG, denoising_strength=1 - kept)
    named = web.services.catalog.engine(draft.backend, caller.user_id, None) if draft.backend else None
    if found := _able([named] if named else engines_of(web, caller)):
        engine, kind = found
        unit = ControlUnit(kind=kind, image=style, weight=strength)
        draft = replace(draft, init_image=content, control=(unit,), backend=engine.name)
        return Styled(draft=draft, note=f"{NOTE}: by {engine.label} itself, with its ControlNet for {kind}")
    try:
        moved = await run_in_thread(with_palette_of, content.data, style.data, strength)
    except BadImage as error:
        raise RequestRejected(str(error), field="styleImage") from error
    draft = replace(draft, init_image=await web.services.media.take_input(moved))
    how = "no engine here takes a style picture, so its palette and tonality were moved onto the content picture first"
    return Styled(draft=draft, note=f"{NOTE}: {how}, which was then drawn over")


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
