"""The books: what was spent on whom, where and on which day, rented machines included.

Everybody sees their own; a server's are for who manages it, those of all of Easel for its admins.
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Final, Literal

from backends.registry import BackendRegistry
from generation.errors import NotAllowed, RequestRejected
from generation.job import Origin
from generation.money import Budget
from generation.person import Person
from lazy import dataclass
from services.moderation.rights import Rights
from services.money.budgets import BudgetService
from store.charges import BookEntry as BookEntry
from store.charges import ChargeStore
from store.charges import MoneyTotals as MoneyTotals
from store.rental_costs import RentalCost as RentalCost
from store.rental_costs import RentalCostStore
from store.statistics import StatisticsStore
from texts.text import _
from utils.clock import Clock

MAX_DAYS: Final = 366
MOST_ROWS: Final = 5000
Whose = Literal["mine", "server", "all"]


@dataclass(frozen=True, kw_only=True)
class Books:
    """Spending over some days, the present one included: newest day first, dearest first."""

    whose: Whose
    days: int
    entries: tuple[BookEntry, ...]
    rentals: tuple[RentalCost, ...]
    budgets: tuple[Budget, ...]  # that hold for the reader where they are
    names: Mapping[str, str]  # of people, by their keys
    labels: Mapping[str, str]  # of engines, by their lanes

    @property
    def spent_usd(self) -> float:
        return sum(entry.cost_usd for entry in self.entries) + sum(rental.usd for rental in self.rentals)

    @property
    def reserved_usd(self) -> float:
        return sum(entry.reserved_usd for entry in self.entries)

    @property
    def unsure_usd(self) -> float:
        return sum(entry.unsure_usd for entry in self.entries)

    def name_of(self, entry: BookEntry) -> str:
        return self.names.get(entry.user_key, entry.user_key)

    def label_of(self, lane: str) -> str:
        return self.labels.get(lane, lane)


class BookService:
    """Only reads; `services.money.budgets` and the triggers of the store write."""

    def __init__(
        self,
        store: ChargeStore,
        *,
        rental_costs: RentalCostStore,
        statistics: StatisticsStore,
        budgets: BudgetService,
        registry: BackendRegistry,
        rights: Rights,
        clock: Clock,
    ) -> None:
        self._store = store
        self._rental_costs = rental_costs
        self._statistics = statistics
        self._budgets = budgets
        self._registry = registry
        self._rights = rights
        self._clock = clock

    async def read(self, person: Person, origin: Origin, whose: Whose = "mine", *, days: int = 30) -> Books:
        """Return what was spent, by day, person and engine.

        Raises:
            NotAllowed: these books are not for this person.
            RequestRejected: there is no server here, or so many days are not looked back.
        """
        if not 1 <= days <= MAX_DAYS:
            raise RequestRejected(_("Ask for 1 to {most} days, not {days}.", most=MAX_DAYS, days=days), field="days")
        since = f"{self._clock.now() - timedelta(days=days - 1):%Y-%m-%d}"
        entries: Sequence[BookEntry]
        match whose:
            case "mine":
                entries = await self._store.books(since, user_key=person.user_key, limit=MOST_ROWS)
                rentals = await self._rental_costs.of_owner(since, "user", person.user_id)
            case "server":
                guild_id = self._check_manager(person)
                entries = await self._store.books(since, guild_id=guild_id, limit=MOST_ROWS)
                rentals = await self._rental_costs.of_owner(since, "guild", guild_id)
            case "all":
                if not (person.is_admin or self._rights.is_admin(person)):
                    raise NotAllowed(_("Only admins may see what others spent."))
                entries = await self._store.books(since, limit=MOST_ROWS)
                rentals = await self._rental_costs.since(since)
        return Books(
            whose=whose,
            days=days,
            entries=tuple(entries),
            rentals=tuple(rentals),
            budgets=tuple(await self._budgets.standing(origin)),
            names=await self._statistics.names({entry.user_key for entry in entries}),
            labels={entry.lane: entry.text_model or self._registry.label(entry.lane) for entry in entries},
        )

    async def totals(self) -> MoneyTotals:
        """Return sums since the beginning, for counters."""
        return await self._store.totals()

    async def today(self) -> MoneyTotals:
        return await self._store.totals(f"{self._clock.now():%Y-%m-%d}")

    async def rented_usd(self) -> float:
        """Return what rented machines have cost since the beginning, as far as their price is known."""
        return sum(cost.usd for cost in await self._rental_costs.since(""))

    def _check_manager(self, person: Person) -> str:
        if not person.guild_id:
            raise RequestRejected(_("There is no server here: ask in a channel of the server."))
        if not (person.is_manager or self._rights.is_admin(person)):
            raise NotAllowed(_("Only people with Manage Server see what the server spends."))
        return person.guild_id
