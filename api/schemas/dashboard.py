"""Figures, alerts and keys as the API shows and takes them."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field


class HourOut(BaseModel):
    """Jobs that ended in one hour of the clock."""

    start: datetime
    done: int
    failed: int


class EngineFiguresOut(BaseModel):
    """One engine over the days asked for. Rates 0 to 1, times in seconds; None: no job has shown it."""

    engine: str
    lane: str
    done: int
    failed: int
    images: int
    success_rate: float | None
    mean_seconds: float | None
    p95_seconds: float | None
    cost_usd: float


class DayOut(BaseModel):
    """Use by one person of one engine on one day (UTC)."""

    day: str
    user: str
    engine: str
    images: int
    cost_usd: float


class TotalsOut(BaseModel):
    """Sums over the days asked for."""

    done: int
    failed: int
    cancelled: int
    expired: int
    images: int
    from_cache: int
    seconds: float
    cost_usd: float
    success_rate: float | None
    users_today: int


class FailuresOut(BaseModel):
    """One kind of failure."""

    code: str
    count: int
    last: datetime
    example: str


class AlertOut(BaseModel):
    """A warning to the owner."""

    kind: Literal["error_rate", "slow", "budget", "key_refused", "advice", "misuse"]
    level: Literal["warning", "error"]
    message: str
    engine: str
    since: datetime


class LaneOut(BaseModel):
    """The load of one engine; `wait_s` seconds until a new job would start."""

    state: Literal["up", "busy", "paused", "down"]
    waiting: int
    running: int
    wait_s: float


class QueueOut(BaseModel):
    """The number of jobs now, on all engines; as the event `queue` tells it."""

    waiting: int
    running: int
    engines: dict[str, LaneOut]


class DashboardOut(BaseModel):
    """An admin sees everybody's figures, others their own."""

    hours: list[HourOut]
    engines: list[EngineFiguresOut]
    days: list[DayOut]
    totals: TotalsOut
    errors: list[FailuresOut]
    alerts: list[AlertOut]
    queue: QueueOut


Scope = Literal["read", "generate", "admin"]


class KeyOut(BaseModel):
    """An API key without what makes it one."""

    id: str
    name: str
    scopes: list[Scope]
    user_key: str
    rate_per_minute: float | None
    created_at: datetime
    expires_at: datetime | None
    last_used_at: datetime | None
    revoked_at: datetime | None


class KeysOut(BaseModel):
    """All keys, those that have ended too."""

    keys: list[KeyOut]


class KeyIn(BaseModel):
    """A key to make. It counts as a user of its own unless `user_key` says whose pictures it draws."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(max_length=200, examples=["Blog bot"])]
    scopes: Annotated[list[Scope], Field(max_length=10, examples=[["read", "generate"]])]
    rate_per_minute: Annotated[float, Field(allow_inf_nan=False)] | None = None
    expires_at: AwareDatetime | None = None
    user_key: Annotated[str, Field(max_length=100, examples=["discord:123"])] | None = None


class NewKeyOut(BaseModel):
    """A new key: `token` is shown this once."""

    key: KeyOut
    token: str
