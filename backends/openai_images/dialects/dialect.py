"""One server's way to speak OpenAI's images API, as a value."""

import re
from collections.abc import Mapping
from dataclasses import field
from typing import Final, Literal

from lazy import dataclass, pattern

Sizing = Literal["size", "sides", "ratio"]  # "1024x768"; width and height; a ratio out of a list
Negative = Literal["field", "bar", "avoid"]  # a field of its own; after a bar in the prompt; a sentence in the prompt
Edits = Literal["", "form", "references", "file"]  # none; multipart; JSON with data URLs; JSON with one base64 file
Mask = Literal["", "alpha", "white"]  # none; transparent is redrawn; white is redrawn

ANY_MODEL: Final = pattern("")


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """One server's ways.

    `fields` holds our names of what it takes beyond OpenAI's own, with its names for them. Of its models those that
    `draws` finds draw; where it finds none, all are offered. `preferred` models are taken before others, the first
    that is there; `preferred_edit` the same for work on a picture.
    """

    name: str
    title: str
    hosts: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()  # how its list of models says whose they are
    is_paid: bool = False
    pause_s: float = 0.0  # between two requests

    path: str = "/v1/images/generations"
    edit_path: str = "/v1/images/edits"
    models_path: str = "/v1/models"
    draws: re.Pattern[str] = ANY_MODEL
    preferred: tuple[str, ...] = ()
    preferred_edit: tuple[str, ...] = ()

    sizing: Sizing = "size"
    ratios: tuple[str, ...] = ()
    resolutions: tuple[tuple[str, int], ...] = ()  # its words for them, each with the longer side in pixels
    size_grid: int = 8
    min_side: int = 64
    max_side: int = 2048
    min_pixels: int = 0
    max_pixels: int = 0  # 0: no limit but the sides'
    default_side: int = 1024

    fields: Mapping[str, str] = field(default_factory=dict)
    is_in_prompt: bool = False  # these are JSON between tags in the prompt
    negative: Negative = "avoid"
    edits: Edits = "form"
    image_field: str = "image[]"
    max_images: int = 1
    mask: Mask = ""
    base64_word: str = "b64_json"  # of `response_format`; empty: it knows no such field
    output_formats: tuple[str, ...] = ()
    qualities: tuple[str, ...] = ()
    has_moderation: bool = False
    has_background: bool = False
    streams: bool = False
    max_n: int = 10

    @property
    def takes_seed(self) -> bool:
        return "seed" in self.fields
