"""`/compare` and `!compare`: one prompt on several engines side by side."""

import re
from typing import Any

import nextcord
from nextcord import SlashOption
from nextcord.ext import commands

from cogs.compare_card import read_id
from cogs.compare_messages import CompareMessages
from cogs.decorators import prefix_command
from cogs.error_handler import told
from cogs.origin import (
    actor_of,
    check_interaction_permissions,
    check_message_permissions,
    of_interaction,
    of_message,
)
from cogs.posting import reply_to
from constants import MAX_PROMPT_CHARS
from generation.errors import RequestRejected
from generation.prompt_syntax import parse_prompt
from services.catalog import MAX_CHOICES, Catalog
from services.compare import CompareService
from utils.clock import Clock

ENGINES = re.compile(r"\s--(?:engines?|backends?|on)[= ]+(\"[^\"]*\"|“[^”]*”|\S+)", re.IGNORECASE)


class Compare(commands.Cog):
    """The commands, and the one button that is not a single job's."""

    def __init__(self, *, compare: CompareService, messages: CompareMessages, catalog: Catalog, clock: Clock) -> None:
        self._compare = compare
        self._messages = messages
        self._catalog = catalog
        self._clock = clock

    @nextcord.slash_command(name="compare", description="The same prompt on several engines, side by side")
    async def slash_compare(
        self,
        interaction: nextcord.Interaction,
        prompt: str = SlashOption(
            description="What to draw; --options work here too", max_length=MAX_PROMPT_CHARS, required=True
        ),
        engines: str = SlashOption(description="Which ones, with commas between (all, if left out)", required=False),
    ) -> None:
        check_interaction_permissions(interaction)
        parsed = parse_prompt(prompt)
        await interaction.response.defer(ephemeral=parsed.is_private)
        origin = of_interaction(interaction, self._clock, private=parsed.is_private)
        comparison = await self._compare.start(parsed.draft, origin, _names(engines or ""), notes=parsed.notes)
        await self._messages.open(comparison)

    @slash_compare.on_autocomplete("engines")
    async def suggest_engines(self, interaction: nextcord.Interaction, typed: str) -> None:
        """Complete the last name of the list."""
        assert interaction.user is not None, "Discord always says who"
        before, comma, last = typed.rpartition(",")
        pairs = self._catalog.suggest(
            "backend",
            last.strip(),
            user_id=str(interaction.user.id),
            guild_id=str(interaction.guild_id) if interaction.guild_id else None,
        )
        taken = set(_names(before))
        names = [f"{before}{comma}{value}" for _, value in pairs if value not in taken]
        await interaction.response.send_autocomplete([name for name in names if len(name) <= 100][:MAX_CHOICES])

    @prefix_command(name="compare")
    async def compare_by_prefix(self, ctx: commands.Context[Any], *, text: str = "") -> None:
        """`!compare a red fox --engines gpu1,grid`"""  # noqa: D415  # shown as it stands by !help
        await check_message_permissions(ctx)
        found = ENGINES.search(f" {text}")
        parsed = parse_prompt(ENGINES.sub("", f" {text}").strip())
        if parsed.is_private:
            raise RequestRejected("Only `/compare` can answer in private.", field="private")
        wanted = _names(found[1].strip('"“”')) if found else ()
        answer = await reply_to(ctx, content="⏳ asking the engines…")
        try:
            comparison = await self._compare.start(parsed.draft, of_message(ctx, answer), wanted, notes=parsed.notes)
        except Exception:
            await answer.delete()
            raise
        await self._messages.open(comparison)

    @commands.Cog.listener("on_interaction")
    async def on_press(self, interaction: nextcord.Interaction) -> None:
        if interaction.type is not nextcord.InteractionType.component:
            return
        data: Any = interaction.data
        pressed = read_id(data["custom_id"])
        if pressed is None:
            return
        async with told(interaction):
            await interaction.response.defer()
            if not await self._compare.cancel(pressed[1], actor_of(interaction)):
                await interaction.followup.send("It had already ended.", ephemeral=True)

    @commands.Cog.listener("on_ready")
    async def take_up(self) -> None:
        """Go on with what an earlier process left; safe to repeat."""
        await self._messages.take_up()


def _names(typed: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in typed.split(",") if name.strip())
