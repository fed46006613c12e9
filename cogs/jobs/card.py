"""The message of a job: values in, a `Card` out. No Discord calls, no clock of its own.

Layout: first line who and what, then the state, then small print. Made for a phone 360 px wide.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta

from cogs.cards import Card, CardPicture
from cogs.jobs.context import CardContext
from cogs.jobs.lineage import lineage
from cogs.jobs.rows import after_rows, done_rows, waiting_rows
from cogs.jobs.small_print import WORDS_OF_MODE, small_print
from cogs.plain import escape, sentence
from constants import DISCORD_CONTENT_CHARS
from generation.deeds import Deed
from generation.job import Away, Hold, Job, JobStatus, JobView
from generation.money import dollars
from generation.quick import full_size, is_unfinished
from generation.result import came_back
from texts.text import _, joined
from utils.text import cut, duration, ordinal

BAR_CELLS = 12
PROMPT_CHARS = 200
SMALL_PRINT_CHARS = 500
MODEL_CHARS = 60
MARKS = {  # anything else is ✖
    "backend_unavailable": "🔌",
    "content_blocked": "🛡",
    "banned": "🚫",
    "budget_exceeded": "💳",
    "price_not_agreed": "💳",
    "not_connected": "🔌",
}
PRICED = {"again": _("again"), "vary": _("🪄 Vary"), "zoom": _("🔭 zoom out"), "upscale": _("⬆️ upscale")}
GONE = _("The picture is no longer kept here. 🎲 Re-roll makes a new one.")


def card(view: JobView, context: CardContext, now: datetime, pictures: tuple[CardPicture, ...] = ()) -> Card:
    """Draw the one message of a job in its present state."""
    job = view.job
    if job.status is JobStatus.QUEUED:
        return Card(
            content=_lines(head(job), waiting_line(view, context, now), _asked(job, context)),
            rows=waiting_rows(view, context),
        )
    if job.status is JobStatus.RUNNING:
        return Card(
            content=_lines(head(job), progress_line(view, context, now), _asked(job, context)),
            rows=waiting_rows(view, context),
            pictures=pictures,
        )
    if job.status is JobStatus.DONE:
        return Card(
            content=_lines(head(job), *_done(job, context, has_pictures=bool(pictures))),
            rows=done_rows(job, context),
            pictures=pictures,
        )
    if job.status is JobStatus.CANCELLED:
        rows = after_rows(replace(job, error=None), context)  # who cancelled it is no fault of the engine
        return Card(content=_lines(head(job, struck=True), _cancelled(job)), rows=rows)
    return Card(content=_lines(head(job), *_failed(job, context)), rows=after_rows(job, context))


def bar(fraction: float) -> str:
    """Draw a progress bar of 12 cells: `▰▰▰▱…`."""
    full = max(0, min(BAR_CELLS, round(fraction * BAR_CELLS)))
    return "▰" * full + "▱" * (BAR_CELLS - full)


def timestamp(moment: datetime) -> str:
    """Return Discord's own ticking "in 40 seconds"."""
    return f"<t:{round(moment.timestamp())}:R>"


def date_and_time(moment: datetime) -> str:
    """Return Discord's own "29 November 2026 13:45", in the time of whoever reads it."""
    return f"<t:{round(moment.timestamp())}:f>"


def head(job: Job, *, struck: bool = False) -> str:
    """Return the first line: the prompt, who asked, and what was done to which picture."""
    words = escape(cut(job.request.prompt, PROMPT_CHARS)) or WORDS_OF_MODE.get(job.request.mode, _("picture"))
    times = f" ×{job.drawn.batch_size}" if job.drawn.batch_size > 1 else ""
    text = f"~~{words}~~" if struck else f"**{words}**"
    return f"{text}{times} — <@{job.origin.user_id}>{lineage(job)}"


def waiting_line(view: JobView, context: CardContext, now: datetime) -> str:
    """Return where a waiting job stands, and what its engine waits for."""
    engine = escape(context.engine)
    job = view.job
    if job.not_before and job.not_before > now:
        return _("⏳ trying again {timestamp} · {engine}", timestamp=timestamp(job.not_before), engine=engine)
    if view.position is None:
        return _("⏳ queued · {engine}", engine=engine)
    if view.away is not None:
        why = _("{reason}, since {timestamp}", reason=escape(view.away.reason), timestamp=timestamp(view.away.since))
        start = _(" {start_command} starts it.", start_command=context.start_command) if context.start_command else ""
        turn = _(" · yours is {place}", place=place(view.position)) if view.position > 1 else ""
        return _(
            "🔌 {engine} is not answering ({why}). {keeps}{start}{turn}",
            engine=engine,
            why=why,
            keeps=_keeps(view.away),
            start=start,
            turn=turn,
        )
    if view.hold is Hold.DOWN:
        again = (
            _(" · trying again {timestamp}", timestamp=timestamp(now + timedelta(seconds=view.hold_s)))
            if view.hold_s
            else ""
        )
        return _(
            "🔌 {engine} is not answering{again} · yours is {place}",
            engine=engine,
            again=again,
            place=place(view.position),
        )
    if view.hold is Hold.STOPPED:
        return _("⏸️ {engine} is paused by an admin · yours is {place}", engine=engine, place=place(view.position))
    if view.hold is Hold.PAUSED:
        return _(
            "⏸️ {engine} asked for a pause · goes on {timestamp}",
            engine=engine,
            timestamp=timestamp(now + timedelta(seconds=view.hold_s)),
        )
    if view.eta_s is None or view.eta_s < 1:
        return f"⏳ {place(view.position)} · {engine}"
    return _(
        "⏳ {place} · starts {timestamp} · {engine}",
        place=place(view.position),
        timestamp=timestamp(now + timedelta(seconds=view.eta_s)),
        engine=engine,
    )


def _keeps(away: Away) -> str:
    return _("Your job keeps its place for {patience}.", patience=duration(away.patience_s))


def place(position: int) -> str:
    """Return a place in line."""
    return _("next in line") if position == 1 else _("{ordinal} in line", ordinal=ordinal(position))


def progress_line(view: JobView, context: CardContext, now: datetime) -> str:
    """Return how far a running job is."""
    progress, engine = view.progress, escape(context.engine)
    if progress is None:
        return _("🎨 starting · {engine}", engine=engine)
    parts = [f"`{bar(progress.fraction)}` {progress.fraction:.0%}"]
    if progress.step and progress.steps:
        parts.append(_("step {step}/{steps}", step=progress.step, steps=progress.steps))
    eta = progress.eta_s if progress.eta_s is not None else view.eta_s
    if eta is not None and eta >= 1:
        parts.append(_("done {timestamp}", timestamp=timestamp(now + timedelta(seconds=eta))))
    if progress.note:
        parts.append(escape(progress.note))
    return joined(" · ", [*parts, engine])


def _asked(job: Job, context: CardContext) -> str:
    about = [_("about {usd}", usd=dollars(context.prices["again"]))] if "again" in context.prices else []
    return _small(joined(" · ", [small_print(job), *about])) + _notes(job.notes)


def _done(job: Job, context: CardContext, *, has_pictures: bool) -> list[str]:
    notes = list(job.notes)
    if job.result:
        notes += [note for note in job.result.notes if note not in notes]
        fewer = came_back(len(job.result.images), job.drawn.batch_size)
        if len(job.result.images) < job.drawn.batch_size and fewer not in notes:
            notes.insert(0, fewer)
    if context.smaller_copy:
        notes.append(_("a smaller copy is shown, to fit Discord's limit"))
    if context.remark and context.remark not in notes:
        notes.append(context.remark)
    lines = [_small(joined(" · ", [small_print(job), *_place(job, notes)]))]
    if context.left_out:
        lines.insert(0, context.left_out)
    elif not has_pictures:
        lines.insert(0, GONE)
    if is_unfinished(job) and has_pictures:
        lines.append(_small(_finishing(job, context)))
    lines += _priced(context)
    return [*lines, _notes(tuple(notes)).lstrip("\n")]


def prices_line(prices: Mapping[str, float]) -> str:
    """Return what each button costs that draws something, before it is pressed; empty where none of them costs."""
    named = [
        _("{button} about {usd}", button=words, usd=dollars(prices[name]))
        for name, words in PRICED.items()
        if name in prices
    ]
    return joined(" · ", [f"💳 {named[0]}", *named[1:]]) if named else ""


def _priced(context: CardContext) -> list[str]:
    line = prices_line(context.prices)
    return [_small(line)] if line else []


def _finishing(job: Job, context: CardContext) -> str:
    """Return what finishing a picture of a draft gives, and what it costs."""
    wide, high = full_size(job.request)
    count = len(job.result.images) if job.result else 0
    buttons = _("U1–U{count} finish one", count=count) if count > 1 else _("Finish draws it")
    price = context.finish_price
    if price is None:
        cost = ""
    elif price.usd is None:
        cost = _(" · the engine charges for it")
    else:
        cost = _(" · about {usd}", usd=dollars(price.usd))
    return _(
        "✏️ draft · {buttons} at {width}×{height}, {steps} steps{cost}",
        buttons=buttons,
        width=wide,
        height=high,
        steps=job.request.steps,
        cost=cost,
    )


def _place(job: Job, notes: list[str]) -> list[str]:
    """Return what it has cost, and where it was drawn, unless a note begins with that name."""
    result = job.result
    if result is None:
        return []
    cost = [f"${result.cost_usd:.3f}"] if result.cost_usd else []
    if result.from_cache and job.origin.deed != Deed.PICK:
        cost.append(_("from the cache"))
    is_named = any(_names(result.backend, str(note)) for note in notes)
    return cost if is_named else [*cost, _("on {engine}", engine=escape(result.backend))]


def _names(engine: str, text: str) -> bool:
    """Return whether words name an engine, and not one whose name begins or ends with it."""
    return bool(re.search(rf"(?<![\w-]){re.escape(engine)}(?![\w-])", text))


def _cancelled(job: Job) -> str:
    if job.error is not None:
        return sentence(job.error.user_message)
    if job.started_at is None or job.finished_at is None:
        return _("cancelled")
    return _(
        "cancelled after {total_seconds}", total_seconds=duration((job.finished_at - job.started_at).total_seconds())
    )


def _failed(job: Job, context: CardContext) -> list[str]:
    error = job.error
    if error is None:
        lines = [_("✖ It waited for too long and was given up.")]
    else:
        lines = [f"{MARKS.get(error.code, '✖')} {sentence(error.user_message)}", sentence(error.hint)]
    words = str(joined("\n", lines))
    others = [name for name in dict.fromkeys(context.tried) if not _names(escape(name), words)]
    tried = _(" · also tried {names}", names=escape(", ".join(others))) if others else ""
    return [*lines, *_priced(context), _small(_("id {short_id}{tried}", short_id=job.short_id, tried=tried))]


def _notes(notes: tuple[str, ...]) -> str:
    if not notes:
        return ""
    return "\n" + _small(cut(joined(" · ", (escape(note) for note in notes)), SMALL_PRINT_CHARS))


def _small(text: str) -> str:
    return f"-# {text}"


def _lines(*lines: str) -> str:
    return cut(joined("\n", (line for line in lines if line)), DISCORD_CONTENT_CHARS)
