"""Turns every failure of a command, button or modal into words for the one who can act.

Order: our own `GenerationError` (its sentence and hint); mistakes in calling a prefix command (what to type);
lost interactions (nothing can be said any more, the log is told); everything else ("Something went wrong", an id, and
the traceback in the log under that id).
"""

import logging
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import nextcord
from nextcord.ext import commands

from cogs.jobs.card import MARKS
from cogs.plain import sentence
from cogs.posting import TRANSIENT, reply_to
from generation.errors import GenerationError
from texts.text import _
from utils.text import cut

log = logging.getLogger(__name__)

UNKNOWN_INTERACTION = 10062


def error_text(error: BaseException) -> str:
    """Return what happened and what to do; an unknown fault gets an id, and its traceback goes to the log."""
    original = getattr(error, "original", error)
    if isinstance(original, GenerationError):
        mark = MARKS.get(original.code, "✖")
        hint = f"\n{sentence(original.hint)}" if original.hint else ""
        return cut(f"{mark} {sentence(original.user_message)}{hint}", 1900)
    if isinstance(error, commands.MissingRequiredArgument):
        return _("✖ Say what you would like to see, for example: `!dream a red fox in the snow --size 768x512`")
    if isinstance(error, commands.UserInputError):
        return _("✖ I could not read that. `/help` shows how it is written.")
    if isinstance(error, commands.CheckFailure | nextcord.ApplicationCheckFailure):
        return _("✖ You may not do that here.")
    fault = secrets.token_hex(3)
    log.error("command crashed, id %s", fault, exc_info=original, extra={"action": "job_failed"})
    return _(
        "✖ Something went wrong (id {fault}). The owner of this bot finds it in the log under that id.", fault=fault
    )


async def send_error(interaction: nextcord.Interaction, error: BaseException, *, was_thinking: bool = False) -> None:
    """Notify only the person who pressed or typed; a public "thinking…" is taken back first."""
    text = error_text(error)
    try:
        if not interaction.response.is_done():
            await interaction.response.send_message(text, ephemeral=True)
            return
        if was_thinking:
            with suppress(nextcord.HTTPException):
                await interaction.delete_original_message()
        await interaction.followup.send(text, ephemeral=True)
    except (nextcord.HTTPException, *TRANSIENT) as lost:
        log.warning("an answer could not be given (%s)", type(lost).__name__)


@asynccontextmanager
async def thinking(interaction: nextcord.Interaction, *, ephemeral: bool) -> AsyncIterator[None]:
    """Answer a press with "thinking…" and do the work; if that fails, whoever pressed is told, and nobody else."""
    await interaction.response.defer(ephemeral=ephemeral, with_message=True)
    try:
        yield
    except Exception as error:
        await send_error(interaction, error, was_thinking=True)


@asynccontextmanager
async def reply_errors(interaction: nextcord.Interaction) -> AsyncIterator[None]:
    """Run the handler of a press or a modal; whatever it raises is told to that person."""
    try:
        yield
    except nextcord.NotFound as error:
        if error.code != UNKNOWN_INTERACTION:
            await send_error(interaction, error)
        else:
            log.warning("an interaction came too late to be answered")
    except Exception as error:
        await send_error(interaction, error)


class ErrorHandler(commands.Cog):
    """The listeners that catch what commands raise."""

    def __init__(self, bot: commands.Bot) -> None:
        # registered by hand: a listener would leave nextcord's own handler printing tracebacks as well
        bot.on_command_error = self.on_prefix_error  # type: ignore[method-assign,assignment]
        bot.on_application_command_error = self.on_slash_error  # type: ignore[method-assign,assignment]

    async def on_prefix_error(self, ctx: commands.Context[Any], error: commands.CommandError) -> None:
        if isinstance(error, commands.CommandNotFound):
            return  # other bots share the prefix
        text = error_text(error)
        try:
            await reply_to(ctx, content=text)
        except (nextcord.HTTPException, *TRANSIENT):
            try:
                await ctx.author.send(f"<#{ctx.channel.id}>: {text}")  # "here" is not where this is read
            except (nextcord.HTTPException, *TRANSIENT) as lost:
                log.info("nowhere to tell an error (%s)", type(lost).__name__)

    async def on_slash_error(self, interaction: nextcord.Interaction, error: Exception) -> None:
        original = getattr(error, "original", error)
        if isinstance(original, nextcord.NotFound) and original.code == UNKNOWN_INTERACTION:
            log.warning("an interaction came too late to be answered")
            return
        await send_error(interaction, error, was_thinking=True)
