"""Saved prompts and style presets as the API shows and takes them."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from api.schemas.requests import Text


class TemplateOut(BaseModel):
    """A saved prompt; `text` is prompt syntax for the box."""

    id: str
    name: str
    text: str
    description: str
    uses: int
    is_mine: bool
    is_shared: bool


class TemplatesOut(BaseModel):
    """Your own by name, then those that others share."""

    templates: list[TemplateOut]


class UsedOut(BaseModel):
    """The text that goes into the box."""

    text: str


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class TemplateIn(_In):
    """A prompt to save; `text` may carry options."""

    name: Annotated[str, Field(max_length=200, examples=["Snow fox"])]
    text: Annotated[Text, Field(examples=["a red fox in the snow --ar 3:2"])]
    description: Annotated[str, Field(max_length=2000)] = ""
    is_shared: bool = False


class StyleOut(BaseModel):
    """A preset: `value` is what a prompt gets."""

    id: str
    name: str
    description: str
    value: str
    thumbnail_url: str | None
    is_custom: bool


class StylesOut(BaseModel):
    """All of them by name."""

    styles: list[StyleOut]


class StyleIn(_In):
    """Your own preset, in place of one of the same id."""

    id: Annotated[str, Field(max_length=200, examples=["lino-print"])]
    name: Annotated[str, Field(max_length=200, examples=["Lino print"])]
    description: Annotated[str, Field(max_length=2000)] = ""
    value: Annotated[str, Field(max_length=4000, examples=["linocut print, two inks, rough paper"])]
