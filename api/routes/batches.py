"""Several prompts in one go, one starting a while after the other."""

from dataclasses import replace
from typing import Annotated

from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field

from api.caller import Maker, origin_of
from api.context import web_of
from api.request_keys import Key, with_request_key
from api.routes.jobs import JOB_RESPONSES, filled, shown
from api.routing import Router
from api.schemas.jobs import SubmittedOut
from api.schemas.requests import DraftIn, MaxCost, Number, Text
from api.sight import check_inputs
from generation.prompt_syntax import parse_prompt
from generation.request import Draft
from services.drawing.batches import DELAY_S, submit_batch

router = Router(prefix="/api", tags=["jobs"], responses=JOB_RESPONSES)


class BatchIn(BaseModel):
    """Prompts, each with its options, and what holds for all of them. `delay_ms`: between two starts."""

    model_config = ConfigDict(extra="forbid")

    prompts: Annotated[list[Text], Field(min_length=1, max_length=100)]
    common: DraftIn = DraftIn()
    delay_ms: Number = DELAY_S * 1000
    is_private: bool = False
    max_cost_usd: MaxCost | None = None


@router.post("/batches", status_code=202)
async def submit(request: Request, body: BatchIn, caller: Maker, idempotency_key: Key = "") -> SubmittedOut:
    """Ask for a picture of each prompt; the queue starts one after the other, `delay_ms` apart."""
    web = web_of(request)
    parsed = [parse_prompt(text, takes_several=True) for text in body.prompts]
    common = body.common.to_draft()
    await check_inputs(web, caller, common)
    origin = replace(origin_of(caller, private=body.is_private), agreed_usd=body.max_cost_usd or 0.0)
    origin = await with_request_key(request, origin, body)
    drafts, notes = list[Draft](), list[str]()
    for item in parsed:
        more, remarks = await filled(web, item, [draft.over(common) for draft in item.drafts])
        drafts += more
        notes += remarks
    views = await submit_batch(web.services.generation, drafts, origin, delay_s=body.delay_ms / 1000)
    return SubmittedOut(jobs=[shown(web, view, caller) for view in views], notes=notes)
