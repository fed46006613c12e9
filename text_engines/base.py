"""The protocol of a text engine: one question, with the form that its answer must have.

A maker's file only translates. Time limits, turns, books and the filter on what comes back are `services.wording`'s.
"""

from collections.abc import Callable
from dataclasses import field
from typing import Any, Final, Generic, Protocol, TypeVar

from pydantic import BaseModel

from lazy import dataclass

MOST_TOKENS: Final = 2_000  # a model that thinks before it writes counts its thoughts too
MAX_ANSWER_BYTES: Final = 256 * 1024

Form = TypeVar("Form", bound=BaseModel)
Json = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class PictureShown:
    """A picture for a model that sees: small, and in a format that all of them read."""

    data: bytes = field(repr=False)
    media_type: str = "image/jpeg"


@dataclass(frozen=True, kw_only=True)
class TextQuestion(Generic[Form]):
    """One question. `task` is ours, `words` are a person's: they are never mixed in one text."""

    task: str
    words: str = field(repr=False)
    form: type[Form]
    picture: PictureShown | None = None
    most_tokens: int = MOST_TOKENS


@dataclass(frozen=True, kw_only=True)
class TokensUsed:
    """The tokens of a question and its answer, as the server counted them."""

    tokens_in: int = 0
    tokens_cached: int = 0  # of those that went in, read from a cache for less
    tokens_out: int = 0
    usd: float | None = None  # what the server says it has charged, where it says so


Count = Callable[[TokensUsed], None]  # called before an answer is looked at: one that is no good costs the same


class TextEngine(Protocol):
    """One model at one server, and the one that it asks about pictures."""

    model: str
    vision_model: str

    async def ask(self, question: TextQuestion[Form], count: Count) -> Form:
        """Return the answer.

        Raises:
            ContentBlocked: the model, or a filter before it, refuses; with its reason.
            BackendError: it is not there, or what it says is no answer.
            RequestRejected: it cannot do what was asked: it has no such model, or does not see pictures.
        """
        ...

    async def models(self) -> tuple[str, ...]:
        """Return the names of the server's models; raises as `ask` does."""
        ...

    async def aclose(self) -> None: ...
