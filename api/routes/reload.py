"""The settings of the running Easel read again, for admins."""

from fastapi import Request
from pydantic import BaseModel, Field

from api.caller import Admin
from api.context import web_of
from api.errors import errors
from api.routing import Router
from texts.text import _

router = Router(prefix="/api", tags=["keys"], responses=errors(401, 403))


class ReloadOut(BaseModel):
    """The outcome; the names are those of settings."""

    changed: list[str] = Field(description=_("Settings that count from now on"))
    waiting: list[str] = Field(description=_("Settings that count after a restart"))
    wrong: list[str] = Field(description=_("What cannot be; then nothing was changed"))
    message: str = Field(description=_("All of it in words"))


@router.post("/reload")
async def reload(request: Request, caller: Admin) -> ReloadOut:
    """Read `.env` again and take up what can be without a restart; a wrong value changes nothing."""
    report = await web_of(request).services.reloading.reload(caller)
    return ReloadOut(
        changed=list(report.changed), waiting=list(report.waiting), wrong=list(report.wrong), message=report.words
    )
