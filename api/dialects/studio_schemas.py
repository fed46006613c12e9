"""Requests and responses of the image studio's dialect; names as published."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field

from api.dialects.requests import DialectBody, Picture, Words
from api.schemas.requests import Name, Number, Seed, Whole

Part = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=1)]


class GenerateIn(DialectBody):
    """A picture from words."""

    prompt: Words | None = None
    provider: Name | None = None
    model: Name | None = None
    size: Annotated[str, Field(max_length=20, description="1024x1024")] | None = None
    quality: Annotated[str, Field(max_length=40, description="standard, hd, low, medium or high")] | None = None
    style: Annotated[str, Field(max_length=60, description="vivid, natural, or one of the style presets")] | None = None
    count: Count = 1
    negativePrompt: Words | None = None
    steps: Whole | None = None
    cfgScale: Number | None = None
    seed: Seed | None = None
    userId: Name | None = None


class EditIn(DialectBody):
    """A picture changed; the mask is white where it is redrawn."""

    imageUrl: Picture | None = None
    prompt: Words | None = None
    editType: Literal["inpaint", "outpaint", "img2img", "style-transfer"] = "inpaint"
    styleUrl: Picture | None = None
    styleName: Name | None = None
    mask: Picture | None = None
    strength: Part | None = None
    provider: Name | None = None
    model: Name | None = None
    negativePrompt: Words | None = None
    count: Count = 1
    seed: Seed | None = None
    userId: Name | None = None


class VariationsIn(DialectBody):
    """Other pictures like one."""

    imageUrl: Picture | None = None
    count: Count = 1
    provider: Name | None = None
    model: Name | None = None
    prompt: Words | None = None
    strength: Part = 0.6
    seed: Seed | None = None
    userId: Name | None = None


class UpscaleIn(DialectBody):
    """A picture made larger."""

    imageUrl: Picture | None = None
    scale: Annotated[float, Field(ge=1, le=8)] = 2
    provider: Name | None = None
    userId: Name | None = None


class EnhanceIn(DialectBody):
    """A prompt to be made fuller."""

    prompt: Words | None = None


class AnalyzeIn(DialectBody):
    """A picture to be described."""

    imageUrl: Picture | None = None
    provider: Name | None = None


class StudioImage(BaseModel):
    """One picture."""

    id: str
    url: str
    prompt: str
    revisedPrompt: str | None
    provider: str
    model: str
    size: str
    createdAt: str | None
    seed: int


class ImagesOut(BaseModel):
    """The pictures of one request."""

    success: bool = True
    images: list[StudioImage]
    count: int
    notes: list[str] = []


class EnhancedOut(BaseModel):
    """A fuller prompt; `source` says what wrote it: a model, whose `suggestions` are whole prompts, or "rules"."""

    success: bool = True
    enhancedPrompt: str
    suggestions: list[str]
    tags: list[str]
    source: str
    notes: list[str] = []


class AnalysisOut(BaseModel):
    """A description of a picture, as one text and as words."""

    success: bool = True
    analysis: str
    tags: list[str]
    provider: str
    notes: list[str] = []


class HistoryOut(BaseModel):
    """Your own pictures, newest first."""

    success: bool = True
    images: list[dict[str, Any]]
    count: int
    total: int
    limit: int
    offset: int


class PriceOut(BaseModel):
    """One price in US dollars, for the estimate: what it is for, since when it is known, and from where."""

    name: str
    variant: str
    usd: float
    unit: str
    asOf: str
    source: str


class ProviderOut(BaseModel):
    """A live engine and what it can do."""

    name: str
    label: str
    kind: str
    available: bool
    error: str | None
    capabilities: dict[str, bool]
    supports: dict[str, bool]
    maxImages: int
    models: list[str]
    remark: str
    paid: bool
    prices: list[PriceOut]


class ProvidersOut(BaseModel):
    """All live engines; `default` is the one that draws where none is named."""

    success: bool = True
    providers: list[ProviderOut]
    default: str | None


class EnginesHealthOut(BaseModel):
    """The health of every engine: `healthy` all answer, `degraded` some, `unhealthy` none."""

    success: bool
    status: Literal["healthy", "degraded", "unhealthy"]
    providers: dict[str, dict[str, Any]]
