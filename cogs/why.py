"""`/why`: the course of a job from asked to delivered, for its owner and for admins of the server."""

from datetime import datetime
from typing import Any, Final

import nextcord
from nextcord import SlashOption
from nextcord.ext import commands

from cogs.decorators import prefix_command
from cogs.inputs import MESSAGE_LINK
from cogs.jobs import card as render
from cogs.jobs.context import CardContext
from cogs.jobs.info import Keeping, keeping_of
from cogs.origin import person_of, person_of_message, person_with_rooms
from cogs.plain import escape, label, sentence, suggest
from cogs.posting import reply_to
from constants import DISCORD_CONTENT_CHARS
from generation.errors import RequestRejected
from generation.job import Job, JobStatus
from generation.person import Person
from services.drawing.generation import GenerationService
from services.drawing.timelines import Timeline, TimelineService
from services.library.gallery import GalleryService
from services.moderation.rights import Rights
from texts.text import _, _n, joined
from utils.clock import Clock
from utils.text import cut, duration

PROMPT_CHARS: Final = 100
MOST_NAMES: Final = 5  # engines and remarks
SUGGESTED: Final = 25


class Why(commands.Cog):
    """Reads only. `/why` answers who asks alone; `!why` all who read the channel, so of what was asked for there."""

    def __init__(
        self,
        *,
        timelines: TimelineService,
        service: GenerationService,
        gallery: GalleryService,
        rights: Rights,
        clock: Clock,
    ) -> None:
        self._timelines = timelines
        self._service = service
        self._gallery = gallery
        self._rights = rights
        self._clock = clock

    @nextcord.slash_command(name="why", description=_("Why a picture took so long, failed, or came from that engine"))
    async def slash_why(
        self,
        interaction: nextcord.Interaction,
        job: str = SlashOption(
            description=_("Its id or the link of its message (your last one, if left out)"),
            required=False,
            max_length=120,
        ),
    ) -> None:
        person = person_with_rooms(interaction)
        timeline = await self._find(job or "", person)
        text = await self._text(timeline, person, shows_advice=person.is_manager or self._rights.is_admin(person))
        await interaction.response.send_message(text, ephemeral=True)

    @slash_why.on_autocomplete("job")
    async def suggest_why(self, interaction: nextcord.Interaction, typed: str) -> None:
        views = await self._service.recent(person_of(interaction).user_key, SUGGESTED)
        pairs = {label(f"{view.job.short_id} · {view.job.request.prompt}"): view.job.id for view in views}
        await suggest(interaction, {shown: id_ for shown, id_ in pairs.items() if typed.casefold() in shown.casefold()})

    @prefix_command(name="why")
    async def why_by_prefix(self, ctx: commands.Context[Any], job: str = "") -> None:
        person = person_of_message(ctx)
        reference = ctx.message.reference
        if not job and reference is not None and reference.message_id:
            timeline = await self._timelines.in_message(str(reference.message_id), person)
        else:
            timeline = await self._find(job, person)
        origin = timeline.view.job.origin
        is_for_all_here = not origin.private and origin.channel_id == str(ctx.channel.id)
        if ctx.guild is not None and not is_for_all_here:
            raise RequestRejected(
                _("That picture is private or of another channel, and everybody here reads this."),
                hint=_("`/why` answers you alone."),
                field="job",
            )
        await reply_to(ctx, content=await self._text(timeline, person))

    async def _find(self, text: str, person: Person) -> Timeline:
        link = MESSAGE_LINK.fullmatch(text.strip())
        if link:
            return await self._timelines.in_message(link[3], person)
        return (
            await self._timelines.of_job(text.strip(), person) if text.strip() else await self._timelines.newest(person)
        )

    async def _text(self, timeline: Timeline, person: Person, *, shows_advice: bool = False) -> str:
        keeping = await keeping_of(self._gallery, timeline.view.job, person)
        return timeline_text(timeline, keeping, self._clock.now(), shows_advice=shows_advice)


def timeline_text(timeline: Timeline, keeping: Keeping, now: datetime, *, shows_advice: bool = False) -> str:
    """Return what happened to a job, in the order in which it did; with what only who runs its engine can do."""
    job = timeline.view.job
    words = escape(cut(job.request.prompt, PROMPT_CHARS)) or _("picture")
    lines = [
        _("**{words}** · job {short_id}", words=words, short_id=job.short_id),
        _("{time} · asked for and stored", time=_at(job.created_at)),
        *_engines(timeline),
        *_remarks(job),
        *_course(timeline, now),
        *_end(job, keeping),
    ]
    if shows_advice and job.error and job.error.owner_hint:
        lines.append(
            _("For who runs {engine}: {advice}", engine=escape(timeline.engine), advice=sentence(job.error.owner_hint))
        )
    if timeline.beside:
        ids = ", ".join(timeline.beside[:MOST_NAMES])
        lines.append(_("-# The same message shows: {ids}", ids=ids))
    return cut(joined("\n", (line for line in lines if line)), DISCORD_CONTENT_CHARS)


def _at(moment: datetime) -> str:
    """Return Discord's own time of day with seconds."""
    return f"<t:{round(moment.timestamp())}:T>"


def _names(names: tuple[str, ...]) -> str:
    return joined(", ", (escape(name) for name in names[:MOST_NAMES]))


def _engines(timeline: Timeline) -> list[str]:
    lines = []
    if timeline.view.job.is_pinned:
        lines.append(_("{engine} was asked for: no other will do", engine=escape(timeline.engine)))
    if timeline.tried:
        lines.append(_("Tried and given up on: {engines}", engines=_names(timeline.tried)))
    if timeline.spare:
        lines.append(_("Can draw it as well: {engines}", engines=_names(timeline.spare)))
    for name, reason in timeline.passed_over[:MOST_NAMES]:
        lines.append(_("Passed over: {engine}, {reason}", engine=escape(name), reason=escape(reason)))
    return lines


def _remarks(job: Job) -> list[str]:
    notes = dict.fromkeys((*job.notes, *(job.result.notes if job.result else ())))
    return [_("Note: {note}", note=escape(note)) for note in [*notes][:MOST_NAMES]]


def _course(timeline: Timeline, now: datetime) -> list[str]:
    """Return where it waits or runs, or waited and ran."""
    view, job = timeline.view, timeline.view.job
    engine, lines = escape(timeline.engine), []
    if job.interruptions:
        lines.append(
            _n(
                "Easel stopped {count} time while it was drawn",
                "Easel stopped {count} times while it was drawn",
                count=job.interruptions,
            )
        )
    if job.attempt > 1:
        lines.append(_("Attempt {number} on {engine}", number=job.attempt, engine=engine))
    if job.started_at is not None:
        waited_s = (job.started_at - job.created_at).total_seconds()
        waited = _("{wait} later", wait=duration(waited_s)) if waited_s >= 1 else _("at once")
        lines.append(
            _("{time} · started on {engine}, {waited}", time=_at(job.started_at), engine=engine, waited=waited)
        )
    context = CardContext(engine=timeline.engine)
    if job.status is JobStatus.QUEUED:
        lines.append(render.waiting_line(view, context, now))
    elif job.status is JobStatus.RUNNING:
        lines.append(render.progress_line(view, context, now))
    elif job.started_at is None and not (job.result and job.result.from_cache):
        lines.append(_("It waited for {engine} and never started", engine=engine))
    return lines


def _end(job: Job, keeping: Keeping) -> list[str]:
    if job.finished_at is None:
        return []
    time = _at(job.finished_at)
    taken = duration((job.finished_at - (job.started_at or job.created_at)).total_seconds())
    reason = sentence(job.error.user_message) if job.error else ""
    hint = sentence(job.error.hint) if job.error else ""
    if job.status is JobStatus.DONE:
        is_cached = job.result is not None and job.result.from_cache
        done = _("{time} · answered from the cache", time=time) if is_cached else ""
        lines = [done or _("{time} · done after {taken}", time=time, taken=taken), _kept(keeping)]
    elif job.status is JobStatus.CANCELLED:
        lines = [_("{time} · cancelled after {taken}", time=time, taken=taken), reason]
    elif job.error is None:
        lines = [_("{time} · given up: it waited for too long, {taken}", time=time, taken=taken)]
    else:
        lines = [_("{time} · failed after {taken}: {reason}", time=time, taken=taken, reason=reason), hint]
    if job.delivered_at is None:
        return [*lines, _("The answer has not been delivered yet")]
    return [*lines, _("{time} · delivered", time=_at(job.delivered_at))]


def _kept(keeping: Keeping) -> str:
    if keeping.is_gone:
        return _("Its picture is no longer kept here")
    if keeping.is_kept:
        return _("⭐ Its picture is kept")
    return _("Kept here until {time}", time=render.date_and_time(keeping.until)) if keeping.until else ""
