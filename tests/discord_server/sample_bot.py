"""A small nextcord bot with one of everything, to hold the local Discord to what the real library does."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Callable
from typing import Any

import nextcord
from nextcord.ext import commands

PNG_MAGIC = b"\x89PNG\r\n\x1a\n"


class SizeModal(nextcord.ui.Modal):
    def __init__(self) -> None:
        super().__init__("Picture size", custom_id="size-modal", timeout=None)
        self.width = nextcord.ui.TextInput("Width", custom_id="width", default_value="512", max_length=4)
        self.add_item(self.width)

    async def callback(self, interaction: nextcord.Interaction) -> None:
        await interaction.response.edit_message(content=f"width {self.width.value}")


class Controls(nextcord.ui.View):
    def __init__(self) -> None:
        super().__init__(timeout=None)

    @nextcord.ui.button(label="Again", custom_id="again")
    async def again(self, button: nextcord.ui.Button, interaction: nextcord.Interaction) -> None:
        await interaction.response.send_message("again!", ephemeral=True)

    @nextcord.ui.button(label="Size", custom_id="size")
    async def size(self, button: nextcord.ui.Button, interaction: nextcord.Interaction) -> None:
        await interaction.response.send_modal(SizeModal())

    @nextcord.ui.button(label="Later", custom_id="later")
    async def later(self, button: nextcord.ui.Button, interaction: nextcord.Interaction) -> None:
        await interaction.response.defer()
        await interaction.edit_original_message(content="later")

    @nextcord.ui.button(label="Off", custom_id="off", disabled=True)
    async def off(self, button: nextcord.ui.Button, interaction: nextcord.Interaction) -> None:
        raise AssertionError("a disabled button cannot be pressed")

    @nextcord.ui.string_select(
        custom_id="model",
        placeholder="Model",
        options=[
            nextcord.SelectOption(label="Dream", value="dream"),
            nextcord.SelectOption(label="Flux", value="flux"),
        ],
    )
    async def model(self, select: nextcord.ui.StringSelect, interaction: nextcord.Interaction) -> None:
        await interaction.response.edit_message(content=f"model {select.values[0]}")


def make_bot(changed: Callable[[], None], **intents: bool) -> commands.Bot:
    """Build a bot with commands that show each way to answer; call it inside the running loop.

    `bot.seen` collects messages and errors, and `changed` is called after each.
    """
    chosen = nextcord.Intents.default()
    chosen.message_content = True
    for name, value in intents.items():
        setattr(chosen, name, value)
    prefix = "!" if chosen.message_content else commands.when_mentioned
    bot = commands.Bot(command_prefix=prefix, intents=chosen, guild_ready_timeout=0.01)
    bot.seen = []
    bot.notice = lambda item: (bot.seen.append(item), changed())
    _add_prefix_commands(bot)
    _add_slash_commands(bot)
    _add_listeners(bot)
    return bot


def _add_prefix_commands(bot: commands.Bot) -> None:
    @bot.command()
    async def dream(ctx: commands.Context, *, prompt: str = "") -> None:
        status = await ctx.reply(f"working on {prompt}", mention_author=False)
        file = nextcord.File(io.BytesIO(PNG_MAGIC), "fox.png", description=prompt)
        await status.edit(content=f"done {prompt}", file=file, view=Controls())

    @bot.command()
    async def echo(ctx: commands.Context) -> None:
        picture = ctx.message.attachments[0]
        await ctx.send(f"{picture.filename} {len(await picture.read())}")

    @bot.command()
    async def whisper(ctx: commands.Context) -> None:
        await ctx.author.send("psst")

    @bot.command()
    async def big(ctx: commands.Context, count: int) -> None:
        await ctx.send("x" * count)


def _add_slash_commands(bot: commands.Bot) -> None:
    @bot.slash_command(description="Make a picture")
    async def generate(
        interaction: nextcord.Interaction,
        prompt: str,
        steps: int = nextcord.SlashOption(default=20, min_value=1, max_value=50, required=False),
        model: str = nextcord.SlashOption(default="dream", required=False, autocomplete=True),
        style: str = nextcord.SlashOption(default="none", required=False, choices={"Photo": "photo"}),
        image: nextcord.Attachment | None = nextcord.SlashOption(default=None, required=False),
    ) -> None:
        await interaction.response.defer()
        text = f"{prompt} {steps} {model} {style} {image.filename if image else '-'}"
        file = nextcord.File(io.BytesIO(PNG_MAGIC), "fox.png")
        embed = nextcord.Embed(description=text).set_image(url="attachment://fox.png")
        await interaction.edit_original_message(embed=embed, file=file, view=Controls())

    @generate.on_autocomplete("model")
    async def models(interaction: nextcord.Interaction, typed: str, prompt: str | None = None) -> None:
        await interaction.response.send_autocomplete([f"{typed}shaper", f"{prompt}"])

    @bot.slash_command(description="For admins", default_member_permissions=nextcord.Permissions(administrator=True))
    async def secret(interaction: nextcord.Interaction) -> None:
        await interaction.response.send_message("hidden", ephemeral=True)
        await interaction.followup.send("more", ephemeral=True)

    @bot.slash_command(description="Never answers")
    async def silent(interaction: nextcord.Interaction) -> None:
        bot.notice(interaction)

    @bot.slash_command(description="Styles")
    async def styles(interaction: nextcord.Interaction) -> None: ...

    @styles.subcommand(description="Add a style")
    async def add(interaction: nextcord.Interaction, name: str) -> None:
        await interaction.send(f"added {name}")

    @bot.message_command(name="Reuse prompt")
    async def reuse(interaction: nextcord.Interaction, message: nextcord.Message) -> None:
        await interaction.response.send_message(f"reused {message.content}")


def _add_listeners(bot: commands.Bot) -> None:
    async def on_raw_reaction_add(payload: nextcord.RawReactionActionEvent) -> None:
        if payload.user_id != bot.user.id:
            message = bot.get_channel(payload.channel_id).get_partial_message(payload.message_id)
            await message.add_reaction(str(payload.emoji))

    async def on_application_command_error(interaction: nextcord.Interaction, error: Exception) -> None:
        bot.notice(error)

    async def on_command_error(ctx: commands.Context, error: Exception) -> None:
        bot.notice(error)

    async def on_message(message: nextcord.Message) -> None:
        if not message.author.bot:
            bot.notice(message)
            await bot.process_commands(message)

    for listener in (on_raw_reaction_add, on_application_command_error, on_command_error, on_message):
        bot.event(listener)


class RunningBot:
    """Runs a bot in this loop until closed."""

    def __init__(self, bot: commands.Bot, token: str) -> None:
        self.bot = bot
        self.task: asyncio.Task[Any] = asyncio.create_task(bot.start(token))

    async def close(self) -> None:
        await self.bot.close()
        await asyncio.gather(self.task, return_exceptions=True)
