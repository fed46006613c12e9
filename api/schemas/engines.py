"""Engines as the API shows them, and how one is brought along."""

from dataclasses import fields
from typing import TYPE_CHECKING, Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model

from api.schemas.jobs import ErrorOut
from generation.capabilities import Capabilities


class ModelOut(BaseModel):
    """A model to choose; `name` is what is sent, `licence` is empty where it is not known."""

    name: str
    title: str
    is_loaded: bool
    licence: str


# By the API's names, what an engine says of itself.
SUPPORTS: Final = {"seed": "is_deterministic", "negative": "supports_negative_prompt"} | {
    field.name.removeprefix("supports_"): field.name
    for field in fields(Capabilities)
    if field.name.startswith("supports_") and field.name != "supports_negative_prompt"
}

if TYPE_CHECKING:

    class _Supported(BaseModel):
        def __init__(self, **values: bool) -> None: ...

else:
    _Supported = create_model("_Supported", **dict.fromkeys(SUPPORTS, (bool, ...)))


class SupportsOut(_Supported):
    """The settings an engine takes, and what it can do besides drawing."""


class CapabilitiesOut(BaseModel):
    """The contents of an engine. A list that is None is not known: any name is passed through. Sizes in pixels."""

    modes: list[str]
    models: list[ModelOut] | None
    samplers: list[str] | None
    schedulers: list[str] | None
    loras: list[str] | None
    upscalers: list[str] | None
    hires_upscalers: list[str] | None
    controls: list[str]
    control_models: list[str] | None
    styles: list[str] | None
    vaes: list[str] | None
    embeddings: list[str] | None
    size_grid: int
    min_side: int
    max_side: int
    max_steps: int
    max_batch: int
    default_width: int
    default_height: int
    default_steps: int
    default_cfg_scale: float
    supports: SupportsOut


class EngineOut(BaseModel):
    """One engine and how it is now. Its address and key are never shown.

    `grade`: bronze, silver, gold or platinum, how much is shown to work on its kind; empty where it has none.
    `fills`: the modes that a fallback does wherever no other engine can.
    """

    name: str
    label: str
    kind: str
    kind_title: str
    grade: str
    owner: Literal["easel", "user", "guild"]
    is_fallback: bool
    fills: list[str]
    is_mine: bool
    state: Literal["up", "busy", "paused", "down", "unknown"]
    error: str | None
    hint: str
    waiting: int
    running: int
    wait_s: float
    seconds_per_job: float | None
    price: str
    remark: str
    capabilities: CapabilitiesOut | None


class EnginesOut(BaseModel):
    """The engines one may use, the preferred first."""

    engines: list[EngineOut]


class EngineIn(BaseModel):
    """Your own engine; it is tested before it is kept, and takes the place of the one before."""

    model_config = ConfigDict(extra="forbid")

    kind: Annotated[str, Field(max_length=40, examples=["forge"])]
    url: Annotated[str, Field(max_length=500, examples=["https://abc123-7860.proxy.runpod.net"])] = ""
    key: Annotated[str, Field(max_length=1000, repr=False)] = ""
    label: Annotated[str, Field(max_length=60)] = ""


class ConnectErrorOut(ErrorOut):
    """The reason an engine was not connected; `layer` is where the test ended."""

    layer: str = ""


class TestOut(BaseModel):
    """The result of a test: `layer` is the one that failed, or the last."""

    is_ok: bool
    message: str
    hint: str
    layer: str
    seconds: float


class KindOut(BaseModel):
    """A kind of engine that may be connected."""

    kind: str
    title: str
    needs_url: bool
    needs_key: bool
    example: str
    help: str


class KindsOut(BaseModel):
    """All of them."""

    kinds: list[KindOut]
