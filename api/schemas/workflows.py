"""Workflows of people's own as the API shows and takes them."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field


class FieldOut(BaseModel):
    """A value of a request and the inputs it goes into, as "node.input"."""

    field: str
    slots: list[str]
    meaning: str


class InputOut(BaseModel):
    """One input of a node: a value, or a link [node, output]."""

    name: str
    value: bool | int | float | str | None
    link: tuple[str, int] | None


class NodeOut(BaseModel):
    """One node, for drawing the graph."""

    id: str
    class_type: str
    title: str
    inputs: list[InputOut]


class WorkflowOut(BaseModel):
    """A kept workflow by its name."""

    name: str
    engine: str = Field(description="The kind of engine that runs it.")
    fields: list[FieldOut]
    owner: str = Field(description="user, guild or easel (everybody's).")
    is_mine: bool
    updated_at: datetime


class WorkflowsOut(BaseModel):
    """Your own, then everybody's."""

    workflows: list[WorkflowOut]


class WorkflowOptionOut(BaseModel):
    """An input that is an option of the workflow; `default` is what it has when nobody says it."""

    name: str
    kind: str = Field(description="whole, number, text, flag or choice.")
    low: float | None
    high: float | None
    default: str
    choices: list[str]
    slots: list[str]


class WholeWorkflowOut(WorkflowOut):
    """The same with its graph. Options are there while an engine that runs it answers."""

    options: list[WorkflowOptionOut]
    nodes: list[NodeOut]
    outputs: list[str]
    problems: list[str]


class AnalysedOut(BaseModel):
    """The analysis of a file. `token` keeps it for an hour, for PUT /api/workflows/{name}."""

    engine: str
    fields: list[FieldOut]
    nodes: list[NodeOut]
    outputs: list[str]
    problems: list[str]
    lines: list[str]
    token: str


Slots = Annotated[list[Annotated[str, Field(max_length=200)]], Field(max_length=50)]


class WorkflowIn(BaseModel):
    """A file to keep: by the token of its analysis, or whole. `mapping`, if given, replaces what was found."""

    model_config = ConfigDict(extra="forbid")

    token: Annotated[str, Field(max_length=64)] | None = None
    graph: dict[str, Any] | None = Field(default=None, examples=[{"3": {"class_type": "KSampler", "inputs": {}}}])
    mapping: dict[Annotated[str, Field(max_length=40)], Slots] | None = Field(
        default=None, examples=[{"prompt": ["6.text"]}]
    )


class CorrectionIn(BaseModel):
    """The place one value goes to: "6.text", several with commas between, or "none"."""

    model_config = ConfigDict(extra="forbid")

    field: Annotated[str, Field(max_length=40, examples=["prompt"])]
    value: Annotated[str, Field(max_length=2000, examples=["6.text"])]
