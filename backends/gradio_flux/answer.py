"""How an event ended, in our values and errors.

Source: recorded endings of real apps. A Python exception of the app reaches us without its text unless the app was
started with `show_error`; `gr.Error` always brings its text along.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from backends.drawing_errors import drawing_error
from backends.gradio_flux.app import Endpoint
from backends.gradio_flux.server import Message, Outcome, Step
from generation.errors import (
    BackendError,
    BackendUnavailable,
    GenerationError,
    OutOfMemory,
    RequestRejected,
    UnexpectedAnswer,
)
from generation.job import Progress
from net.failures import UNCLEAR_ATTEMPTS
from net.reasons import reason, with_reason
from utils.images import BadImage, inspect

_MEMORY = re.compile(r"out of memory|outofmemory|alloc_failed|not enough memory", re.I)
_RANGE = re.compile(r"greater than maximum|less than minimum|not in the list of choices", re.I)
_LOADING = re.compile(r"load|fetch|download|shard|file", re.I)


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """What an event left on the server: the picture's path there, and the seed where the app tells it."""

    path: str
    seed: int | None


def read_outcome(label: str, outcome: Outcome, endpoint: Endpoint) -> Drawn:
    """Return the picture of an ended event; of several the first, since one is all we ask for.

    Raises:
        GenerationError: it failed, was cancelled there, or left no picture.
    """
    if not outcome.success:
        raise _failure(label, outcome.output.get("error"))
    data = outcome.output.get("data")
    if not isinstance(data, list):  # what gradio leaves of a cancelled event
        raise BackendError(
            f"{label} ended the picture early: somebody stopped it there.", hint="Try again.", may_have_run=True
        )
    places = [place for place in endpoint.picture_outputs if place < len(data)]
    path = next((path for place in places for path in _paths(data[place])), None)
    if path is None:
        raise UnexpectedAnswer(f"{label} answered without a picture.", detail=f"{data}"[:200])
    seed = endpoint.seed_output
    told = data[seed] if seed is not None and seed < len(data) else None
    is_whole = isinstance(told, int | float) and not isinstance(told, bool)
    return Drawn(path=path, seed=int(told) if told is not None and is_whole else None)


def check_picture(label: str, data: bytes) -> bytes:
    """Return the file if it is a whole picture of sane size. Slow: call it in a thread."""
    try:
        inspect(data)
    except BadImage as error:
        raise UnexpectedAnswer(f"{label} sent a picture that cannot be used.", detail=str(error)) from error
    return data


def read_progress(message: Message, steps: int) -> Progress | None:
    """Return how far one picture is, or None if the message says nothing of that."""
    if message.msg == "estimation" and message.rank:
        return Progress(note=f"{message.rank} ahead in the app’s own queue")
    if message.msg == "heartbeat":
        return Progress(note="at work; the first picture after a start loads the model")
    if message.msg != "progress":
        return None
    bars = message.progress_data or []
    if any(bar.desc and _LOADING.search(bar.desc) for bar in bars):
        return Progress(note="loading the model")
    shares = [share for bar in bars if (share := _share(bar)) is not None]
    if not shares:
        return None
    # The outermost bar is the picture's; of several, the one over our own steps.
    matching = [_share(bar) for bar in bars if bar.length == steps]
    fraction = matching[0] if matching and matching[0] is not None else shares[0]
    return Progress(fraction=fraction, step=round(fraction * steps), steps=steps)


def _share(bar: Step) -> float | None:
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


def _failure(label: str, error: object) -> GenerationError:
    text = error if isinstance(error, str) else ""
    detail = text[:500] or "the app gave no text"
    if _MEMORY.search(text):
        return OutOfMemory(
            f"{label} ran out of graphics memory.", detail=detail, hint="Try a smaller size, or close other programs."
        )
    if _RANGE.search(text):
        return RequestRejected(
            with_reason(f"{label} does not take one of these values.", text), detail=detail, hint="Try other settings."
        )
    if reason(text):
        return drawing_error(label, text, detail=detail)
    return BackendUnavailable(
        f"{label} failed while drawing and does not say why.",
        detail=detail,
        hint="Its console shows the reason. Try a smaller size first.",
        may_have_run=True,
        max_attempts=UNCLEAR_ATTEMPTS,
    )
