"""Figures: what was drawn, how well, how fast, how dear, and what went wrong."""

from typing import Annotated

from fastapi import Query, Request

from api.alerts import alert_out
from api.caller import Reader
from api.context import web_of
from api.errors import errors
from api.events import queue_json
from api.routing import Router
from api.schemas.dashboard import (
    DashboardOut,
    DayOut,
    EngineFiguresOut,
    FailuresOut,
    HourOut,
    QueueOut,
    TotalsOut,
)
from services.reports.statistics import Dashboard, EngineFigures

router = Router(prefix="/api", tags=["dashboard"], responses=errors(401, 403, 422))

MOST_DAYS = 366


@router.get("/dashboard")
async def dashboard(
    request: Request, caller: Reader, days: Annotated[int, Query(ge=1, le=MOST_DAYS, description="Today is one.")] = 7
) -> DashboardOut:
    """Show the figures of some days: everybody's to an admin, your own to others."""
    web = web_of(request)
    told = await web.services.records.statistics.dashboard(caller, days=days)
    alerts = web.services.records.alerts.recent() if caller.is_admin else []
    return DashboardOut(
        hours=[HourOut(start=hour.start, done=hour.generations, failed=hour.failed) for hour in told.hours],
        engines=[_engine(one) for one in told.engines],
        days=[
            DayOut(
                day=cost.day,
                user=told.names.get(cost.user_key, cost.user_key),
                engine=web.services.generation.label(cost.lane),
                images=cost.images,
                cost_usd=cost.cost_usd,
            )
            for cost in told.costs
        ],
        totals=_totals(told),
        errors=[
            FailuresOut(code=one.code, count=one.number, last=one.last_at, example=one.example) for one in told.failures
        ],
        alerts=[alert_out(one) for one in alerts],
        queue=QueueOut.model_validate(queue_json(web.services.generation.lanes(), caller.user_id)),
    )


def _engine(one: EngineFigures) -> EngineFiguresOut:
    figures = one.figures
    return EngineFiguresOut(
        engine=one.label,
        lane=one.lane,
        done=figures.generations,
        failed=figures.failed,
        images=figures.images,
        success_rate=figures.success_rate,
        mean_seconds=figures.mean_seconds,
        p95_seconds=one.p95_seconds,
        cost_usd=figures.cost_usd,
    )


def _totals(told: Dashboard) -> TotalsOut:
    figures = told.totals
    return TotalsOut(
        done=figures.generations,
        failed=figures.failed,
        cancelled=figures.cancelled,
        expired=figures.expired,
        images=figures.images,
        from_cache=figures.from_cache,
        seconds=figures.seconds,
        cost_usd=figures.cost_usd,
        success_rate=figures.success_rate,
        users_today=told.users_today,
    )
