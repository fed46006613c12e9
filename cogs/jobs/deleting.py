"""🗑️ under a picture asks once, only who pressed; where there is no picture, the message goes at once."""

from contextlib import suppress

import nextcord
from nextcord.ext import commands

from cogs.cards import Button, Card, ids_of
from cogs.origin import person_of
from cogs.posting import holds_job, shows
from cogs.presses import Press, Route
from cogs.wire.styles import new_message
from generation.errors import RequestRejected
from generation.job import Job
from generation.policy import check_change
from services.drawing.generation import GenerationService
from texts.text import _, _n

ACTION = "delete"


class Deleting(commands.Cog):
    """The owner of a picture and moderators delete it; the id of the question's button names its message."""

    def __init__(self, bot: nextcord.Client, *, service: GenerationService) -> None:
        self._bot = bot
        self._service = service

    def routes(self) -> tuple[Route, ...]:
        return (Route(action=ACTION, handle=self._press),)

    async def _press(self, interaction: nextcord.Interaction, press: Press) -> None:
        person = person_of(interaction)
        job = await self._service.visible(press.job_id, person)
        check_change(person, job, ACTION)
        if press.argument:
            await self._confirmed(interaction, job, press.argument)
            return
        message = interaction.message
        if message is not None and job.result and job.result.images:
            question = question_card(job, message.id)
            await interaction.response.send_message(**new_message(question), ephemeral=True)
            return
        await self._service.delete(job.id, person)
        await interaction.response.defer()
        if message is not None and holds_job(ids_of(message), job.origin, job.id):  # else the id is another message's
            with suppress(nextcord.NotFound):  # somebody was quicker
                await interaction.delete_original_message()

    async def _confirmed(self, interaction: nextcord.Interaction, job: Job, argument: str) -> None:
        if not argument.isdecimal() or len(argument) > len(str(2**64)):
            raise RequestRejected(_("That question is too old. Press 🗑️ again."))
        await self._service.delete(job.id, person_of(interaction))
        is_gone = await self._take_away(interaction, job, int(argument))
        text = _("Deleted.") if is_gone else _("Deleted. Dismiss the message to take it off your screen.")
        message = interaction.message
        if message is not None and f"{ACTION}:{job.id}:{argument}" in "".join(ids_of(message)):
            await interaction.response.edit_message(content=text, view=None)
        else:
            await interaction.response.send_message(text, ephemeral=True)

    async def _take_away(self, interaction: nextcord.Interaction, job: Job, message_id: int) -> bool:
        """Delete the message, if it is ours and shows this job; one that only one person sees cannot be."""
        channel_id, user = interaction.channel_id, self._bot.user
        if channel_id is None or user is None:
            return False
        try:
            raw = await self._bot.http.get_message(channel_id, message_id)
            if str(raw["author"]["id"]) != str(user.id) or not shows(raw, job.origin, job.id):
                return False
            await self._bot.http.delete_message(channel_id, message_id)
        except (nextcord.NotFound, nextcord.Forbidden):
            return False
        return True


def question_card(job: Job, message_id: int) -> Card:
    """Return the question, with the one button that does it."""
    count = len(job.result.images) if job.result else 0
    text = _n("Delete this picture for good?", "Delete these {count} pictures for good?", count=count)
    button = Button(
        action=ACTION, job_id=job.id, label=_("Delete"), emoji="🗑️", style="danger", argument=str(message_id)
    )
    return Card(content=text, rows=((button,),))
