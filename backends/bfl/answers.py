"""The answers of Black Forest Labs' API, as far as they are read. Source: docs.bfl.ai, `get_result`."""

from typing import Any, Final

from pydantic import BaseModel, field_validator

CREDIT_USD: Final = 0.01
MAX_CREDITS: Final = 100_000.0
WAITING: Final = frozenset({"Pending", "Queued", "Processing", "Generating"})


class BflSample(BaseModel):
    """The picture of a job: an address that holds for ten minutes."""

    sample: str = ""


class BflResult(BaseModel):
    """The state of a job. `cost` is in credits."""

    status: str
    result: BflSample | None = None
    progress: float | None = None
    cost: float | None = None
    details: Any = None

    @field_validator("result", mode="before")
    @classmethod
    def _result(cls, value: Any) -> Any:
        return value if isinstance(value, dict) else None

    @property
    def fraction(self) -> float:
        return (
            min(1.0, max(0.0, self.progress)) if self.progress is not None and self.progress == self.progress else 0.0
        )

    @property
    def cost_usd(self) -> float | None:
        return self.cost * CREDIT_USD if self.cost is not None and 0 <= self.cost <= MAX_CREDITS else None

    @property
    def reasons(self) -> str:
        """Return what a filter found, in their words."""
        listed = self.details.get("Moderation Reasons") if isinstance(self.details, dict) else None
        return ", ".join(item for item in listed if isinstance(item, str)) if isinstance(listed, list) else ""
