"""Models that Easel itself draws with, as the API shows them."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class FetchOut(BaseModel):
    """Fetching a model: `done` of `total` bytes are here. `error` is what ended it before its end."""

    state: Literal["running", "done", "failed"]
    done: int
    total: int
    bytes_per_s: float
    error: str | None
    hint: str


class OwnModelOut(BaseModel):
    """A model that can be fetched. `size_gb` is rounded; `room` says how it fits this machine, `fits` in words.

    `is_gated`: its hub gives it only to who has agreed there, with HF_TOKEN. `base`: the model that it is loaded into.
    """

    name: str
    title: str
    good_for: str
    licence: str
    licence_url: str
    is_commercial: bool
    is_gated: bool
    base: str
    size_gb: float
    memory_gb: float
    room: Literal["whole", "eight_bits", "parts", "layers", "processor", "none"]
    fits: str
    is_here: bool
    fetch: FetchOut | None


class OwnModelsOut(BaseModel):
    """All that can be fetched, and the names of your own. `can_draw`: its packages are installed; else `hint` helps."""

    models: list[OwnModelOut]
    others: list[str]
    can_draw: bool
    hint: str


class ModelTermsOut(BaseModel):
    """A model with its true size in bytes; `left` is not here yet."""

    model: OwnModelOut
    size: int
    left: int


class AgreementIn(BaseModel):
    """The licence that you agree to, by its name as `licence` of the model says it."""

    model_config = ConfigDict(extra="forbid")

    licence: Annotated[str, Field(min_length=1, max_length=200, examples=["Apache-2.0"])]


class FreedOut(BaseModel):
    """The bytes that are free again."""

    freed: int
