"""For machines that watch over Easel: is it alive, can it draw, and how is it doing."""

from fastapi import Request, Response
from pydantic import BaseModel

from api.context import Web, web_of
from api.routing import Router
from generation.person import NOBODY
from services.reports.discord_link import LinkState
from texts.text import _

router = Router(tags=["health"])


class HealthOut(BaseModel):
    """Alive. `restarting` names parts of Easel that have died and are being started again."""

    status: str
    restarting: list[str]


class ReadyOut(BaseModel):
    """Readiness to draw: `engines` counts those that answer; `discord` is where the bot's connection is."""

    status: str
    engines: int
    discord: LinkState


def alive(web: Web) -> HealthOut:
    loops = web.services.loops.states()
    return HealthOut(status="ok", restarting=[loop.name for loop in loops if loop.is_down])


@router.head("/healthz", include_in_schema=False)
@router.get("/healthz")
async def healthz(request: Request) -> HealthOut:
    """Answer as long as the process lives."""
    return alive(web_of(request))


@router.head("/readyz", include_in_schema=False)
@router.get("/readyz", responses={503: {"model": ReadyOut}})
async def readyz(request: Request, response: Response) -> ReadyOut:
    """Answer 200 while at least one engine can be asked for pictures and what is asked for can be kept, else 503."""
    web = web_of(request)
    engines = web.services.catalog.engines(NOBODY)
    up = sum(engine.error is None for engine in engines)
    problem = await web.own.readiness.problem() or _stopped_queue(web) or ("" if up else _("no engine answers"))
    if problem:
        response.status_code = 503
    return ReadyOut(status=problem or "ready", engines=up, discord=web.own.discord.state)


def _stopped_queue(web: Web) -> str:
    is_down = any(loop.name == "queue" and loop.is_down for loop in web.services.loops.states())
    return _("the queue is being started again") if is_down else ""
