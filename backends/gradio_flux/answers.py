"""Events of the app in our values: how far it is, and how it ended.

Source: recorded endings of real apps.
"""

import re
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel

from backends.gradio_flux.errors import drawing_failure
from backends.gradio_flux.facts import AppEndpoint
from generation.errors import (
    BackendError,
    UnexpectedAnswer,
)
from generation.job import Progress
from lazy import dataclass, pattern
from texts.text import _
from utils.images import BadImage, inspect

_LOADING = pattern(r"load|fetch|download|shard|file", re.I)


class ProgressStep(BaseModel):
    """One bar of the app's progress; several may run inside one another."""

    index: float | None = None
    length: float | None = None
    progress: float | None = None
    desc: str | None = None


class Message(BaseModel):
    """One line of the event stream. Kinds and fields unknown to us are left alone."""

    msg: str = ""
    rank: int | None = None
    progress_data: list[ProgressStep] | None = None
    success: bool | None = None
    output: Any = None
    message: str | None = None


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """The end of an event. `output` holds `data`, or `error`, or nothing when somebody cancelled it."""

    success: bool
    output: dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class DrawnFile:
    """The files of an event on the server: the picture's path there, and the seed where the app tells it."""

    path: str
    seed: int | None


def read_outcome(label: str, outcome: Outcome, endpoint: AppEndpoint) -> DrawnFile:
    """Return the picture of an ended event; of several the first, since one is all we ask for.

    Raises:
        GenerationError: it failed, was cancelled there, or left no picture.
    """
    if not outcome.success:
        raise drawing_failure(label, outcome.output.get("error"))
    data = outcome.output.get("data")
    if not isinstance(data, list):  # what gradio leaves of a cancelled event
        raise BackendError(
            _("{label} ended the picture early: somebody stopped it there.", label=label),
            hint=_("Try again."),
            may_have_run=True,
        )
    places = [place for place in endpoint.picture_outputs if place < len(data)]
    path = next((path for place in places for path in _paths(data[place])), None)
    if path is None:
        raise UnexpectedAnswer(_("{label} answered without a picture.", label=label), detail=f"{data}"[:200])
    seed = endpoint.seed_output
    words = data[seed] if seed is not None and seed < len(data) else None
    is_whole = isinstance(words, int | float) and not isinstance(words, bool)
    return DrawnFile(path=path, seed=int(words) if words is not None and is_whole else None)


def check_picture(label: str, data: bytes) -> bytes:
    """Return the file if it is a whole picture of sane size. Slow: call it in a thread."""
    try:
        inspect(data)
    except BadImage as error:
        raise UnexpectedAnswer(
            _("{label} sent a picture that cannot be used.", label=label), detail=str(error)
        ) from error
    return data


def read_progress(message: Message, steps: int) -> Progress | None:
    """Return how far one picture is, or None if the message says nothing of that."""
    if message.msg == "estimation" and message.rank:
        return Progress(note=_("{rank} ahead in the app’s own queue", rank=message.rank))
    if message.msg == "heartbeat":
        return Progress(note=_("at work; the first picture after a start loads the model"))
    if message.msg != "progress":
        return None
    bars = message.progress_data or []
    if any(bar.desc and _LOADING.search(bar.desc) for bar in bars):
        return Progress(note=_("loading the model"))
    shares = [share for bar in bars if (share := _share(bar)) is not None]
    if not shares:
        return None
    # The outermost bar is the picture's; of several, the one over our own steps.
    matching = [_share(bar) for bar in bars if bar.length == steps]
    fraction = matching[0] if matching and matching[0] is not None else shares[0]
    return Progress(fraction=fraction, step=round(fraction * steps), steps=steps)


def _share(bar: ProgressStep) -> float | None:
    if bar.index is not None and bar.length:
        return max(0.0, min(1.0, bar.index / bar.length))
    return None if bar.progress is None else max(0.0, min(1.0, bar.progress))


def _paths(value: Any) -> Iterator[str]:
    """Yield the paths of all files in a nested output, in their order."""
    if isinstance(value, dict):
        meta = value.get("meta")
        if isinstance(meta, dict) and meta.get("_type") == "gradio.FileData":
            if isinstance(path := value.get("path"), str) and path:
                yield path
            return
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _paths(item)
