"""Arguments of the tools: their JSON schemas are what an assistant reads."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

from constants import MAX_PROMPT_CHARS

WAIT_S = 50  # assistants give up on a tool after a minute
MOST_WAIT_S = 600

Text = Annotated[str, Field(max_length=4 * MAX_PROMPT_CHARS)]
Name = Annotated[str, Field(max_length=300)]
Side = Annotated[int, Field(ge=16, le=16384)]
Budget = Annotated[float, Field(ge=0, le=1000, description="The most it may cost, in US dollars; you agree to that.")]
JobId = Annotated[str, Field(min_length=1, max_length=100, description="The id of a job, as draw or edit gave it.")]
Wait = Annotated[
    float, Field(ge=0, le=MOST_WAIT_S, description="Seconds to wait for the picture; then ask again with `job`.")
]
Picture = Annotated[
    str, Field(max_length=45_000_000, description="An id from `pictures`, an https link, a data: URL, or base64.")
]


class ToolForm(BaseModel):
    """The arguments of a tool; a name that is not known is refused."""

    model_config = ConfigDict(extra="forbid")

    @classmethod
    def schema_of(cls) -> dict[str, Any]:
        return cls.model_json_schema()


class Ordered(ToolForm):
    """The arguments that everything which draws has in common."""

    private: Annotated[bool, Field(description="Only its owner sees it.")] = False
    budget_usd: Budget | None = None
    request_id: Annotated[
        str, Field(max_length=200, description="Your own id: the same one again gives the same job, drawn once.")
    ] = ""
    wait_s: Wait = WAIT_S


class FiguresForm(Ordered):
    """The figures of a picture."""

    negative_prompt: Annotated[Text, Field(description="What to avoid.")] | None = None
    width: Side | None = None
    height: Side | None = None
    steps: Annotated[int, Field(ge=1, le=1000)] | None = None
    cfg_scale: Annotated[float, Field(ge=0, le=100)] | None = None
    seed: Annotated[int, Field(ge=-1, le=2**64 - 1)] | None = None


class DrawForm(FiguresForm):
    """A picture from words."""

    prompt: Annotated[Text, Field(description="What to draw. May carry options: --ar 3:2 --steps 30 (see `parse`).")]
    count: Annotated[int, Field(ge=1, le=8, description="How many pictures.")] | None = None
    model: Annotated[Name, Field(description="One that `engines` names.")] | None = None
    engine: Annotated[Name, Field(description="One that `engines` names.")] | None = None


class WorkflowForm(FiguresForm):
    """A picture by a workflow; what is more is for its own options, whose names only the workflow knows."""

    model_config = ConfigDict(extra="allow")

    prompt: Annotated[Text, Field(description="What to draw.")] = ""
    picture: Annotated[Picture, Field(description="A picture, if it takes one: an id, link or data.")] | None = None


class EditForm(Ordered):
    """A picture from a picture."""

    picture: Picture
    prompt: Annotated[Text, Field(description="What to make of it; may be empty where it is only enlarged.")] = ""
    mask: Annotated[Picture, Field(description="White where the picture is drawn again.")] | None = None
    strength: Annotated[float, Field(ge=0, le=1, description="0 keeps the picture, 1 ignores it.")] | None = None
    upscale: Annotated[float, Field(gt=1, le=8, description="Enlarge it so many times instead.")] | None = None
    seed: Annotated[int, Field(ge=-1, le=2**64 - 1)] | None = None
    engine: Name | None = None


class JobForm(ToolForm):
    """A job, and how long to wait for it."""

    job_id: JobId
    wait_s: Wait = 0


class CancelForm(ToolForm):
    """A job that is wanted no more."""

    job_id: JobId


class PicturesForm(ToolForm):
    """The newest jobs of who asks."""

    limit: Annotated[int, Field(ge=1, le=50)] = 10


class NoForm(ToolForm):
    """Nothing."""


class ParseForm(ToolForm):
    """A line with options."""

    text: Text


class DescribeForm(ToolForm):
    """A picture."""

    picture: Picture
    engine: Name | None = None
