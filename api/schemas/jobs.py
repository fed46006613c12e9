"""Jobs and their pictures as the API shows them, and drafts as it takes them."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from api.schemas.requests import DraftIn, In, MaxCost, MediaId, RequestOut
from constants import MAX_BATCH_SIZE
from generation.request import Mode


class OfferOut(BaseModel):
    """Another engine or model that a budget has money for; 0: it is free."""

    engine: str
    backend: str
    model: str | None
    cost_usd: float


class ErrorOut(BaseModel):
    """A failure: one sentence, and one of what to do."""

    error: str
    hint: str = ""
    field: str | None = None
    code: str
    retry_after: int | None = Field(default=None, description="Seconds.")
    sign_in_url: str | None = Field(default=None, description="Where to sign in, with 401 and where that is set up.")
    cost_usd: float | None = Field(default=None, description="The price to agree to, with price_not_agreed.")
    offers: list[OfferOut] = Field(default=[], description="What can be drawn instead, with budget_exceeded.")


class SentIn(DraftIn):
    """A draft that is sent to be drawn, who may see what becomes of it, and who hears of it."""

    is_private: bool = False
    max_cost_usd: MaxCost | None = None
    webhook: Annotated[str, Field(max_length=2000)] | None = None
    webhook_events_filter: Annotated[list[Literal["queued", "finished", "failed"]], Field(max_length=3)] = Field(
        default=[]
    )


class JobIn(SentIn):
    """A draft to be drawn."""

    fresh: Annotated[bool, Field(description="Draw again even if the same was drawn before.")] = False
    reply_to: Annotated[str, Field(max_length=64)] | None = None


class AgainIn(In):
    """The changes for this time."""

    changes: DraftIn = DraftIn()
    drop: list[Annotated[str, Field(max_length=40)]] = Field(default=[], max_length=40)
    image: MediaId | None = None
    is_private: bool | None = None
    max_cost_usd: MaxCost | None = None


class FinishIn(In):
    """The picture of a draft that is to be drawn in full."""

    index: Annotated[int, Field(ge=0, lt=MAX_BATCH_SIZE, description="Which of them, from 0 on.")] = 0
    is_private: bool | None = None
    max_cost_usd: MaxCost | None = None


class FinishOut(BaseModel):
    """The picture that one of a draft becomes; `cost_usd` is null where its engine is free, or does not say."""

    width: int
    height: int
    steps: int
    is_paid: bool
    cost_usd: float | None


class ImageOut(BaseModel):
    """One picture of a job."""

    id: str
    url: str
    thumbnail_url: str
    seed: int
    width: int
    height: int
    media_type: str
    size_bytes: int
    alt: str
    file_name: str
    is_favorite: bool = False
    is_gone: bool = False


class ProgressOut(BaseModel):
    """The progress of a running job; `fraction` 0 to 1."""

    fraction: float
    step: int | None
    steps: int | None
    note: str
    eta_s: float | None
    preview: str | None


class JobErrorOut(BaseModel):
    """The reason a job failed."""

    code: str
    message: str
    hint: str


class JobOut(BaseModel):
    """One job as its reader may see it now."""

    id: str
    short_id: str
    status: Literal["queued", "running", "done", "failed", "cancelled", "expired"]
    mode: Mode
    prompt: str
    command: str = Field(description="The whole request as one line of prompt syntax.")
    request: RequestOut
    engine: str
    lane: str
    position: int | None
    eta_s: float | None
    hold: str
    hold_s: float
    progress: ProgressOut | None
    notes: list[str]
    error: JobErrorOut | None
    images: list[ImageOut]
    seconds: float | None
    cost_usd: float | None
    model: str | None
    from_cache: bool
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    expires_at: datetime | None
    user_name: str
    is_mine: bool
    is_private: bool
    door: str
    parent_id: str | None
    can_move_up: bool
    is_draft: bool = Field(description="Its pictures are quick and small, and each can be finished.")


class JobsOut(BaseModel):
    """Some jobs, newest first; `next` asks for those before."""

    jobs: list[JobOut]
    next: str | None = None


class SubmittedOut(BaseModel):
    """The jobs that were queued, and remarks on the request."""

    jobs: list[JobOut]
    notes: list[str]


class EstimateOut(BaseModel):
    """A forecast for a draft; `refused` says why nothing would, or which budget is too small."""

    engine: str
    lane: str
    wait_s: float
    seconds: float | None
    price: str
    cost_usd: float | None
    notes: list[str]
    refused: str | None
    asks_first: bool = Field(default=False, description="Drawn only with a `max_cost_usd` of this price at least.")


class ParsedOut(BaseModel):
    """A line as read, with nothing added."""

    draft: dict[str, Any]
    repeat: int
    is_private: bool
    notes: list[str]
