"""`/cost`: what you spent, what a server spends, and what its managers let it spend."""

from collections.abc import Sequence
from typing import Any, Final

import nextcord
from nextcord import SlashOption
from nextcord.ext import commands

from cogs.decorators import prefix_command
from cogs.origin import of_interaction, of_message, person_of
from cogs.plain import escape
from cogs.posting import reply_to
from constants import MAX_BUDGET_USD
from generation.errors import RequestRejected
from generation.house import HouseRules
from generation.money import Budget, BudgetScope, dollars
from services.house.rules import HouseRuleService
from services.money.books import BookEntry, Books, BookService
from texts.text import _, _n, joined
from utils.clock import Clock
from utils.text import cut

MOST_LINES: Final = 12
LIST_CHARS: Final = 1900
NAME_CHARS: Final = 30
MOST_DAYS: Final = 366
USUAL_DAYS: Final = 7
WHOSE: Final = {
    BudgetScope.EVERYBODY: _("everybody together"),
    BudgetScope.SERVER: _("this server"),
    BudgetScope.HOUSE: _("this server, as its managers set it"),
    BudgetScope.PERSON: _("you"),
    BudgetScope.ROLE: _("your role here"),
}


def _days() -> Any:
    return SlashOption(
        description=_("So many days, today included; 7, if left out"), required=False, min_value=1, max_value=MOST_DAYS
    )


def _amount(description: str) -> Any:
    return SlashOption(description=description, required=False, min_value=0, max_value=MAX_BUDGET_USD)


class CostCommands(commands.Cog):
    """Shows the books, newest day first, and sets what a server may spend."""

    def __init__(self, *, books: BookService, rules: HouseRuleService, clock: Clock) -> None:
        self._books = books
        self._rules = rules
        self._clock = clock

    @nextcord.slash_command(name="cost", description=_("What pictures and answers have cost, and what is left today"))
    async def slash_cost(self, interaction: nextcord.Interaction) -> None:
        """Only its subcommands can be called."""

    @slash_cost.subcommand(name="mine", description=_("What you have spent, and your budgets"))
    async def slash_mine(self, interaction: nextcord.Interaction, days: int = _days()) -> None:
        origin = of_interaction(interaction, self._clock)
        books = await self._books.read(person_of(interaction), origin, "mine", days=days or USUAL_DAYS)
        await interaction.response.send_message(books_text(books), ephemeral=True)

    @slash_cost.subcommand(name="server", description=_("Managers: what this server has spent"))
    async def slash_server(self, interaction: nextcord.Interaction, days: int = _days()) -> None:
        origin = of_interaction(interaction, self._clock)
        books = await self._books.read(person_of(interaction), origin, "server", days=days or USUAL_DAYS)
        await interaction.response.send_message(books_text(books), ephemeral=True)

    @slash_cost.subcommand(name="limits", description=_("Managers: what this server may spend; 0: no limit"))
    async def slash_limits(
        self,
        interaction: nextcord.Interaction,
        budget: float = _amount(_("US dollars a day (UTC) of all members together")),
        confirm_above: float = _amount(_("Ask before something is drawn that costs more US dollars")),
    ) -> None:
        given = {"budget_usd": budget, "confirm_above_usd": confirm_above}
        changes = {name: amount for name, amount in given.items() if amount is not None}
        person = person_of(interaction)
        guild_id = self._rules.check_manager(person)
        rules = await (self._rules.change(person, **changes) if changes else self._rules.load(guild_id))
        await interaction.response.send_message(limits_text(rules), ephemeral=True)

    @prefix_command(name="cost")
    async def cost_by_prefix(self, ctx: commands.Context[Any], days: str = "") -> None:
        origin = of_message(ctx)
        count = _read_days(days) if days else USUAL_DAYS
        books = await self._books.read(origin.person, origin, "mine", days=count)
        await reply_to(ctx, content=books_text(books))


def books_text(books: Books) -> str:
    """Write what was spent: the budgets, the sum, and a line for each day, person and engine."""
    lines: list[str] = [_budget_line(budget) for budget in books.budgets]
    sums = [_n("**{spent}** today", "**{spent}** in {count} days", count=books.days, spent=dollars(books.spent_usd))]
    if books.reserved_usd:
        sums.append(_("{usd} reserved", usd=dollars(books.reserved_usd)))
    if books.unsure_usd:
        sums.append(_("{usd} of it may not have been charged", usd=dollars(books.unsure_usd)))
    lines.append(joined(" · ", sums))
    shown = books.entries[:MOST_LINES]
    lines += [_entry_line(books, entry) for entry in shown]
    lines += [
        _(
            "{day} · {machine}, rented for {hours:.1f} h · {usd}",
            day=cost.day,
            machine=escape(cut(cost.label, NAME_CHARS)),
            hours=cost.seconds / 3600,
            usd=dollars(cost.usd),
        )
        for cost in books.rentals[: MOST_LINES - len(shown)]
    ]
    left = len(books.entries) + len(books.rentals) - MOST_LINES
    if left > 0:
        lines.append(_n("-# and {count} line more", "-# and {count} lines more", count=left))
    return cut(joined("\n", lines), LIST_CHARS)


def limits_text(rules: HouseRules) -> str:
    """Write what a server may spend."""
    budget = _("as much as the owner of Easel allows")
    if rules.budget_usd:
        budget = _("{usd} a day (UTC)", usd=dollars(rules.budget_usd))
    asks = _("never")
    if rules.confirm_above_usd:
        asks = _("above {usd}", usd=dollars(rules.confirm_above_usd))
    return _(
        "**What this server may spend**\nAll members together: {budget}\nAsked before something is drawn: {asks}\n"
        "-# `/caps set` has a `budget` for members of a role.",
        budget=budget,
        asks=asks,
    )


def _budget_line(budget: Budget) -> str:
    return _(
        "{used} of {most} used today ({whose}) · new {when}",
        used=dollars(budget.used_usd),
        most=dollars(budget.most_usd),
        whose=WHOSE[budget.scope],
        when=f"<t:{int(budget.resets_at.timestamp())}:R>",
    )


def _entry_line(books: Books, entry: BookEntry) -> str:
    who: Sequence[str] = [escape(cut(books.name_of(entry), NAME_CHARS))] if books.whose != "mine" else []
    usd = dollars(entry.cost_usd) if entry.cost_usd else _("{usd} reserved", usd=dollars(entry.reserved_usd))
    return joined(
        " · ",
        [
            entry.day,
            *who,
            escape(cut(books.label_of(entry.lane), NAME_CHARS)),
            _n("{count} answer", "{count} answers", count=entry.answers)
            if entry.answers
            else _n("{count} picture", "{count} pictures", count=entry.images),
            usd,
        ],
    )


def _read_days(typed: str) -> int:
    if not typed.isdecimal():
        raise RequestRejected(_("Write `!cost`, or `!cost 30` for 30 days."), field="days")
    return min(int(typed), MOST_DAYS + 1)
