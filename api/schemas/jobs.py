"""Jobs and their pictures as the API shows them, and drafts as it takes them."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from constants import MAX_PROMPT_CHARS
from generation.request import (
    ControlUnit,
    Draft,
    HiresFix,
    Lora,
    MaskFill,
    Mode,
    Pan,
    SourceImage,
    WorkflowRef,
)
from generation.several_pictures import MAX_INPUT_PICTURES

MOST_TEXT_CHARS = 4 * MAX_PROMPT_CHARS  # a prompt with all its options, as the parser takes it

MediaId = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$", description="The id of a picture that is here.")]
Number = Annotated[float, Field(allow_inf_nan=False)]
Whole = Annotated[int, Field(ge=-(2**53), le=2**53)]
Seed = Annotated[
    int,
    Field(
        ge=-(2**64), le=2**65,
        description="0 to 18446744073709551615, as text too where a number cannot hold that; -1 is left to chance.",
    ),
]  # fmt: skip
Text = Annotated[str, Field(max_length=MOST_TEXT_CHARS)]
Name = Annotated[str, Field(max_length=300)]


class ErrorOut(BaseModel):
    """What went wrong: one sentence, and one of what to do."""

    error: str
    hint: str = ""
    field: str | None = None
    code: str
    retry_after: int | None = Field(default=None, description="Seconds.")
    sign_in_url: str | None = Field(default=None, description="Where to sign in, with 401 and where that is set up.")


class _In(BaseModel):
    model_config = ConfigDict(extra="forbid")


class LoraIn(_In):
    """A LoRA by the name its engine lists. `details`: what a tag of A1111 says after the weight, `te=0.5`."""

    name: Name
    weight: Number = 1.0
    details: Annotated[str, Field(max_length=200, pattern="^[^<>]*$")] = ""


class HiresIn(_In):
    """Draw small, then larger."""

    factor: Number = 2.0
    denoising_strength: Number = 0.5
    steps: Whole | None = None
    upscaler: Name | None = None


class ControlIn(_In):
    """A picture that steers the drawing (ControlNet)."""

    kind: Name
    image: MediaId
    model: Name | None = None
    weight: Number = 1.0


class DraftIn(_In):
    """What is said about a picture; everything left out is decided by Easel and the engine.

    Sizes in pixels, `denoising_strength` 0 keeps the input picture and 1 ignores it, a mask is white where the picture
    may change and fades in over `mask_blur` pixels inside its edge. Without a size the result has that of the input
    picture. `text` may carry options (`a fox --steps 20`); fields win over them.
    """

    text: Text | None = None
    prompt: Text | None = None
    negative_prompt: Text | None = None
    mode: Mode | None = None
    width: Whole | None = None
    height: Whole | None = None
    aspect: Annotated[str, Field(pattern=r"^\d{1,4}:\d{1,4}$")] | None = None
    steps: Whole | None = None
    cfg_scale: Number | None = None
    guidance: Number | None = None
    sampler: Name | None = None
    scheduler: Name | None = None
    model: Name | None = None
    vae: Name | None = None
    clip_skip: Whole | None = None
    loras: Annotated[list[LoraIn], Field(max_length=20)] = []
    styles: Annotated[list[Name], Field(max_length=10)] = []
    control: Annotated[list[ControlIn], Field(max_length=3)] = []
    hires: HiresIn | None = None
    seed: Seed | None = None
    batch_size: Whole | None = None
    denoising_strength: Number | None = None
    init_image: MediaId | None = None
    more_images: Annotated[
        list[MediaId],
        Field(max_length=MAX_INPUT_PICTURES - 1, description="After `init_image`, for workflows that take several."),
    ] = []
    mask_image: MediaId | None = None
    mask_fill: MaskFill | None = None
    mask_blur: Whole | None = None
    only_masked: bool | None = None
    tiling: bool | None = None
    upscale_factor: Number | None = None
    upscaler: Name | None = None
    zoom: Number | None = None
    pan: Pan | None = None
    workflow: Name | None = None
    options: Annotated[
        dict[Annotated[str, Field(max_length=40)], bool | Whole | Number | Text],
        Field(max_length=20, description="Of the workflow, by name: see GET /api/workflows/NAME."),
    ] = {}
    backend: Name | None = None

    def to_draft(self) -> Draft:
        """Return the fields that were said of the picture itself."""
        said = {name: getattr(self, name) for name in self.model_fields_set & Draft.__dataclass_fields__.keys()}
        values: dict[str, Any] = {name: value for name, value in said.items() if value is not None}
        if "aspect" in values:
            wide, _, high = values["aspect"].partition(":")
            values["aspect"] = (int(wide), int(high))
        if "loras" in values:
            values["loras"] = tuple(
                Lora(name=lora.name, weight=lora.weight, details=lora.details) for lora in self.loras
            )
        if "styles" in values:
            values["styles"] = tuple(self.styles)
        if "control" in values:
            values["control"] = tuple(
                ControlUnit(
                    kind=unit.kind, image=SourceImage(media_id=unit.image), model=unit.model, weight=unit.weight
                )
                for unit in self.control
            )
        if self.hires:
            values["hires"] = HiresFix(**self.hires.model_dump())
        for name in ("init_image", "mask_image"):
            if name in values:
                values[name] = SourceImage(media_id=values[name])
        if "more_images" in values:
            values["more_images"] = tuple(SourceImage(media_id=media_id) for media_id in self.more_images)
        if self.workflow:
            values["workflow"] = WorkflowRef(name=self.workflow)
        if "options" in values:
            values["options"] = tuple((name, option_text(value)) for name, value in self.options.items())
        return Draft(**values)


def option_text(value: bool | float | str) -> str:
    """Return the value of a workflow's option as it is said in a prompt."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.15g}" if isinstance(value, float) else str(value)


class JobIn(DraftIn):
    """A draft to be drawn."""

    is_private: bool = False
    fresh: Annotated[bool, Field(description="Draw again even if the same was drawn before.")] = False
    reply_to: Annotated[str, Field(max_length=64)] | None = None
    webhook: Annotated[str, Field(max_length=2000)] | None = None
    webhook_events_filter: Annotated[list[Literal["queued", "finished", "failed"]], Field(max_length=3)] = []


class AgainIn(_In):
    """What to change this time."""

    changes: DraftIn = DraftIn()
    drop: Annotated[list[Annotated[str, Field(max_length=40)]], Field(max_length=40)] = []
    image: MediaId | None = None
    is_private: bool | None = None


class MediaOut(BaseModel):
    """A picture that is here, an input for example."""

    media_id: str
    url: str
    width: int
    height: int


class ImageOut(BaseModel):
    """One picture of a job."""

    id: str
    url: str
    thumbnail_url: str
    seed: int
    width: int
    height: int
    media_type: str
    size_bytes: int
    alt: str
    file_name: str
    is_favorite: bool = False
    is_gone: bool = False


class ProgressOut(BaseModel):
    """How far a running job is; `fraction` 0 to 1."""

    fraction: float
    step: int | None
    steps: int | None
    note: str
    eta_s: float | None
    preview: str | None


class JobErrorOut(BaseModel):
    """Why a job failed."""

    code: str
    message: str
    hint: str


class RequestOut(BaseModel):
    """The whole request, as it was asked for."""

    prompt: str
    negative_prompt: str
    width: int
    height: int
    steps: int
    cfg_scale: float
    seed: int
    batch_size: int
    sampler: str | None
    scheduler: str | None
    model: str | None
    vae: str | None
    clip_skip: int | None
    guidance: float | None
    denoising_strength: float | None
    upscale_factor: float | None
    upscaler: str | None
    loras: list[LoraIn]
    styles: list[str]
    hires: HiresIn | None
    workflow: str | None
    options: dict[str, str]
    init_image: MediaOut | None
    more_images: list[MediaOut]
    mask_image: MediaOut | None


class JobOut(BaseModel):
    """One job as its reader may see it now."""

    id: str
    short_id: str
    status: Literal["queued", "running", "done", "failed", "cancelled", "expired"]
    mode: Mode
    prompt: str
    command: str = Field(description="The whole request as one line of prompt syntax.")
    request: RequestOut
    engine: str
    lane: str
    position: int | None
    eta_s: float | None
    hold: str
    hold_s: float
    progress: ProgressOut | None
    notes: list[str]
    error: JobErrorOut | None
    images: list[ImageOut]
    seconds: float | None
    cost_usd: float | None
    model: str | None
    from_cache: bool
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    expires_at: datetime | None
    user_name: str
    is_mine: bool
    is_private: bool
    door: str
    parent_id: str | None
    can_move_up: bool


class JobsOut(BaseModel):
    """Some jobs, newest first; `next` asks for those before."""

    jobs: list[JobOut]
    next: str | None = None


class SubmittedOut(BaseModel):
    """What was taken into the queue, and remarks on what was said."""

    jobs: list[JobOut]
    notes: list[str]


class EstimateOut(BaseModel):
    """What would happen to a draft now; `refused` says why nothing would."""

    engine: str
    lane: str
    wait_s: float
    seconds: float | None
    price: str
    cost_usd: float | None
    notes: list[str]
    refused: str | None


class ParsedOut(BaseModel):
    """What a line says, and only that."""

    draft: dict[str, Any]
    repeat: int
    is_private: bool
    notes: list[str]
