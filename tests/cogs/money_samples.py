"""Books that hold words of others."""

from datetime import UTC, datetime

from generation.money import Budget, BudgetScope
from services.money.books import BookEntry, Books, RentalCost
from services.rentals.bills import Bill
from services.rentals.providers import Machine

RESETS_AT = datetime(2026, 1, 2, tzinfo=UTC)


def books(text: str) -> Books:
    """Return the books of a server in which everybody and everything is called so."""
    entry = BookEntry(day="2026-01-01", user_key="discord:5", lane="gpu", jobs=1, images=1, cost_usd=0.1)
    rental = RentalCost(day="2026-01-01", lane="guild-1", label=text, seconds=60.0, usd=0.1)
    budget = Budget(scope=BudgetScope.PERSON, most_usd=1.0, resets_at=RESETS_AT)
    return Books(
        whose="server",
        days=7,
        entries=(entry,),
        rentals=(rental,),
        budgets=(budget,),
        names={"discord:5": text},
        labels={"gpu": text},
    )


def bill(text: str) -> Bill:
    """Return the bill of a rented machine that is called so."""
    machine = Machine(provider="runpod", id="m", name=text, state="running", gpu=text, usd_per_hour=0.3)
    return Bill(
        label=text,
        provider="runpod",
        is_up=True,
        reminds=True,
        usd_per_hour=0.34,
        cost_usd=0.5,
        first_used_at=RESETS_AT,
        last_used_at=RESETS_AT,
        since=RESETS_AT,
        at=RESETS_AT,
        until=None,
        machine=machine,
        machine_error=text,
        jobs=1,
    )
