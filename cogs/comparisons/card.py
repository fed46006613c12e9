"""The message of a comparison: values in, a `Card` out. One line for each engine, one sheet of pictures."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from cogs.cards import Button, Card, CardPicture, Row
from cogs.jobs.card import MARKS, bar, head, prices_line, timestamp
from cogs.jobs.context import CardContext
from cogs.jobs.more import is_still, more_of
from cogs.plain import escape, label, sentence
from constants import DISCORD_ALT_TEXT_CHARS, DISCORD_CONTENT_CHARS
from generation.job import Job, JobStatus, JobView
from lazy import dataclass
from services.drawing.compare import Comparison, Contender
from texts.text import _, joined
from utils.text import cut, duration, ordinal

PROMPT_CHARS = 200
LINE_CHARS = 300
ID_PREFIX = "c1"
ContextOf = Callable[[Job], CardContext]


@dataclass(frozen=True, kw_only=True)
class StopButton(Button):
    """Cancels what is left of a comparison; its id stands where a job's would."""

    @property
    def custom_id(self) -> str:
        return f"{ID_PREFIX}:{self.action}:{self.job_id}"


def card(
    comparison: Comparison,
    views: Mapping[str, JobView],
    user_id: str,
    now: datetime,
    pictures: tuple[CardPicture, ...] = (),
    context_of: ContextOf = lambda job: CardContext(engine=job.lane),
) -> Card:
    """Draw a comparison as it stands now: the first line and the rows are those of any picture.

    Args:
        comparison: which engines, and their jobs.
        views: the newest state of each job, by its id.
        user_id: who asked.
        now: wall time.
        pictures: the sheet, when all have ended.
        context_of: what a card needs beside its job.
    """
    known = next((views[job_id].job for job_id in comparison.job_ids if job_id in views), None)
    lines = [head(known) if known else f"**{escape(cut(comparison.prompt, PROMPT_CHARS))}** — <@{user_id}>"]
    done = 0
    is_over = True
    for contender in comparison.contenders:
        view = views.get(contender.job_id)
        is_over = is_over and (view is None or view.job.is_terminal)
        done += int(view is not None and view.job.status is JobStatus.DONE)
        lines.append(cut(state_line(contender, view, str(done), now), LINE_CHARS))
    lines.append(_("-# the same seed everywhere: {seed}", seed=comparison.seed))
    rows: tuple[Row, ...] = (_stop(comparison),)
    if is_over:
        each = [(job, context_of(job)) for job in _done(comparison, views)]
        rows = _picks(each)
        lines += [
            f"-# **{number}** {prices}"
            for number, (__, context) in enumerate(each, 1)
            if (prices := prices_line(context.prices))
        ]
    return Card(content=cut(joined("\n", lines), DISCORD_CONTENT_CHARS), rows=rows, pictures=pictures)


def alt_text(comparison: Comparison, views: Mapping[str, JobView]) -> str:
    """Describe the sheet for a screen reader; that it is generated comes first."""
    names = [contender.label for contender in comparison.contenders if _is_done(views.get(contender.job_id))]
    is_all_ai = not any(_is_by_rules(views.get(contender.job_id)) for contender in comparison.contenders)
    kind = _("AI images") if is_all_ai else "Images"
    words = label(
        _("{kind} side by side, by {names}: {prompt}", kind=kind, names=", ".join(names), prompt=comparison.prompt), 900
    )
    return cut(_("{words}; seed {seed}", words=words, seed=comparison.seed), DISCORD_ALT_TEXT_CHARS)


def _is_by_rules(view: JobView | None) -> bool:
    return view is not None and view.job.result is not None and view.job.result.is_by_rules


def state_line(contender: Contender, view: JobView | None, number: str, now: datetime) -> str:
    """Return how one picture of a comparison stands; `number` is what stands in front of a finished one."""
    name = escape(contender.label)
    if view is None:
        return f"✖ {name} · {sentence(contender.error)}"
    job = view.job
    if job.status is JobStatus.DONE and job.result:
        parts = [f"**{number}** {name}", duration(job.result.seconds)]
        if model := job.result.model or job.drawn.model:
            parts.append(escape(cut(model, 60)))
        notes = dict.fromkeys((*job.notes, *job.result.notes))
        return joined(" · ", [*parts, *(escape(note) for note in notes)])
    if job.status is JobStatus.RUNNING:
        return _running(name, view, now)
    if job.status is JobStatus.QUEUED:
        place = _("{ordinal} in line", ordinal=ordinal(view.position)) if view.position else "waiting"
        starts = (
            _(" · starts {timestamp}", timestamp=timestamp(now + timedelta(seconds=view.eta_s))) if view.eta_s else ""
        )
        return f"⏳ {name} · {place}{starts}"
    if job.status is JobStatus.CANCELLED:
        return _("{name} · cancelled", name=name)
    if job.error is None:
        return _("✖ {name} · it waited for too long", name=name)
    return f"{MARKS.get(job.error.code, '✖')} {name} · {sentence(job.error.user_message)}"


def _running(name: str, view: JobView, now: datetime) -> str:
    progress = view.progress
    if progress is None:
        return _("🎨 {name} · starting", name=name)
    eta_s = progress.eta_s if progress.eta_s is not None else view.eta_s
    ends = (
        _(" · done {timestamp}", timestamp=timestamp(now + timedelta(seconds=eta_s)))
        if eta_s is not None and eta_s >= 1
        else ""
    )
    return f"🎨 {name} · `{bar(progress.fraction)}` {progress.fraction:.0%}{ends}"


def _stop(comparison: Comparison) -> tuple[Button, ...]:
    return (StopButton(action="cancel", job_id=comparison.id, label=_("Cancel"), emoji="✖️"),)


def _done(comparison: Comparison, views: Mapping[str, JobView]) -> list[Job]:
    return [views[item.job_id].job for item in comparison.contenders if _is_done(views.get(item.job_id))]


def _picks(each: Sequence[tuple[Job, CardContext]]) -> tuple[Row, ...]:
    """Return U1-U4, V1-V4 and More…, as under a grid; each begins from the picture of its engine."""
    if not each:
        return ()
    picks = [Button(action="pick", job_id=job.id, label=f"U{n}", argument="0") for n, (job, __) in enumerate(each, 1)]
    varied = [
        Button(action="vary", job_id=job.id, label=f"V{n}", argument="0")
        for n, (job, context) in enumerate(each, 1)
        if context.can_vary and is_still(job)
    ]
    return (tuple(picks), tuple(varied), more_of(each)) if varied else (tuple(picks), more_of(each))


def _is_done(view: JobView | None) -> bool:
    return view is not None and view.job.status is JobStatus.DONE
