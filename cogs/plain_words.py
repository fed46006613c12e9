"""Draw without a command for people who speak to the bot alone, or begin with its name."""

from datetime import timedelta
from typing import Any, Final

import nextcord
from nextcord.ext import commands

from lazy import pattern

DRAW: Final = "dream"
HELP: Final = "help"
MENDED_WITHIN: Final = timedelta(minutes=10)
_MENTION: Final = pattern(r"<@!?\d+>\s*")
_SPOKEN: Final = (nextcord.MessageType.default, nextcord.MessageType.reply)


def give_command(ctx: commands.Context[Any]) -> None:
    """Make a message without a command one to draw its words, where they can only be meant for the bot."""
    message = ctx.message
    is_named = bool(_MENTION.fullmatch(ctx.prefix or ""))
    is_name_alone = bool(_MENTION.fullmatch(message.content)) and ctx.bot.user in message.mentions
    is_alone = ctx.guild is None and ctx.prefix is None
    if ctx.command is not None or message.type not in _SPOKEN or not (is_named or is_name_alone or is_alone):
        return
    if is_named:
        ctx.view.undo()  # what was read as the name of a command is the first word
    ctx.invoked_with = HELP if is_name_alone and not message.attachments else DRAW
    ctx.command = ctx.bot.get_command(ctx.invoked_with)
    if is_name_alone:
        ctx.view.index = ctx.view.end
    ctx.prefix = ctx.prefix or ""


def may_be_mended(before: nextcord.Message, after: nextcord.Message) -> bool:
    """Return whether an edit is a person's own and new; Discord makes some itself (a link that got its preview)."""
    if before.author.bot or before.content == after.content or after.edited_at is None:
        return False
    return after.edited_at - after.created_at < MENDED_WITHIN
