"""`/queue`, `/cancel`: how busy it is, and stopping your own jobs."""

from typing import Any

import nextcord
from nextcord import SlashOption
from nextcord.ext import commands

from cogs.decorators import prefix_command
from cogs.jobs import card as render
from cogs.origin import person_of, person_of_message
from cogs.plain import escape, label, sentence, suggest
from cogs.posting import reply_to
from generation.job import JobStatus, JobView
from generation.person import Person
from services.drawing.generation import GenerationService
from services.engines.catalog import Catalog
from texts.text import _, joined, phrase
from utils.text import cut, duration

NOTHING = _("Nothing of yours is waiting.")


class QueueStatus(commands.Cog):
    """Read-only views of the queue, and the way out of it."""

    def __init__(self, *, service: GenerationService, catalog: Catalog) -> None:
        self._service = service
        self._catalog = catalog

    @nextcord.slash_command(name="queue", description=_("How busy it is, and where your pictures stand"))
    async def slash_queue(self, interaction: nextcord.Interaction) -> None:
        text = await self._queue(person_of(interaction))
        await interaction.response.send_message(text, ephemeral=True)

    @prefix_command(name="queue")
    async def queue_by_prefix(self, ctx: commands.Context[Any]) -> None:
        await reply_to(ctx, content=await self._queue(person_of_message(ctx)))

    @nextcord.slash_command(name="cancel", description=_("Cancel your pictures that wait or are being drawn"))
    async def slash_cancel(
        self,
        interaction: nextcord.Interaction,
        job: str = SlashOption(description=_("Which one (all of yours, if left out)"), required=False, max_length=40),
    ) -> None:
        text = await self._cancel(person_of(interaction), job or "")
        await interaction.response.send_message(text, ephemeral=True)

    @slash_cancel.on_autocomplete("job")
    async def suggest_job(self, interaction: nextcord.Interaction, typed: str) -> None:
        views = await self._service.active_of(person_of(interaction).user_key)
        pairs = {label(f"{view.job.short_id} · {view.job.request.prompt}"): view.job.id for view in views}
        await suggest(interaction, {shown: id_ for shown, id_ in pairs.items() if typed.casefold() in shown.casefold()})

    @prefix_command(name="cancel")
    async def cancel_by_prefix(self, ctx: commands.Context[Any], job: str = "") -> None:
        await reply_to(ctx, content=await self._cancel(person_of_message(ctx), job))

    async def _queue(self, person: Person) -> str:
        lanes = {lane.name: lane for lane in self._service.lanes()}
        engines = self._catalog.engines(person)
        lines = ["**Engines**"] if engines else ["**Engines**", _("None yet.")]
        for engine in engines:
            lane = lanes.get(engine.name)
            name = escape(engine.label)
            if engine.error:
                lines.append(f"🔌 {name} · {sentence(phrase(engine.error))}")
            elif lane is None or not (lane.running or lane.waiting):
                lines.append(_("🟢 {name} · free", name=name))
            else:
                wait = _(" · about {wait} to wait", wait=duration(lane.wait_s)) if lane.wait_s >= 1 else ""
                lines.append(
                    _(
                        "🟡 {name} · {running} being drawn, {waiting} waiting{wait}",
                        name=name,
                        running=lane.running,
                        waiting=lane.waiting,
                        wait=wait,
                    )
                )
            if lane and lane.paused_s > 0:
                lines[-1] += _(" · pauses for {paused}", paused=duration(lane.paused_s))
        views = await self._service.active_of(person.user_key)
        lines.append(_("**Your pictures**") if views else NOTHING)
        lines += [_own_line(view) for view in views[:15]]
        if len(views) > 15:
            lines.append(_("-# and {count} more", count=len(views) - 15))
        return cut(joined("\n", lines), 2000)

    async def _cancel(self, person: Person, job_id: str) -> str:
        if job_id and job_id != "all":
            job = await self._service.cancel(job_id, person)
            return _("✅ Cancelled.") if job else _("It had already ended.")
        views = await self._service.active_of(person.user_key)
        if not views:
            return NOTHING
        for view in views:
            await self._service.cancel(view.job.id, person)
        return _("✅ Cancelled {count} of your pictures.", count=len(views)) if len(views) > 1 else _("✅ Cancelled.")


def _own_line(view: JobView) -> str:
    job = view.job
    words = escape(cut(job.request.prompt, 60))
    if job.status is JobStatus.RUNNING:
        where = f"`{render.bar(view.progress.fraction)}`" if view.progress else _("being drawn")
    else:
        where = render.place(view.position) if view.position else _("waiting")
    return f"`{job.short_id}` {where} · {words}"
