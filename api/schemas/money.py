"""Budgets and books as the API shows them; US dollars, days in UTC."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field


class BudgetOut(BaseModel):
    """A limit of the day: of everybody, of one person, or of a server."""

    scope: Literal["everybody", "server", "house", "person", "role"]
    most_usd: float
    used_usd: float
    left_usd: float
    resets_at: datetime


class CostOut(BaseModel):
    """The cost of one person's jobs on one engine on one day; `reserved_usd` is of those that have not ended.

    Where `answers` is not 0, these were answers of the text engine, and no pictures.
    """

    day: str
    user: str
    engine: str
    lane: str
    jobs: int
    images: int
    answers: int
    cost_usd: float
    reserved_usd: float
    unsure_usd: float


class PricesOut(BaseModel):
    """The cost of going on from a job, about, in US dollars; null: nothing, or it cannot be done here."""

    again: float | None
    vary: float | None
    zoom: float | None
    upscale: float | None
    engines: dict[str, float] = Field(description="The same on other engines that charge, by their names.")


class RentalCostOut(BaseModel):
    """The cost of a rented machine on one day, as far as it was seen to run."""

    day: str
    engine: str
    hours: float
    cost_usd: float


class CostsOut(BaseModel):
    """The books: newest day first, dearest first. `unsure_usd`, a part of what was spent, may not have been charged."""

    days: int
    spent_usd: float
    reserved_usd: float
    unsure_usd: float
    costs: list[CostOut]
    rentals: list[RentalCostOut]
    budgets: list[BudgetOut]
