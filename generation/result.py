"""What an engine gives back, and what is kept of it."""

from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, kw_only=True)
class GeneratedImage:
    """One picture file as the engine made it (PNG, JPEG or WebP bytes) and the seed that made it."""

    data: bytes = field(repr=False)
    seed: int


@dataclass(frozen=True, kw_only=True)
class GenerationResult:
    """The pictures of one request, in the order the engine made them.

    `notes` are short remarks for the reply line ("sampler Euler a was not there, DPM++ 2M used").
    """

    images: tuple[GeneratedImage, ...]
    model: str | None = None  # the model that really drew it, when the engine tells
    cost_usd: float = 0.0
    notes: tuple[str, ...] = ()
    is_complete: bool = True  # False: stopped early, drawn without a part, or not known to be whole; never cached


def came_back(count: int, asked: int) -> str:
    """Return the remark on a result with fewer pictures than were asked for."""
    return f"{count} of {asked} came back"


@dataclass(frozen=True, kw_only=True)
class StoredImage:
    """A picture in the media store. `media_id` cannot be guessed; sizes are pixels and bytes."""

    media_id: str
    seed: int
    width: int
    height: int
    media_type: str  # image/png, image/jpeg, image/webp
    size_bytes: int


@dataclass(frozen=True, kw_only=True)
class JobResult:
    """What a finished job keeps: ids and figures, no bytes. It outlives the pictures."""

    images: tuple[StoredImage, ...]
    backend: str  # the engine's name as people see it
    seconds: float  # from start to finish on the engine; 0 for a cached answer
    model: str | None = None
    cost_usd: float = 0.0
    notes: tuple[str, ...] = ()
    from_cache: bool = False
    expires_at: datetime | None = None
