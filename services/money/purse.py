"""The money of one submission: what its jobs are charged, and what that is refused for."""

from dataclasses import replace

from backends.registry import BackendRegistry
from generation.errors import GenerationError
from generation.job import Job, Origin
from generation.money import Charge, OverBudget
from generation.request import Draft
from services.drawing.choosing import Candidate, Estimate
from services.money.budgets import BudgetService
from services.money.offers import OfferService
from store.database import Write


class Purse:
    """Collects charges from `add` on; `writes` stands in the transaction of their jobs."""

    def __init__(self, budgets: BudgetService, offers: OfferService) -> None:
        self._budgets = budgets
        self._offers = offers
        self._charges: list[Charge] = []
        self._asked: tuple[Draft, Origin, Candidate] | None = None  # for the first of the jobs that cost

    async def add(self, job: Job, draft: Draft, best: Candidate) -> None:
        """Price a job that is submitted with the others."""
        if (charge := await self._budgets.charge(job, best.entry)) is not None:
            self._charges.append(charge)
            self._asked = self._asked or (draft, job.origin, best)

    async def writes(self) -> list[Write]:
        """Return what reserves the prices of all.

        Raises:
            OverBudget: a budget has too little left; it offers what would be drawn instead.
            PriceNotAgreed: who asked has not agreed to the price yet.
        """
        if self._asked is None:
            return []
        try:
            return await self._budgets.admit(self._charges, self._asked[1])
        except OverBudget as error:
            raise await self._with_offers(error) from error

    async def why_not(self) -> GenerationError:
        """Return the refusal of jobs whose transaction a budget has ended."""
        assert self._asked is not None, "a charge has set the guard"
        error = await self._budgets.why_not(self._charges, self._asked[1])
        return await self._with_offers(error) if isinstance(error, OverBudget) else error

    async def _with_offers(self, error: OverBudget) -> OverBudget:
        assert self._asked is not None, "it is refused for a charge"
        assert error.budget is not None, "a budget has refused it"
        draft, origin, best = self._asked
        count = len(self._charges)
        offers = await self._offers.offers(draft, origin, best, error.budget.left_usd / count)
        return error.offering(offers)


async def with_limits(
    estimate: Estimate, origin: Origin, budgets: BudgetService, registry: BackendRegistry, count: int = 1
) -> Estimate:
    """Return an estimate for `count` such jobs: which budget is too small, and whether its price must be agreed to."""
    entry = registry.get(estimate.lane)
    if entry is None or not estimate.is_paid:
        return estimate
    usd = (await budgets.price(entry, estimate.request) or 0.0) * count
    total = None if estimate.cost_usd is None else estimate.cost_usd * count
    refusal = await budgets.refusal(entry, usd, origin)
    limit = await budgets.asks_above(await budgets.placed(origin))
    asks = limit is not None and entry.owner.kind != "user" and usd > limit
    return replace(estimate, cost_usd=total, short=refusal.user_message if refusal else "", asks=asks)
