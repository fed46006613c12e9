"""Reactions under a picture, as people know them from other bots: ⭐ keeps it, ❌ cancels or deletes it, ✉️ sends it.

What a message shows is read from its own buttons, so reactions work on messages of any age.
"""

import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final

import nextcord
from nextcord.ext import commands

from cogs.cards import Card, controls_of
from cogs.error_handler import error_text
from cogs.jobs.card import PROMPT_CHARS
from cogs.letters import Letters
from cogs.origin import DOOR
from cogs.plain import escape
from cogs.posting import TRANSIENT
from cogs.wire.reading import whole
from generation.errors import GenerationError, NotAllowed, RequestRejected
from generation.job import Job
from generation.person import Person
from services.drawing.generation import GenerationService
from services.library.gallery import GalleryService
from utils.text import cut

log = logging.getLogger(__name__)

VARIANT: Final = "\ufe0f"  # asks for the coloured form of an emoji; some clients leave it out
KEEP, CROSS, LETTER = ("⭐", "🌟"), ("❌", "✖"), ("✉", "📧", "📩")
Answer = Callable[[Person, Job, nextcord.Message], Awaitable[None]]


class Reactions(commands.Cog):
    """Each reaction is what the person may do with the job by a button; one that means nothing here is left alone."""

    def __init__(
        self, bot: commands.Bot, *, service: GenerationService, gallery: GalleryService, letters: Letters
    ) -> None:
        self._bot = bot
        self._service = service
        self._gallery = gallery
        self._letters = letters

    @commands.Cog.listener("on_raw_reaction_add")
    async def on_added(self, event: nextcord.RawReactionActionEvent) -> None:
        emoji = str(event.emoji).replace(VARIANT, "")
        for emojis, answer in ((KEEP, self._keep), (CROSS, self._end), (LETTER, self._send)):
            if emoji in emojis:
                await self._answer(event, answer)

    @commands.Cog.listener("on_raw_reaction_remove")
    async def on_removed(self, event: nextcord.RawReactionActionEvent) -> None:
        if str(event.emoji).replace(VARIANT, "") in KEEP:
            await self._answer(event, self._let_go)

    async def _answer(self, event: nextcord.RawReactionActionEvent, answer: Answer) -> None:
        if self._bot.user is None or event.user_id == self._bot.user.id or (event.member and event.member.bot):
            return
        try:
            message = await self._message(event)
            job_id = next((shown for __, shown, __ in controls_of(message) if shown), "") if message else ""
            if message is None or not job_id:
                return
            person = self._person(event)
            await answer(person, await self._service.visible(job_id, person), message)
        except (RequestRejected, NotAllowed):
            return  # not a job of these eyes, or no longer there; a reaction under somebody else's is only an opinion
        except GenerationError as error:
            await self._letters.write(event.user_id, Card(content=error_text(error)))
        except (nextcord.HTTPException, *TRANSIENT) as error:
            log.info("a reaction was not answered (%s)", type(error).__name__)

    async def _message(self, event: nextcord.RawReactionActionEvent) -> nextcord.Message | None:
        """Fetch the message if it is the bot's own."""
        known = nextcord.utils.get(self._bot.cached_messages, id=event.message_id)
        if known is not None and known.author != self._bot.user:
            return None
        channel = self._bot.get_partial_messageable(event.channel_id)
        message = await channel.fetch_message(event.message_id)
        return await whole(self._bot, message) if message.author == self._bot.user else None

    def _person(self, event: nextcord.RawReactionActionEvent) -> Person:
        channel: Any = self._bot.get_channel(event.channel_id)
        is_moderator = False
        if event.member is not None and channel is not None:
            with suppress(nextcord.ClientException):  # a thread the bot was never told of
                is_moderator = channel.permissions_for(event.member).manage_messages
        return Person(
            user_key=f"{DOOR}:{event.user_id}",
            guild_id=str(event.guild_id) if event.guild_id else None,
            channel_id=str(event.channel_id),
            is_moderator=is_moderator,
        )

    async def _keep(self, person: Person, job: Job, __: nextcord.Message) -> None:
        for image in job.result.images if job.result else ():
            await self._gallery.star(person, image.media_id)

    async def _let_go(self, person: Person, job: Job, __: nextcord.Message) -> None:
        for image in job.result.images if job.result else ():
            await self._gallery.unstar(person, image.media_id)

    async def _end(self, person: Person, job: Job, message: nextcord.Message) -> None:
        if not job.is_terminal:
            await self._service.cancel(job.id, person)
            return
        await self._service.delete(job.id, person)
        await message.delete()

    async def _send(self, person: Person, job: Job, message: nextcord.Message) -> None:
        head = message.content.partition("\n")[0] or f"**{escape(cut(job.request.prompt, PROMPT_CHARS))}**"
        await self._letters.send(int(person.user_id), job, head)
