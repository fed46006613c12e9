"""The answers of fal.ai's queue, as far as they are read. Source: fal.ai/docs and its pages of Flux 2."""

from typing import Final

from pydantic import BaseModel

COMPLETED: Final = "COMPLETED"
RUNNING: Final = "IN_PROGRESS"


class FalStatus(BaseModel):
    """The state of a request; one that failed is completed too, and says so when it is fetched."""

    status: str
    error: str | None = None


class FalPicture(BaseModel):
    """One picture: an address in their store, or a data: URL."""

    url: str


class FalResult(BaseModel):
    """The result of a request."""

    images: list[FalPicture] = []
    has_nsfw_concepts: list[bool] = []

    @property
    def is_held_back(self) -> bool:
        """Return whether a filter has blackened it."""
        return bool(self.has_nsfw_concepts) and all(self.has_nsfw_concepts)
