"""Puts together what counts money: budgets and books."""

from app.base import Base
from services.house.rules import HouseRuleService
from services.moderation.bundle import Moderation
from services.money.answers import AnswerCharges
from services.money.books import BookService
from services.money.budgets import BudgetService
from services.money.bundle import Money
from services.money.tags import PriceTags
from store.charges import ChargeStore
from store.rental_costs import RentalCostStore
from store.statistics import StatisticsStore


def make_money(base: Base, moderation: Moderation, rules: HouseRuleService) -> Money:
    """Wire them; nothing runs yet."""
    charges, clock, registry = ChargeStore(base.database), base.clock, base.registry
    settings = base.settings.money
    budgets = BudgetService(
        charges, registry=registry, caps=moderation.caps, rules=rules, settings=settings, clock=clock
    )
    books = BookService(
        charges,
        rental_costs=RentalCostStore(base.database),
        statistics=StatisticsStore(base.database),
        budgets=budgets,
        registry=registry,
        rights=moderation.rights,
        clock=clock,
    )
    tags, answers = PriceTags(budgets, registry), AnswerCharges(budgets)
    return Money(budgets=budgets, books=books, tags=tags, answers=answers)
