"""Money: what a job is charged, the limits of what may be spent in a day, and the refusals that name a price.

Amounts are US dollars, days are UTC. Values and their arithmetic, without I/O.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final, Literal, Self

from generation.errors import GenerationError, LimitReached
from lazy import dataclass
from texts.text import _, joined

ROUNDING_USD: Final = 1e-9  # sums of prices are no exact numbers
CENTS: Final = 2
ON: Final = "on:"  # and the name of an engine: the price of a job there
TEXT_LANE: Final = "text:"  # and the model, for what a text engine takes
MOST_DIGITS: Final = 4  # of a dollar, where cents would hide the price of a picture
LEAST_USD: Final = 0.0001
Payer = Literal["easel", "guild", "user"]
AnswerState = Literal["paid", "unsure", "refunded"]  # unsure: it may have been charged


class BudgetScope(StrEnum):
    """Whose spending a budget limits."""

    EVERYBODY = "everybody"  # all of this Easel
    SERVER = "server"  # as the owner of Easel has set it
    HOUSE = "house"  # a server, as its managers have set it
    PERSON = "person"
    ROLE = "role"  # a person, by the caps of a role or channel


# The payers that a budget counts. A server also limits what it pays itself, and nobody the engines they brought.
PAYERS: Final[Mapping[BudgetScope, frozenset[Payer]]] = {
    BudgetScope.EVERYBODY: frozenset({"easel"}),
    BudgetScope.SERVER: frozenset({"easel"}),
    BudgetScope.PERSON: frozenset({"easel"}),
    BudgetScope.HOUSE: frozenset({"easel", "guild"}),
    BudgetScope.ROLE: frozenset({"easel", "guild"}),
}


@dataclass(frozen=True, kw_only=True)
class Charge:
    """The price of one job, reserved before it is sent anywhere."""

    job_id: str
    user_key: str
    guild_id: str  # the server whose rules hold for it; empty: none
    lane: str
    payer: Payer  # who has connected the engine
    usd: float


@dataclass(frozen=True, kw_only=True)
class Budget:
    """A limit of one day: `used_usd` is what was spent or is reserved; `whose` is named in a refusal of a role's."""

    scope: BudgetScope
    most_usd: float
    used_usd: float = 0.0
    resets_at: datetime
    whose: str = ""

    @property
    def left_usd(self) -> float:
        return max(0.0, self.most_usd - self.used_usd)

    def takes(self, usd: float) -> bool:
        """Return whether so much more may be spent."""
        return self.used_usd + usd <= self.most_usd + ROUNDING_USD


@dataclass(frozen=True, kw_only=True)
class Offer:
    """Another engine or model for a request that a budget refuses; only the person may choose it."""

    label: str  # of the engine, or of the model where the engine stays
    backend: str
    model: str | None = None
    usd: float = 0.0

    @property
    def words(self) -> str:
        if not self.usd:
            return _("{engine} (free)", engine=self.label)
        return _("{engine} ({usd})", engine=self.label, usd=dollars(self.usd))


class OverBudget(LimitReached):
    """Daily budget exceeded."""

    code = "budget_exceeded"

    def __init__(
        self, user_message: str | None = None, *, budget: Budget | None = None, retry_after: float | None = None
    ) -> None:
        super().__init__(user_message, retry_after=retry_after)
        self.budget = budget
        self.offers: tuple[Offer, ...] = ()

    def offering(self, offers: tuple[Offer, ...]) -> Self:
        """Take in what would be drawn instead, and name it in the hint."""
        self.offers = offers
        if offers:
            named = joined(", ", (offer.words for offer in offers))
            self.hint = _("Within the budget: {named}.", named=named)
        return self


class PriceNotAgreed(GenerationError):
    """This costs more than is drawn without asking."""

    code = "price_not_agreed"

    def __init__(self, user_message: str | None = None, *, usd: float = 0.0, hint: str = "") -> None:
        super().__init__(user_message, hint=hint)
        self.usd = usd


def total_of(charges: Iterable[Charge]) -> float:
    return sum(charge.usd for charge in charges)


def dollars(usd: float) -> str:
    """Write an amount with as many digits as it needs: "$1.50", "$0.053", "<$0.0001"."""
    if 0 < usd < LEAST_USD / 2:
        return f"<${LEAST_USD}"
    digits = CENTS
    while usd < 1 and digits < MOST_DIGITS and abs(round(usd, digits) - usd) > 10**-6:
        digits += 1
    return f"${usd:.{digits}f}"


def short_of(budget: Budget, usd: float, wait: str) -> str:
    """Write why a budget refuses something that costs so much."""
    values = {
        "used": dollars(budget.used_usd), "most": dollars(budget.most_usd), "usd": dollars(usd), "wait": wait,
    }  # fmt: skip
    match budget.scope:
        case BudgetScope.EVERYBODY:
            text = _(
                "Daily budget exceeded: {used} of {most} are used by everybody together, and this would cost about "
                "{usd}. It resets in {wait} (00:00 UTC).",
                **values,
            )
        case BudgetScope.SERVER | BudgetScope.HOUSE:
            text = _(
                "Daily budget exceeded: {used} of {most} are used in this server, and this would cost about {usd}. "
                "It resets in {wait} (00:00 UTC).",
                **values,
            )
        case BudgetScope.PERSON:
            text = _(
                "Daily budget exceeded: you have used {used} of {most}, and this would cost about {usd}. "
                "It resets in {wait} (00:00 UTC).",
                **values,
            )
        case BudgetScope.ROLE:
            text = _(
                "Daily budget exceeded: you have used {used} of {most} ({whose}), and this would cost about {usd}. "
                "It resets in {wait} (00:00 UTC).",
                **values,
                whose=budget.whose,
            )
    return text
