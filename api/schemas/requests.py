"""Drafts as the API takes them and requests as it shows them: a property for each field of `generation.fields`."""

from collections.abc import Callable
from dataclasses import MISSING, fields
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field, create_model

from constants import MAX_PROMPT_CHARS
from generation import fields as table
from generation.fields import BY_FIELD, FIELDS, Kind
from generation.request import (
    ANY_SEED,
    ControlUnit,
    Draft,
    GenerationRequest,
    HiresFix,
    Lora,
    Mode,
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
MaxCost = Annotated[
    float,
    Field(gt=0, allow_inf_nan=False, description="You agree to this price in US dollars, for all of it, and no more."),
]


class In(BaseModel):
    """A request body: a name that is not known is refused."""

    model_config = ConfigDict(extra="forbid")


class LoraIn(In):
    """A LoRA by the name its engine lists. `details`: what a tag of A1111 says after the weight, `te=0.5`."""

    name: Name
    weight: Number = 1.0
    details: Annotated[str, Field(max_length=200, pattern="^[^<>]*$")] = ""


class HiresIn(In):
    """Draw small, then larger."""

    factor: Number = 2.0
    denoising_strength: Number = 0.5
    steps: Whole | None = None
    upscaler: Name | None = None


class ControlIn(In):
    """A picture that steers the drawing (ControlNet)."""

    kind: Name
    image: MediaId
    model: Name | None = None
    weight: Number = 1.0


class MediaOut(BaseModel):
    """A picture that is here, an input for example."""

    media_id: str
    url: str
    width: int
    height: int


_OPTIONS = dict[Annotated[str, Field(max_length=40)], bool | Whole | Number | Text]
_TAKEN: Final[dict[Kind, Any]] = {
    Kind.PROMPT: Text,
    Kind.WORDS: Text,
    Kind.MODE: Mode,
    Kind.INTEGER: Whole,
    Kind.NUMBER: Number,
    Kind.FACTOR: Number,
    Kind.SEED: Seed,
    Kind.FLAG: bool,
    Kind.TEXT: Name,
    Kind.WORKFLOW: Name,
    Kind.ASPECT: Annotated[str, Field(pattern=r"^\d{1,4}:\d{1,4}$")],
    Kind.HIRES: HiresIn,
    Kind.PICTURE: MediaId,
    Kind.LORA: Annotated[list[LoraIn], Field(max_length=20)],
    Kind.NAMES: Annotated[list[Name], Field(max_length=10)],
    Kind.UNITS: Annotated[list[ControlIn], Field(max_length=3)],
    Kind.PICTURES: Annotated[list[MediaId], Field(max_length=MAX_INPUT_PICTURES - 1)],
    Kind.OPTIONS: Annotated[_OPTIONS, Field(max_length=20)],
}
_SHOWN: Final[dict[Kind, Any]] = {
    Kind.PROMPT: str,
    Kind.WORDS: str,
    Kind.INTEGER: int,
    Kind.NUMBER: float,
    Kind.FACTOR: float,
    Kind.SEED: int,
    Kind.FLAG: bool,
    Kind.TEXT: str,
    Kind.WORKFLOW: str,
    Kind.HIRES: HiresIn,
    Kind.PICTURE: MediaOut,
    Kind.LORA: list[LoraIn],
    Kind.NAMES: list[str],
    Kind.PICTURES: list[MediaOut],
    Kind.OPTIONS: dict[str, str],
}
_EMPTY: Final[dict[Kind, Callable[[], Any]]] = {
    Kind.LORA: list,
    Kind.NAMES: list,
    Kind.UNITS: list,
    Kind.PICTURES: list,
    Kind.OPTIONS: dict,
}
_READERS: Final[dict[Kind, Callable[[Any], Any]]] = {
    Kind.ASPECT: lambda text: tuple(map(int, text.split(":"))),
    Kind.LORA: lambda loras: tuple(Lora(**lora.model_dump()) for lora in loras),
    Kind.NAMES: tuple,
    Kind.UNITS: lambda units: tuple(map(_unit, units)),
    Kind.HIRES: lambda hires: HiresFix(**hires.model_dump()),
    Kind.PICTURE: lambda media_id: SourceImage(media_id=media_id),
    Kind.PICTURES: lambda media_ids: tuple(SourceImage(media_id=media_id) for media_id in media_ids),
    Kind.WORKFLOW: lambda name: WorkflowRef(name=name) if name else None,
    Kind.OPTIONS: lambda options: tuple((name, option_text(value)) for name, value in options.items()),
}


def _unit(unit: ControlIn) -> ControlUnit:
    return ControlUnit(kind=unit.kind, image=SourceImage(media_id=unit.image), model=unit.model, weight=unit.weight)


def _taken(field: table.Field) -> Any:
    """Return type and default of a property of drafts, with what the table says of it."""
    kind = type(field.choices[0]) if field.choices else _TAKEN[field.kind]
    more: dict[str, Any] = {}
    if limits := field.limits:
        low = ANY_SEED if field.kind is Kind.SEED else limits.low
        more["json_schema_extra"] = {"minimum": low, "maximum": limits.high}
    if empty := _EMPTY.get(field.kind):
        return kind, Field(default=empty(), description=field.sentence)
    return kind | None, Field(default=None, description=field.sentence, **more)


def _drafted() -> dict[str, Any]:
    return {f.name: _taken(f) for f in FIELDS if f.name in Draft.__dataclass_fields__ or f.kind is Kind.PROMPT}


def _requested() -> dict[str, Any]:
    found = {}
    for asked in fields(GenerationRequest):
        field = BY_FIELD.get(asked.name)
        if field and (field.choices or field.kind in _SHOWN) and field.kind is not Kind.MODE:
            kind = type(field.choices[0]) if field.choices else _SHOWN[field.kind]
            is_there = asked.default is MISSING or asked.default is not None
            found[asked.name] = (kind if is_there else kind | None, Field(description=field.sentence))
    return found


if TYPE_CHECKING:  # what the routes read by name

    class _Drafted(In):
        text: str | None = None
        workflow: str | None = None

    class _Requested(BaseModel):
        def __init__(self, **values: Any) -> None: ...

else:
    _Drafted = create_model("_Drafted", __base__=In, **_drafted())
    _Requested = create_model("_Requested", **_requested())


class DraftIn(_Drafted):
    """The request for a picture; everything left out is decided by Easel and the engine.

    Sizes in pixels, `denoising_strength` 0 keeps the input picture and 1 ignores it, a mask is white where the picture
    may change and fades in over `mask_blur` pixels inside its edge. Without a size the result has that of the input
    picture. `text` may carry options (`a fox --steps 20`); fields win over them.
    """

    def to_draft(self) -> Draft:
        """Return the fields that were said of the picture itself."""
        values = {name: getattr(self, name) for name in self.model_fields_set & Draft.__dataclass_fields__.keys()}
        return Draft(
            **{
                name: _READERS.get(BY_FIELD[name].kind, lambda value: value)(value)
                for name, value in values.items()
                if value is not None
            }
        )


class RequestOut(_Requested):
    """The whole request, as it was asked for."""


def option_text(value: bool | float | str) -> str:
    """Return the value of a workflow's option as it is said in a prompt."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.15g}" if isinstance(value, float) else str(value)
