"""The message of a job: values in, a `Card` out. No Discord calls, no clock of its own.

Layout: first line who and what, then the state, then small print. Made for a phone 360 px wide.
"""

from dataclasses import replace
from datetime import datetime, timedelta

from cogs.cards import Card, CardPicture
from cogs.jobs.context import CardContext
from cogs.jobs.rows import after_rows, done_rows, waiting_rows
from cogs.plain import escape, label, sentence
from constants import DISCORD_ALT_TEXT_CHARS, DISCORD_CONTENT_CHARS
from generation.job import Away, Hold, Job, JobStatus, JobView, Origin
from generation.request import GenerationRequest, Mode
from generation.result import came_back
from texts.text import _, joined
from utils.text import cut, duration, ordinal

BAR_CELLS = 12
PROMPT_CHARS = 200
SMALL_PRINT_CHARS = 500
MODEL_CHARS = 60
MARKS = {"backend_unavailable": "🔌", "content_blocked": "🛡", "banned": "🚫"}  # anything else is ✖
AI_IMAGE = _("AI image")
AI_VIDEO = _("AI video")
RULES_IMAGE = _("Image drawn by rules, not by an AI model")
GONE = _("The picture is no longer kept here. 🎲 Re-roll makes a new one.")
WORDS_OF_MODE = {Mode.IMG2IMG: "img2img", Mode.INPAINT: "inpaint", Mode.UPSCALE: "upscale", Mode.RESTYLE: "restyle"}


def card(view: JobView, context: CardContext, now: datetime, pictures: tuple[CardPicture, ...] = ()) -> Card:
    """Draw the one message of a job in its present state."""
    job = view.job
    if job.status is JobStatus.QUEUED:
        return Card(content=_lines(_head(job), _queued(view, context, now), _asked(job)), rows=waiting_rows(job))
    if job.status is JobStatus.RUNNING:
        return Card(
            content=_lines(_head(job), _running(view, context, now), _asked(job)),
            rows=waiting_rows(job),
            pictures=pictures,
        )
    if job.status is JobStatus.DONE:
        return Card(
            content=_lines(_head(job), *_done(job, context, has_pictures=bool(pictures))),
            rows=done_rows(job, context),
            pictures=pictures,
        )
    if job.status is JobStatus.CANCELLED:
        rows = after_rows(replace(job, error=None), context)  # who cancelled it is no fault of the engine
        return Card(content=_lines(_head(job, struck=True), _cancelled(job)), rows=rows)
    return Card(content=_lines(_head(job), *_failed(job, context)), rows=after_rows(job, context))


def bar(fraction: float) -> str:
    """Draw a progress bar of 12 cells: `▰▰▰▱…`."""
    full = max(0, min(BAR_CELLS, round(fraction * BAR_CELLS)))
    return "▰" * full + "▱" * (BAR_CELLS - full)


def timestamp(moment: datetime) -> str:
    """Return Discord's own ticking "in 40 seconds"."""
    return f"<t:{round(moment.timestamp())}:R>"


def alt_of(job: Job, seed: int) -> str:
    """Describe a picture of a finished job for a screen reader; several in a grid are described by the first."""
    assert job.result is not None, "only finished jobs have pictures"
    what = RULES_IMAGE if job.result.is_by_rules else AI_IMAGE
    if job.result.images and job.result.images[0].is_video:
        what = AI_VIDEO
    elif len(job.result.images) > 1:
        what += _(", {count} in a grid", count=len(job.result.images))
    return alt_text(job.drawn, seed, job.result.model or job.drawn.model, what)


def alt_text(request: GenerationRequest, seed: int, model: str | None, what: str = AI_IMAGE) -> str:
    """Describe a picture for a screen reader; what made it comes first."""
    model = label(model, MODEL_CHARS) if model else None
    tail = _(
        "; {model}, {width}×{height}, seed {seed}",
        model=model or _("default model"),
        width=request.width,
        height=request.height,
        seed=seed,
    )
    if request.mode is Mode.UPSCALE:  # the request's size is not the result's
        tail = _("; made {upscale_factor:g} times larger", upscale_factor=request.upscale_factor or 2) + (
            _(" by {model}", model=model) if model else ""
        )
    room = DISCORD_ALT_TEXT_CHARS - len(tail) - len(f"{what}: ")
    words = label(request.prompt, min(900, room)) or _("a picture given without words")
    return f"{what}: {words}{tail}"


def parameter_line(job: Job) -> str:
    """Return the small print of a finished job: everything needed to make it again."""
    result, request = job.result, job.drawn
    assert result is not None, "only finished jobs have parameters to show"
    seeds = [image.seed for image in result.images]
    parts = [
        _("seed {seeds}", seeds=seeds[0])
        if len(seeds) == 1
        else _("seeds {seeds}–{last}", seeds=seeds[0], last=seeds[-1])
    ]
    if result.images:
        parts.append(f"{result.images[0].width}×{result.images[0].height}")
    parts += _numbers(request)
    if model := result.model or request.model:
        parts.append(escape(cut(model, 60)))
    place = escape(result.backend)
    parts.append(
        _("from the cache, made by {place}", place=place)
        if result.from_cache
        else _("{seconds:.1f} s on {place}", seconds=result.seconds, place=place)
    )
    if result.cost_usd:
        parts.append(f"${result.cost_usd:.3f}")
    if result.expires_at:
        parts.append(_("expires {timestamp}", timestamp=timestamp(result.expires_at)))
    return joined(" · ", parts)


def _head(job: Job, *, struck: bool = False) -> str:
    words = escape(cut(job.request.prompt, PROMPT_CHARS)) or WORDS_OF_MODE.get(job.request.mode, "picture")
    times = f" ×{job.drawn.batch_size}" if job.drawn.batch_size > 1 else ""
    text = f"~~{words}~~" if struck else f"**{words}**"
    return f"{text}{times} — <@{job.origin.user_id}>{_lineage(job.origin)}"


def _lineage(origin: Origin) -> str:
    """Return whose picture this one was made from, with a link, when it was somebody else's."""
    if not origin.parent_user_id or origin.parent_user_id == origin.user_id:
        return ""
    words = "picture"
    if origin.parent_channel_id and origin.parent_message_id:
        place = f"{origin.guild_id or '@me'}/{origin.parent_channel_id}/{origin.parent_message_id}"
        words = f"[picture](<https://discord.com/channels/{place}>)"
    return f" · from <@{origin.parent_user_id}>'s {words}"


def _queued(view: JobView, context: CardContext, now: datetime) -> str:
    engine = escape(context.engine)
    job = view.job
    if job.not_before and job.not_before > now:
        return _("⏳ trying again {timestamp} · {engine}", timestamp=timestamp(job.not_before), engine=engine)
    if view.position is None:
        return f"⏳ queued · {engine}"
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


def _running(view: JobView, context: CardContext, now: datetime) -> str:
    progress, engine = view.progress, escape(context.engine)
    if progress is None:
        return f"🎨 starting · {engine}"
    parts = [f"`{bar(progress.fraction)}` {progress.fraction:.0%}"]
    if progress.step and progress.steps:
        parts.append(_("step {step}/{steps}", step=progress.step, steps=progress.steps))
    eta = progress.eta_s if progress.eta_s is not None else view.eta_s
    if eta is not None and eta >= 1:
        parts.append(_("done {timestamp}", timestamp=timestamp(now + timedelta(seconds=eta))))
    if progress.note:
        parts.append(escape(progress.note))
    return joined(" · ", [*parts, engine])


def _asked(job: Job) -> str:
    request = job.settled
    parts = [f"{request.width}×{request.height}", *_numbers(request), _("seed {seed}", seed=request.seed)]
    if request.model:
        parts.append(escape(cut(request.model, 60)))
    return _small(joined(" · ", parts)) + _notes(job.notes)


def _numbers(request: GenerationRequest) -> list[str]:
    parts = [WORDS_OF_MODE[request.mode]] if request.mode in WORDS_OF_MODE else []
    if request.mode is Mode.UPSCALE:
        return [*parts, f"{request.upscale_factor:g}×"]
    if request.mode is Mode.RESTYLE:
        return [*parts, *request.styles, _("strength {strength:g}", strength=request.denoising_strength or 0)]
    parts += [_("{steps} steps", steps=request.steps), f"CFG {request.cfg_scale:g}"]
    if request.sampler:
        parts.append(escape(" ".join(filter(None, (request.sampler, request.scheduler)))))
    if request.denoising_strength is not None and request.init_image:
        parts.append(_("strength {denoising_strength:g}", denoising_strength=request.denoising_strength))
    if request.workflow:
        parts.append(_("workflow {name}", name=escape(cut(request.workflow.name, 60))))
    return parts


def _done(job: Job, context: CardContext, *, has_pictures: bool) -> list[str]:
    shown = job if has_pictures or job.result is None else replace(job, result=replace(job.result, expires_at=None))
    lines = [_small(parameter_line(shown))]
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
    if context.left_out:
        lines.insert(0, context.left_out)
    elif not has_pictures:
        lines.insert(0, GONE)
    return [*lines, _notes(tuple(notes)).lstrip("\n")]


def _cancelled(job: Job) -> str:
    if job.error is not None:
        return f"✖ {sentence(job.error.user_message)}"
    if job.started_at is None or job.finished_at is None:
        return _("✖ cancelled · nothing was charged")
    return _(
        "✖ cancelled after {total_seconds}", total_seconds=duration((job.finished_at - job.started_at).total_seconds())
    )


def _failed(job: Job, context: CardContext) -> list[str]:
    error = job.error
    if error is None:
        lines = [_("✖ It waited for too long and was given up.")]
    else:
        lines = [f"{MARKS.get(error.code, '✖')} {sentence(error.user_message)}", sentence(error.hint)]
    tried = _(" · tried {fromkeys}", fromkeys=escape(", ".join(dict.fromkeys(context.tried)))) if context.tried else ""
    return [*lines, _small(_("id {short_id}{tried}", short_id=job.short_id, tried=tried))]


def _notes(notes: tuple[str, ...]) -> str:
    if not notes:
        return ""
    return "\n" + _small(cut(joined(" · ", (escape(note) for note in notes)), SMALL_PRINT_CHARS))


def _small(text: str) -> str:
    return f"-# {text}"


def _lines(*lines: str) -> str:
    return cut(joined("\n", (line for line in lines if line)), DISCORD_CONTENT_CHARS)
