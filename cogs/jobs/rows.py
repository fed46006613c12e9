"""The buttons under a job, in each of its states: at most three rows, made for a phone 390 px wide."""

from cogs.cards import Button, Row
from cogs.jobs.context import CardContext, OtherEngine
from cogs.jobs.more import (
    BUTTONS_OF_PICKS,
    count_of,
    is_of_reply,
    is_shareable,
    is_single,
    is_still,
    more_menu,
)
from generation.job import Hold, Job, JobView
from generation.money import dollars
from generation.quick import is_unfinished
from texts.text import _
from utils.text import cut

BUTTONS_OF_A_ROW = 5
ENGINE_CHARS = 16  # of an engine's name on a button
GRID = 4  # pictures of a batch that each have a button to pick them and one to vary them
# the same request would be refused for the same reason, so it is not offered to be run again
FAILS_AGAIN = frozenset({"request_rejected", "not_capable", "content_blocked"})


def waiting_rows(view: JobView, context: CardContext) -> tuple[Row, ...]:
    """Return what can be done with what waits or runs; while its engine is down, how to go on without it."""
    job = view.job
    if view.hold is Hold.DOWN or view.away is not None:
        return _down_rows(job, context)
    first = (
        Button(action="cancel", job_id=job.id, label=_("Cancel"), emoji="✖️"),
        Button(action="edit", job_id=job.id, label=_("Edit"), emoji="✏️"),
    )
    return (first, _way_back(job)) if is_of_reply(job) else (first,)


def _down_rows(job: Job, context: CardContext) -> tuple[Row, ...]:
    idle = next((other for other in context.others if other.is_idle), next(iter(context.others), None))
    elsewhere = (draw_on(job, idle),) if idle else ()
    row = (
        *elsewhere,
        Button(action="wait", job_id=job.id, label=_("Wait"), emoji="⏳"),
        Button(action="cancel", job_id=job.id, label=_("Cancel"), emoji="✖️"),
    )
    return row, (Button(action="edit", job_id=job.id, label=_("Edit"), emoji="✏️"),)


def _way_back(job: Job) -> tuple[Button, ...]:
    return (Button(action="meant", job_id=job.id, label=_("Not what I meant"), emoji="↩️"),)


def after_rows(job: Job, context: CardContext) -> tuple[Row, ...]:
    """Return what helps where there is no picture."""
    row = [Button(action="edit", job_id=job.id, label=_("Edit"), emoji="✏️")]
    if job.error is None or job.error.code not in FAILS_AGAIN:
        row.insert(0, Button(action="reroll", job_id=job.id, label=_("Run again"), emoji="🎲"))
    row.append(Button(action="delete", job_id=job.id, emoji="🗑️"))
    repairs = []
    if job.error and job.error.code in {"timed_out", "out_of_memory"}:
        repairs.append(Button(action="smaller", job_id=job.id, label=_("Try smaller"), emoji="🔽"))
    if context.others and job.error:
        repairs.append(draw_on(job, context.others[0]))
    rows: tuple[Row, ...] = (tuple(row), tuple(repairs)) if repairs else (tuple(row),)
    return (*rows, _way_back(job)) if is_of_reply(job) else rows


def draw_on(job: Job, other: OtherEngine) -> Button:
    label = _("Draw on {engine}", engine=cut(other.label, ENGINE_CHARS))
    return Button(action="flux", job_id=job.id, label=other.named(label), emoji="⚡", argument=other.name)


def _price(other: OtherEngine) -> str:
    return dollars(other.usd) if other.usd else ""


def done_rows(job: Job, context: CardContext) -> tuple[Row, ...]:
    """Return what can be done with a picture, or with several."""
    rows = _single(job, context) if count_of(job) <= 1 else _batch(job, context)
    return (*rows, more_menu(job, context))


def _single(job: Job, context: CardContext) -> tuple[Row, ...]:
    again = [
        Button(action="reroll", job_id=job.id, label=_("Re-roll"), emoji="🎲", style="primary"),
        Button(action="edit", job_id=job.id, label=_("Remix"), emoji="✏️"),
    ]
    if count_of(job) == 1 and is_still(job) and context.can_vary:
        again.append(
            Button(action="vary", job_id=job.id, label=_("Vary"), emoji="🪄", argument=str(max(0, context.number - 1)))
        )
    if context.number:  # its job has others, too: what is done to it begins with picking it
        pick = Button(
            action="pick", job_id=job.id, label=f"U{context.number}", emoji="🖼️", argument=str(context.number - 1)
        )
        return tuple(again), (pick, Button(action="keep", job_id=job.id, emoji="⭐"))
    further = []
    if is_unfinished(job):
        further.append(Button(action="finish", job_id=job.id, label=_("Finish"), emoji="✨", argument="0"))
    elif is_single(job, context) and context.can_upscale:
        further.append(Button(action="picture", job_id=job.id, emoji="⬆️", argument="upscale"))
    if is_single(job, context) and context.can_zoom and not is_unfinished(job):
        further.append(Button(action="picture", job_id=job.id, emoji="🔭", argument="zoom"))
    if is_of_reply(job):
        further.append(Button(action="meant", job_id=job.id, emoji="↩️"))
    elif is_shareable(job, context):
        further.append(Button(action="share", job_id=job.id, emoji="📢"))
    elif flux := next((other for other in context.others if other.is_flux), None):
        further.append(Button(action="flux", job_id=job.id, label=_price(flux), emoji="⚡"))
    further.append(Button(action="keep", job_id=job.id, emoji="⭐"))
    further.append(Button(action="delete", job_id=job.id, emoji="🗑️"))
    return tuple(again), tuple(further)


def _batch(job: Job, context: CardContext) -> tuple[Row, ...]:
    """Return U1-U4 and V1-V4; of a larger batch each can be picked, and varied where it is picked.

    U1 of a draft is that picture in full.
    """
    count, pick = count_of(job), "finish" if is_unfinished(job) else "pick"
    reroll = Button(action="reroll", job_id=job.id, emoji="🎲")
    remix = Button(action="edit", job_id=job.id, emoji="✏️")
    picks = [
        Button(action=pick, job_id=job.id, label=f"U{number + 1}", argument=str(number))
        for number in range(min(count, BUTTONS_OF_PICKS))
    ]
    if count > GRID:
        return tuple(picks[:BUTTONS_OF_A_ROW]), (*picks[BUTTONS_OF_A_ROW:], reroll, remix)
    if not context.can_vary:
        return (*picks, reroll), (remix,)
    varied = [
        Button(action="vary", job_id=job.id, label=f"V{number + 1}", argument=str(number)) for number in range(count)
    ]
    return (*picks, reroll), (*varied, remix)
