"""The books: what pictures and rented machines have cost, and what is left of the budgets."""

from dataclasses import replace
from typing import Annotated, Literal

from fastapi import Query, Request

from api.caller import Reader, origin_of
from api.context import web_of
from api.errors import errors
from api.routing import Router
from api.schemas.money import BudgetOut, CostOut, CostsOut, PricesOut, RentalCostOut
from api.sight import visible_job
from generation.money import ON
from services.money.books import MAX_DAYS

router = Router(prefix="/api", tags=["dashboard"], responses=errors(401, 403, 422))


@router.get("/jobs/{job_id}/prices", responses=errors(404))
async def prices(request: Request, job_id: str, caller: Reader) -> PricesOut:
    """Show what going on from a job costs, before it is asked for."""
    web = web_of(request)
    job = await visible_job(web, job_id, caller)
    found = await web.services.money.tags.of(replace(job, origin=origin_of(caller)))
    engines = {name.removeprefix(ON): usd for name, usd in found.items() if name.startswith(ON)}
    own = {name: found.get(name) for name in ("again", "vary", "zoom", "upscale")}
    return PricesOut(engines=engines, **own)


@router.get("/costs")
async def costs(
    request: Request,
    caller: Reader,
    whose: Annotated[Literal["mine", "all"], Query(description="Everybody's are for admins.")] = "mine",
    days: Annotated[int, Query(ge=1, le=MAX_DAYS, description="Today is one.")] = 30,
) -> CostsOut:
    """Show what was spent by day, person and engine, and the budgets that hold for the caller."""
    books = await web_of(request).services.money.books.read(caller, origin_of(caller), whose, days=days)
    return CostsOut(
        days=days,
        spent_usd=books.spent_usd,
        reserved_usd=books.reserved_usd,
        unsure_usd=books.unsure_usd,
        costs=[
            CostOut(
                day=entry.day,
                user=books.name_of(entry),
                engine=books.label_of(entry.lane),
                lane=entry.lane,
                jobs=entry.jobs,
                images=entry.images,
                answers=entry.answers,
                cost_usd=entry.cost_usd,
                reserved_usd=entry.reserved_usd,
                unsure_usd=entry.unsure_usd,
            )
            for entry in books.entries
        ],
        rentals=[
            RentalCostOut(day=cost.day, engine=cost.label, hours=cost.seconds / 3600, cost_usd=cost.usd)
            for cost in books.rentals
        ],
        budgets=[
            BudgetOut(
                scope=budget.scope.value,
                most_usd=budget.most_usd,
                used_usd=budget.used_usd,
                left_usd=budget.left_usd,
                resets_at=budget.resets_at,
            )
            for budget in books.budgets
        ],
    )
