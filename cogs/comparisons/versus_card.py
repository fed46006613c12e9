"""The message of two prompts side by side: values in, a `Card` out. A line for each side, the vote, one sheet."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

from cogs.cards import Button, Card, CardPicture, Row
from cogs.comparisons.card import ID_PREFIX, LINE_CHARS, StopButton, state_line
from cogs.jobs.card import timestamp
from cogs.plain import escape, label
from constants import DISCORD_ALT_TEXT_CHARS, DISCORD_CONTENT_CHARS
from generation.job import JobStatus, JobView
from lazy import dataclass
from services.drawing.compare import Contender
from services.drawing.versus import SIDES, Ballot
from texts.text import _, _n, joined
from utils.text import cut

VOTE: Final = "vote"
END: Final = "end"
PROMPT_CHARS: Final = 150
EMOJI: Final = {"A": "🅰️", "B": "🅱️"}


@dataclass(frozen=True, kw_only=True)
class VoteButton(Button):
    """Votes, or ends a vote; the id of the vote stands where a job's would."""

    @property
    def custom_id(self) -> str:
        return f"{ID_PREFIX}:{self.action}:{self.job_id}" + (f":{self.argument}" if self.argument else "")


def card(
    ballot_id: str,
    views: Sequence[JobView],
    ballot: Ballot | None,
    now: datetime,
    pictures: tuple[CardPicture, ...] = (),
) -> Card:
    """Draw both sides as they stand now.

    Args:
        ballot_id: what the buttons belong to.
        views: the jobs of A and B.
        ballot: the vote; None where there is none, for one side has failed.
        now: wall time.
        pictures: the sheet, when both have ended.
    """
    user_id = views[0].job.origin.user_id
    lines = [_("**Which is better?** — <@{user}>", user=user_id)]
    lines += [cut(_side_line(side, view, now), LINE_CHARS) for side, view in zip(SIDES, views, strict=False)]
    is_over = all(view.job.is_terminal for view in views)
    if ballot is not None and ballot.opened_at is not None:
        lines.append(_vote_line(ballot, now))
    lines.append(_small_print(views))
    rows: tuple[Row, ...] = ((StopButton(action="cancel", job_id=ballot_id, label=_("Cancel"), emoji="✖️"),),)
    if is_over:
        rows = (*_vote_rows(ballot_id, ballot, now), *_picks(views))
    return Card(content=cut(joined("\n", lines), DISCORD_CONTENT_CHARS), rows=rows, pictures=pictures)


def alt_text(views: Sequence[JobView]) -> str:
    """Describe the sheet for a screen reader."""
    sides = [
        _("{side}: {prompt}", side=side, prompt=view.job.request.prompt)
        for side, view in zip(SIDES, views, strict=False)
        if view.job.status is JobStatus.DONE
    ]
    is_all_ai = not any(view.job.result is not None and view.job.result.is_by_rules for view in views)
    kind = _("AI images") if is_all_ai else _("Images")
    return label(_("{kind} side by side. {sides}", kind=kind, sides=joined("; ", sides)), DISCORD_ALT_TEXT_CHARS)


def counted(ballot: Ballot) -> str:
    """Return how a vote stands."""
    return _("A {for_a} · B {for_b}", for_a=ballot.for_a, for_b=ballot.for_b)


def _side_line(side: str, view: JobView, now: datetime) -> str:
    words = cut(view.job.request.prompt, PROMPT_CHARS) or _("its words were deleted")
    if view.job.status is not JobStatus.DONE:
        words = _("{side}: {prompt}", side=side, prompt=words)
    return state_line(Contender(lane=view.job.lane, label=words, job_id=view.job.id), view, side, now)


def _vote_line(ballot: Ballot, now: datetime) -> str:
    if ballot.is_open(now) and ballot.closes_at is not None:
        return _("🗳️ {count} · until {timestamp}", count=counted(ballot), timestamp=timestamp(ballot.closes_at))
    if not ballot.for_a and not ballot.for_b:
        return _("🏁 The vote is over. Nobody has voted.")
    if ballot.for_a == ballot.for_b:
        return _n("🏁 A draw: one vote each.", "🏁 A draw: {count} votes each.", count=ballot.for_a)
    most, least = max(ballot.for_a, ballot.for_b), min(ballot.for_a, ballot.for_b)
    winner = "A" if ballot.for_a > ballot.for_b else "B"
    return _("🏁 **{winner} is better**, by {most} to {least}.", winner=winner, most=most, least=least)


def _small_print(views: Sequence[JobView]) -> str:
    engines = dict.fromkeys(escape(view.job.result.backend) for view in views if view.job.result)
    seed = _("the same seed for both: {seed}", seed=views[0].job.request.seed)
    return joined(" · ", ["-# " + seed, *engines])


def _vote_rows(ballot_id: str, ballot: Ballot | None, now: datetime) -> tuple[Row, ...]:
    if ballot is None or not ballot.is_open(now):
        return ()
    side = VoteButton(action=VOTE, job_id=ballot_id, style="primary")
    sides = tuple(replace(side, label=name, emoji=EMOJI[name], argument=name.lower()) for name in SIDES)
    return ((*sides, VoteButton(action=END, job_id=ballot_id, label=_("End the vote"), emoji="🏁")),)


def _picks(views: Sequence[JobView]) -> tuple[Row, ...]:
    """Offer each picture as its file, and to go on from it."""
    done = [(side, view.job.id) for side, view in zip(SIDES, views, strict=False) if view.job.status is JobStatus.DONE]
    files = [
        Button(action="pick", job_id=job_id, label=_("Open {side}", side=side), argument="0") for side, job_id in done
    ]
    forms = [
        Button(action="edit", job_id=job_id, label=_("Remix {side}", side=side), emoji="✏️") for side, job_id in done
    ]
    return (tuple(files), tuple(forms)) if done else ()
