"""The services of money in one value, put together once."""

from lazy import dataclass
from services.money.answers import AnswerCharges
from services.money.books import BookService
from services.money.budgets import BudgetService
from services.money.tags import PriceTags


@dataclass(frozen=True, kw_only=True)
class Money:
    """Budgets, books and the prices on cards."""

    budgets: BudgetService
    books: BookService
    tags: PriceTags
    answers: AnswerCharges
