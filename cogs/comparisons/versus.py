"""`/versus` and `!versus`: two prompts on one engine side by side, and a vote on which is better."""

import re
from dataclasses import replace
from typing import Any, Final

import nextcord
from nextcord import SlashOption
from nextcord.ext import commands

from cogs.attachments import unused_in
from cogs.comparisons.card import ID_PREFIX
from cogs.comparisons.cog import FROM_WORDS
from cogs.comparisons.versus_card import END, VOTE, counted
from cogs.comparisons.votes import VoteMessages
from cogs.decorators import prefix_command
from cogs.desk import Desk
from cogs.error_handler import thinking
from cogs.jobs.card import timestamp
from cogs.mentions import names_in, names_of_interaction
from cogs.origin import check_interaction_permissions, check_message_permissions, of_interaction, person_of
from cogs.pictures.sources import suggest_engines
from cogs.presses import Press, Route
from cogs.slash import slash_option
from constants import MAX_PROMPT_CHARS
from generation.errors import RequestRejected
from generation.job import Origin
from generation.order import Order, OrderKind
from generation.prompt_syntax import ParsedPrompt, parse_prompt
from generation.request import Draft
from lazy import pattern
from services.drawing.versus import HOURS, LEAST_HOURS, MOST_HOURS, Side, VersusService
from services.engines.catalog import Catalog
from services.wording.enhancing import PromptService
from texts.text import _, _n
from utils.clock import Clock

BETWEEN: Final = pattern(r"\s+(?:vs\.?|versus)\s+|\s*\n\s*", re.IGNORECASE)
OF_SIDE: Final[dict[str, Side]] = {"a": "a", "b": "b"}


class Versus(commands.Cog):
    """The commands, and the buttons of a vote."""

    def __init__(
        self,
        *,
        versus: VersusService,
        votes: VoteMessages,
        prompts: PromptService,
        catalog: Catalog,
        desk: Desk,
        clock: Clock,
    ) -> None:
        self._prompts = prompts
        self._clock = clock
        self._versus = versus
        self._votes = votes
        self._catalog = catalog
        self._desk = desk

    @nextcord.slash_command(name="versus", description=_("Two prompts side by side; people vote on which is better"))
    async def slash_versus(
        self,
        interaction: nextcord.Interaction,
        a: str = SlashOption(description=_("The first prompt"), required=True, max_length=MAX_PROMPT_CHARS),
        b: str = SlashOption(
            description=_("The second prompt; one like the first is written, if left out"),
            required=False,
            max_length=MAX_PROMPT_CHARS,
        ),
        hours: int = SlashOption(
            description=_("So long people may vote (24, if left out)"),
            required=False,
            min_value=LEAST_HOURS,
            max_value=MOST_HOURS,
        ),
        backend: str = slash_option("backend"),
    ) -> None:
        check_interaction_permissions(interaction)
        names = await names_of_interaction(interaction, a, b)
        sides = [parse_prompt(each, names, takes_several=True) for each in (a, b) if each]
        if len(sides) == 2:
            order = versus_order(sides, hours or HOURS, backend or None)
            await self._desk.take_press(interaction, order, private=False)
            return
        versus_order(sides * 2)  # what no vote can be between is refused before a text engine is asked
        async with thinking(interaction, ephemeral=False):
            sides, notes = await self._with_another(sides[0], of_interaction(interaction, self._clock))
            order = versus_order(sides, hours or HOURS, backend or None, notes)
            await self._desk.take_press(interaction, order, private=False)

    @slash_versus.on_autocomplete("backend")
    async def suggest_backend(self, interaction: nextcord.Interaction, typed: str) -> None:
        await suggest_engines(self._catalog, interaction, typed)

    @prefix_command(name="versus")
    async def versus_by_prefix(self, ctx: commands.Context[Any], *, text: str = "") -> None:
        """`!versus a red fox vs a blue fox`"""  # noqa: D415  # shown as it stands by !help
        await check_message_permissions(ctx)
        prompts = [part for part in BETWEEN.split(text) if part.strip()]
        if len(prompts) != 2:
            raise RequestRejected(
                _n(
                    "A vote is between two prompts, and that is one.",
                    "A vote is between two prompts, and those are {count}.",
                    count=len(prompts),
                ),
                hint=_("Write `vs` between them: `!versus a red fox vs a blue fox`."),
                field="prompt",
            )
        parsed = [parse_prompt(prompt, names_in(ctx.message), takes_several=True) for prompt in prompts]
        order = versus_order(parsed, notes=unused_in(ctx.message, why=FROM_WORDS))
        await self._desk.take_message(ctx, order, private=False)

    async def _with_another(self, parsed: ParsedPrompt, origin: Origin) -> tuple[list[ParsedPrompt], tuple[str, ...]]:
        """Return two prompts for the subject of one, with its options, and what wrote them."""
        pair = await self._prompts.pair(parsed.draft.prompt, origin)
        sides = [replace(parsed, draft=replace(parsed.draft, prompt=words)) for words in (pair.first, pair.second)]
        return sides, pair.notes

    def routes(self) -> tuple[Route, ...]:
        return (
            Route(prefix=ID_PREFIX, action=VOTE, handle=self._vote),
            Route(prefix=ID_PREFIX, action=END, handle=self._end),
        )

    async def _vote(self, interaction: nextcord.Interaction, press: Press) -> None:
        side = OF_SIDE.get(press.argument, "a")
        ballot = await self._versus.vote(press.job_id, side, person_of(interaction))
        assert ballot.closes_at is not None, "it takes votes"
        text = _(
            "Your vote: **{side}**. Until {timestamp} you can change it.\n-# {count}",
            side=side.upper(),
            timestamp=timestamp(ballot.closes_at),
            count=counted(ballot),
        )
        await interaction.response.send_message(text, ephemeral=True)
        await self._votes.refresh(ballot)

    async def _end(self, interaction: nextcord.Interaction, press: Press) -> None:
        ballot = await self._versus.end(press.job_id, person_of(interaction))
        await interaction.response.defer()
        await self._votes.finish(ballot)

    @commands.Cog.listener("on_ready")
    async def take_up(self) -> None:
        """Show the outcome of votes that have ended while Easel was away; safe to repeat."""
        self._votes.open()


def versus_order(
    sides: list[ParsedPrompt], hours: float = HOURS, backend: str | None = None, notes: tuple[str, ...] = ()
) -> Order:
    """Return the order for two prompts.

    Raises:
        RequestRejected: one of them is for one person's eyes, or stands for several.
    """
    if any(side.is_private for side in sides):
        raise RequestRejected(_("A vote cannot be private: nobody else would see it."), field="private")
    if any(side.others for side in sides):
        raise RequestRejected(
            _("A vote is between two pictures, and choices in braces stand for several."), field="prompt"
        )
    if any(side.repeat > 1 or (side.draft.batch_size or 1) > 1 for side in sides):
        notes = (*notes, _("one picture a side"))
    drafts = [Draft(backend=backend).over(side.draft) if backend else side.draft for side in sides]
    return Order(
        kind=OrderKind.VERSUS,
        draft=drafts[0],
        others=(drafts[1],),
        hours=float(hours),
        notes=tuple(dict.fromkeys((*(note for side in sides for note in side.notes), *notes))),
        fills=any(side.has_wildcards for side in sides),
        is_spoiler=True if any(side.is_spoiler for side in sides) else None,
    )
