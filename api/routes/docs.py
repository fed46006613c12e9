"""The API's own description, which the page /docs reads."""

from fastapi import Request
from fastapi.responses import JSONResponse

from api.routing import Router
from utils.threads import run_in_thread

router = Router(include_in_schema=False)


@router.get("/openapi.json")
async def description(request: Request) -> JSONResponse:
    """Describe every route; the first time that takes a second."""
    return JSONResponse(await run_in_thread(request.app.openapi))
