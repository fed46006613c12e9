"""A private picture shown to all by its owner, and any picture sent to whoever asks for it."""

from dataclasses import replace
from typing import Any, Final

import nextcord
from nextcord.ext import commands

from cogs.cards import Card
from cogs.error_handler import thinking
from cogs.jobs.messages import JobMessages
from cogs.letters import Letters
from cogs.origin import person_of
from cogs.posting import edit_answer
from cogs.presses import Press, Route
from cogs.wire.styles import new_message
from generation.errors import GenerationError, NotAllowed, RequestRejected
from generation.job import Job
from services.drawing.generation import GenerationService
from texts.text import _

SHARE: Final = "share"
SEND: Final = "send"
NO_CHANNEL: Final = _("There is no channel to share it in: it was asked for in a direct message.")


class Sharing(commands.Cog):
    """Two entries of the menu under a picture."""

    def __init__(
        self, bot: commands.Bot, *, service: GenerationService, messages: JobMessages, letters: Letters
    ) -> None:
        self._bot = bot
        self._service = service
        self._messages = messages
        self._letters = letters

    def routes(self) -> tuple[Route, ...]:
        return (Route(action=SHARE, handle=self._share), Route(action=SEND, handle=self._send))

    async def _share(self, interaction: nextcord.Interaction, press: Press) -> None:
        """Post a private picture where it was asked for; from then on it is as if it had been asked for openly."""
        person = person_of(interaction)
        job = await self._service.visible(press.job_id, person)
        if job.user_key != person.user_key:
            raise NotAllowed(_("Only the person who asked for this picture can share it."))
        if not job.origin.guild_id or not job.origin.places:
            raise RequestRejected(NO_CHANNEL)
        async with thinking(interaction, ephemeral=True):
            channel_id = job.origin.places[0]
            if not job.origin.private:
                raise RequestRejected(_("This picture is not private, so there is nothing to share."), field="job")
            message = await self._post(replace(job, origin=replace(job.origin, private=False)), channel_id)
            try:
                await self._service.publish(job.id, person)
            except GenerationError:  # it was shared a moment before
                await message.delete()
                raise
            await self._service.attach_message(job.id, channel_id=channel_id, message_id=str(message.id), is_lax=False)
            await edit_answer(interaction, Card(content=_("Shared: {link}", link=message.jump_url)))

    async def _post(self, job: Job, channel_id: str) -> nextcord.Message:
        channel: Any = self._bot.get_partial_messageable(int(channel_id), type=nextcord.ChannelType.text)
        card = await self._messages.whole(job)
        try:
            message: nextcord.Message = await channel.send(**new_message(card))
        except (nextcord.Forbidden, nextcord.NotFound) as error:
            raise NotAllowed(
                _("I cannot post in the channel where it was asked for."),
                hint=_("Ask a server admin to let me send messages and files there."),
            ) from error
        return message

    async def _send(self, interaction: nextcord.Interaction, press: Press) -> None:
        """Send the originals to whoever asks, if they see the picture."""
        person = person_of(interaction)
        job = await self._service.visible(press.job_id, person)
        async with thinking(interaction, ephemeral=True):
            head = _("-# job {short_id}", short_id=job.short_id)
            if not await self._letters.send(int(person.user_id), job, head):
                raise RequestRejected(
                    _("I could not send it."),
                    hint=_("Allow direct messages from this server. A picture that has expired can be drawn again."),
                )
            await edit_answer(interaction, Card(content=_("✉️ Sent to you.")))
