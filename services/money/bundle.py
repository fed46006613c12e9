"""The services of money in one value, put together once."""

from dataclasses import dataclass

from services.money.books import BookService
from services.money.budgets import BudgetService


@dataclass(frozen=True, kw_only=True)
class Money:
    """Budgets and books."""

    budgets: BudgetService
    books: BookService
