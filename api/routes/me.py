"""Routes for what is kept about the caller."""

from typing import Literal

from fastapi import Request
from pydantic import BaseModel, Field

from api.caller import Maker
from api.context import web_of
from api.errors import errors
from api.routing import Router
from generation.errors import NotAllowed
from texts.text import _

router = Router(prefix="/api/me", tags=["session"], responses=errors(401, 403))


class ForgetIn(BaseModel):
    """A word of consent: nothing of this can be taken back."""

    confirm: Literal["forget me"]


class ForgottenOut(BaseModel):
    """Counts of what was deleted."""

    jobs: int = Field(description="Jobs whose prompt, notes and owner were deleted.")
    pictures: int = Field(description="Pictures that were deleted.")


@router.post("/forget", responses=errors(400, 422, 500))
async def forget(request: Request, body: ForgetIn, caller: Maker) -> ForgottenOut:
    """Delete everything of the caller's: pictures, prompts, favourites, templates, engine, workflows, keys, sessions.

    What waits or runs is cancelled. Figures stay, under a name that says nothing. Links from Discord may not do it,
    since they get shared.
    """
    if caller.how == "link":
        raise NotAllowed(
            _("A link from Discord may not delete everything."), hint=_("Use /forget in Discord, or sign in.")
        )
    forgotten = await web_of(request).services.records.forgetting.forget_person(caller.user_key)
    return ForgottenOut(jobs=forgotten.jobs, pictures=forgotten.pictures)
