"""Pictures of the gallery, favourites and collections as the API shows and takes them."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.jobs import ImageOut
from api.schemas.requests import MediaId

MOST_ARCHIVED = 200  # pictures of one ZIP file

Format = Literal["png", "jpeg", "webp"]


class PictureOut(ImageOut):
    """One picture of the gallery. Its row stays when its file has expired (`is_gone`)."""

    job_id: str
    prompt: str
    negative_prompt: str
    mode: str
    model: str | None
    engine: str
    steps: int
    cfg_scale: float
    sampler: str | None
    seconds: float = Field(description="Of the whole job.")
    cost_usd: float
    created_at: datetime
    expires_at: datetime | None = Field(description="None: it is kept, as a favourite or in a collection.")
    user_name: str
    is_mine: bool
    is_private: bool
    collections: list[str] = Field(description="The ids of your own collections that hold it.")
    parameters: str = Field(description="How it was made, in the form of Automatic1111.")
    command: str = Field(description="The same as one line of prompt syntax.")


class PicturesOut(BaseModel):
    """Some pictures; `next` is the cursor of the page after, `total` counts those of all pages."""

    pictures: list[PictureOut]
    next: str | None
    total: int
    or_more: bool = Field(False, description="Counting stopped at `total`: everybody's pictures were searched.")


class FacetOut(BaseModel):
    """A name, and how many pictures have it."""

    name: str
    count: int


class FacetsOut(BaseModel):
    """The filters of the gallery."""

    models: list[FacetOut]
    engines: list[FacetOut]


class CollectionOut(BaseModel):
    """Your own album."""

    id: str
    name: str
    description: str
    count: int
    cover: ImageOut | None
    created_at: datetime


class CollectionsOut(BaseModel):
    """All of them, by name."""

    collections: list[CollectionOut]


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class CollectionIn(_In):
    """A new album."""

    name: Annotated[str, Field(max_length=200, examples=["Foxes"])]
    description: Annotated[str, Field(max_length=2000)] = ""


class CollectionChangeIn(_In):
    """The changes to an album."""

    name: Annotated[str, Field(max_length=200, examples=["Red foxes"])] | None = None
    description: Annotated[str, Field(max_length=2000)] | None = None


class ArchiveIn(_In):
    """The pictures to put into one file; `format` other than a picture's own makes a copy."""

    ids: Annotated[list[MediaId], Field(min_length=1, max_length=MOST_ARCHIVED)]
    format: Format = "png"
