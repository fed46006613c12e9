"""`/compare` and `!compare`: one prompt on several engines side by side."""

from dataclasses import replace
from typing import Any, Final

import nextcord
from nextcord import SlashOption
from nextcord.ext import commands

from cogs.attachments import unused_in
from cogs.comparisons.card import ID_PREFIX
from cogs.comparisons.messages import CompareMessages
from cogs.decorators import prefix_command
from cogs.desk import Desk
from cogs.mentions import names_in, names_of_interaction
from cogs.origin import (
    check_interaction_permissions,
    check_message_permissions,
    person_of,
)
from cogs.plain import suggest
from cogs.presses import Press, Route
from cogs.slash import slash_option
from generation.errors import RequestRejected
from generation.order import Order, OrderKind
from generation.prompt_syntax import ParsedPrompt, parse_prompt
from services.drawing.compare import CompareService, engine_names, take_engines
from services.engines.catalog import ENGINES, Catalog
from texts.text import _

FROM_WORDS: Final = _("a comparison is drawn from words")


class Compare(commands.Cog):
    """The commands, and the one button that is not a single job's."""

    def __init__(self, *, compare: CompareService, messages: CompareMessages, catalog: Catalog, desk: Desk) -> None:
        self._compare = compare
        self._messages = messages
        self._catalog = catalog
        self._desk = desk

    @nextcord.slash_command(name="compare", description=_("The same prompt on several engines, side by side"))
    async def slash_compare(
        self,
        interaction: nextcord.Interaction,
        prompt: str = slash_option("text", is_required=True),
        engines: str = SlashOption(description=_("Which ones, with commas between (all, if left out)"), required=False),
    ) -> None:
        check_interaction_permissions(interaction)
        parsed = parse_prompt(prompt, await names_of_interaction(interaction, prompt))
        await self._desk.take_press(
            interaction, _order(parsed, engine_names(engines or "")), private=parsed.is_private or None
        )

    @slash_compare.on_autocomplete("engines")
    async def suggest_engines(self, interaction: nextcord.Interaction, typed: str) -> None:
        """Complete the last name of the list."""
        before, comma, last = typed.rpartition(",")
        pairs = self._catalog.suggest(
            ENGINES,
            last.strip(),
            person_of(interaction),
        )
        taken = set(engine_names(before))
        names = [f"{before}{comma}{value}" for __, value in pairs if value not in taken]
        await suggest(interaction, names)

    @prefix_command(name="compare")
    async def compare_by_prefix(self, ctx: commands.Context[Any], *, text: str = "") -> None:
        """`!compare a red fox --engines gpu1,grid`"""  # noqa: D415  # shown as it stands by !help
        await check_message_permissions(ctx)
        words, engines = take_engines(text)
        parsed = parse_prompt(words, names_in(ctx.message))
        parsed = replace(parsed, notes=(*parsed.notes, *unused_in(ctx.message, why=FROM_WORDS)))
        if parsed.is_private:
            raise RequestRejected(_("Only `/compare` can answer in private."), field="private")
        await self._desk.take_message(ctx, _order(parsed, engines), private=False)

    def routes(self) -> tuple[Route, ...]:
        return (Route(prefix=ID_PREFIX, action="cancel", handle=self._cancel),)

    async def _cancel(self, interaction: nextcord.Interaction, press: Press) -> None:
        was_under_way = await self._compare.cancel(press.job_id, person_of(interaction))
        await interaction.response.defer()
        if not was_under_way:
            await interaction.followup.send(_("It had already ended."), ephemeral=True)

    @commands.Cog.listener("on_ready")
    async def take_up(self) -> None:
        """Go on with what an earlier process left; safe to repeat."""
        await self._messages.take_up()


def _order(parsed: ParsedPrompt, engines: tuple[str, ...]) -> Order:
    return Order(
        kind=OrderKind.COMPARE, draft=parsed.draft, notes=parsed.notes, engines=engines, fills=parsed.has_wildcards
    )
