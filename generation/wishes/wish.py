"""A wish: what somebody wants done with a picture, and what of their words says how."""

from dataclasses import field
from enum import StrEnum

from generation.request import Draft
from lazy import dataclass


class Operation(StrEnum):
    """The things that can be done with a picture that stands in a chat."""

    EDIT = "edit"  # the whole picture after further words
    INPAINT = "inpaint"  # a part of it
    RECOLOUR = "recolour"
    BACKGROUND = "background"
    VARY = "vary"
    RESIZE = "resize"
    ZOOM = "zoom"  # more around it, on all sides or on one
    UPSCALE = "upscale"
    AGAIN = "again"
    INFO = "info"
    SEED = "seed"


@dataclass(frozen=True, kw_only=True)
class Wish:
    """One operation on one picture.

    `words` are those of the request that say what the picture should show, without politeness and verbs; `options` are
    those that were typed (`--steps 30`), `unwanted` is what should no longer be seen, and `pick` is which picture of
    several was named, counted from 0.
    """

    operation: Operation
    pick: int | None = None
    words: str = ""
    unwanted: str = ""
    options: Draft = field(default_factory=Draft)
