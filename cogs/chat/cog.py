"""*Draw this chat* in the menu of a message: that message and those before it become a prompt, if who is quoted agrees.

Messages are fetched again when the prompt is written: what was deleted by then is not read.
"""

import asyncio
from collections.abc import Iterable
from typing import Any, Final
from weakref import WeakValueDictionary

import nextcord
from nextcord.ext import commands

from cogs.cards import OTHER_VERSION, controls_of
from cogs.chat.card import ACTION, NO, WRITE, YES, Consent, asked_of, consent_card, consent_in, prompt_card
from cogs.error_handler import thinking
from cogs.mentions import names_in
from cogs.origin import check_interaction_permissions, of_interaction
from cogs.posting import edit_answer
from cogs.presses import Press, Route
from cogs.wire.reading import raw_target
from cogs.wire.styles import edit_of, new_message
from generation.chat_words import plain_words
from generation.errors import NotAllowed, RequestRejected
from generation.request import Draft
from services.money.tags import PriceTags
from services.wording.chat import MOST_LINES, ChatLine, ChatService
from texts.text import _
from utils.clock import Clock

SOMEBODY: Final = "somebody"  # no text: for a model
KNOWN: Final = 200  # consent messages whose latest state is remembered
UNREADABLE: Final = _("I may not read what others write here, so only your own message can be drawn.")


class DrawChat(commands.Cog):
    """Asks for consent, and then for the prompt."""

    def __init__(self, bot: commands.Bot, *, chat: ChatService, tags: PriceTags, clock: Clock) -> None:
        self._bot = bot
        self._tags = tags
        self._chat = chat
        self._clock = clock
        self._latest: dict[int, str] = {}  # two may press at once, and each press brings the message as it was
        self._turns: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    @nextcord.message_command(name="Draw this chat")  # no text: it is known by this name
    async def draw_chat(self, interaction: nextcord.Interaction, message: nextcord.Message) -> None:
        check_interaction_permissions(interaction)
        await self._chat.check(of_interaction(interaction, self._clock, private=True))
        asker = str(interaction.user.id) if interaction.user else ""
        raw = raw_target(interaction, message) or {}  # Discord shows it to us, whatever we may read otherwise
        message.content = message.content or str(raw.get("content") or "")
        quoted = [message, *await self._before(message)]
        consent = asked_of([str(each.author.id) for each in reversed(quoted) if _is_said(each)], asker)
        if not consent.answers:
            await self._write(interaction, quoted, frozenset({asker}))
            return
        if not self._bot.intents.message_content:
            raise RequestRejected(UNREADABLE, hint=_("Whoever runs this bot can switch the message content intent on."))
        card = consent_card(consent, str(message.id), message.jump_url, usd=self._chat.price)
        users: list[nextcord.abc.Snowflake] = [nextcord.Object(int(user_id)) for user_id in consent.answers]
        await interaction.response.send_message(
            **new_message(card), allowed_mentions=nextcord.AllowedMentions(users=users)
        )

    def routes(self) -> tuple[Route, ...]:
        return (Route(action=ACTION, handle=self._press),)

    async def _press(self, interaction: nextcord.Interaction, press: Press) -> None:
        message = interaction.message
        own = (press.action, press.job_id, press.argument)
        if message is None or own not in controls_of(message) or press.argument not in (YES, NO, WRITE):
            raise RequestRejected(OTHER_VERSION)  # what they agreed to are these messages, and no others
        turn = self._turns.setdefault(message.id, asyncio.Lock())
        async with turn:
            consent = consent_in(self._latest.get(message.id, message.content))
            if consent is None:
                raise RequestRejected(OTHER_VERSION)
            if press.argument != WRITE:
                await self._answer(interaction, message, press, consent)
                return
        await self._write_agreed(interaction, int(press.job_id), consent)

    async def _answer(
        self, interaction: nextcord.Interaction, message: nextcord.Message, press: Press, consent: Consent
    ) -> None:
        user_id = str(interaction.user.id) if interaction.user else ""
        if user_id not in consent.answers:
            raise NotAllowed(_("Nothing of yours is quoted there, so there is nothing to agree to."))
        consent = consent.answered(user_id, agrees=press.argument == YES)
        card = consent_card(consent, press.job_id, _link(interaction, press.job_id), usd=self._chat.price)
        self._latest[message.id] = card.content
        while len(self._latest) > KNOWN:
            self._latest.pop(next(iter(self._latest)))
        await interaction.response.edit_message(**edit_of(card))

    async def _write_agreed(self, interaction: nextcord.Interaction, message_id: int, consent: Consent) -> None:
        check_interaction_permissions(interaction)
        if str(interaction.user.id if interaction.user else "") != consent.asker:
            raise NotAllowed(_("Only who asked for the picture has its prompt written."))
        channel: Any = interaction.channel
        try:
            message = await channel.fetch_message(message_id)
        except nextcord.NotFound as error:
            raise RequestRejected(_("That message is no longer there.")) from error
        await self._write(interaction, [message, *await self._before(message)], consent.agreed)

    async def _before(self, message: nextcord.Message) -> list[nextcord.Message]:
        """Return the messages before one, newest first; none where they may not be read."""
        if not self._bot.intents.message_content:
            return []
        try:
            return [each async for each in message.channel.history(limit=MOST_LINES - 1, before=message)]
        except nextcord.Forbidden:
            return []

    async def _write(
        self, interaction: nextcord.Interaction, newest_first: Iterable[nextcord.Message], agreed: frozenset[str]
    ) -> None:
        """Show the prompt to who asked alone; drawing it is their next press."""
        lines = [
            ChatLine(speaker=str(each.author.id), words=_words_of(each))
            for each in newest_first
            if _is_said(each) and str(each.author.id) in agreed
        ]
        if not lines:
            raise RequestRejected(_("Nobody who is quoted there has agreed yet."))
        origin = of_interaction(interaction, self._clock, private=True)
        async with thinking(interaction, ephemeral=True):
            found = await self._chat.prompt_of(lines[::-1], origin)
            usd = await self._tags.of_draft(Draft(prompt=found.prompt), origin)
            await edit_answer(interaction, prompt_card(found, drawn_usd=usd))


def _is_said(message: nextcord.Message) -> bool:
    """Return whether a person wrote it, in words."""
    return not message.author.bot and message.webhook_id is None and bool(message.content.strip())


def _words_of(message: nextcord.Message) -> str:
    """Return its words without the names of those it mentions, who were not asked."""
    return plain_words(message.content, dict.fromkeys(names_in(message), SOMEBODY))[0]


def _link(interaction: nextcord.Interaction, message_id: str) -> str:
    place = interaction.guild_id or "@me"
    return f"https://discord.com/channels/{place}/{interaction.channel_id}/{message_id}"
