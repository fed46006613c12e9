"""Says why `!dream` is not heard when Discord does not let the bot read messages (message content intent off)."""

from typing import Any

import nextcord
from nextcord.ext import commands

from utils.clock import Clock

AGAIN_AFTER_S = 24 * 3600.0
TEXT = (
    "I cannot read messages here: the Message Content Intent is switched off for this bot, so `!dream` does not reach "
    "me. `/generate` works, and so does mentioning me: `@me dream a red fox`.\n"
    "-# The bot's owner can switch it on in Discord's developer portal under Bot → Privileged Gateway Intents."
)


class Unreadable(commands.Cog):
    """Without the intent a message arrives empty; once a day and channel it is answered with the reason."""

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
        if now - self._told.get(channel.id, float("-inf")) < AGAIN_AFTER_S:
            return
        self._told[channel.id] = now
        await channel.send(TEXT)
