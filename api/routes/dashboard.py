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
    answer = await web.services.records.statistics.dashboard(caller, days=days)
    alerts = web.services.records.alerts.recent() if caller.is_admin else []
    return DashboardOut(
        hours=[HourOut(start=hour.start, done=hour.generations, failed=hour.failed) for hour in answer.hours],
        engines=[_engine(engine) for engine in answer.engines],
        days=[
            DayOut(
                day=cost.day,
                user=answer.names.get(cost.user_key, cost.user_key),
                engine=web.services.generation.label(cost.lane),
                images=cost.images,
                cost_usd=cost.cost_usd,
            )
            for cost in answer.costs
        ],
        totals=_totals(answer),
        errors=[
            FailuresOut(code=failure.code, count=failure.number, last=failure.last_at, example=failure.example)
            for failure in answer.failures
        ],
        alerts=[alert_out(alert) for alert in alerts],
        queue=QueueOut.model_validate(queue_json(web.services.generation.lanes(), caller.user_id)),
    )


def _engine(engine_figures: EngineFigures) -> EngineFiguresOut:
    figures = engine_figures.figures
    return EngineFiguresOut(
        engine=engine_figures.label,
        lane=engine_figures.lane,
        done=figures.generations,
        failed=figures.failed,
        images=figures.images,
        success_rate=figures.success_rate,
        mean_seconds=figures.mean_seconds,
        p95_seconds=engine_figures.p95_seconds,
        cost_usd=figures.cost_usd,
    )


def _totals(answer: Dashboard) -> TotalsOut:
    figures = answer.totals
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
        users_today=answer.users_today,
    )
