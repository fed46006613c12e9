"""A comparison as the API takes and shows it."""

from datetime import datetime

from pydantic import BaseModel, Field

from api.schemas.jobs import JobOut, SentIn
from api.schemas.requests import Name


class CompareIn(SentIn):
    """A draft that several engines draw; `text` may name them too: `a fox --engines gpu1,grid`."""

    engines: list[Name] = Field(
        default=[], max_length=20, description="By name, label or kind, two to four. Empty: those that are up."
    )


class ContenderOut(BaseModel):
    """One engine of a comparison: its job, or in `error` why it has none."""

    engine: str
    lane: str
    job: JobOut | None
    error: str


class ComparisonOut(BaseModel):
    """One prompt and seed on several engines; each job goes on by itself."""

    id: str
    prompt: str
    seed: int
    created_at: datetime
    contenders: list[ContenderOut]
    notes: list[str] = Field(default=[], description="Remarks on what was said, in the answer to the request.")
