"""`quality` and `style` as hosted image services take them: turned into steps and words, or said to be ignored."""

from dataclasses import dataclass, replace
from typing import Final

from api.context import Web
from api.dialects.asking import engines_of
from generation.errors import RequestRejected
from generation.request import Draft
from services.people.access import Caller

STYLES: Final = {
    "vivid": "vivid colors, dramatic lighting",
    "natural": "natural colors, realistic look",
}
QUALITY: Final = {"low": 0.5, "medium": 1.0, "standard": 1.0, "auto": 1.0, "high": 1.5, "hd": 1.5}


@dataclass(frozen=True, kw_only=True)
class Look:
    """The draft with it, and remarks."""

    draft: Draft
    notes: tuple[str, ...] = ()


async def with_look(web: Web, caller: Caller, draft: Draft, *, quality: str | None, style: str | None) -> Look:
    """Put a quality and a style into a draft; `style` may be one of the style presets, too.

    Raises:
        RequestRejected: there is no such quality or style.
    """
    notes: list[str] = []
    if style:
        words = STYLES.get(style.casefold())
        prompt = f"{draft.prompt}, {words}" if words else await _preset(web, draft.prompt, style)
        draft = replace(draft, prompt=prompt)
    if quality:
        share = QUALITY.get(quality.casefold())
        if share is None:
            right = f"one of {', '.join(QUALITY)}"
            raise RequestRejected(f"quality cannot be “{quality[:40]}”. Allowed: {right}.", field="quality")
        steps = _usual_steps(web, caller, draft)
        if share == 1.0:
            pass
        elif draft.steps is not None or steps is None:
            why = "steps were given" if draft.steps is not None else "the engine has no steps to choose"
            notes.append(f"quality {quality} ignored: {why}")
        else:
            draft = replace(draft, steps=max(1, round(steps * share)))
            notes.append(f"quality {quality}: {draft.steps} steps instead of {steps}")
    return Look(draft=draft, notes=tuple(notes))


async def _preset(web: Web, prompt: str, style: str) -> str:
    try:
        return await web.services.records.styles.apply(prompt, [style])
    except RequestRejected as error:
        hint = f"{error.hint} Or {' or '.join(STYLES)}."
        raise RequestRejected(error.user_message, field="style", hint=hint) from error


def _usual_steps(web: Web, caller: Caller, draft: Draft) -> int | None:
    """Return what the engine draws with when nothing is said; None where it has no steps."""
    named = web.services.catalog.engine(draft.backend, caller.user_id, None) if draft.backend else None
    known = [one.capabilities for one in ([named] if named else engines_of(web, caller)) if one.capabilities]
    return known[0].default_steps if known and known[0].supports_steps else None
