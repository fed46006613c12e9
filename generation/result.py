"""Results of an engine, and the part of them that is kept.

Both clean what came from the engine when they are made, so also what an older version stored.
"""

from dataclasses import field
from datetime import datetime
from typing import Final

from constants import BY_RULES, MAX_PROMPT_CHARS
from generation.foreign import MAX_SECONDS, clean_line, clean_name, clean_text, finite, fold_seed, whole
from lazy import dataclass
from texts.text import _

MAX_COST_USD: Final = 1e6
MAX_NOTES: Final = 50
MAX_NUMBER: Final = 2**53


@dataclass(frozen=True, kw_only=True)
class GeneratedImage:
    """One picture or video as the engine made it (PNG, JPEG, WebP, mp4 or WebM bytes) and the seed that made it."""

    data: bytes = field(repr=False)
    seed: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "seed", fold_seed(self.seed))


@dataclass(frozen=True, kw_only=True)
class GenerationResult:
    """The pictures of one request, in the order the engine made them.

    `notes` are short remarks for the reply line ("sampler Euler a was not there, DPM++ 2M used").
    """

    images: tuple[GeneratedImage, ...]
    model: str | None = None  # the model that really drew it, when the engine tells
    cost_usd: float = 0.0
    notes: tuple[str, ...] = ()
    revised_prompt: str = ""  # what the engine made of the words, where it says so
    is_covered: bool = False  # to be shown behind a spoiler, wherever there is one
    is_complete: bool = True  # False: stopped early, drawn without a part, or not known to be whole; never cached

    def __post_init__(self) -> None:
        _clean(self)


def came_back(count: int, asked: int) -> str:
    """Return the remark on a result with fewer pictures than were asked for."""
    return _("{count} of {asked} came back", count=count, asked=asked)


@dataclass(frozen=True, kw_only=True)
class StoredImage:
    """A picture or video in the media store. `media_id` cannot be guessed; sizes are pixels and bytes."""

    media_id: str
    seed: int
    width: int
    height: int
    media_type: str  # image/png, image/jpeg, image/webp, video/mp4, video/webm
    size_bytes: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "seed", fold_seed(self.seed))
        for name in ("width", "height", "size_bytes"):
            object.__setattr__(self, name, whole(getattr(self, name), 0, MAX_NUMBER))

    @property
    def is_video(self) -> bool:
        return self.media_type.startswith("video/")


@dataclass(frozen=True, kw_only=True)
class JobResult:
    """The part of a result that a finished job keeps: ids and figures, no bytes. It outlives the pictures."""

    images: tuple[StoredImage, ...]
    backend: str  # the engine's name as people see it
    seconds: float  # from start to finish on the engine; 0 for a cached answer
    model: str | None = None
    cost_usd: float = 0.0
    notes: tuple[str, ...] = ()
    revised_prompt: str = ""
    alts: tuple[str, ...] = ()  # what the first of its pictures show, by a model that looked; "": nobody did
    from_cache: bool = False
    is_covered: bool = False  # to be shown behind a spoiler, wherever there is one
    expires_at: datetime | None = None

    def __post_init__(self) -> None:
        _clean(self)
        object.__setattr__(self, "backend", clean_name(self.backend))
        object.__setattr__(self, "alts", tuple(map(clean_line, self.alts[: len(self.images)])))
        object.__setattr__(self, "seconds", finite(self.seconds, 0.0, MAX_SECONDS))

    def alt_of(self, image: StoredImage) -> str:
        """Return what a picture shows, where a model has looked at it."""
        return next((alt for other, alt in zip(self.images, self.alts, strict=False) if other is image), "")

    @property
    def is_by_rules(self) -> bool:
        """Return whether an engine without a model drew it, as that says of itself."""
        return any(note.endswith(BY_RULES) for note in self.notes)


def clean_notes(notes: tuple[str, ...]) -> tuple[str, ...]:
    """Return short remarks as single lines."""
    return tuple(filter(None, map(clean_line, notes[:MAX_NOTES])))


def _clean(result: GenerationResult | JobResult) -> None:
    object.__setattr__(result, "model", clean_name(result.model) if result.model else None)
    object.__setattr__(result, "cost_usd", finite(result.cost_usd, 0.0, MAX_COST_USD))
    object.__setattr__(result, "notes", clean_notes(result.notes))
    object.__setattr__(result, "revised_prompt", clean_text(result.revised_prompt, MAX_PROMPT_CHARS))
