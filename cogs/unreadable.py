"""Says why `!dream` is not heard when Discord does not let the bot read messages (message content intent off)."""

import logging
from typing import Any

import nextcord
from nextcord.ext import commands

from texts.text import _
from utils.clock import Clock

log = logging.getLogger(__name__)

AGAIN_AFTER_S = 7 * 24 * 3600.0
TEXT = _(
    "I cannot read messages here: the Message Content Intent is switched off for this bot, so `!dream` does not reach "
    "me. `/generate` works, and so does mentioning me: `@me dream a red fox`.\n"
    "-# The bot's owner can switch it on in Discord's developer portal under Bot → Privileged Gateway Intents."
)


class Unreadable(commands.Cog):
    """Without the intent a message arrives empty; once a week and server it is answered with the reason.

    Which messages were meant for the bot cannot be told, so more often would be a nuisance.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._told: dict[int, float] = {}

    @commands.Cog.listener("on_message")
    async def on_message(self, message: nextcord.Message) -> None:
        is_empty = not (message.content or message.attachments or message.embeds or message.stickers)
        if message.guild is None or message.author.bot or not is_empty:
            return
        if message.type not in (nextcord.MessageType.default, nextcord.MessageType.reply):
            return
        channel: Any = message.channel
        now = self._clock.monotonic()
        if now - self._told.get(message.guild.id, float("-inf")) < AGAIN_AFTER_S:
            return
        self._told[message.guild.id] = now
        try:
            await channel.send(TEXT)
        except nextcord.HTTPException as error:
            log.info("could not say why messages are not read (%s %s)", error.status, error.code)
