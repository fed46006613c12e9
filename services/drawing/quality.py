"""`quality` and `style` as hosted image services take them: turned into steps and words, or noted as ignored."""

from dataclasses import replace
from typing import Final

from generation.errors import RequestRejected
from generation.request import Draft
from lazy import dataclass
from services.drawing.styles import StyleService
from services.engines.catalog import Engine
from texts.text import _

STYLES: Final = {
    "vivid": "vivid colors, dramatic lighting",  # no text: words of a prompt
    "natural": "natural colors, realistic look",  # no text: words of a prompt
}
QUALITY: Final = {"low": 0.5, "medium": 1.0, "standard": 1.0, "auto": 1.0, "high": 1.5, "hd": 1.5}


@dataclass(frozen=True, kw_only=True)
class Look:
    """The draft with it, and remarks."""

    draft: Draft
    notes: tuple[str, ...] = ()


async def with_style(draft: Draft, style: str | None, styles: StyleService) -> Draft:
    """Put a style into a prompt: one of the two that hosted services have, or a style preset.

    Raises:
        RequestRejected: there is no such style.
    """
    if not style:
        return draft
    if words := STYLES.get(style.casefold()):
        return replace(draft, prompt=f"{draft.prompt}, {words}")
    try:
        return replace(draft, prompt=await styles.apply(draft.prompt, [style]))
    except RequestRejected as error:
        hint = _("{hint} Or {styles}.", hint=error.hint, styles=" or ".join(STYLES))
        raise RequestRejected(error.user_message, field="style", hint=hint) from error


def with_quality(draft: Draft, quality: str | None, engine: Engine | None) -> Look:
    """Take more or fewer steps than the engine usually does.

    Args:
        draft: steps that were chosen stay.
        quality: one of `QUALITY`, or nothing.
        engine: the one that would draw, if it is known.

    Raises:
        RequestRejected: there is no such quality.
    """
    if not quality:
        return Look(draft=draft)
    share = QUALITY.get(quality.casefold())
    if share is None:
        wrong = _(
            "quality cannot be “{quality}”. Allowed: one of {names}.", quality=quality[:40], names=", ".join(QUALITY)
        )
        raise RequestRejected(wrong, field="quality")
    if share == 1.0:
        return Look(draft=draft)
    if draft.steps is not None:
        return Look(draft=draft, notes=(_("quality {quality} ignored: steps were given", quality=quality),))
    usual = _usual_steps(engine)
    if usual is None:
        return Look(
            draft=draft, notes=(_("quality {quality} ignored: the engine has no steps to choose", quality=quality),)
        )
    steps = max(1, round(usual * share))
    note = _("quality {quality}: {steps} steps instead of {usual}", quality=quality, steps=steps, usual=usual)
    return Look(draft=replace(draft, steps=steps), notes=(note,))


def _usual_steps(engine: Engine | None) -> int | None:
    offered = engine.capabilities if engine else None
    return offered.default_steps if offered and offered.supports_steps else None
