"""The Grid's answers, as far as they are read.

Source: recorded exchanges with grid-core 4ee16f7.
"""

from pydantic import BaseModel


class GridDrawn(BaseModel):
    """A 200 of `POST /v1/images/generations`."""

    class Picture(BaseModel):
        """One picture, by URL or inside."""

        url: str | None = None
        b64_json: str | None = None
        seed: int | None = None

    class Grid(BaseModel):
        """The worker that drew it."""

        job_id: str = ""
        worker: str = ""
        model: str = ""

    data: list[Picture]
    grid: Grid = Grid()


class Quote(BaseModel):
    """An answer of `POST /v1/account/credits/quote`."""

    class Estimate(BaseModel):
        """`cost_usd` is None for a model without a price."""

        cost_usd: float | None = None
        balance_sufficient: bool = True

    estimate: Estimate


class Fraction(BaseModel):
    """An answer of `GET /v1/progress/{token}`: percent, None before the worker says anything."""

    progress: float | None = None
