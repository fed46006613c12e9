"""The caps of a server, applied to a request: what nobody said is bent to them, what somebody said is refused."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from generation.caps import Allowance, OverCap
from generation.job import Job, Origin
from generation.options import as_checked
from generation.request import Draft, Priority
from generation.values import changed
from lazy import dataclass
from services.drawing.choosing import Candidate
from services.moderation.caps import CapService
from texts.text import _

MOST_BENT: Final = 3  # size, steps and batch

Options = Callable[[Draft, Origin], Awaitable[tuple[Draft, list[Candidate]]]]


@dataclass(frozen=True, kw_only=True)
class Capped:
    """A request within its caps: the draft as it is submitted, and the engines for it."""

    draft: Draft
    origin: Origin
    options: list[Candidate]
    weight: float = 1.0  # of its turn in the queue


async def capped(
    draft: Draft, origin: Origin, options: Options, *, caps: CapService | None, pending: Sequence[Job]
) -> Capped:
    """Return a request within the caps that hold for it; `pending`: jobs of the same request before it.

    Raises:
        OverCap, LimitReached: it is more than this person may ask for here.
    """
    origin = changed(origin, priority=draft.priority or Priority.NORMAL)
    if caps is None:
        draft, found = await options(draft, origin)
        return Capped(draft=draft, origin=origin, options=found)
    origin = await caps.placed(origin)
    allowance, asked = await caps.allowance(origin), draft
    if origin.priority is Priority.HIGH:
        _check_urgent(allowance, origin)
    draft, found = await options(draft, origin)
    bent: list[OverCap] = []
    while (over := allowance.refusal(found[0].request)) is not None:
        if over.remedy is None or is_said(asked, over.field) or len(bent) == MOST_BENT:
            raise over
        bent.append(over)
        draft, found = await options(as_checked(over.remedy.over(draft), draft), origin)
    for over in bent:
        note = _("bent to the limits here: {reason:phrase}", reason=over.user_message)
        found = [option.noted(note) for option in found]
    await caps.check_amounts(origin, found[0].request, pending)
    origin = changed(origin, at_once=allowance.most("running"))
    return Capped(draft=draft, origin=origin, options=found, weight=allowance.weight)


def _check_urgent(allowance: Allowance, origin: Origin) -> None:
    """Refuse to let a request go before others' where nothing lets this person; keys are the owner's own."""
    if "priority" in allowance.limits or not origin.user_key.startswith("discord:"):
        return
    raise OverCap(
        _("`--priority high` is for people whom this server lets go first."),
        field="priority",
        remedy=Draft(priority=Priority.NORMAL),
        hint=_("Managers let a role with `/caps set`. Without it, your picture waits its turn."),
    )


def is_said(draft: Draft, field: str) -> bool:
    """Return whether somebody asked for the value of that field, which is not the engine's own then."""
    if field == "size":
        is_sized = bool(draft.width or draft.height) and not draft.is_source_size
        return is_sized or draft.upscale_factor is not None
    return getattr(draft, field) is not None
