"""The message of a job: values in, a `Card` out. No Discord calls, no clock of its own.

Layout: first line who and what, then the state, then small print. Made for a phone 360 px wide.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from cogs.cards import Button, Card, CardPicture, Row
from cogs.plain import escape, label, sentence
from constants import DISCORD_ALT_TEXT_CHARS, DISCORD_CONTENT_CHARS
from generation.job import Away, Hold, Job, JobStatus, JobView, Origin
from generation.request import FROM_PICTURE_ALONE, GenerationRequest, Mode
from generation.result import came_back
from texts.text import _, joined
from utils.text import cut, duration, ordinal

BAR_CELLS = 12
PROMPT_CHARS = 200
SMALL_PRINT_CHARS = 500
MODEL_CHARS = 60
MARKS = {"backend_unavailable": "🔌", "content_blocked": "🛡"}  # anything else is ✖
# the same request would be refused for the same reason, so it is not offered to be run again
FAILS_AGAIN = frozenset({"request_rejected", "not_capable", "content_blocked"})
AI_IMAGE = _("AI image")
AI_VIDEO = _("AI video")
RULES_IMAGE = _("Image drawn by rules, not by an AI model")
GONE = _("The picture is no longer kept here. 🎲 Re-roll makes a new one.")
WORDS_OF_MODE = {Mode.IMG2IMG: "img2img", Mode.INPAINT: "inpaint", Mode.UPSCALE: "upscale", Mode.RESTYLE: "restyle"}


@dataclass(frozen=True, kw_only=True)
class Around:
    """Facts that the message of a job needs beside the job: names of engines, and whether another one is there."""

    engine: str  # the lane's label
    remark: str = ""  # an engine's honest line
    tried: tuple[str, ...] = ()  # labels of the engines a failed job was tried on
    other_engine: str | None = None  # the one "Flux it" would use; None hides the button
    other_label: str = _("Flux it")  # what that button says
    has_models: bool = True  # the engine has models to choose from
    has_samplers: bool = True
    can_upscale: bool = False  # some engine here can
    can_zoom: bool = False
    start_command: str = ""  # the engine is a rented machine that is stopped: this starts it
    has_studio: bool = False  # it can be reached from outside
    smaller_copy: bool = False  # the file attached is smaller than the original, to fit Discord's limit
    left_out: str = ""  # what of the result is not attached, and where it is


def card(view: JobView, around: Around, now: datetime, pictures: tuple[CardPicture, ...] = ()) -> Card:
    """Draw the one message of a job in its present state."""
    job = view.job
    if job.status is JobStatus.QUEUED:
        return Card(content=_lines(_head(job), _queued(view, around, now), _asked(job)), rows=_waiting_rows(job))
    if job.status is JobStatus.RUNNING:
        return Card(
            content=_lines(_head(job), _running(view, around, now), _asked(job)),
            rows=_waiting_rows(job),
            pictures=pictures,
        )
    if job.status is JobStatus.DONE:
        return Card(
            content=_lines(_head(job), *_done(job, around, has_pictures=bool(pictures))),
            rows=_done_rows(job, around),
            pictures=pictures,
        )
    if job.status is JobStatus.CANCELLED:
        return Card(content=_lines(_head(job, struck=True), _cancelled(job)), rows=_after_rows(job, around))
    return Card(content=_lines(_head(job), *_failed(job, around)), rows=_after_rows(job, around))


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


def _queued(view: JobView, around: Around, now: datetime) -> str:
    engine = escape(around.engine)
    job = view.job
    if job.not_before and job.not_before > now:
        return _("⏳ trying again {timestamp} · {engine}", timestamp=timestamp(job.not_before), engine=engine)
    if view.position is None:
        return f"⏳ queued · {engine}"
    if view.away is not None:
        why = _("{reason}, since {timestamp}", reason=escape(view.away.reason), timestamp=timestamp(view.away.since))
        start = _(" {start_command} starts it.", start_command=around.start_command) if around.start_command else ""
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


def _running(view: JobView, around: Around, now: datetime) -> str:
    progress, engine = view.progress, escape(around.engine)
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


def _done(job: Job, around: Around, *, has_pictures: bool) -> list[str]:
    shown = job if has_pictures or job.result is None else replace(job, result=replace(job.result, expires_at=None))
    lines = [_small(parameter_line(shown))]
    notes = list(job.notes)
    if job.result:
        notes += [note for note in job.result.notes if note not in notes]
        fewer = came_back(len(job.result.images), job.drawn.batch_size)
        if len(job.result.images) < job.drawn.batch_size and fewer not in notes:
            notes.insert(0, fewer)
    if around.smaller_copy:
        notes.append(_("a smaller copy is shown, to fit Discord's limit"))
    if around.remark and around.remark not in notes:
        notes.append(around.remark)
    if around.left_out:
        lines.insert(0, around.left_out)
    elif not has_pictures:
        lines.insert(0, GONE)
    return [*lines, _notes(tuple(notes)).lstrip("\n")]


def _cancelled(job: Job) -> str:
    if job.started_at is None or job.finished_at is None:
        return _("✖ cancelled · nothing was charged")
    return _(
        "✖ cancelled after {total_seconds}", total_seconds=duration((job.finished_at - job.started_at).total_seconds())
    )


def _failed(job: Job, around: Around) -> list[str]:
    error = job.error
    if error is None:
        lines = [_("✖ It waited for too long and was given up.")]
    else:
        lines = [f"{MARKS.get(error.code, '✖')} {sentence(error.user_message)}", sentence(error.hint)]
    tried = _(" · tried {fromkeys}", fromkeys=escape(", ".join(dict.fromkeys(around.tried)))) if around.tried else ""
    return [*lines, _small(_("id {short_id}{tried}", short_id=job.short_id, tried=tried))]


def _notes(notes: tuple[str, ...]) -> str:
    if not notes:
        return ""
    return "\n" + _small(cut(joined(" · ", (escape(note) for note in notes)), SMALL_PRINT_CHARS))


def _small(text: str) -> str:
    return f"-# {text}"


def _lines(*lines: str) -> str:
    return cut(joined("\n", (line for line in lines if line)), DISCORD_CONTENT_CHARS)


def _waiting_rows(job: Job) -> tuple[Row, ...]:
    return (
        (
            Button(action="cancel", job_id=job.id, label=_("Cancel"), emoji="✖️"),
            Button(action="edit", job_id=job.id, label=_("Edit"), emoji="✏️"),
        ),
    )


def _after_rows(job: Job, around: Around) -> tuple[Row, ...]:
    row = [Button(action="edit", job_id=job.id, label=_("Edit"), emoji="✏️")]
    if job.error is None or job.error.code not in FAILS_AGAIN:
        row.insert(0, Button(action="reroll", job_id=job.id, label=_("Run again"), emoji="🎲"))
    if job.error and job.error.code in {"timed_out", "out_of_memory"}:
        row.append(Button(action="smaller", job_id=job.id, label=_("Try smaller"), emoji="🔽"))
    if around.other_engine and job.error:
        row.append(Button(action="flux", job_id=job.id, label=_("Other engine"), emoji="⚡"))
    return ((*row, Button(action="delete", job_id=job.id, emoji="🗑️")),)


def _done_rows(job: Job, around: Around) -> tuple[Row, ...]:
    rows: list[Row] = []
    count = len(job.result.images) if job.result else 0
    if count > 1:
        picks = [Button(action="pick", job_id=job.id, label=f"U{n + 1}", argument=str(n)) for n in range(min(4, count))]
        rows.append((*picks, Button(action="files", job_id=job.id, label=_("All files"), emoji="📁")))
    again = [
        Button(action="reroll", job_id=job.id, label=_("Re-roll"), emoji="🎲", style="primary"),
        Button(action="edit", job_id=job.id, label=_("Edit"), emoji="✏️"),
    ]
    if around.other_engine:
        button = Button(action="flux", job_id=job.id, label=around.other_label, emoji="⚡", style="success")
        again.append(replace(button, argument="" if button.label == "Flux it" else around.other_engine))
    rows.append(tuple(again))
    if job.drawn.mode not in FROM_PICTURE_ALONE:
        other = [
            Button(action="steps", job_id=job.id, label=_("More steps"), emoji="➕"),
            Button(action="size", job_id=job.id, label=_("Size"), emoji="📐"),
        ]
        if around.has_samplers:
            other.append(Button(action="sampler", job_id=job.id, label=_("Sampler"), emoji="🎛️"))
        rows.append(tuple(other))
    grown = []
    is_still = job.result is not None and not any(image.is_video for image in job.result.images)
    if count == 1 and around.can_upscale and is_still:
        grown.append(Button(action="picture", job_id=job.id, label=_("Upscale 2×"), emoji="⬆️", argument="upscale"))
    if count == 1 and around.can_zoom and is_still:
        grown.append(Button(action="picture", job_id=job.id, label=_("Zoom out"), emoji="🔭", argument="zoom"))
    if grown:
        rows.append(tuple(grown))
    last = [Button(action="model", job_id=job.id, label=_("Model"), emoji="🧠")] if around.has_models else []
    last.append(Button(action="info", job_id=job.id, label=_("Info"), emoji="ℹ️"))
    if around.has_studio:
        last.append(Button(action="studio", job_id=job.id, label=_("Studio"), emoji="🖌️"))
    rows.append((*last, Button(action="delete", job_id=job.id, emoji="🗑️")))
    return tuple(rows)
