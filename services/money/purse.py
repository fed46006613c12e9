"""The money of one submission: what its jobs are charged, and what that is refused for."""

from collections.abc import Sequence
from dataclasses import replace

from backends.registry import BackendRegistry
from generation.errors import GenerationError
from generation.job import Job, Origin
from generation.money import Charge, OverBudget, total_of
from generation.request import Draft
from services.drawing.choosing import Candidate, Estimate
from services.money.budgets import BudgetService
from services.money.offers import OfferService
from store.database import Write
from texts.text import joined


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
        return error.offering(tuple(replace(offer, usd=offer.usd * count) for offer in offers))


async def with_limits(
    found: Sequence[Estimate], origin: Origin, budgets: BudgetService, registry: BackendRegistry, count: int = 1
) -> Estimate:
    """Return one estimate for `count` jobs of each of these together: what they cost, and what would keep them back."""
    paid = [(entry, each) for each in found if each.is_paid and (entry := registry.get(each.lane))]
    if not paid:
        return found[0]
    prices = [(await budgets.price(entry, each.request) or 0.0) * count for entry, each in paid]
    charges = [budgets.expected(entry, usd) for (entry, _each), usd in zip(paid, prices, strict=True)]
    costs = [each.cost_usd for _entry, each in paid if each.cost_usd is not None]
    refusal = await budgets.refusal(charges, origin)
    limit = await budgets.asks_above(await budgets.placed(origin))
    return replace(
        found[0],
        label=joined(", ", dict.fromkeys(each.label for each in found)),
        is_paid=True,
        cost_usd=sum(costs) * count if len(costs) == len(paid) else None,
        short=refusal.user_message if refusal else "",
        asks=limit is not None and total_of(charge for charge in charges if charge.payer != "user") > limit,
    )
