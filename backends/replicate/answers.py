"""The answers of Replicate's API, as far as they are read.

Source: its openapi 1.0.0-a1 and exchanges that Replicate itself recorded (`tests/data/replicate`).
"""

from datetime import datetime
from typing import Any, Final

from pydantic import BaseModel, Field, field_validator

from lazy import pattern

ENDED: Final = frozenset({"succeeded", "failed", "canceled", "aborted"})
STARTING: Final = "starting"
MAX_DEPTH: Final = 3
MAX_FILES: Final = 32
MAX_SECONDS: Final = 86_400.0
_PERCENT: Final = pattern(r"(\d{1,3})%\|")


class PredictionMetrics(BaseModel):
    """The figures of a prediction. `predict_time`: the seconds that are charged."""

    predict_time: float | None = None


class Prediction(BaseModel):
    """One run of a model."""

    id: str = Field(min_length=1, max_length=100, pattern=r"^[\w.-]+$")
    status: str
    model: str = ""
    input: Any = None
    output: Any = None
    error: Any = None
    logs: str = ""
    created_at: datetime | None = None
    completed_at: Any = None
    metrics: PredictionMetrics | None = None

    @field_validator("model", "logs", mode="before")
    @classmethod
    def _text(cls, value: Any) -> Any:
        return value if isinstance(value, str) else ""

    @property
    def has_ended(self) -> bool:
        """Return whether nothing more will come; a status that is new counts once it says when it was completed."""
        return self.status in ENDED or (self.status not in {STARTING, "processing"} and bool(self.completed_at))

    @property
    def seconds(self) -> float:
        used = self.metrics.predict_time if self.metrics else None
        return min(MAX_SECONDS, max(0.0, used)) if used is not None and used == used else 0.0

    @property
    def fraction(self) -> float:
        """Return how far it is, as its model's own log says last."""
        found = _PERCENT.findall(self.logs[-4_000:])
        return min(1.0, int(found[-1]) / 100) if found else 0.0

    @property
    def files(self) -> tuple[str, ...]:
        """Return its output as far as it is files: addresses, or data inside."""
        return tuple(_files_in(self.output, MAX_DEPTH)[:MAX_FILES])

    @property
    def reason(self) -> str:
        return self.error if isinstance(self.error, str) else str(self.error or "")


class ListedPredictions(BaseModel):
    """One page of our predictions, the newest first."""

    results: list[Prediction] = []
    next: str | None = None


class ModelVersion(BaseModel):
    """One version of a model. `openapi_schema` says what it takes."""

    id: str = ""
    openapi_schema: Any = None


class ModelCard(BaseModel):
    """A model, as `GET /v1/models/{owner}/{name}` describes it."""

    owner: str
    name: str
    is_official: bool | None = None
    latest_version: ModelVersion | None = None


class FileLinks(BaseModel):
    """The addresses of a file that was sent there."""

    get: str


class SentFile(BaseModel):
    """A file that was sent there; it is kept for a day."""

    urls: FileLinks


def _files_in(output: Any, depth: int) -> list[str]:
    if isinstance(output, str):
        return [output] if output.startswith(("https://", "http://", "data:image/", "data:video/")) else []
    if not depth:
        return []
    if isinstance(output, list):
        return [file for item in output[:MAX_FILES] for file in _files_in(item, depth - 1)]
    if isinstance(output, dict):
        return [file for item in list(output.values())[:MAX_FILES] for file in _files_in(item, depth - 1)]
    return []
