"""The page of the API's own description; it reads /openapi.json and needs nothing from elsewhere."""

from pathlib import Path
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import FileResponse, JSONResponse

from utils.threads import run_in_thread

router = APIRouter(include_in_schema=False)

PAGE: Final = Path(__file__).parents[1] / "static" / "docs.html"


@router.get("/openapi.json")
async def description(request: Request) -> JSONResponse:
    """Describe every route; the first time that takes a second."""
    return JSONResponse(await run_in_thread(request.app.openapi))


@router.get("/docs")
async def docs() -> FileResponse:
    """Show what the API can do."""
    return FileResponse(PAGE, headers={"Cache-Control": "no-cache"})
